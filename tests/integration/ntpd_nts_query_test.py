"""timepool query --nts asks timepool-ntpd: key establishment and time of one program on loopback."""
import json
import subprocess
import tempfile
import unittest

from certificates import OPENSSL, Authority
from programs import BINARY_DIR, ProgramTest, main


@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class NtpdNtsQuery(ProgramTest):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="nts-")
        self.addCleanup(directory.cleanup)
        self.authority = Authority(directory.name)

    def start_server(self, more=""):
        chain, key = self.authority.issue("time.test", "DNS:localhost,IP:127.0.0.1")
        server = self.start("timepool-ntpd", (
            '[server]\nlisten = ["127.0.0.1:0"]\n[server.local]\nstratum = 2\n'
            f'[nts.server]\nlisten = ["127.0.0.1:0"]\n{more}'
            f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'))
        status = server.control("status")
        self.ntp_port, self.port = (int(status[half]["listen"][0].rsplit(":", 1)[1])
                                    for half in ("server", "key_server"))
        return server

    def query(self, *options):
        done = subprocess.run([BINARY_DIR / "bin/timepool", "query", "--nts",
                               f"127.0.0.1:{self.port}", "--json", "--ca",
                               self.authority.certificate, *options],
                              capture_output=True, text=True, timeout=60)
        out = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if out["ok"] else 1)
        return out, {step["step"]: step for step in out["steps"]}

    def check(self, *options, aead, compliant):
        out, steps = self.query("--count", "2", "--interval", "50ms", *options)
        self.assertTrue(out["ok"], out)
        self.assertEqual((steps["keys"]["aead"], steps["keys"]["cookies"]), (aead, 8))
        self.assertEqual(1024 in [it["type"] for it in steps["records"]["response"]], compliant)
        self.assertTrue(all(it % 4 == 0 and it <= 104 for it in steps["keys"]["cookie_octets"]))
        self.assertEqual(steps["server"]["port"], self.ntp_port)
        for sample in steps["ntp"]["samples"]:
            self.assertTrue(sample["authentic"])
            self.assertEqual((sample["result"], sample["new_cookies"]), ("accepted", 1))
        self.assertEqual(steps["ntp"]["cookies_left"], 8)

    def test_query_by_nts_of_our_server_under_both_algorithms(self):
        server = self.start_server()
        self.check(aead=30, compliant=True)
        self.check("--aead", "15", aead=15, compliant=False)
        counters = server.control("counters")
        self.assertEqual(counters["key_server"]["outcomes"]["established"], 2)
        self.assertEqual(counters["server"]["reasons"]["answered_nts"], 4)

    def test_query_by_nts_of_our_server_in_one_thread(self):
        self.start_server("threads = 0\n")
        self.check(aead=30, compliant=True)

    def test_our_server_without_the_algorithm_says_so(self):
        self.start_server('aeads = ["AES-SIV-CMAC-256"]\n')
        self.check(aead=15, compliant=False)
        out, steps = self.query("--aead", "30")
        self.assertEqual((out["failed_step"], steps["records"]["fault"]),
                         ("records", "no_common_aead"))


if __name__ == "__main__":
    main()
