"""ntpd-rs and timepool-ntpd under Network Time Security, each as client and as server, on loopback.

It ends where it may not set the clock. So it runs without CAP_SYS_TIME and is told that all its
settings are done, by a library that is loaded before the system's: it can't touch the clock.

TIMEPOOL_NTPD_RS is the folder of its programs ntp-daemon and ntp-ctl; `cargo install ntpd --root FOLDER`
makes them in FOLDER/bin. Without it the test is skipped."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import nts_source  # noqa: E402
from certificates import AuthorityTest  # noqa: E402
from namespaces import WITHOUT_THE_CLOCK  # noqa: E402
from programs import die_with_parent, free_port, main, wait_until  # noqa: E402

PROGRAMS = pathlib.Path(os.environ.get("TIMEPOOL_NTPD_RS") or "/nonexistent")
# It takes no address for the name of a server of keys.
NAMES = "DNS:localhost,IP:127.0.0.1"
POLLS = "poll-interval-limits = { min = 0, max = 0 }\ninitial-poll-interval = 0\n"
COMPILER = shutil.which("cc")
# What sets a clock of the system's: all is well, and nothing is done.
NO_CLOCK = """
#define _GNU_SOURCE
#include <sys/timex.h>
#include <time.h>
static int pretend(struct timex *it) { it->status = 0; it->freq = 0; return TIME_OK; }
int adjtimex(struct timex *it) { return pretend(it); }
int ntp_adjtime(struct timex *it) { return pretend(it); }
int clock_adjtime(clockid_t clock, struct timex *it) { (void)clock; return pretend(it); }
int clock_settime(clockid_t clock, const struct timespec *to) { (void)clock; (void)to; return 0; }
"""


@unittest.skipUnless((PROGRAMS / "ntp-daemon").exists(), "needs ntpd-rs (TIMEPOOL_NTPD_RS=<folder>)")
@unittest.skipUnless(COMPILER, "Debian package build-essential is not there: cc")
class NtpdRs(AuthorityTest):
    def setUp(self):
        super().setUp()
        self.chain, self.key = self.authority.issue("localhost", NAMES)
        self.port, self.key_port = free_port(), free_port()
        self.no_clock = self.directory / "no_clock.so"
        subprocess.run([COMPILER, "-shared", "-fPIC", "-x", "c", "-", "-o", self.no_clock],
                       input=NO_CLOCK, text=True, check=True, capture_output=True)

    def start_daemon(self, config):
        self.config = self.directory / "ntp.toml"
        self.config.write_text(f'[observability]\nobservation-path = "{self.directory}/observe"\n{config}')
        with open(self.directory / "log", "wb") as log:
            self.daemon = subprocess.Popen([*WITHOUT_THE_CLOCK, PROGRAMS / "ntp-daemon", "-c", self.config],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env=dict(os.environ, LD_PRELOAD=str(self.no_clock)),
                                           preexec_fn=die_with_parent)
        self.end_with_test(self.daemon)

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def status(self):
        done = subprocess.run([PROGRAMS / "ntp-ctl", "-c", self.config, "status"],
                              capture_output=True, text=True, timeout=20, check=False)
        return done.stdout

    def key_settings(self):
        return (f'[nts.server]\nlisten = ["127.0.0.1:{self.key_port}"]\n'
                f'[[nts.server.certificate]]\nchain = "{self.chain}"\nkey = "{self.key}"\n')

    def check_their_client(self, server):
        self.start_daemon(f'[[source]]\nmode = "nts"\naddress = "localhost:{self.key_port}"\n'
                          f'certificate-authority = "{self.authority.certificate}"\n'
                          f"{POLLS}[synchronization]\nminimum-agreeing-sources = 3\n")

        def answered():
            return server.control("counters")["server"]["reasons"]["answered_nts"]
        wait_until(lambda: answered() >= 10, 60, f"it asks under NTS\n{self.log()}")
        # It takes our answers for true ones. Both read the same clock: the truth is 0.
        found = wait_until(lambda: re.search(r"\[NTS\].*\s+Offset:\s+([-+0-9.]+)", self.status()), 20,
                           f"it measures us\n{self.status()}\n{self.log()}")
        self.assertLess(abs(float(found[1])), nts_source.CLOSE)
        self.assertIn("8/8 available", self.status())

    def test_ntpd_rs_gets_keys_of_us_and_asks_under_them(self):
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["127.0.0.1:{self.port}"]\n[server.local]\nstratum = 2\n'
            + self.key_settings()))
        self.check_their_client(server)
        outcomes = server.control("counters")["key_server"]["outcomes"]
        self.assertEqual({name for name, count in outcomes.items() if count}, {"established"})

    def test_ntpd_rs_gets_keys_of_a_host_of_ours_for_another(self):
        ours, copy = self.directory / "ntp.keys", self.directory / "copy.keys"
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["127.0.0.2:{self.port}"]\n[server.local]\nstratum = 2\n'
            f'[nts.cookies]\nfile = "{ours}"\n'))
        self.secret_file("copy.keys", ours.read_text())
        self.start("timepool-ntpd", (
            '[server]\nlisten = ["127.0.0.1:0"]\n[server.local]\nstratum = 2\n'
            f'[nts.cookies]\nfile = "{copy}"\nshared = true\n{self.key_settings()}'
            f'[[nts.server.ntp_server]]\nname = "127.0.0.2"\nport = {self.port}\n'))
        self.check_their_client(server)

    def check_our_client(self):
        client = self.start("timepool-ntpd",
                            nts_source.settings("localhost", self.key_port, self.authority))
        nts_source.check_kept(self, client, f"127.0.0.1:{self.port}")

    def start_their_server(self):
        # It has time to give once it has a source.
        source = self.start("timepool-ntpd", (
            '[server]\nlisten = ["127.0.0.1:0"]\n[server.local]\nstratum = 1\nrefid = "GOOD"\n'))
        address = source.control("status")["server"]["listen"][0]
        self.start_daemon(f'[[source]]\nmode = "server"\naddress = "{address}"\n{POLLS}'
                          f'[[server]]\nlisten = "127.0.0.1:{self.port}"\n'
                          f'[[nts-ke-server]]\nlisten = "127.0.0.1:{self.key_port}"\n'
                          f'certificate-chain-path = "{self.chain}"\nprivate-key-path = "{self.key}"\n'
                          f"ntp-port = {self.port}\n[synchronization]\nminimum-agreeing-sources = 1\n")

    def test_our_client_keeps_ntpd_rs_by_nts(self):
        self.start_their_server()
        self.check_our_client()


if __name__ == "__main__":
    main()
