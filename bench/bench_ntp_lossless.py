"""The highest rate of evenly spaced requests of which none is lost, each server with its own default buffers."""
import statistics

import network
import ntp_servers

NAME = "ntp-lossless"
TEXT = "requests/s without a loss over a veth pair, open loop, default settings"
LOWEST, HIGHEST = 2_000, 400_000
# Each halves what is not known of the factor between the two: after 8 it is known within 2 %.
STEPS = 8
STEP_SECONDS = 0.7
SEARCHES = 3
# Room for what waits in the server's buffer: 80 ms at 200,000 requests a second.
ROOM = ("--sockets", "16", "--inflight", "16384", "--timeout", "1s")


def offered(lab, where, server, rate):
    """The requests/s that were sent, or 0 when one was lost."""
    report = lab.served(server.child, "ntp", server.port, where=where, fair=False, options=(
        *ROOM, "--rate", str(round(rate)), "--duration", "%dms" % (STEP_SECONDS * 1000)))
    return report["offered"] if report["answered"] == report["sent"] else 0


def search(lab, where, server):
    low, high, best = LOWEST, HIGHEST, 0
    for _ in range(STEPS):
        middle = (low * high) ** 0.5
        rate = offered(lab, where, server, middle)
        if rate > 0:
            best = max(best, rate)
            low = middle
        else:
            high = middle
    return best


def measure(lab):
    chronyd = lab.peer("chrony", "chronyd", "TIMEPOOL_CHRONYD")
    where = network.veth(lab)
    if not chronyd or not where:
        return []
    ours = [ntp_servers.start_ours(lab, where),
            ntp_servers.start_ours(lab, where, name="timepool-ntpd-0", server="")]
    theirs = ntp_servers.start_chronyd(lab, chronyd, where)
    found = [[search(lab, where, server) for server in (*ours, theirs)] for _ in range(SEARCHES)]
    one, none, peer = (statistics.median(column) for column in zip(*found))
    return [lab.row(NAME, "chronyd", "threads = 1: requests/s without loss", one, peer),
            lab.row(NAME, "chronyd", "threads = 0: requests/s without loss", none, peer)]
