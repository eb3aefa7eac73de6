"""How long a client of an NTS server that moves to another address goes without authenticated time: ours and
chronyd inside clknetsim (tests/clknetsim/moving.py), with the same seeds."""
import concurrent.futures
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/clknetsim"))
import moving  # noqa: E402
import simulator  # noqa: E402
from bench_accuracy import PARALLEL, version_of  # noqa: E402

NAME = "recovery"
TEXT = "seconds without authenticated time after a server moved, at poll 10, in clknetsim; less is better"
# The phase of the polls decides most of it: so many of them.
LEAST_SEEDS = 40


def measure(lab):
    if simulator.simulator() is None or moving.COMPILER is None:
        print("no clknetsim or no C compiler: the rows of recovery are left out (CLKNETSIM=<folder of a built one>)",
              file=sys.stderr)
        return []
    lab.program("timepool-ntpd")
    peers = {version_of(path): path for path in simulator.chronyds()}
    if not peers:
        lab.peer("chrony", "chronyd", "TIMEPOOL_CHRONYD")
        return []
    seeds = range(1, max(LEAST_SEEDS, lab.runs) + 1)
    with tempfile.TemporaryDirectory(prefix="moving-") as directory:
        site = moving.Site(directory)
        ours = run_all(site, seeds, lambda: site.timepool(lab.programs.parent))
        rows = []
        for name, path in peers.items():
            theirs = run_all(site, seeds, lambda p=path: site.chronyd(p))
            rows += [row(what, take, name, ours, theirs)
                     for what, take in (("mean", statistics.mean), ("median", statistics.median), ("worst", max))]
    return rows


def run_all(site, seeds, client):
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        found = list(pool.map(lambda seed: site.seconds_without(client(), seed), seeds))
    # Who did not find it again went without it to the end.
    return [moving.LIMIT - moving.MOVES_AT if one is None else one for one in found]


def row(what, take, peer, ours, theirs):
    values = [take(side) for side in (ours, theirs)]
    return {"bench": NAME, "peer": peer, "unit": f"moved server: {what}, s", "ours": round(values[0], 1),
            "theirs": round(values[1], 1), "ratio": round(values[0] / values[1], 3), "runs": len(ours)}
