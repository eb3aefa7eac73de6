"""Key establishment inside clknetsim: TCP, TLS and NTP with NTS over a simulated network. timepool query
--nts, which has the connection of the daemon, asks chronyd and timepool-ntpd; chronyd asks timepool-ntpd."""
import json
import pathlib
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]
import simulator  # noqa: E402
from certificates import OPENSSL, Authority  # noqa: E402
from networks import delays, path  # noqa: E402
from programs import BINARY_DIR, main  # noqa: E402
from simulator import Chronyd, Node, Timepool, simulate  # noqa: E402

ADDRESS = "192.168.123.1"


class Query(Node):
    def __init__(self, *options):
        super().__init__(pathlib.Path(BINARY_DIR).resolve() / "bin/timepool", "", options)

    def command(self, folder):
        return [self.program, "query", "--nts", ADDRESS, "--json", *map(str, self.options)]


@unittest.skipUnless(simulator.simulator() and simulator.chronyd() and not simulator.sanitized(BINARY_DIR),
                     simulator.MISSING + ", and chronyd (apt package chrony)")
@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class Nts(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="nts-")
        self.addCleanup(directory.cleanup)
        self.authority = Authority(directory.name)
        self.chain, self.key = self.authority.issue("time.test", f"IP:{ADDRESS}")

    def run_both(self, server, client, seconds, clock=""):
        return simulate(delays([(1, 2)], path("1e-2", 1e-4)) + clock, [server, client], seconds,
                        environment={"CLKNETSIM_START_DATE": str(int(time.time()))})

    def chronyd(self):
        return Chronyd(f"local stratum 1\nntsserverkey {self.key}\nntsservercert {self.chain}\nntsprocesses 0\n")

    def timepool(self):
        return Timepool(BINARY_DIR, (
            f'[server]\nlisten = ["0.0.0.0:123"]\nthreads = 0\n[server.local]\nstratum = 1\n'
            f'[nts.server]\nlisten = ["0.0.0.0:4460"]\nthreads = 0\n'
            f'[[nts.server.certificate]]\nchain = "{self.chain}"\nkey = "{self.key}"\n'))

    def check_query(self, server):
        run = self.run_both(server, Query("--ca", self.authority.certificate, "--count", "3"), 60)
        lines = run.log(2).splitlines()
        self.assertTrue(lines, run.log(1))
        out = json.loads(lines[-1])
        steps = {step["step"]: step for step in out["steps"]}
        self.assertTrue(out["ok"], out)
        self.assertEqual(steps["keys"]["cookies"], 8)
        self.assertEqual(steps["ntp"]["cookies_left"], 8)
        for sample in steps["ntp"]["samples"]:
            self.assertTrue(sample["authentic"])
            self.assertLess(abs(sample["offset_s"]), 0.002)

    def test_chronyd_gives_keys_that_work(self):
        self.check_query(self.chronyd())

    def test_we_give_keys_that_work(self):
        self.check_query(self.timepool())

    def test_chronyd_keeps_its_clock_by_keys_of_ours(self):
        client = Chronyd(f"server {ADDRESS} nts iburst minpoll 4 maxpoll 4\n"
                         f"ntstrustedcerts {self.authority.certificate}\nmakestep 1e-3 1\n")
        run = self.run_both(self.timepool(), client, 600, "node2_offset = 0.5\nnode2_freq = 1e-5\n")
        self.assertIn(f"Selected source {ADDRESS}", run.log(2))
        self.assertLess(run.worst(2, 300), 1e-3, run.log(2))


if __name__ == "__main__":
    main()
