"""Network namespaces of a test's own, for programs that run in several of them."""
import os
import shutil
import subprocess

MISSING = "needs unshare and nsenter (util-linux), ip (iproute2) and the right to make network namespaces"


def allowed():
    tools = all(shutil.which(tool) for tool in ("unshare", "nsenter", "ip"))
    link = ["unshare", "-n", "ip", "link", "add", "name", "one", "type", "veth", "peer", "name", "two"]
    return tools and subprocess.run(link, capture_output=True, check=False).returncode == 0


class Namespace:
    """A network namespace that is there while its process is. `resolv_conf`: a file that stands for
    /etc/resolv.conf in it."""

    def __init__(self, resolv_conf=None):
        kinds, first = ["-n"], "echo"
        if resolv_conf:
            kinds, first = ["-n", "-m"], f"mount --bind '{resolv_conf}' /etc/resolv.conf && echo"
        self.holder = subprocess.Popen(["unshare", *kinds, "sh", "-c", f"{first}; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.pid = str(self.holder.pid)
        self.prefix = ("nsenter", "--target", self.pid, "--net",
                       *(["--mount", f"--wd={os.getcwd()}"] if resolv_conf else []))
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        subprocess.run([*self.prefix, "ip", *arguments], check=True, timeout=10)

    def close(self):
        self.holder.communicate()
