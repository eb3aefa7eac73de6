"""timepool-ntpd steering the clock inside clknetsim."""
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import simulator  # noqa: E402
from networks import delays, path  # noqa: E402
from programs import BINARY_DIR, main, own_directory  # noqa: E402
from simulator import Timepool, simulate  # noqa: E402

SERVER = '[server]\nlisten = ["0.0.0.0:123"]\n[server.local]\nstratum = 1\nrefid = "SIM"\n'
CLIENT = ('log_level = "debug"\nclock = "steer"\n@STEERING@[sources]\nmin_sources = 1\n[[server]]\n'
          'address = "192.168.123.1"\niburst = true\nminpoll = 6\nmaxpoll = 6\n')

# A day after the usual start of the simulator.
LATER = {"CLKNETSIM_START_DATE": "1262390400"}


def client(steering="", options=()):
    return Timepool(BINARY_DIR, CLIENT.replace("@STEERING@", steering), options)


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

    def test_client_and_server_at_once_pass_the_time_on(self):
        # 1 has the true time, 2 follows it and serves 3.
        both = CLIENT.replace("@STEERING@", "") + '[server]\nlisten = ["0.0.0.0:123"]\n'
        both = both.replace("[[server]]", "[[sources.server]]")
        last = CLIENT.replace("@STEERING@", "").replace("192.168.123.1", "192.168.123.2")
        run = simulate("node2_freq = (+ 5e-5 0)\nnode2_offset = 0.2\nnode3_freq = (+ -8e-5 0)\nnode3_offset = -0.3\n"
                       + delays([(1, 2), (2, 3)], path("1e-4", 1e-4)),
                       [Timepool(BINARY_DIR, config) for config in (SERVER, both, last)], 4000)
        print(f"root mean square {run.rms(2, 1500):.2e} s at stratum 2, {run.rms(3, 1500):.2e} s at stratum 3")
        self.assertLess(run.worst(2, 1500), 1e-3, run.log(2))
        self.assertLess(run.worst(3, 1500), 2e-3, run.log(3))
        self.assertIn("reply from 192.168.123.2:123: unsynchronised", run.log(3),
                      "nothing is served as synchronised before it is")

    def state(self):
        folder = own_directory(self.addCleanup)
        return folder, f'state_directory = "{folder}"\n'

    def test_the_frequency_is_known_after_a_restart(self):
        folder, setting = self.state()
        first = simulate(network(0.1, 1e-4), [Timepool(BINARY_DIR, SERVER), client(setting)], 4000)
        memory = json.loads((folder / "clock.json").read_text())
        self.assertAlmostEqual(memory["frequency_ppm"], -100, delta=1, msg=first.log(2))
        self.assertTrue(memory["was_set"])
        # Measured without haste: until the second sample only the memory says how fast it runs.
        slow = Timepool(BINARY_DIR, CLIENT.replace("@STEERING@", setting).replace("iburst = true\n", ""))
        again = simulate(network(0.0, 1e-4), [Timepool(BINARY_DIR, SERVER), slow], 60, 5, LATER)
        self.assertLess(again.worst(2, 1), 1e-3, again.log(2))

    def test_saved_samples_make_a_restart_warm(self):
        # The oscillator's own clock goes on from run to run: after 10,000 s at 100 ppm it reads 10,001 s.
        steady = ("node2_freq = 1e-4\nnode2_offset = @OFFSET@\n" + delays([(1, 2)], path("1e-3", 1e-3)))
        later = {"CLKNETSIM_START_DATE": str(1262304000 + 10000), "CLKNETSIM_START_MONO": "10001"}
        worst = {}
        for saves in (True, False):
            folder, setting = self.state()
            node = client(f"save_samples = {str(saves).lower()}\n" + setting)
            simulate(steady.replace("@OFFSET@", "0.1"), [Timepool(BINARY_DIR, SERVER), node], 9990)
            self.assertEqual((folder / "samples.bin").exists(), saves)
            remembered = {path.name: path.read_bytes() for path in folder.iterdir()}
            runs = []
            for seed in range(1, 6):
                for name, content in remembered.items():
                    (folder / name).write_bytes(content)
                nodes = [Timepool(BINARY_DIR, SERVER), node]
                runs.append(simulate(steady.replace("@OFFSET@", "1e-3"), nodes, 64, seed, later))
            self.assertEqual(["going on with the samples of 1 sources" in run.log(2) for run in runs], [saves] * 5,
                             runs[0].log(2))
            worst[saves] = sorted(run.worst(2, 10) for run in runs)
            print(f"save_samples {saves}: worst offset from the tenth second of a restart on "
                  f"{worst[saves][2]:.2e} s (median of 5), {worst[saves][-1]:.2e} s (worst)")
        self.assertLess(worst[True][2], worst[False][2] / 2)
        self.assertLess(worst[True][-1], 3e-4)

    def test_b25_a_first_start_is_granted_once(self):
        folder, setting = self.state()
        nodes = [Timepool(BINARY_DIR, SERVER), client(setting)]
        first = simulate(network(-7200, 1e-5), nodes, 300)
        self.assertIn("the system clock was stepped by", first.log(2))
        self.assertTrue(json.loads((folder / "clock.json").read_text())["was_set"])
        self.assertLess(first.worst(2, 10), 0.01, first.log(2))
        # Whoever turns the clock and restarts the daemon gains nothing; the daemon runs on.
        again = simulate(network(7200, 1e-5), nodes, 2000, 1, LATER)
        self.assertIn("that is not corrected", again.log(2))
        self.assertNotIn("was stepped by", again.log(2))
        self.assertGreater(again.log(2).count(": accepted"), 12)

    def test_b27_a_clock_that_lost_its_time_begins_at_the_last_good_one(self):
        folder, setting = self.state()
        nodes = [Timepool(BINARY_DIR, SERVER), client(setting)]
        simulate(network(0, 1e-5), nodes, 300)
        again = simulate(network(-40 * 365 * 86400, 1e-5), nodes, 300, 1, LATER)
        self.assertRegex(again.log(2), r"the system clock was stepped by \d+w")
        # How long it was off nobody knows: from there it may go forward by any amount.
        self.assertEqual(again.log(2).count("was stepped by"), 2, again.log(2))
        self.assertLess(again.worst(2, 10), 1e-3, again.log(2))

    def test_once_corrects_the_clock_and_leaves(self):
        run = simulate(network(3.5, 1e-5), [Timepool(BINARY_DIR, SERVER), client("", ["--once"])], 60)
        self.assertIn("the clock is corrected", run.log(2))
        self.assertLess(run.worst(2, 30), 2e-3, run.log(2))

    def test_once_print_tells_the_offset_and_touches_nothing(self):
        run = simulate(network(-3.5, 0), [Timepool(BINARY_DIR, SERVER), client("", ["--once", "--print"])], 60)
        told = re.search(r"offset (\S+) s, error bound (\S+) s, 1 sources", run.log(2))
        self.assertTrue(told, run.log(2))
        self.assertAlmostEqual(float(told[1]), 3.5, delta=1e-3)
        self.assertLessEqual(abs(float(told[1]) - 3.5), float(told[2]))
        self.assertAlmostEqual(run.offsets[1][-1], -3.5, delta=1e-4)


if __name__ == "__main__":
    main()
