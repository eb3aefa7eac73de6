"""timepool-ntpd inside clknetsim, chrony's simulator of clocks and networks: the same program, its
clock, network and waiting replaced by LD_PRELOAD. clknetsim is found by TIMEPOOL_CLKNETSIM (a folder
that holds clknetsim and clknetsim.so) or in build/peers/clknetsim.
"""
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from programs import BINARY_DIR, main  # noqa: E402

SOURCE_DIR = pathlib.Path(os.environ.get("TIMEPOOL_SOURCE_DIR", "."))
SIMULATOR = pathlib.Path(
    os.environ.get("TIMEPOOL_CLKNETSIM", SOURCE_DIR / "build/peers/clknetsim")).resolve()
SERVER = ('[server]\nlisten = ["0.0.0.0:123"]\n[server.local]\nstratum = 1\nrefid = "SIM"\n'
          '[control]\nsocket = ""\n')
CLIENT = ('log_level = "debug"\n[sources]\nmin_sources = 1\n[[server]]\n'
          'address = "192.168.123.1"\niburst = true\n[control]\nsocket = ""\n')


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@unittest.skipUnless((SIMULATOR / "clknetsim.so").exists() and "asan" not in str(BINARY_DIR)
                     and "tsan" not in str(BINARY_DIR),
                     "clknetsim is not there, or this is a sanitizer's build, which it can't load")
class Simulation(unittest.TestCase):
    def simulate(self, network, configs, seconds):
        """Runs one node per configuration; returns their logs."""
        directory = pathlib.Path(tempfile.mkdtemp(prefix="clknetsim-"))
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        (directory / "network").write_text(network)
        nodes = []
        for number, config in enumerate(configs, 1):
            path = directory / f"{number}.toml"
            path.write_text(config)
            log = open(directory / f"{number}.log", "wb")
            self.addCleanup(log.close)
            environment = dict(os.environ, LD_PRELOAD=str(SIMULATOR / "clknetsim.so"),
                               CLKNETSIM_NODE=str(number), CLKNETSIM_RANDOM_SEED=str(number),
                               CLKNETSIM_SOCKET=str(directory / "socket"))
            node = subprocess.Popen([BINARY_DIR / "bin/timepool-ntpd", "--config", path],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env=environment, preexec_fn=die_with_parent)
            self.addCleanup(lambda n=node: (n.kill(), n.wait()))
            nodes.append(node)
        subprocess.run([SIMULATOR / "clknetsim", "-s", directory / "socket", "-r", "1",
                        "-l", str(seconds), directory / "network", str(len(configs))],
                       check=True, timeout=120, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        for node in nodes:
            node.wait(10)
        return [(directory / f"{n}.log").read_text() for n in range(1, len(configs) + 1)]

    def test_the_client_measures_a_clock_that_runs_away(self):
        # 0.1 s off and 10 us/s too fast: 0.2 s after 10,000 s.
        network = ("node1_freq = 0\nnode2_freq = (+ 1e-5 0)\nnode2_offset = 0.1\n"
                   "node1_delay2 = (+ 1e-4 (* 1e-5 (exponential)))\n"
                   "node2_delay1 = (+ 1e-4 (* 1e-5 (exponential)))\n")
        server, client = self.simulate(network, [SERVER, CLIENT], 10000)
        self.assertIn("serving on 0.0.0.0:123", server)
        self.assertGreaterEqual(client.count(": accepted"), 12, client)
        found = re.search(r"off by (\S+) s at .*, to (\S+) s now, by 1 sources", client)
        self.assertTrue(found, client)
        offset, uncertainty = float(found[1]), float(found[2])
        self.assertLess(abs(offset - 0.2), 0.02, client)
        self.assertLessEqual(abs(offset - 0.2), uncertainty, client)

    def test_four_servers_and_a_liar(self):
        network = "".join(
            f"node{i}_delay5 = (+ 5e-3 (* 1e-3 (exponential)))\n"
            f"node5_delay{i} = (+ 5e-3 (* 1e-3 (exponential)))\n" for i in range(1, 5))
        liar = SERVER.replace("[control]", '[server.test]\noffset = "400ms"\n[control]')
        client = ('log_level = "debug"\n[sources]\nmin_sources = 3\n' + "".join(
            f'[[server]]\naddress = "192.168.123.{i}"\niburst = true\n' for i in range(1, 5))
            + '[control]\nsocket = ""\n')
        *_, log = self.simulate(network, [SERVER, SERVER, liar, SERVER, client], 2000)
        self.assertIn("192.168.123.3:123 disagrees with the majority", log)
        found = re.search(r"off by (\S+) s at .*, to (\S+) s now, by 3 sources", log)
        self.assertTrue(found, log)
        self.assertLessEqual(abs(float(found[1])), float(found[2]), log)


if __name__ == "__main__":
    main()
