"""NTPsec's ntpd measures timepool-ntpd without keys, over the cable of ntpsec_keys_test.py. Both read
the same clock: the truth is 0. ntpd runs without CAP_SYS_TIME, and so never has time to give itself:
what our client makes of its answers is in ntpsec_keys_test.py."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import ntpsec_keys_test as network  # noqa: E402
from ntpsec_keys_test import NTPD, OURS  # noqa: E402
from programs import ProgramTest, main, wait_until  # noqa: E402

# Seconds; a loaded machine may delay one way of an exchange.
CLOSE = 0.02


def setUpModule():
    network.setUpModule()


def tearDownModule():
    network.tearDownModule()


@unittest.skipUnless(NTPD.exists(), "Debian package ntpsec is not there: ntpd")
class Ntpsec(ProgramTest):
    def start_ntpd(self, config):
        directory = tempfile.TemporaryDirectory(prefix="ntpsec-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        path = self.directory / "ntp.conf"
        path.write_text(f"statsdir {self.directory}/\n"
                        f"filegen peerstats file peerstats type none enable\n{config}")
        log = open(self.directory / "log", "wb")
        ntpd = subprocess.Popen([*network.there(), NTPD, "-n", "-c", path], stdin=subprocess.DEVNULL,
                                stdout=log, stderr=log, preexec_fn=network.without_the_clock)

        def end():
            ntpd.kill()
            ntpd.wait()
            log.close()
        self.addCleanup(end)

    def output(self):
        return (self.directory / "log").read_text(errors="replace")

    def offsets(self):
        """What ntpd measured of our server."""
        path = self.directory / "peerstats"
        lines = path.read_text().splitlines() if path.exists() else []
        return [float(line.split()[4]) for line in lines if line.split()[2] == OURS]

    def check_ntpd_as_client(self, version):
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["{OURS}:123"]\n[server.local]\nstratum = 2\nrefid = "GOOD"\n'))
        self.start_ntpd(f"server {OURS} version {version} minpoll 0 maxpoll 0 iburst\n")
        wait_until(lambda: len(self.offsets()) >= 3, 60, f"ntpd measures us\n{self.output()}")
        for offset in self.offsets():
            self.assertLess(abs(offset), CLOSE)
        counters = server.control("counters")["server"]
        asked = sum(counters["reasons"].values())
        self.assertEqual(counters["reasons"]["answered_plain"], asked)

    def test_ntpd_of_ntpsec_is_our_client(self):
        for version in (3, 4):
            with self.subTest(version=version):
                self.check_ntpd_as_client(version)
                self.doCleanups()


if __name__ == "__main__":
    main()
