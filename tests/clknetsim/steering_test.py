"""timepool-ntpd steering the clock inside clknetsim."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import simulator  # noqa: E402
from networks import delays, path  # noqa: E402
from programs import BINARY_DIR, main  # noqa: E402
from simulator import Timepool, simulate  # noqa: E402

SERVER = '[server]\nlisten = ["0.0.0.0:123"]\n[server.local]\nstratum = 1\nrefid = "SIM"\n'
CLIENT = ('log_level = "debug"\nclock = "steer"\n@STEERING@[sources]\nmin_sources = 1\n[[server]]\n'
          'address = "192.168.123.1"\niburst = true\nminpoll = 6\nmaxpoll = 6\n')


def client(steering=""):
    return Timepool(BINARY_DIR, CLIENT.replace("@STEERING@", steering))


def network(offset, frequency):
    return (f"node2_freq = (+ {frequency} (sum (* 1e-9 (normal))))\nnode2_offset = {offset}\n"
            + delays([(1, 2)], path("1e-4", 1e-4)))


@unittest.skipUnless(simulator.simulator() and not simulator.sanitized(BINARY_DIR), simulator.MISSING)
class Steering(unittest.TestCase):
    def test_the_clock_is_brought_to_the_true_time_and_kept_there(self):
        for seed in (1, 2, 3):
            run = simulate(network(0.1, 1e-4), [Timepool(BINARY_DIR, SERVER), client()], 4000, seed)
            synchronised = run.synchronised_at(2, 0.01)
            print(f"seed {seed}: within 10 ms at {synchronised} s, root mean square {run.rms(2, 1000):.2e} s")
            self.assertLessEqual(synchronised, 6, run.log(2))
            self.assertLess(run.worst(2, 1000), 1e-3, run.log(2))
            self.assertLess(run.rms(2, 1000), 3e-4)

    def test_a_hundred_seconds_without_permission_to_step(self):
        for seed, offset in ((1, 100), (2, -100)):
            run = simulate(network(offset, -2e-5), [
                Timepool(BINARY_DIR, SERVER), client("[steering]\nstep = { limit = 0 }\n")], 3000, seed)
            past = max(-value if offset > 0 else value for value in run.offsets[1])
            done = run.synchronised_at(2, 1e-3)
            print(f"seed {seed}: from {offset} s within 1 ms at {done} s, {past:.2e} s past true time")
            self.assertLessEqual(past, 1e-3, run.log(2))
            self.assertLess(done, 1500, run.log(2))
            self.assertNotIn("was stepped by", run.log(2))

    def test_a_hundred_seconds_with_permission_to_step(self):
        run = simulate(network(100, -2e-5), [Timepool(BINARY_DIR, SERVER), client()], 600)
        self.assertLessEqual(run.synchronised_at(2, 0.01), 6, run.log(2))
        self.assertIn("the system clock was stepped by", run.log(2))


if __name__ == "__main__":
    main()
