"""timepool query --nts asks timepool-ntpd: key establishment and time of one program on loopback."""
import json
import shutil
import subprocess

from certificates import Authority, AuthorityTest
from programs import BINARY_DIR, main


class NtpdNtsQuery(AuthorityTest):
    def start_server(self, more="", address="127.0.0.1"):
        chain, key = self.authority.issue("time.test", "DNS:localhost,DNS:many.test,IP:127.0.0.1")
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["{address}:0"]\n[server.local]\nstratum = 2\n'
            f'[nts.server]\nlisten = ["{address}:0"]\n{more}'
            f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'))
        self.ntp_port, self.port = (server.listening(half)[1] for half in ("server", "key_server"))
        return server

    def query(self, *options, host="127.0.0.1", prefix=(), ca=None):
        done = subprocess.run([*prefix, BINARY_DIR / "bin/timepool", "query", "--nts",
                               f"{host}:{self.port}", "--json", "--ca",
                               ca or self.authority.certificate, *options],
                              capture_output=True, text=True, timeout=60)
        out = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if out["ok"] else 1)
        self.steps = out["steps"]
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

    def name_of(self, addresses):
        """A command in front of others, for which many.test has these addresses."""
        hosts = self.directory / "hosts"
        hosts.write_text("".join(f"{address} many.test\n" for address in addresses))
        command = ["unshare", "--mount", "sh", "-c",
                   f'mount --bind "{hosts}" /etc/hosts && exec "$@"', "sh"]
        if not shutil.which("unshare") or subprocess.run([*command, "true"], capture_output=True).returncode:
            self.skipTest("needs the right to make mount namespaces")
        return command

    def test_query_by_nts_tries_every_address_of_the_name_and_shows_each_failure(self):
        addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        prefix = self.name_of(addresses)
        failed = []
        for address in addresses:
            server = self.start_server(address=address)
            out, steps = self.query(host="many.test", prefix=prefix)
            self.assertTrue(out["ok"], out)
            self.assertNotIn("failed_step", out)
            self.assertEqual(len(steps["dns"]["addresses"]), 3)
            failures = [step for step in self.steps if not step["ok"]]
            self.assertEqual({step["step"] for step in failures}, {"tcp"} if failures else set())
            self.assertTrue(steps["tcp"]["address"].startswith(address), steps["tcp"])
            failed.append(len(failures))
            server.stop()
        self.assertEqual(sorted(failed), [0, 1, 2])
        self.start_server(address="127.0.0.2")
        out, _ = self.query(host="many.test", prefix=prefix, ca=self.other_authority())
        self.assertFalse(out["ok"])
        self.assertEqual(sorted(step["step"] for step in self.steps if not step["ok"]), ["tcp", "tcp", "tls"])
        self.assertIn(out["failed_step"], ("tcp", "tls"))

    def other_authority(self):
        (self.directory / "other").mkdir()
        return Authority(self.directory / "other").certificate


if __name__ == "__main__":
    main()
