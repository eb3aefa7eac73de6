"""timepool-ntpd with clknetsim's reference clocks: shared memory, pulses, a PTP hardware clock. The
simulator gives a reading at each second of true time and has it jitter."""
import pathlib
import re
import statistics
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import simulator  # noqa: E402
from networks import delays, path  # noqa: E402
from programs import BINARY_DIR, main  # noqa: E402
from simulator import Chronyd, Timepool, simulate  # noqa: E402

SEEDS = (1, 2, 3, 4, 5)
SETTLED = 1000
SECONDS = 4000
SERVER = '[server]\nlisten = ["0.0.0.0:123"]\n[server.local]\nstratum = 1\nrefid = "SIM"\n'
CLIENT = 'log_level = "debug"\nclock = "steer"\n[sources]\nmin_sources = 1\n'


def network(jitter, offset=0.1, frequency=1e-4, node=1):
    return (f"node{node}_freq = (+ {frequency} (sum (* 1e-9 (normal))))\nnode{node}_offset = {offset}\n"
            f"node{node}_refclock = (* {jitter} (normal))\n")


def reasons(log, clock):
    return set(re.findall(rf"reading of {clock}: (\w+)", log))


@unittest.skipUnless(simulator.simulator() and not simulator.sanitized(BINARY_DIR), simulator.MISSING)
class Refclock(unittest.TestCase):
    def keep_time(self, clocks, jitter, limit, environment=None):
        """Steers by these clocks; the log of the last run."""
        for seed in SEEDS[:3]:
            run = simulate(network(jitter), [Timepool(BINARY_DIR, CLIENT + clocks, environment=environment)],
                           SECONDS, seed)
            within = run.synchronised_at(1, 1e-3)
            print(f"seed {seed}: within 1 ms at {within} s, root mean square {run.rms(1, SETTLED):.2e} s")
            self.assertLess(run.rms(1, SETTLED), limit, run.log(1)[-2000:])
            self.assertLess(within, 60, run.log(1)[-2000:])
        return run.log(1)

    def test_shared_memory(self):
        log = self.keep_time('[[refclock]]\ndriver = "shm"\nrefid = "GPS"\n', 1e-4, 3e-5)
        self.assertEqual(reasons(log, "SHM0"), {"accepted"})

    def test_a_hardware_clock_by_each_way_to_read_it(self):
        # The simulator's device can be read at once with the system clock; each reading jitters.
        self.keep_time('[[refclock]]\ndriver = "phc"\n', 1e-6, 1e-6)

    def test_pulses_are_numbered_by_shared_memory(self):
        log = self.keep_time('[[refclock]]\ndriver = "shm"\nname = "NMEA"\nnoselect = true\n'
                             '[[refclock]]\ndriver = "pps"\nlock = "NMEA"\n', 1e-6, 1e-6)
        self.assertLessEqual(reasons(log, "PPS0"), {"accepted", "no_second"})
        self.assertIn("PPS0 is selected", log)

    def test_pulses_are_numbered_by_a_server(self):
        run = simulate(network(1e-6, node=2) + delays([(1, 2)], path("1e-3", 1e-3)), [
            Timepool(BINARY_DIR, SERVER),
            Timepool(BINARY_DIR, CLIENT + '[[server]]\naddress = "192.168.123.1"\niburst = true\n'
                     '[[refclock]]\ndriver = "pps"\nlock = "192.168.123.1"\nprefer = true\n')], SECONDS)
        self.assertLess(run.rms(2, SETTLED), 2e-6, run.log(2)[-2000:])
        self.assertIn("PPS0 is selected", run.log(2))

    @unittest.skipUnless(simulator.chronyd(), "needs chronyd")
    def test_as_near_to_the_true_time_as_chrony(self):
        """The same clock, network and seeds, each with its defaults."""
        ours, theirs = [], []
        for seed in SEEDS:
            for node, out in ((Timepool(BINARY_DIR, CLIENT + '[[refclock]]\ndriver = "shm"\n'), ours),
                              (Chronyd("refclock SHM 0\n"), theirs)):
                out.append(simulate(network(1e-4), [node], SECONDS, seed).rms(1, SETTLED))
        ratio = statistics.median(ours) / statistics.median(theirs)
        print(f"root mean square: ours {statistics.median(ours):.2e} s, chrony {statistics.median(theirs):.2e} s, "
              f"ratio {ratio:.2f}; worst {max(ours):.2e} s and {max(theirs):.2e} s")
        self.assertLess(ratio, 1.0)


if __name__ == "__main__":
    main()
