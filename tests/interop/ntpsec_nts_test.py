"""timepool query --nts asks NTPsec's ntpd, over the cable of ntpsec_keys_test.py: it takes port 4460 of
every address. It runs without CAP_SYS_TIME and so never has time to give: its answers are authentic,
and say that it is not synchronised."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import ntpsec_keys_test as network  # noqa: E402
from ntpsec_keys_test import NTPD, THEIRS  # noqa: E402
from certificates import OPENSSL, Authority  # noqa: E402
from programs import BINARY_DIR, ProgramTest, main, wait_until  # noqa: E402


def setUpModule():
    network.setUpModule()


def tearDownModule():
    network.tearDownModule()


@unittest.skipUnless(NTPD.exists(), "Debian package ntpsec is not there: ntpd")
@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class NtpsecNts(ProgramTest):
    def start_ntpd(self):
        directory = tempfile.TemporaryDirectory(prefix="ntpsec-")
        self.addCleanup(directory.cleanup)
        self.authority = Authority(directory.name)
        chain, key = self.authority.issue("time.test", f"DNS:time.test,IP:{THEIRS}")
        path = pathlib.Path(directory.name) / "ntp.conf"
        path.write_text(f"disable ntp\nnts enable\nnts cert {chain}\nnts key {key}\n"
                        f"nts cookie {directory.name}/cookies\n")
        self.log = pathlib.Path(directory.name) / "log"
        with open(self.log, "wb") as log:
            ntpd = subprocess.Popen([*network.there(), NTPD, "-n", "-c", path],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    preexec_fn=network.without_the_clock)

        def end():
            ntpd.kill()
            ntpd.wait()
        self.addCleanup(end)

    def query(self, *options):
        done = subprocess.run([BINARY_DIR / "bin/timepool", "query", "--nts", THEIRS, "--json",
                               "--ca", self.authority.certificate, *options],
                              capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)

    def test_query_by_nts_shows_each_step_of_ntpsec(self):
        self.start_ntpd()
        out = wait_until(lambda: (lambda it: it if it["ok"] else None)(self.query()), 60,
                         f"ntpd answers\n{self.log.read_text(errors='replace')}")
        steps = {step["step"]: step for step in out["steps"]}
        self.assertEqual(steps["tls"]["version"], "TLSv1.3")
        self.assertEqual((steps["keys"]["aead"], steps["keys"]["cookies"]), (15, 8))
        sample = steps["ntp"]["samples"][0]
        self.assertTrue(sample["authentic"])
        self.assertEqual(sample["new_cookies"], 1)
        # Stratum 0 with INIT, until it has time.
        self.assertIn(sample["result"], ("kiss_other", "unsynchronised"))


if __name__ == "__main__":
    main()
