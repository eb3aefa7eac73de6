"""What 100,000 denied prefixes and a full table of clients cost, and what memory the server takes."""
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


def measure(lab):
    where = network.Loopback(lab)
    plain = ntp_servers.start_ours(lab, where)
    full = ntp_servers.start_ours(lab, where, name="timepool-ntpd-full", more=big(lab))
    empty_kb = laboratory.resident_kb(full.child)
    # As many addresses as the table has places: 256 at a time.
    for i in range(CLIENTS // 256):
        lab.load("ntp", full.port, where=where, options=(
            "--sources", "127.%d.%d.0/24" % (64 + i // 256, i % 256), "--sockets", "256", "--inflight", "256",
            "--count", "256"))
    full_kb = laboratory.resident_kb(full.child)
    pairs = [[lab.served(server.child, "ntp", server.port, where=where) for server in (full, plain)]
             for _ in range(lab.runs)]
    rows = [lab.row(NAME, "plain", unit, *(statistics.median(pair[i][key] for pair in pairs) for i in (0, 1)))
            for unit, key in (("replies/s", "rate"), ("replies/s of CPU time", "per_cpu"))]
    return rows + [lab.row(NAME, "plain", "kB resident", full_kb, laboratory.resident_kb(plain.child)),
                   lab.row(NAME, "64 octets", "octets per tracked client", (full_kb - empty_kb) * 1024 / CLIENTS, 64)]
