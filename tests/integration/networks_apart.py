"""Two networks joined by a cable: that of the calling test's process, and another one."""
import namespaces
from programs import DirectoryTest, wait_until

OURS, THEIRS = "192.0.2.77", "192.0.2.88"
OURS_6, THEIRS_6 = "2001:db8:77::77", "2001:db8:77::88"


class Apart:
    """The interfaces are called "ours" and "theirs"; `theirs` is the other network."""

    def __init__(self):
        namespaces.enter()
        self.theirs = namespaces.Namespace()
        namespaces.ip("link", "add", "ours", "type", "veth", "peer", "name", "theirs", "netns", self.theirs.pid)
        for ip, name, v4, v6 in ((namespaces.ip, "ours", OURS, OURS_6), (self.theirs.ip, "theirs", THEIRS, THEIRS_6)):
            ip("link", "set", name, "up")
            ip("address", "add", f"{v4}/24", "dev", name)
            ip("address", "add", f"{v6}/64", "dev", name, "nodad")
        for ip in (namespaces.ip, self.theirs.ip):
            wait_until(lambda: "tentative" not in ip("-6", "address"), 10, "link-local addresses")


class ApartTest(DirectoryTest):
    """A class of tests on two networks, which are there for all of them."""

    @classmethod
    def setUpClass(cls):
        cls.apart = Apart()
        cls.addClassCleanup(cls.apart.theirs.close)

    def start_there(self, name, *command, network=None):
        """A program in their network, or in `network`; what it says is in the file `name`."""
        process = (network or self.apart.theirs).start(self.directory / name, *command)
        self.end_with_test(process)
        return process
