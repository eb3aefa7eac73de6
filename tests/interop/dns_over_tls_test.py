"""DNS over TLS and TCP as dig and kdig ask for it, with the certificate checked."""
import json
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
import certificates  # noqa: E402
from programs import ProgramTest, main, own_directory  # noqa: E402

DIG, KDIG = shutil.which("dig"), shutil.which("kdig")


def knows_tls(dig):
    return dig is not None and "+[no]tls " in subprocess.run(
        [dig, "-h"], capture_output=True, text=True, timeout=10, check=False).stdout


@unittest.skipIf(certificates.OPENSSL is None, "needs openssl (package openssl)")
class DnsOverTls(ProgramTest):
    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        self.authority = certificates.Authority(self.directory)
        chain, key = self.authority.issue("dns", "DNS:dns.test,IP:127.0.0.1")
        zone = {"serial": 1, "ttl": 60, "max_hosts": 4, "data": {
            "": {"ns": ["ns1.pool.test."]}, "www": {"a": [["10.1.0.1", 1]]}}}
        (self.directory / "pool.test.json").write_text(json.dumps(zone))
        self.program = self.start("timepool-dnsd", (
            f'[server]\nlisten = ["127.0.0.1:0"]\n[zones]\ndirectory = "{self.directory}"\n'
            f'[tls]\nlisten = ["127.0.0.1:0"]\n[[tls.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'))
        status = self.program.control("status")
        self.plain, self.tls = (status[key][0].rsplit(":", 1)[1] for key in ("listen", "tls_listen"))

    def ask(self, program, *arguments):
        done = subprocess.run([program, "@127.0.0.1", *arguments], capture_output=True, text=True, timeout=30,
                              check=False)
        return done.returncode, done.stdout + done.stderr

    @unittest.skipUnless(knows_tls(DIG), "needs dig 9.18 (package bind9-dnsutils)")
    def test_dig_asks_with_the_certificate_checked(self):
        names = ["www.pool.test", "A", "+short"]
        trust = ["-p", self.tls, "+tls", f"+tls-ca={self.authority.certificate}"]
        status, text = self.ask(DIG, *trust, "+tls-hostname=dns.test", *names)
        self.assertEqual((status, text), (0, "10.1.0.1\n"))
        _, text = self.ask(DIG, *trust, "+tls-hostname=other.test", "+tries=1", *names)
        self.assertIn("hostname mismatch", text)
        self.assertNotIn("10.1.0.1", text)
        self.assertEqual(self.program.control("stats")["tls"]["handshakes"]["done"], 1)

    @unittest.skipIf(KDIG is None, "needs kdig (package knot-dnsutils)")
    def test_kdig_asks_again_on_one_connection_and_gets_padded_answers(self):
        status, text = self.ask(
            KDIG, "-p", self.tls, f"+tls-ca={self.authority.certificate}", "+tls-hostname=dns.test", "+keepopen",
            "+padding", "www.pool.test", "A", "nosuch.pool.test", "A", "www.pool.test", "AAAA")
        self.assertEqual(status, 0, text)
        self.assertIn("TLS session (TLS1.3)", text)
        self.assertEqual(text.count(";; Received 468 B"), 3, text)
        stats = self.program.control("stats")["tls"]
        self.assertEqual((stats["accepted"], stats["queries"]), (1, 3))

    @unittest.skipIf(KDIG is None, "needs kdig (package knot-dnsutils)")
    def test_kdig_keeps_a_tcp_connection_and_is_told_for_how_long(self):
        status, text = self.ask(KDIG, "-p", self.plain, "+tcp", "+keepopen", "+ednsopt=11", "www.pool.test", "A",
                                "www.pool.test", "AAAA")
        self.assertEqual(status, 0, text)
        self.assertIn("10.1.0.1", text)
        self.assertRegex(text, r"(?i)keepalive|option \(11\)|KEEPALIVE")
        stats = self.program.control("stats")["tcp"]
        self.assertEqual((stats["accepted"], stats["queries"]), (1, 2))


if __name__ == "__main__":
    main()
