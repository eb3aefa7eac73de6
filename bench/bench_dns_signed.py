"""Signed answers by UDP: timepool-dnsd with signatures against itself without, an echo of the same sizes, and knotd that
signs while it answers."""
import json
import socket
import statistics
import struct

import dns_servers
import lab as laboratory

NAME = "dns-signed"
TEXT = ("answers with P-256 signatures to DO over loopback, closed loop, one worker; 'unsigned' is timepool-dnsd without "
        "keys, asked the same with DO; 'limit-udp' an echo of the same sizes as the signed answers")
ZONE = dns_servers.ZONE
# Names of vendors beside those of places: aliases of the whole pool or of one of its numbered parts.
VENDORS = ["vendor%d" % i for i in range(1000)]
NAMES = dns_servers.NAMES + ["%s.%s" % (vendor, ZONE) for vendor in VENDORS]
ABSENT = 500
SIGNED = """
[dnssec]
directory = "%s"
[[dnssec.zone]]
name = "*"
"""
# Where the pool's servers of NTS are, of which an answer has four.
SERVICES = [("_ntske._tcp.%s.%s" % (label, ZONE)).replace("..", ".") for label in dns_servers.LABELS if not label.isdigit()]
A, TXT, AAAA, SRV, OPT = 1, 16, 28, 33, 41
TYPES = {A: "A", TXT: "TXT", AAAA: "AAAA", SRV: "SRV"}


def document():
    """The usual zone with the vendors' names, and those of SRV records as timepool-poold writes them."""
    zone = json.loads(dns_servers.zone_json())
    targets = [{"target": "member-%d.m.%s." % (i, ZONE), "port": 4460, "srv_weight": 1, "weight": weight}
               for i, (_, _, weight) in enumerate(dns_servers.ADDRESSES)]
    for name in SERVICES:
        zone["data"][name.removesuffix("." + ZONE)] = {"srv": targets, "ttl": 60}
    for i, vendor in enumerate(VENDORS):
        zone["data"][vendor] = {"alias": ("", "0", "1", "2", "3")[i % 5]}
    return json.dumps(zone)


class Load:
    def __init__(self, name, questions, subnets):
        self.name, self.questions, self.subnets = name, questions, subnets

    def options(self, lab):
        lines = "".join("%s %s\n" % (name, TYPES[kind]) for name, kind in self.questions)
        out = ["--names", lab.write(self.name.replace(" ", "-") + ".txt", lines), "--edns", "100", "--dnssec"]
        return out + (["--subnets", "--variety", str(65536 // len(self.questions))] if self.subnets else [])


def loads():
    pool = [(name, AAAA if i % 3 == 2 else A) for i, name in enumerate(NAMES)]
    absent = [("nosuch%d.%s" % (i, ZONE), A) for i in range(ABSENT)] + [(name, TXT) for name in NAMES[:ABSENT]]
    return [Load("pool", pool, True), Load("one name", [(ZONE, A)], False), Load("absent", absent, False),
            Load("srv", [(name, SRV) for name in SERVICES], True)]


def ask(port, name, kind):
    """The sizes of a query with DO and of its reply, which must not be cut."""
    wire = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    query = (struct.pack(">6H", 7, 0, 1, 0, 0, 1) + wire + struct.pack(">2H", kind, 1) +
             b"\0" + struct.pack(">2HIH", OPT, 1232, 0x8000, 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.connect(("127.0.0.1", port))
        asking.send(query)
        reply = asking.recv(65535)
    if reply[2] & 2 or reply[3] & 15 not in (0, 3):
        raise laboratory.LabError("%s is not answered: flags %02x%02x" % (name, reply[2], reply[3]))
    return len(query), len(reply)


def octets(server, load):
    """Of a reply to the load, on average, and how much more that is than its query had."""
    sample = load.questions[::max(1, len(load.questions) // 100)]
    sizes = [ask(server.port, name, kind) for name, kind in sample]
    return statistics.mean(reply for _, reply in sizes), statistics.mean(reply - query for query, reply in sizes)


def settle(server):
    """Asks for each absent name, as often as its worker may sign, until all are kept: a run measures what is kept."""
    for first in range(0, ABSENT, 100):
        for i in range(first, first + 100):
            ask(server.port, "nosuch%d.%s" % (i, ZONE), A)


def measure_load(lab, load, ours, bare, knotd):
    signed_size, signed_more = octets(ours, load)
    bare_size, bare_more = octets(bare, load)
    echo = dns_servers.start_echo(lab, "limit-udp", round(signed_more))
    bare_echo = dns_servers.start_echo(lab, "limit-udp-unsigned", round(bare_more))
    tested = [ours, bare, echo, bare_echo] + ([knotd] if knotd else [])
    options = load.options(lab)
    runs = {server.name: [] for server in tested}
    for _ in range(lab.runs):
        for server in tested:
            report = lab.served(server.child, "dns", server.port, cpu=server.load_cpu, options=options)
            runs[server.name].append((report["rate"], report["per_cpu"]))
    medians = {name: [statistics.median(run[i] for run in all_runs) for i in (0, 1)] for name, all_runs in runs.items()}
    rows = [lab.row(NAME, "unsigned", "%s: octets of a reply" % load.name, signed_size, bare_size)]
    if knotd:
        rows.append(lab.row(NAME, knotd.name, "%s: octets of a reply" % load.name, signed_size, octets(knotd, load)[0]))
    for i, what in enumerate(("answers/s", "answers/s of CPU time")):
        unit = "%s: %s" % (load.name, what)
        rows += [lab.row(NAME, peer.name, unit, medians[ours.name][i], medians[peer.name][i])
                 for peer in tested if peer not in (ours, bare_echo)]
        rows.append(lab.row(NAME, bare_echo.name, unit, medians[bare.name][i], medians[bare_echo.name][i]))
    for server in (echo, bare_echo):
        lab.end(server.child)
    return rows


def measure(lab):
    zone = document()
    ours = dns_servers.start_ours(lab, more=SIGNED % lab.path("keys"), document=zone)
    bare = dns_servers.start_ours(lab, name="unsigned", document=zone)
    knotd = lab.peer("knot", "knotd", "TIMEPOOL_KNOTD")
    if knotd:
        # One P-256 key signs the static zone; nothing of what it signed is kept.
        knotd = dns_servers.start_knotd(lab, knotd, "knotd-onlinesign", "    module: mod-onlinesign", names=NAMES,
                                        services=SERVICES)
    settle(ours)
    rows = []
    for load in loads():
        rows += measure_load(lab, load, ours, bare, knotd)
    return rows
