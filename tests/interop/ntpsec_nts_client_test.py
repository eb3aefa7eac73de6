"""NTPsec's ntpd gets keys from timepool-ntpd and asks it under NTS, over the cable of
ntpsec_keys_test.py. It runs without CAP_SYS_TIME: it can't touch the clock."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import ntpsec_keys_test as network  # noqa: E402
from ntpsec_keys_test import NTPD, OURS  # noqa: E402
from certificates import OPENSSL, Authority  # noqa: E402
from programs import ProgramTest, main, wait_until  # noqa: E402


def setUpModule():
    network.setUpModule()


def tearDownModule():
    network.tearDownModule()


@unittest.skipUnless(NTPD.exists(), "Debian package ntpsec is not there: ntpd")
@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class NtpsecAsNtsClient(ProgramTest):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="ntpsec-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def start_ntpd(self, authority):
        path = self.directory / "ntp.conf"
        path.write_text(f"disable ntp\nserver {OURS} nts ca {authority} iburst minpoll 0 maxpoll 0\n"
                        f"statsdir {self.directory}/\n"
                        "filegen peerstats file peerstats type none enable\n")
        self.log = self.directory / "log"
        with open(self.log, "wb") as log:
            ntpd = subprocess.Popen([*network.there(), NTPD, "-n", "-c", path],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    preexec_fn=network.without_the_clock)

        def end():
            ntpd.kill()
            ntpd.wait()
        self.addCleanup(end)

    def test_ntpsec_gets_keys_of_us_and_asks_under_them(self):
        authority = Authority(self.directory)
        chain, key = authority.issue("ours", f"DNS:ours.test,IP:{OURS}")
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["{OURS}:123"]\n[server.local]\nstratum = 2\n'
            f'[nts.server]\nlisten = ["{OURS}:4460"]\n'
            f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'))
        self.start_ntpd(authority.certificate)

        def answered():
            counters = server.control("counters")
            return counters["server"]["reasons"]["answered_nts"] >= 5 and counters
        counters = wait_until(answered, 60, "ntpd asks under NTS:\n" +
                              self.log.read_text(errors="replace"))
        self.assertGreaterEqual(counters["key_server"]["outcomes"]["established"], 1)
        # It takes our answers for true ones.
        peers = self.directory / "peerstats"
        wait_until(lambda: peers.exists() and OURS in peers.read_text(), 60, "ntpd measures us")


if __name__ == "__main__":
    main()
