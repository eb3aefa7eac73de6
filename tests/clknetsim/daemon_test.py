"""timepool-ntpd inside clknetsim as client, as server, and both."""
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import simulator  # noqa: E402
from networks import delays, path  # noqa: E402
from programs import BINARY_DIR, main  # noqa: E402
from simulator import Timepool, simulate  # noqa: E402

SERVER = '[server]\nlisten = ["0.0.0.0:123"]\n[server.local]\nstratum = 1\nrefid = "SIM"\n'
CLIENT = ('log_level = "debug"\n[sources]\nmin_sources = 1\n[[server]]\n'
          'address = "192.168.123.1"\niburst = true\n')


@unittest.skipUnless(simulator.simulator() and not simulator.sanitized(BINARY_DIR), simulator.MISSING)
class Daemon(unittest.TestCase):
    def test_the_client_measures_a_clock_that_runs_away(self):
        # 0.1 s off and 10 us/s too fast: 0.2 s after 10,000 s.
        network = ("node1_freq = 0\nnode2_freq = (+ 1e-5 0)\nnode2_offset = 0.1\n"
                   + delays([(1, 2)], path("1e-4", 1e-5)))
        run = simulate(network, [Timepool(BINARY_DIR, SERVER), Timepool(BINARY_DIR, CLIENT)], 10000)
        self.assertIn("serving on 0.0.0.0:123", run.log(1))
        client = run.log(2)
        self.assertGreaterEqual(client.count(": accepted"), 12, client)
        found = re.search(r"off by (\S+) s at .*, to (\S+) s now, by 1 sources", client)
        self.assertTrue(found, client)
        offset, uncertainty = float(found[1]), float(found[2])
        self.assertLess(abs(offset - 0.2), 0.02, client)
        self.assertLessEqual(abs(offset - 0.2), uncertainty, client)

    def test_four_servers_and_a_liar(self):
        network = delays([(i, 5) for i in range(1, 5)], path("5e-3", 1e-3))
        liar = SERVER + '[server.test]\noffset = "400ms"\n'
        client = 'log_level = "debug"\n[sources]\nmin_sources = 3\n' + "".join(
            f'[[server]]\naddress = "192.168.123.{i}"\niburst = true\n' for i in range(1, 5))
        run = simulate(network, [Timepool(BINARY_DIR, config)
                                 for config in (SERVER, SERVER, liar, SERVER, client)], 2000)
        self.assertIn("192.168.123.3:123 disagrees with the majority", run.log(5))
        found = re.search(r"off by (\S+) s at .*, to (\S+) s now, by 3 sources", run.log(5))
        self.assertTrue(found, run.log(5))
        self.assertLessEqual(abs(float(found[1])), float(found[2]), run.log(5))


if __name__ == "__main__":
    main()
