"""timepool-ntpd gets the certificate of its key establishment from pebble, an ACME server that was
written to find the faults of clients, and establishes keys under it. Ids as in the checklists."""
import subprocess

import pebble
from pebble import programs

import ntpd_acme_case
from ntpd_acme_case import NAME

setUpModule = pebble.enter


class PebbleMember(ntpd_acme_case.DaemonTest):
    def setUp(self):
        # The authority is pebble: none of the test's own is made.
        programs.DirectoryTest.setUp(self)

    def begin(self, acme="", more="", listen=True, **of_pebble):
        self.pebble = pebble.Pebble(self.directory, **of_pebble)
        self.addCleanup(self.pebble.close)
        authorities = ntpd_acme_case.authority_settings(self.pebble.directory_url,
                                                        self.pebble.ca_file, more)
        return self.start("timepool-ntpd",
                          self.settings(acme, authorities=authorities, listen=listen))

    def check_shown(self, member, other_than=None):
        """The certificate at key establishment leads to pebble's root and has the name."""
        root = self.directory / "root.pem"
        root.write_text(self.pebble.root())
        return self.shown(member, other_than, issuer=root)

    def test_LM2_A4_first_certificate_and_renewal_by_http_01(self):
        member = self.begin()
        self.obtained(member, seconds=60)
        first = self.check_shown(member)
        self.assertTrue(member.control("acme-renew")["ok"])
        self.obtained(member, 2, seconds=60)
        self.check_shown(member, other_than=first)
        # Pebble looks from three places at once.
        self.assertGreaterEqual(self.report(member)["challenges"]["answers"]["served"], 3)

    def test_LM2_A5_a_certificate_by_tls_alpn_01(self):
        member = self.begin(f'challenge = "tls-alpn-01"\ntls_listen = ["127.0.0.1:{pebble.TLS_PORT}"]',
                            listen=False)
        self.obtained(member, seconds=60)
        self.check_shown(member)

    def test_A2_an_account_that_is_bound_to_an_external_one(self):
        key = self.secret_file("external.key", pebble.MAC_KEY + "\n")
        member = self.begin(more=f'external_key_id = "kid-1"\nexternal_key_file = "{key}"\n',
                            external=True)
        self.obtained(member, seconds=60)
        self.check_shown(member)

    def test_A2_another_key_for_the_account_and_its_end(self):
        member = self.begin()
        account = self.obtained(member, seconds=60)["authorities"][0]["account"]
        thumbprint = member.control("acme-account")["accounts"][0]["thumbprint"]
        self.change(member, "acme-account-key", 1)
        now = member.control("acme-account")["accounts"][0]
        self.assertEqual(now["account"], account)
        self.assertNotEqual(now["thumbprint"], thumbprint)
        self.assertTrue(member.control("acme-renew")["ok"])
        self.assertEqual(self.obtained(member, 2, seconds=60)["failed"], 0)
        self.change(member, "acme-account-deactivate", 2)
        self.assertIsNone(member.control("acme-account")["accounts"][0]["account"])
        self.assertTrue(member.control("acme-renew")["ok"])
        report = self.obtained(member, 3, seconds=60)
        self.assertNotEqual(report["authorities"][0]["account"], account)

    def change(self, member, command, count):
        self.assertTrue(member.control(command)["ok"])
        changes = programs.wait_until(
            lambda: [it for it in [member.control("acme-account")["changes"]] if it["done"] == count],
            60, command)[0]
        self.assertIsNone(changes["fault"])

    def test_A1_half_of_all_nonces_rejected(self):
        member = self.begin(environment=dict(PEBBLE_WFE_NONCEREJECT="50"))
        report = self.obtained(member, seconds=90)
        self.assertEqual(report["failed"], 0)
        self.check_shown(member)

    def test_query_takes_the_certificate(self):
        member = self.begin()
        self.obtained(member, seconds=60)
        self.check_shown(member)
        done = subprocess.run([programs.BINARY_DIR / "bin/timepool", "query", "--nts",
                               f"{NAME}:{self.key_port(member)}", "--address", "127.0.0.1", "--ca",
                               self.directory / "root.pem"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    programs.main()
