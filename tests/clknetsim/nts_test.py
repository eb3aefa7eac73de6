"""Key establishment of a client inside clknetsim: TCP, TLS and NTP with NTS over a simulated network,
with chronyd as server. timepool query --nts has the connection of the daemon."""
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
from simulator import Chronyd, Node, simulate  # noqa: E402

ADDRESS = "192.168.123.1"


class Query(Node):
    def __init__(self, *options):
        super().__init__(pathlib.Path(BINARY_DIR).resolve() / "bin/timepool", "", options)

    def command(self, folder):
        return [self.program, "query", "--nts", ADDRESS, "--json", *map(str, self.options)]


@unittest.skipUnless(simulator.simulator() and simulator.chronyd() and not simulator.sanitized(BINARY_DIR),
                     simulator.MISSING + ", and chronyd (apt package chrony)")
@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class NtsQuery(unittest.TestCase):
    def run_query(self, delay, *options):
        with tempfile.TemporaryDirectory(prefix="nts-") as directory:
            authority = Authority(directory)
            chain, key = authority.issue("time.test", f"IP:{ADDRESS}")
            server = Chronyd(f"local stratum 1\nntsserverkey {key}\nntsservercert {chain}\nntsprocesses 0\n")
            run = simulate(delays([(1, 2)], path(delay, 1e-4)),
                           [server, Query("--ca", authority.certificate, *options)], 60,
                           environment={"CLKNETSIM_START_DATE": str(int(time.time()))})
        lines = run.log(2).splitlines()
        self.assertTrue(lines, run.log(1))
        out = json.loads(lines[-1])
        return out, {step["step"]: step for step in out["steps"]}

    def test_keys_are_established_and_used(self):
        out, steps = self.run_query("1e-2", "--count", "3")
        self.assertTrue(out["ok"], out)
        self.assertEqual(steps["keys"]["cookies"], 8)
        self.assertEqual(steps["ntp"]["cookies_left"], 8)
        for sample in steps["ntp"]["samples"]:
            self.assertTrue(sample["authentic"])
            self.assertLess(abs(sample["offset_s"]), 0.002)


if __name__ == "__main__":
    main()
