"""Network namespaces of a test's own: one that its process enters, others for programs that run in several of them.
Nothing that is started in these others can touch the clock."""
import ctypes
import os
import shutil
import subprocess
import unittest

from programs import die_with_parent

MISSING = "needs unshare, nsenter and setpriv (util-linux), ip (iproute2) and the right to make network namespaces"
CLONE_NEWNET = 0x40000000
# Before a command, whoever it runs as.
WITHOUT_THE_CLOCK = ("setpriv", "--bounding-set=-sys_time", "--")


def allowed():
    tools = all(shutil.which(tool) for tool in ("unshare", "nsenter", "setpriv", "ip"))
    link = ["unshare", "-n", "ip", "link", "add", "name", "one", "type", "veth", "peer", "name", "two"]
    return tools and subprocess.run(link, capture_output=True, check=False).returncode == 0


def ip(*arguments, prefix=()):
    """What it says; `prefix`: a namespace's."""
    return subprocess.run([*prefix, "ip", *arguments], check=True, stdout=subprocess.PIPE, text=True, timeout=10).stdout


def enter():
    """The calling process leaves the machine's network for good, for one that has nothing but a loopback interface."""
    if not allowed() or ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
        raise unittest.SkipTest(MISSING)
    ip("link", "set", "lo", "up")


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
        inside = ("nsenter", "--target", self.pid, "--net",
                  *(["--mount", f"--wd={os.getcwd()}"] if resolv_conf else []))
        self.prefix = (*inside, *WITHOUT_THE_CLOCK)
        self.processes = []
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        return ip(*arguments, prefix=self.prefix)

    def start(self, log, *command, **environment):
        """A program of others'; what it says goes to the file `log`."""
        with open(log, "ab") as output:
            process = subprocess.Popen([*self.prefix, *map(str, command)], stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=output, env=dict(os.environ, **environment),
                                       preexec_fn=die_with_parent)
        self.processes.append(process)
        return process

    def run(self, *command, check=True):
        """What a program that ends by itself says."""
        done = subprocess.run([*self.prefix, *map(str, command)], capture_output=True, text=True, timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.holder.communicate()
