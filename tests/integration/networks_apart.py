"""Two networks joined by a cable: that of the calling test's process, and one held by another process."""
import ctypes
import os
import shutil
import subprocess
import unittest

from programs import DirectoryTest, die_with_parent, wait_until

CLONE_NEWNET = 0x40000000
PR_CAPBSET_DROP, CAP_SYS_TIME = 24, 25
OURS, THEIRS = "192.0.2.77", "192.0.2.88"
OURS_6, THEIRS_6 = "2001:db8:77::77", "2001:db8:77::88"


def without_the_clock():
    """For preexec_fn: what is executed can't touch the clock, whoever it runs as."""
    die_with_parent()
    if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_TIME, 0, 0, 0) != 0:
        os._exit(99)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Apart:
    """The interfaces are called "ours" and "theirs"."""

    def __init__(self):
        if not shutil.which("ip") or not shutil.which("nsenter"):
            raise unittest.SkipTest("packages iproute2 or util-linux are not there")
        if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
            raise unittest.SkipTest("needs the right to make network namespaces")
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "300"],
                                       preexec_fn=die_with_parent)
        own = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != own, 10,
                   "their namespace")
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "ours", "type", "veth", "peer", "name", "theirs",
            "netns", str(self.holder.pid))
        for prefix, name, v4, v6 in (((), "ours", OURS, OURS_6),
                                     (self.there(), "theirs", THEIRS, THEIRS_6)):
            run(*prefix, "ip", "link", "set", name, "up")
            run(*prefix, "ip", "address", "add", f"{v4}/24", "dev", name)
            run(*prefix, "ip", "address", "add", f"{v6}/64", "dev", name, "nodad")
        for prefix in ((), self.there()):
            wait_until(lambda: "tentative" not in run(*prefix, "ip", "-6", "address"), 10,
                       "link-local addresses")

    def there(self):
        return ["nsenter", "-t", str(self.holder.pid), "-n"]

    def close(self):
        self.holder.kill()
        self.holder.wait()


class ApartTest(DirectoryTest):
    """A class of tests on two networks, which are there for all of them."""

    @classmethod
    def setUpClass(cls):
        cls.apart = Apart()
        cls.addClassCleanup(cls.apart.close)

    def start_there(self, name, *command, prefix=()):
        """A program in their network, without the right to the clock; what it says is in the file
        `name`."""
        with open(self.directory / name, "wb") as log:
            process = subprocess.Popen([*(prefix or self.apart.there()), *command],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       preexec_fn=without_the_clock)
        self.end_with_test(process)
        return process
