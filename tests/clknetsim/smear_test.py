"""The leap second of the end of 2016 inside clknetsim, smeared: a daemon whose own clock goes over it serves
time that spreads it over two hours, and a client of it follows evenly."""
import math
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import simulator  # noqa: E402
from leap_test import LEAP, LEAP_FILE, ORIGIN, SOURCE  # noqa: E402
from networks import delays, path  # noqa: E402
from programs import BINARY_DIR, main  # noqa: E402
from simulator import Timepool, simulate  # noqa: E402

# Two hours around the leap; the origin, which knows of none, is believed to be late for some minutes after it.
WINDOW, BEFORE, AFTER = 7200, 1800, 600
START = LEAP - WINDOW // 2 - BEFORE
RELAY = ('clock = "steer"\nleap_file = "%s"\nleap_mode = "%s"\n[server]\nlisten = ["0.0.0.0:123"]\n'
         '[server.access]\nallow = ["192.168.0.0/16"]\n[server.smear]\nshape = "%s"\nwindow = "2h"\n') + SOURCE % 1
CLIENT = ('clock = "steer"\nsources_smear = true\n[log]\ndirectory = "@DIR@"\nmeasurements = true\nbanner = 0\n' +
          (SOURCE % 2).replace("maxpoll = 6", "minpoll = 4\nmaxpoll = 4"))


def share(shape, second):
    """How much of the second has been smeared so long after START."""
    part = min(max((second - BEFORE) / (WINDOW + 1), 0), 1)
    return part if shape == "linear" else (1 - math.cos(math.pi * part)) / 2


@unittest.skipUnless(simulator.simulator() and not simulator.sanitized(BINARY_DIR), simulator.MISSING)
class Smear(unittest.TestCase):
    def check(self, mode, shape):
        folder = tempfile.TemporaryDirectory(prefix="timepool-smear-")
        self.addCleanup(folder.cleanup)
        file = pathlib.Path(folder.name) / "leap-seconds.list"
        file.write_text(LEAP_FILE)
        nodes = [Timepool(BINARY_DIR, ORIGIN), Timepool(BINARY_DIR, RELAY % (file, mode, shape)),
                 Timepool(BINARY_DIR, CLIENT)]
        run = simulate(delays([(1, 2), (2, 3)], path("1e-4", 1e-5)), nodes, LEAP - START + AFTER,
                       environment={"CLKNETSIM_START_DATE": str(START)}, keep=folder.name)
        errors = [abs(offset + share(shape, second)) for second, offset in enumerate(run.offsets[2])]
        print(f"{mode}, {shape}: at most {max(errors[600:]):.2e} s from the smear, the last minute before the leap "
              f"to the end {max(errors[LEAP - START - 60:]):.2e} s")
        self.assertLess(max(errors[600:]), 5e-3, run.log(3)[-2000:])
        # The relay's own clock is at UTC: a second behind the simulator's time.
        self.assertAlmostEqual(run.offsets[1][LEAP - START + 60], -1, delta=0.01, msg=run.log(2))
        rows = (pathlib.Path(folder.name) / "3" / "measurements.log").read_text().splitlines()[3:]
        self.assertEqual({row.split()[3] for row in rows if row.split()[5] == "accepted"}, {"N"},
                         "no leap is announced")

    def test_a_client_follows_evenly_when_the_servers_clock_is_stepped(self):
        self.check("step", "cosine")

    def test_a_client_follows_evenly_when_the_servers_clock_is_slewed(self):
        self.check("slew", "linear")


if __name__ == "__main__":
    main()
