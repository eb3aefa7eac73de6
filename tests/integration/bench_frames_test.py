"""timepool bench frames over a veth pair between two network namespaces: every request that arrives at a
server's device is answered and counted, and what a small receive buffer loses is told. Without the right
to make namespaces: skipped."""
import json
import subprocess
import unittest

from namespaces import MISSING, Namespace, allowed
from programs import BINARY_DIR, ProgramTest, main

RATE = 2000
SERVER = "10.77.0.2"


@unittest.skipUnless(allowed(), MISSING)
class BenchFrames(ProgramTest):
    def setUp(self):
        self.client, self.server = Namespace(), Namespace()
        self.addCleanup(self.client.close)
        self.addCleanup(self.server.close)
        self.client.ip("link", "add", "name", "vc", "type", "veth", "peer", "name", "vs", "netns", self.server.pid)
        for side, device, address in ((self.client, "vc", "10.77.0.1"), (self.server, "vs", SERVER)):
            side.ip("address", "add", f"{address}/24", "dev", device)
            side.ip("link", "set", device, "up")
        self.server.ip("route", "add", "172.16.0.0/16", "via", "10.77.0.1")

    def frames(self):
        """Exit status and report of a run of half a second."""
        done = subprocess.run(
            [*self.client.prefix, BINARY_DIR / "bin/timepool", "bench", "frames", "--target", f"{SERVER}:123", "--device", "vc",
             "--server-device", "vs", "--server-process", self.server.pid, "--sources", "172.16.0.0/16",
             "--rate", str(RATE), "--duration", "500ms", "--json"],
            capture_output=True, text=True, timeout=60, check=False)
        if "not permitted" in done.stderr:
            self.skipTest("needs CAP_BPF")
        self.assertNotEqual(done.stdout, "", done.stderr)
        return done.returncode, json.loads(done.stdout)

    def test_a_server_with_default_settings_answers_them_all(self):
        self.start("timepool-ntpd", f'[server]\nlisten = ["{SERVER}:123"]\n[server.local]\nstratum = 2\n',
                   prefix=self.server.prefix)
        status, report = self.frames()
        self.assertEqual(status, 0)
        # Fewer than the rate says where this machine paused.
        self.assertGreater(report["sent"], 50)
        self.assertLessEqual(report["sent"], RATE // 2 + 32)
        self.assertEqual(report["answered"], report["sent"], report)
        self.assertEqual([report["lost"], report["refused"], report["invalid"]], [0, 0, 0])

    def test_what_nobody_answers_is_lost(self):
        # Nobody listens; a closed port answers by ICMP only, which is no reply.
        status, report = self.frames()
        self.assertNotEqual(status, 0)
        self.assertGreater(report["sent"], 50)
        self.assertEqual([report["answered"], report["lost"]], [0, report["sent"]])


if __name__ == "__main__":
    main()
