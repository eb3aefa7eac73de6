"""NTPsec's ntpd measures timepool-ntpd without keys. Both read the same clock: the truth is 0. What our
client makes of ntpd's answers is in ntpsec_keys_test.py and ntpsec_nts_test.py."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ntpsec import OURS, NtpsecTest  # noqa: E402
from programs import main, wait_until  # noqa: E402

# Seconds; a loaded machine may delay one way of an exchange.
CLOSE = 0.02


class Ntpsec(NtpsecTest):
    def check_ntpd_as_client(self, version):
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["{OURS}:123"]\n[server.local]\nstratum = 2\nrefid = "GOOD"\n'))
        self.start_ntpd(f"server {OURS} version {version} minpoll 0 maxpoll 0 iburst\n")
        wait_until(lambda: len(self.offsets()) >= 3, 60, f"ntpd measures us\n{self.log()}")
        for offset in self.offsets():
            self.assertLess(abs(offset), CLOSE)
        counters = server.control("counters")["server"]
        asked = sum(counters["reasons"].values())
        self.assertEqual(counters["reasons"]["answered_plain"], asked)

    def test_ntpd_of_ntpsec_is_our_client_by_version_3(self):
        self.check_ntpd_as_client(3)

    def test_ntpd_of_ntpsec_is_our_client_by_version_4(self):
        self.check_ntpd_as_client(4)


if __name__ == "__main__":
    main()
