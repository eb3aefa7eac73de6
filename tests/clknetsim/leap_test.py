"""The leap second of the end of 2016 inside clknetsim: a daemon with a leap file announces it to those who
ask on the last day of the month and on no other, and does it at midnight."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import simulator  # noqa: E402
from networks import delays, path  # noqa: E402
from programs import BINARY_DIR, main  # noqa: E402
from simulator import Timepool, simulate  # noqa: E402

NTP_EPOCH = 2208988800
START = 1483138800  # 2016-12-30 23:00:00
LEAP = 1483228800   # 2017-01-01 00:00:00
LEAP_FILE = "".join(f"{mark}{unix + NTP_EPOCH}{rest}\n" for mark, unix, rest in (
    ("#$ ", 1467763200, ""), ("#@ ", 1514505600, ""), ("", 1435708800, "  36"), ("", LEAP, "  37")))

# It knows of no leap second, and its clock makes none.
ORIGIN = '[server]\nlisten = ["0.0.0.0:123"]\n[server.local]\nstratum = 1\nrefid = "SIM"\n'
SOURCE = '[sources]\nmin_sources = 1\n[[sources.server]]\naddress = "192.168.123.%d"\niburst = true\nmaxpoll = 6\n'
RELAY = 'clock = "steer"\nleap_file = "%s"\nleap_mode = "%s"\n[server]\nlisten = ["0.0.0.0:123"]\n' + SOURCE % 1
CLIENT = 'leap_mode = "ignore"\n[log]\ndirectory = "@DIR@"\nmeasurements = true\nbanner = 0\n' + SOURCE % 2


@unittest.skipUnless(simulator.simulator() and not simulator.sanitized(BINARY_DIR), simulator.MISSING)
class Leap(unittest.TestCase):
    def run_past_the_leap(self, mode):
        folder = tempfile.TemporaryDirectory(prefix="timepool-leap-")
        self.addCleanup(folder.cleanup)
        file = pathlib.Path(folder.name) / "leap-seconds.list"
        file.write_text(LEAP_FILE)
        nodes = [Timepool(BINARY_DIR, ORIGIN), Timepool(BINARY_DIR, RELAY % (file, mode)),
                 Timepool(BINARY_DIR, CLIENT)]
        run = simulate(delays([(1, 2), (2, 3)], path("1e-4", 1e-5)), nodes, LEAP - START + 300,
                       environment={"CLKNETSIM_START_DATE": str(START)}, keep=folder.name)
        lines = (pathlib.Path(folder.name) / "3" / "measurements.log").read_text().splitlines()[3:]
        return run, [line.split() for line in lines]

    @staticmethod
    def letters(rows):
        """What the answers of each day said, by date."""
        out = {}
        for row in rows:
            if row[5] == "accepted":
                out.setdefault(row[0], set()).add(row[3])
        return out

    def test_is_announced_on_the_last_day_of_the_month_and_done_at_its_end(self):
        run, rows = self.run_past_the_leap("step")
        told = self.letters(rows)
        print({date: sorted(letters) for date, letters in told.items()})
        self.assertEqual(told["2016-12-30"], {"N"}, run.log(2))
        self.assertEqual(told["2016-12-31"], {"+"}, run.log(2))
        self.assertNotIn("+", told["2017-01-01"], run.log(2))
        self.assertLess(max(abs(x) for x in run.offsets[1][600:LEAP - START - 2]), 1e-3)
        # The simulator's true time has no leap second: a second behind it is UTC.
        self.assertAlmostEqual(run.offsets[1][LEAP - START + 3], -1, delta=0.01, msg=run.log(2))
        self.assertIn("a leap second: UTC moved by -1", run.log(2))

    def test_is_neither_announced_nor_done_when_it_is_to_be_ignored(self):
        run, rows = self.run_past_the_leap("ignore")
        self.assertEqual(self.letters(rows), {day: {"N"} for day in ("2016-12-30", "2016-12-31", "2017-01-01")})
        self.assertLess(max(abs(x) for x in run.offsets[1][600:]), 1e-3)


if __name__ == "__main__":
    main()
