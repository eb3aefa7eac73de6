"""How the client measures, inside clknetsim: timestamps by program, kernel and device, basic and
interleaved mode, against chronyd as the server."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import simulator  # noqa: E402
from networks import delays, path  # noqa: E402
from programs import BINARY_DIR, main  # noqa: E402
from simulator import Chronyd, Timepool, simulate  # noqa: E402

# A local network and an ordinary crystal, 10 ms and 10 ppm off at the start.
NETWORK = ("node1_freq = 0\nnode2_freq = (+ 1e-5 (sum (* 1e-9 (normal))))\nnode2_offset = 0.01\n"
           + delays([(1, 2)], path("2e-5", 1e-6)))
SERVER = "local stratum 1\n"
SECONDS = 1500


def client(settings="", source=""):
    return (f'log_level = "debug"\nclock = "steer"\n[sources]\nmin_sources = 1\n{settings}\n'
            f'[[server]]\naddress = "192.168.123.1"\niburst = true\nminpoll = 0\nmaxpoll = 0\n{source}\n')


@unittest.skipUnless(simulator.simulator() and not simulator.sanitized(BINARY_DIR), simulator.MISSING)
@unittest.skipUnless(simulator.chronyd(), "Debian package chrony is not there: chronyd")
class Measuring(unittest.TestCase):
    def run_with(self, server, config, **environment):
        run = simulate(NETWORK, [Chronyd(SERVER + server), Timepool(BINARY_DIR, config)], SECONDS,
                       environment={name: str(value) for name, value in environment.items()})
        self.log = run.log(2)
        self.first_lines = self.log[:500]
        return run

    def stamps(self, kind):
        return self.log.count(f"accepted ({kind} timestamp)")

    def test_without_timestamps_the_program_reads_the_clock(self):
        run = self.run_with("", client(), CLKNETSIM_TIMESTAMPING=0)
        self.assertGreater(self.stamps("program"), SECONDS * 0.9, self.first_lines)
        self.assertLess(run.rms(2, 500), 20e-6)

    def test_the_kernel_stamps_what_comes_and_goes(self):
        run = self.run_with("", client(), CLKNETSIM_TIMESTAMPING=1)
        self.assertGreater(self.stamps("kernel"), SECONDS * 0.9, self.first_lines)
        self.assertLess(run.rms(2, 500), 5e-6)

    def test_the_device_stamps_on_the_wire(self):
        run = self.run_with("hwtimestamp *\n", client('hardware_timestamps = ["auto"]'),
                            CLKNETSIM_TIMESTAMPING=2)
        self.assertIn("eth0: hardware timestamps by /dev/ptp0 for what is sent and received", self.first_lines)
        self.assertGreater(self.stamps("hardware"), SECONDS * 0.9, self.first_lines)
        self.assertLess(run.rms(2, 500), 1e-6)

    def test_the_device_stamps_in_interleaved_mode(self):
        run = self.run_with("hwtimestamp *\n", client('hardware_timestamps = ["eth0"]', "interleaved = true"),
                            CLKNETSIM_TIMESTAMPING=2)
        self.assertGreater(self.stamps("hardware"), SECONDS * 0.9, self.first_lines)
        self.assertLess(run.rms(2, 500), 1e-6)

    def test_a_devices_clock_that_is_slow_to_read_is_averaged(self):
        # A microsecond for each reading, and as much of jitter.
        run = self.run_with("hwtimestamp *\n", client('hardware_timestamps = ["eth0"]'),
                            CLKNETSIM_TIMESTAMPING=2, CLKNETSIM_PHC_DELAY=1e-6, CLKNETSIM_PHC_JITTER=1e-6)
        self.assertGreater(self.stamps("hardware"), SECONDS * 0.9, self.first_lines)
        self.assertLess(run.rms(2, 500), 2e-6)

    def test_a_slow_link_is_no_asymmetry(self):
        # 752 octets' time at a megabit: a device that stamps a frame's start would be off by half of it.
        run = self.run_with("hwtimestamp *\n", client('hardware_timestamps = ["eth0"]'),
                            CLKNETSIM_TIMESTAMPING=2, CLKNETSIM_LINK_SPEED=10)
        self.assertLess(run.rms(2, 500), 1e-6)

    def test_what_is_not_there_is_told_and_done_without(self):
        run = self.run_with("", client('hardware_timestamps = ["wlan0"]'), CLKNETSIM_TIMESTAMPING=1)
        self.assertIn("hardware timestamps of wlan0: there is no such interface", self.first_lines)
        self.assertGreater(self.stamps("kernel"), SECONDS * 0.9)
        self.assertLess(run.rms(2, 500), 5e-6)


if __name__ == "__main__":
    main()
