"""An island of servers that loses the true time, inside clknetsim: ours with `[server.local] orphan`, and
chronyd's orphan among them."""
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import simulator  # noqa: E402
from programs import BINARY_DIR, main  # noqa: E402
from simulator import Chronyd, Timepool, simulate  # noqa: E402

# Node 1 has the true time, 2 to 5 are the island.
ISLAND = (2, 3, 4, 5)
# Seconds: the true time is lost and heard again; whoever leads by then falls silent.
LOST, SILENT, BACK, END = 1500, 6000, 10000, 12000
# While the strata of those who follow each other climb to the orphans', the last who had the time leads
# for as long as its error bound allows: 100 s each.
SETTLE = 1000
APART = 2e-3


def address(node):
    return f"192.168.123.{node}"


def alive(*windows):
    """1 in these seconds, else 0."""
    return "(+ 0 " + " ".join(f"(equal 1e-3 time (min (max time {a}) {b}))" for a, b in windows) + ")"


def path(*windows):
    return f"(+ -1 (* {alive(*windows)} (+ 1.0001 (* 2e-5 (exponential)))))"


def network(silent):
    """The paths; `silent` is cut off from SILENT to the end."""
    lines = []
    for n, ppm in zip(ISLAND, (8, -12, 21, -5)):
        lines += [f"node{n}_freq = (+ {ppm}e-6 (sum (* 1e-10 (normal))))", f"node{n}_offset = {0.01 * n}"]
        up = ((0, LOST),) if n == silent else ((0, LOST), (BACK, END))
        lines += [f"node1_delay{n} = {path(*up)}", f"node{n}_delay1 = {path(*up)}"]
        for other in ISLAND:
            if other != n:
                until = SILENT if silent in (n, other) else END
                lines.append(f"node{n}_delay{other} = {path((0, until))}")
    return "\n".join(lines) + "\n"


def ours(node):
    sources = "".join(f'[[sources.server]]\naddress = "{address(n)}"\niburst = true\nminpoll = 4\nmaxpoll = 4\n'
                      for n in (1, *ISLAND) if n != node)
    return Timepool(BINARY_DIR, 'log_level = "info"\nclock = "steer"\n[sources]\nmin_sources = 1\n' + sources +
                    '[server]\nlisten = ["0.0.0.0:123"]\n[server.local]\nstratum = 10\norphan = true\n'
                    'distance = "5ms"\nwait_unsynced = "100s"\n')


def chrony(node):
    return Chronyd("".join(f"server {address(n)} iburst minpoll 4 maxpoll 4\n" for n in (1, *ISLAND) if n != node) +
                   "local stratum 10 orphan distance 0.0005\nmakestep 1 3\nlogchange 10\n")


@unittest.skipUnless(simulator.simulator() and not simulator.sanitized(BINARY_DIR), simulator.MISSING)
class Island(unittest.TestCase):
    def run_island(self, chronyds=(), silent=2, seed=1, end=END):
        nodes = [Timepool(BINARY_DIR, '[server]\nlisten = ["0.0.0.0:123"]\n[server.local]\nstratum = 1\n')]
        nodes += [chrony(n) if n in chronyds else ours(n) for n in ISLAND]
        run = simulate(network(silent), nodes, end, seed)
        for since, until, members in ((LOST - 500, LOST, ISLAND), (LOST, SILENT, ISLAND),
                                      (SILENT, BACK, [n for n in ISLAND if n != silent]),
                                      (BACK + SETTLE, END, [n for n in ISLAND if n != silent])):
            if until > end:
                break
            apart = self.apart(run, members, since, until)
            off = max(abs(run.offsets[n - 1][s]) for n in members for s in range(since, until))
            print(f"seed {seed}, {since} s to {until} s: {apart:.2e} s apart, {off:.2e} s from the true time")
            self.assertLess(apart, APART, "\n".join(run.log(n)[-2000:] for n in ISLAND))
            if since > BACK or until <= LOST:
                self.assertLess(off, 1e-3)
        return run

    @staticmethod
    def apart(run, members, since, until):
        columns = [run.offsets[n - 1][since:until] for n in members]
        return max(max(row) - min(row) for row in zip(*columns))

    @staticmethod
    def served(run, node):
        """What one of ours served at the end: the stratum, or None."""
        found = re.findall(r"what is served is (?:of stratum (\d+)|not synchronised)", run.log(node))
        return int(found[-1]) if found and found[-1] else None

    def test_they_stay_together_until_the_true_time_is_back(self):
        for seed in (1, 2):
            run = self.run_island(seed=seed)
            self.assertEqual([self.served(run, n) for n in (3, 4, 5)], [2, 2, 2], run.log(3)[-2000:])

    def test_one_leads_and_the_next_when_it_falls_silent(self):
        run = self.run_island(end=SILENT)
        self.assertEqual([self.served(run, n) for n in ISLAND], [10, 11, 11, 11])
        run = self.run_island(end=BACK)
        self.assertEqual([self.served(run, n) for n in (3, 4, 5)], [10, 11, 11])

    @unittest.skipUnless(simulator.chronyd(), "Debian package chrony is not there: chronyd")
    def test_ours_follow_chronyds_orphan_and_lead_after_it(self):
        run = self.run_island(chronyds=(2,), end=SILENT)
        self.assertEqual([self.served(run, n) for n in (3, 4, 5)], [11, 11, 11])
        run = self.run_island(chronyds=(2,), end=BACK)
        self.assertEqual([self.served(run, n) for n in (3, 4, 5)], [10, 11, 11])

    @unittest.skipUnless(simulator.chronyd(), "Debian package chrony is not there: chronyd")
    def test_chronyds_orphans_follow_ours(self):
        run = self.run_island(chronyds=(3, 5))
        self.assertEqual([self.served(run, n) for n in (2, 4)], [10, 2])


if __name__ == "__main__":
    main()
