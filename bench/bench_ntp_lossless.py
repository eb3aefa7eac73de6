"""The highest rate of evenly spaced requests of which none is lost, each server with its own default settings, by
two generators:

frames   what a network driver hands to the system: each request takes a page of the receive buffer, as with most
         network cards, so that a default buffer holds 45 of them (timepool bench frames)
sockets  what sendmmsg of the same machine makes: small buffers, of which a default one holds some 270
"""
import statistics

import network
import ntp_servers

NAME = "ntp-lossless"
TEXT = "requests/s without a loss over a veth pair, open loop, default settings, as driver frames and by sockets"
LOWEST, HIGHEST = 1_000, 400_000
# Each halves what is not known of the factor between the two: after 8 it is known within 2.4 %.
STEPS = 8
STEP_SECONDS = 0.7
SEARCHES = 3
# Room for what waits in the server's buffer: 80 ms at 200,000 requests a second.
ROOM = ("--sockets", "16", "--inflight", "16384", "--timeout", "1s")


def by_sockets(lab, where, server, how):
    return lab.load("ntp", server.port, where=where, fair=False, options=(*ROOM, *how))


def by_frames(lab, where, server, how):
    return lab.frames(server.port, where, how)


def offered(lab, where, server, rate, generator):
    """The requests/s that were sent, or 0 when one was not answered."""
    report = generator(lab, where, server, ("--rate", str(round(rate)), "--duration", "%dms" % (STEP_SECONDS * 1000)))
    return report["offered"] if report["answered"] == report["sent"] else 0


def search(lab, where, server, generator):
    low, high, best = LOWEST, HIGHEST, 0
    for _ in range(STEPS):
        middle = (low * high) ** 0.5
        rate = offered(lab, where, server, middle, generator)
        if rate > 0:
            best = max(best, rate)
            low = middle
        else:
            high = middle
    # Not even the lowest: below what can be told.
    return max(best, LOWEST)


def rows_by(lab, where, name, generator, ours, theirs):
    found = [[search(lab, where, server, generator) for server in (*ours, theirs)] for _ in range(SEARCHES)]
    one, none, peer = (statistics.median(column) for column in zip(*found))
    return [lab.row(NAME, "chronyd", "%s, threads = 1: requests/s without loss" % name, one, peer),
            lab.row(NAME, "chronyd", "%s, threads = 0: requests/s without loss" % name, none, peer)]


def pair(lab, where, suffix, **how):
    return [ntp_servers.start_ours(lab, where, name="timepool-ntpd-%d%s" % (threads, suffix),
                                   server="threads = %d" % threads, **how) for threads in (1, 0)]


def measure(lab):
    chronyd = lab.peer("chrony", "chronyd", "TIMEPOOL_CHRONYD")
    where = network.veth(lab)
    if not chronyd or not where:
        return []
    theirs = ntp_servers.start_chronyd(lab, chronyd, where)
    # So many clients ask by frames that the limits of every day let them.
    rows = rows_by(lab, where, "frames", by_frames, pair(lab, where, "-limited", limits=""), theirs)
    return rows + rows_by(lab, where, "sockets", by_sockets, pair(lab, where, ""), theirs)
