"""timepool-ntpd keeps sources by Network Time Security: chronyd's NTS server, on loopback.

chronyd is started with -x and ours without [clock], so that neither touches the clock. The ids are
those of the project's checklist of RFC 8915.
"""
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from chrony_test import CHRONYC, CHRONYD  # noqa: E402
from chrony_nts import NAMES, ChronyNtsTest  # noqa: E402
import nts_source  # noqa: E402
from certificates import DAY, OPENSSL  # noqa: E402
from programs import free_port, main, wait_until  # noqa: E402


@unittest.skipUnless(CHRONYD and CHRONYC, "Debian package chrony is not there: chronyd or chronyc")
@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class NtsClient(ChronyNtsTest):
    def start_client(self, port, state=None):
        return self.start("timepool-ntpd", f'state_directory = "{state or self.directory}"\n' +
                          nts_source.settings("127.0.0.1", port, self.authority))

    def source(self, client):
        return nts_source.source(client)

    def wait_selected(self, client, chronyd):
        nts_source.wait_selected(client, f"{client.output()}\n{chronyd.output()}")

    def test_our_client_keeps_chronyd_by_nts(self):
        chronyd, port, ntp_port = self.start_chronyd(*self.authority.issue("time.test", NAMES))
        client = self.start_client(port)
        # KEC5: the address of the key establishment, at the port that it named.
        nts_source.check_kept(self, client, f"127.0.0.1:{ntp_port}")

    def test_kec6_keys_of_one_host_of_chrony_hold_at_another(self):
        certificate = self.authority.issue("time.test", NAMES)
        one, other = self.directory / "one", self.directory / "other"
        ntp_port = free_port()
        _, port, _ = self.start_chronyd(*certificate, f"ntsntpserver 127.0.0.2\nntsdumpdir {one}\n",
                                        ntp_port=ntp_port)
        wait_until(lambda: (one / "ntskeys").exists(), 20, "chronyd writes its keys")
        shutil.copytree(one, other)
        # It makes no keys of its own.
        self.start_chronyd(*certificate, f"ntsrotate 0\nntsdumpdir {other}\n", address="127.0.0.2",
                           ntp_port=ntp_port)
        client = self.start_client(port)
        nts_source.check_kept(self, client, f"127.0.0.2:{ntp_port}")

    def test_a_restart_establishes_no_keys(self):
        chronyd, port, _ = self.start_chronyd(*self.authority.issue("time.test", NAMES))
        client = self.start_client(port)
        self.wait_selected(client, chronyd)
        client.stop()
        saved = self.directory / "nts-sessions.bin"
        self.assertEqual(saved.stat().st_mode & 0o777, 0o600)
        again = self.start_client(port)
        self.wait_selected(again, chronyd)
        self.assertEqual(again.control("security")["key_establishments"], {})
        self.assertTrue(self.source(again)["nts"]["proven"])

    def test_certificates_that_are_wrong_are_refused_and_nothing_is_asked(self):
        for name, certificate, label in (
                ("expired", self.authority.issue("expired", NAMES, -3 * DAY, -DAY), "tls_expired"),
                ("other", self.authority.issue("other", "DNS:other.test"), "tls_wrong_name"),
                ("self", self.authority.self_signed("self", NAMES), "tls_self_signed")):
            with self.subTest(name):
                chronyd, port, ntp_port = self.start_chronyd(*certificate)
                with tempfile.TemporaryDirectory(prefix="nts-") as state:
                    client = self.start_client(port, state=state)
                    wait_until(lambda: client.control("security")["key_establishments"].get(label),
                               20, f"{label}\n{client.output()}")
                    found = self.source(client)
                    self.assertEqual((found["requests"], found["address"]), (0, None))
                    client.stop()
                chronyd.close()

    def test_a_server_that_lost_its_keys_is_asked_for_new_ones(self):
        certificate = self.authority.issue("time.test", NAMES)
        chronyd, port, ntp_port = self.start_chronyd(*certificate)
        client = self.start_client(port)
        self.wait_selected(client, chronyd)
        chronyd.close()
        chronyd, _, _ = self.start_chronyd(*certificate, key_port=port, ntp_port=ntp_port)
        # Two polls with NTSN, and up to a minute that spreads all clients.
        wait_until(lambda: client.control("security")["key_establishments"]["established"] == 2,
                   90, f"new keys\n{client.output()}")
        wait_until(lambda: self.source(client)["nts"]["proven"], 20, "and they work")


if __name__ == "__main__":
    main()
