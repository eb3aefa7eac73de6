"""DNS queries by UDP: timepool-dnsd with one worker against knotd, gdnsd, nsd, pdns and a bare echo."""
import re
import shutil
import statistics
import subprocess

import dns_servers
import lab as laboratory

NAME = "dns"
TEXT = ("A and AAAA of a pool's names over loopback, closed loop, one worker; ours draws 4 of 40 by weight, by place. "
        "'subnets': each query names another client subnet")


def servers(lab):
    out = [dns_servers.start_ours(lab), dns_servers.start_echo(lab)]
    knotd = lab.peer("knot", "knotd", "TIMEPOOL_KNOTD")
    if knotd:
        out.append(dns_servers.start_knotd(lab, knotd))
        out.append(dns_servers.start_knotd_weighted(lab, knotd))
        out.append(dns_servers.start_knotd_countries(lab, knotd))
    for package, program, variable, start in (("nsd", "nsd", "TIMEPOOL_NSD", dns_servers.start_nsd),
                                              ("gdnsd", "gdnsd", "TIMEPOOL_GDNSD", dns_servers.start_gdnsd),
                                              ("pdns-server", "pdns_server", "TIMEPOOL_PDNS", dns_servers.start_pdns)):
        found = lab.peer(package, program, variable)
        if found:
            out.append(start(lab, found))
    return [server for server in out if server is not None]


def medians(lab, tested, options):
    """{name: (answers/s, answers per second of the server's processor)}; the servers take turns."""
    runs = {server.name: [] for server in tested}
    for _ in range(lab.runs):
        for server in tested:
            report = lab.served(server.child, "dns", server.port, cpu=server.load_cpu, options=options)
            runs[server.name].append((report["rate"], report["per_cpu"]))
    return {name: [statistics.median(run[i] for run in all_runs) for i in (0, 1)] for name, all_runs in runs.items()}


def rows_of(lab, tested, what, options):
    measured = medians(lab, tested, options)
    ours = measured.pop("timepool-dnsd")
    rows = []
    for peer, theirs in measured.items():
        rows.append(lab.row(NAME, peer, "%s: answers/s" % what, ours[0], theirs[0]))
        rows.append(lab.row(NAME, peer, "%s: answers/s of CPU time" % what, ours[1], theirs[1]))
    return rows


def dnsperf_runs(lab, tested, names):
    """Answers per second of the server's processor with dnsperf as the load; it counts a core's worth at most."""
    runs = {server.name: [] for server in tested}
    for _ in range(lab.runs):
        for server in tested:
            before = laboratory.cpu_ns(server.child)
            command = ["dnsperf", "-s", "127.0.0.1", "-p", str(server.port), "-d", names, "-c", "16", "-T", "1", "-q",
                       str(laboratory.IN_FLIGHT), "-l", "%g" % max(1, lab.seconds)]
            cpu = lab.load_cpu if server.load_cpu is None else server.load_cpu
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=laboratory.RUN_LIMIT,
                                  preexec_fn=lambda cpu=cpu: laboratory.place(cpu))
            answered = int(re.search(r"Queries completed:\s+(\d+)", done.stdout).group(1))
            runs[server.name].append(answered / (laboratory.cpu_ns(server.child) - before) * 1e9)
    return {name: statistics.median(all_runs) for name, all_runs in runs.items()}


def dnsperf_rows(lab, tested, names):
    if shutil.which("dnsperf") is None:
        laboratory.say("no dnsperf: its rows are left out (apt package dnsperf)")
        return []
    # The echo's answers are none to dnsperf, which reads them.
    measured = dnsperf_runs(lab, [server for server in tested if server.name != "limit-udp"], names)
    ours = measured.pop("timepool-dnsd")
    return [lab.row(NAME, peer, "dnsperf: answers/s of CPU time", ours, theirs) for peer, theirs in measured.items()]


def measure(lab):
    tested = servers(lab)
    names = ["--names", dns_servers.questions(lab)]
    return (rows_of(lab, tested, "plain", names) +
            rows_of(lab, tested, "subnets", names + ["--edns", "100", "--subnets", "--variety", "400"]) +
            dnsperf_rows(lab, tested, names[1]))
