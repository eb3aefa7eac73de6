"""Plain NTP requests: timepool-ntpd with one worker against chronyd, ntpsec and a bare echo of the packets."""
import statistics

import network
import ntp_servers

NAME = "ntp"
TEXT = "NTPv4 client requests, closed loop, one worker; server and load each on one processor"


def servers(lab, where):
    chronyd = lab.peer("chrony", "chronyd", "TIMEPOOL_CHRONYD")
    ntpsec = lab.peer("ntpsec", "ntpd", "TIMEPOOL_NTPSEC")
    out = [ntp_servers.start_ours(lab, where), ntp_servers.start_echo(lab, where)]
    if chronyd:
        out.append(ntp_servers.start_chronyd(lab, chronyd, where))
    if ntpsec:
        out.append(ntp_servers.start_ntpsec(lab, ntpsec, where))
    return [server for server in out if server is not None]


def medians(lab, where, tested):
    """{name: (answers/s, answers per second of the server's processor)}; the servers take turns."""
    runs = {server.name: [] for server in tested}
    for _ in range(lab.runs):
        for server in tested:
            report = lab.served(server.child, server.kind, server.port, where=where)
            runs[server.name].append((report["rate"], report["per_cpu"]))
    return {name: [statistics.median(run[i] for run in all_runs) for i in (0, 1)] for name, all_runs in runs.items()}


def rows_at(lab, where):
    measured = medians(lab, where, servers(lab, where))
    ours = measured.pop("timepool-ntpd")
    rows = []
    for peer, theirs in measured.items():
        rows.append(lab.row(NAME, peer, "%s: replies/s" % where.name, ours[0], theirs[0]))
        rows.append(lab.row(NAME, peer, "%s: replies/s of CPU time" % where.name, ours[1], theirs[1]))
        rows.append(lab.row(NAME, peer, "%s: ns of CPU per reply" % where.name, 1e9 / ours[1], 1e9 / theirs[1]))
    return rows


def measure(lab):
    rows = rows_at(lab, network.Loopback(lab))
    veth = network.veth(lab)
    return rows + (rows_at(lab, veth) if veth else [])
