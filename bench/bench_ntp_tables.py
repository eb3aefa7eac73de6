"""What 100,000 denied prefixes and a full table of clients cost, and what memory the server and a client take."""
import random
import statistics

import lab as laboratory
import network
import ntp_servers

NAME = "ntp-tables"
TEXT = "a server with 100,000 deny entries and a full client table against one with neither, over loopback"
ENTRIES = 100_000
# As many as are remembered by default.
CLIENTS = 65_536


def big(lab):
    entries = random.Random(1).sample(range(10 << 24, 11 << 24), ENTRIES)
    denied = lab.write("denied", "".join("%d.%d.%d.%d/32\n" % tuple(e.to_bytes(4, "big")) for e in entries))
    return '[server.access]\ndeny_files = ["%s"]\n' % denied


def fill(lab, where, server):
    """As many addresses ask once as the table has places."""
    for i in range(CLIENTS // 256):
        lab.load("ntp", server.port, where=where, options=(
            "--sources", "127.%d.%d.0/24" % (64 + i // 256, i % 256), "--sockets", "256", "--inflight", "256",
            "--count", "256"))


def measure(lab):
    where = network.Loopback(lab)
    plain = ntp_servers.start_ours(lab, where)
    full = ntp_servers.start_ours(lab, where, name="timepool-ntpd-full", more=big(lab))
    crowded = ntp_servers.start_ours(lab, where, name="timepool-ntpd-crowded")
    # What it takes at its first work is not the clients'.
    lab.load("ntp", crowded.port, where=where)
    alone_kb = laboratory.resident_kb(crowded.child)
    for server in (full, crowded):
        fill(lab, where, server)
    crowded_kb = laboratory.resident_kb(crowded.child)
    pairs = [[lab.served(server.child, "ntp", server.port, where=where) for server in (full, plain)]
             for _ in range(lab.runs)]
    rows = [lab.row(NAME, "plain", unit, *(statistics.median(pair[i][key] for pair in pairs) for i in (0, 1)))
            for unit, key in (("replies/s", "rate"), ("replies/s of CPU time", "per_cpu"))]
    return rows + [lab.row(NAME, "12 MB", "kB resident, few clients", alone_kb, 12_000),
                   lab.row(NAME, "64 octets", "octets for each of 65,536 clients",
                           (crowded_kb - alone_kb) * 1024 / CLIENTS, 64),
                   lab.row(NAME, "plain", "kB resident with 100,000 entries", laboratory.resident_kb(full.child),
                           crowded_kb)]
