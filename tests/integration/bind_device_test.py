"""[sources] bind_device: two interfaces lead to different servers of one address; which of them is asked
is the setting's choice. In network namespaces that the test makes; without the right to: skipped."""
import unittest

from namespaces import MISSING, Namespace, allowed
from programs import ProgramTest, main, wait_until

ADDRESS = "192.0.2.1"
REFIDS = {"left": "LEFT", "right": "RGHT"}


@unittest.skipUnless(allowed(), MISSING)
class BindDevice(ProgramTest):
    def namespace(self):
        out = Namespace()
        self.addCleanup(out.close)
        return out

    def setUp(self):
        self.client = self.namespace()
        for number, name in enumerate(REFIDS):
            server = self.namespace()
            self.client.ip("link", "add", "name", name, "type", "veth", "peer", "name", "uplink", "netns", server.pid)
            # By the routes alone everything leaves by the first one.
            self.client.ip("address", "add", f"192.0.2.{2 + number}/24", "dev", name)
            self.client.ip("link", "set", name, "up")
            server.ip("address", "add", f"{ADDRESS}/24", "dev", "uplink")
            server.ip("link", "set", "uplink", "up")
            self.start("timepool-ntpd", f'[server]\nlisten = ["{ADDRESS}:123"]\n'
                       f'[server.local]\nstratum = 1\nrefid = "{REFIDS[name]}"\n', prefix=server.prefix)

    def refid_seen(self, device):
        program = self.start("timepool-ntpd", f'[sources]\nmin_sources = 1\nbind_device = "{device}"\n'
                             f'[[server]]\naddress = "{ADDRESS}"\niburst = true\nminpoll = 0\nmaxpoll = 0\n',
                             prefix=self.client.prefix)
        def answer():
            last = program.control("ntpdata")["sources"][0]["answer"]
            return last and last["reference_id"]
        return wait_until(answer, 20, f"an answer by {device or 'any'}\n{program.output()}")

    def test_requests_leave_by_that_interface_only(self):
        self.assertIn("LEFT", self.refid_seen(""))
        self.assertIn("LEFT", self.refid_seen("left"))
        self.assertIn("RGHT", self.refid_seen("right"))

    def test_an_interface_that_is_not_there_is_told_of_and_nothing_leaves_by_another(self):
        program = self.start("timepool-ntpd", 'log_level = "debug"\n[sources]\nbind_device = "nosuch"\n'
                             f'[[server]]\naddress = "{ADDRESS}"\niburst = true\nminpoll = 0\nmaxpoll = 0\n',
                             prefix=self.client.prefix)
        wait_until(lambda: "bind to interface nosuch" in program.output(), 20, "it is told\n" + program.output())
        self.assertEqual(program.control("ntpdata")["sources"][0]["received"], 0)


if __name__ == "__main__":
    main()
