"""What a server takes that few ask: with nothing to deny and with 100,000 denied prefixes, before and after
they are read again."""
import pathlib
import random
import subprocess

from client_footprint_test import why_not_measured
from programs import BINARY_DIR, ProgramTest, free_port, main

MEMORY_LIMIT = 12_000_000
ENTRIES = 100_000
ADDRESS = "127.0.8.1"


class ServerFootprint(ProgramTest):
    def setUp(self):
        reason = why_not_measured()
        if reason:
            self.skipTest(reason)

    def serve(self, more=""):
        self.port = free_port(ADDRESS)
        server = self.start("timepool-ntpd", f'[server]\nlisten = ["{ADDRESS}:{self.port}"]\nthreads = 1\n'
                            f"[server.local]\nstratum = 2\n{more}")
        self.ask()
        return server

    def ask(self):
        done = subprocess.run([BINARY_DIR / "bin/timepool", "bench", "ntp", "--target", f"{ADDRESS}:{self.port}",
                               "--count", "2000"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def memory(self, server):
        status = (pathlib.Path("/proc") / str(server.process.pid) / "status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def test_with_the_default_settings_it_stays_below_twelve_megabytes(self):
        self.assertLess(self.memory(self.serve()), MEMORY_LIMIT)

    def test_with_100000_denied_prefixes_it_stays_there_and_a_reload_takes_nothing(self):
        server = self.serve()
        denied = server.directory / "denied"
        chosen = random.Random(1).sample(range(10 << 24, 11 << 24), ENTRIES)
        denied.write_text("".join("%d.%d.%d.%d/32\n" % tuple(it.to_bytes(4, "big")) for it in chosen))
        server.stop()
        server = self.serve(f'[server.access]\ndeny_files = ["{denied}"]\n')
        self.assertLess(self.memory(server), MEMORY_LIMIT)
        before = self.memory(server)
        for _ in range(3):
            self.assertTrue(server.control("reload")["ok"])
            self.assertLess(self.memory(server), MEMORY_LIMIT)
        # A worker keeps the rules that it used last until the next request, and the newest are there.
        self.ask()
        self.assertTrue(server.control("reload")["ok"])
        self.assertLess(self.memory(server), before + 2_500_000)


if __name__ == "__main__":
    main()
