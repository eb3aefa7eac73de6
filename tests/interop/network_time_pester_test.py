"""network-time-pester, the test program of ntpd-rs' makers for servers of NTP and NTS, finds no fault
in timepool-ntpd.

TIMEPOOL_NETWORK_TIME_PESTER is the program; without it the test is skipped."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from certificates import AuthorityTest  # noqa: E402
from programs import free_port, main  # noqa: E402

PROGRAM = os.environ.get("TIMEPOOL_NETWORK_TIME_PESTER", "")


@unittest.skipUnless(os.access(PROGRAM, os.X_OK),
                     "needs network-time-pester (TIMEPOOL_NETWORK_TIME_PESTER=<program>)")
class NetworkTimePester(AuthorityTest):
    def setUp(self):
        super().setUp()
        chain, key = self.authority.issue("localhost", "DNS:localhost,IP:127.0.0.1")
        self.port, self.key_port = free_port(), free_port()
        self.start("timepool-ntpd", (
            f'[server]\nlisten = ["127.0.0.1:{self.port}"]\n[server.local]\nstratum = 2\n'
            f'[nts.server]\nlisten = ["127.0.0.1:{self.key_port}"]\n'
            f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'))

    def results(self, *options):
        """What became of each of its tests: "passed", "failed", "errored" or "skipped"."""
        done = subprocess.run([PROGRAM, *map(str, options), "localhost"], capture_output=True, text=True,
                              timeout=120, check=False)
        found = re.findall(r"^(\S+) tests::(\w+::\w+)", done.stdout, re.M)
        signs = {"\u2705": "passed", "\u274c": "failed", "\u2753": "errored", "\u23e9": "skipped"}
        out = {name: signs.get(sign[0], sign) for sign, name in found}
        self.assertTrue(out, done.stdout + done.stderr)
        self.assertNotIn("failed", out.values(), done.stdout)
        self.assertNotIn("errored", out.values(), done.stdout)
        return out

    def test_a_server_of_ntp(self):
        results = self.results("--port", self.port, "--timeout", "1s")
        passed = [name for name, what in results.items() if what == "passed"]
        self.assertEqual(len(passed), 4, results)

    def test_a_server_of_nts(self):
        results = self.results("--nts", "--ke-port", self.key_port, "--ca-file",
                               self.authority.certificate, "--timeout", "1s")
        passed = {name for name, what in results.items() if what == "passed"}
        self.assertGreaterEqual(passed, {
            "nts::happy", "nts_ke::happy", "nts_ke::error_on_unknown_next_protocol",
            "nts_ke::ignore_unknown_extra_protocols", "nts_ke::error_on_unknown_aead",
            "nts_ke::ignore_unknown_extra_aead", "nts_ke::empty_message_resolves_in_error"}, results)


if __name__ == "__main__":
    main()
