"""How long a client of an NTS server that moves to another address goes without authenticated time: ours and
chronyd inside clknetsim (tests/clknetsim/moving.py), with the same seeds."""
import statistics
import sys
import tempfile

import simulated  # first: it knows where the next one is
import moving

NAME = "recovery"
TEXT = "seconds without authenticated time after a server moved, at poll 10, in clknetsim; less is better"
# The phase of the polls decides most of it: so many of them.
LEAST_SEEDS = 40


def measure(lab):
    if moving.COMPILER is None:
        print("no C compiler: the rows of recovery are left out", file=sys.stderr)
        return []
    peers = simulated.peers(lab, NAME)
    if not peers:
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
    found = simulated.each(lambda seed: site.seconds_without(client(), seed), seeds)
    # Who did not find it again went without it to the end.
    return [moving.LIMIT - moving.MOVES_AT if one is None else one for one in found]


def row(what, take, peer, ours, theirs):
    values = [take(side) for side in (ours, theirs)]
    return {"bench": NAME, "peer": peer, "unit": f"moved server: {what}, s", "ours": round(values[0], 1),
            "theirs": round(values[1], 1), "ratio": round(values[0] / values[1], 3), "runs": len(ours)}
