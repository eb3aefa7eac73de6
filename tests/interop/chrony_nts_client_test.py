"""chronyd gets keys from timepool-ntpd and asks it under NTS, on loopback; chronyd is started with -x,
so that it never touches the clock. The ids are those of the project's checklist of RFC 8915."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from chrony_test import CHRONYC, CHRONYD, Chronyd  # noqa: E402
from certificates import AuthorityTest  # noqa: E402
from programs import main, wait_until  # noqa: E402

NAMES = "DNS:localhost,IP:127.0.0.1"


@unittest.skipUnless(CHRONYD and CHRONYC, "Debian package chrony is not there: chronyd or chronyc")
class ChronyAsNtsClient(AuthorityTest):
    def setUp(self):
        super().setUp()
        self.chain, self.key = self.authority.issue("server", NAMES)

    def key_settings(self, more=""):
        return (f'[nts.server]\nlisten = ["127.0.0.1:0"]\n{more}'
                f'[[nts.server.certificate]]\nchain = "{self.chain}"\nkey = "{self.key}"\n')

    def start_server(self, settings):
        server = self.start("timepool-ntpd", settings)
        status = server.control("status")
        ports = [status[half]["listen"][0].rsplit(":", 1)[1] if status[half] else None
                 for half in ("server", "key_server")]
        return server, *ports

    def start_chronyd(self, key_port):
        chronyd = Chronyd(f"port 0\nserver 127.0.0.1 nts ntsport {key_port} iburst minpoll -2 maxpoll -2\n"
                          f"ntstrustedcerts {self.authority.certificate}\n")
        self.addCleanup(chronyd.close)
        return chronyd

    def wait_selected(self, chronyd):
        def selected():
            rows = chronyd.ask("sources")
            return rows and rows[0][1] == "*"
        wait_until(selected, 40, f"chronyd selects us\n{chronyd.output()}")
        return chronyd.ask("authdata")[0]

    def test_chronyd_gets_keys_of_us_and_asks_under_them(self):
        server, ntp_port, key_port = self.start_server(
            '[server]\nlisten = ["127.0.0.1:0"]\n[server.local]\nstratum = 2\n' + self.key_settings())
        chronyd = self.start_chronyd(key_port)
        row = self.wait_selected(chronyd)
        self.assertEqual(row[1], "NTS", row)
        self.assertEqual(row[7], "0", f"no NAK: {row}")
        self.assertEqual(row[8], "8", f"eight cookies: {row}")
        counters = server.control("counters")
        outcomes = counters["key_server"]["outcomes"]
        self.assertEqual(outcomes["established"], 1, outcomes)
        self.assertEqual(sum(outcomes.values()), 1, outcomes)
        self.assertGreater(counters["server"]["reasons"]["answered_nts"], 0, counters["server"]["reasons"])

    def test_keys_of_a_separate_host_hold_at_the_ntp_server(self):
        # The first makes keys, the second gets a copy of its file.
        ours, theirs = self.directory / "ntp.keys", self.directory / "copy.keys"
        ntp, ntp_port, _ = self.start_server(
            '[server]\nlisten = ["127.0.0.2:0"]\n[server.local]\nstratum = 2\n'
            f'[nts.cookies]\nfile = "{ours}"\n')
        theirs.write_text(ours.read_text())
        theirs.chmod(0o600)
        _, _, key_port = self.start_server(
            f'[nts.cookies]\nfile = "{theirs}"\nshared = true\n' + self.key_settings(
                f'[[nts.server.ntp_server]]\nname = "127.0.0.2"\nport = {ntp_port}\n'))
        chronyd = self.start_chronyd(key_port)
        row = self.wait_selected(chronyd)
        self.assertEqual(row[1], "NTS", row)
        self.assertGreater(ntp.control("counters")["server"]["reasons"]["answered_nts"], 0)

    def test_chronyd_refuses_the_certificate_of_another_name(self):
        self.chain, self.key = self.authority.issue("other", "DNS:other.example")
        server, _, key_port = self.start_server(
            '[server]\nlisten = ["127.0.0.1:0"]\n[server.local]\nstratum = 2\n' + self.key_settings())
        chronyd = self.start_chronyd(key_port)

        def refused():
            outcomes = server.control("counters")["key_server"]["outcomes"]
            return sum(outcomes.values()) > 0 and outcomes
        outcomes = wait_until(refused, 20, f"chronyd tries\n{chronyd.output()}")
        self.assertEqual(outcomes["established"], 0, outcomes)


if __name__ == "__main__":
    main()
