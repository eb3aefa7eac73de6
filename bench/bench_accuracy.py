"""How well the clock is kept: our client and chronyd in the networks of tests/clknetsim/networks.py,
inside clknetsim, with the same seeds: the same oscillators and the same queues on both sides."""
import os
import statistics

import simulated  # first: it knows where the next two are
import networks
import simulator

NAME = "accuracy"
TEXT = "offset of the clock in clknetsim, and what it cost in time and packets; less is better but for intervals"
# Fewer seeds say little: the root mean square of one run may be half or twice another's.
LEAST_SEEDS = 20
# Who never gets there took this long.
NEVER = 1e6


def measure(lab):
    peers = simulated.peers(lab, NAME)
    if not peers:
        return []
    seeds = range(1, max(LEAST_SEEDS, lab.runs) + 1)
    wanted = os.environ.get("TIMEPOOL_NETWORKS", "").split()
    rows = []
    for network in networks.NETWORKS:
        if wanted and network.name not in wanted:
            continue
        ours = run_all(network, seeds, lambda n=network: simulator.Timepool(lab.programs.parent, n.timepool_config()))
        for name, path in peers.items():
            theirs = run_all(network, seeds,
                             lambda n=network, p=path: simulator.Chronyd(n.chrony_config(), program=p))
            rows += rows_of(network, name, ours, theirs, len(seeds))
    return rows


def run_all(network, seeds, client):
    """(rms, seconds to synchronisation, interval of requests to one server) of each seed."""
    def run(seed):
        servers = [simulator.Chronyd(network.server_config()) for _ in range(network.servers)]
        result = simulator.simulate(network.network, [*servers, client()], network.limit, seed, network.environment)
        synchronised = result.synchronised_at(network.client, network.within)
        interval = result.request_interval(network.client)
        return (result.rms(network.client, network.since), NEVER if synchronised is None else synchronised,
                interval * network.servers if interval else None)
    return simulated.each(run, seeds)


def rows_of(network, peer, ours, theirs, seeds):
    def row(what, take, index, scale=1):
        values = [take([one[index] * scale for one in side]) for side in (ours, theirs)]
        return {"bench": "accuracy", "peer": peer, "unit": f"{network.name}: {what}", "ours": round(values[0], 1),
                "theirs": round(values[1], 1), "ratio": round(values[0] / max(values[1], 1e-9), 3), "runs": seeds}
    rows = [row("rms offset, median, ns", statistics.median, 0, 1e9),
            row("rms offset, worst, ns", max, 0, 1e9),
            row("synchronised, median, s", statistics.median, 1),
            row("synchronised, worst, s", max, 1)]
    if all(one[2] for one in ours + theirs):
        rows.append(row("request interval, mean, s", statistics.mean, 2))
    return rows
