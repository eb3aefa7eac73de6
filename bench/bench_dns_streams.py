"""DNS over TCP and TLS: timepool-dnsd with one thread against knotd and nsd, and handshakes against a bare loop."""
import shutil
import socket
import statistics
import time

import dns_servers
import lab as laboratory
import nts_servers

NAME = "dns-streams"
TEXT = ("connections over loopback, one thread that serves: one query on each, pipelined by 100, and handshakes of TLS "
        "1.3 with a P-256 certificate; by the server's processor time")
CONNECTIONS = 32
KINDS = (("one query a connection", ["--queries", "1"]),
         ("pipelined by 100", ["--queries", "10000", "--pipeline", "100", "--inflight", "8"]))
LIMITS = "[tcp]\nmax_per_client = 10000\nmax_per_network = 10000\n"


def run(lab, server, options):
    """Answers, or handshakes where none are asked for, a second of the server's processor."""
    command = [lab.program("timepool"), "bench", "dns-stream", "--target", "127.0.0.1:%d" % server.port, "--json",
               *laboratory.merged(["--duration", "%dms" % (lab.seconds * 1000), "--count", "10000000", "--inflight",
                                   str(CONNECTIONS)], options)]
    before = laboratory.cpu_ns(server.child)
    report = lab.report_of(command, server.load_cpu, True)
    took = laboratory.cpu_ns(server.child) - before
    wrong = report["failed"] + report["refused"] + report["invalid"]
    if wrong > report["begun"] * 0.01:
        raise laboratory.LabError("not a fair run: %s" % report)
    return (report["answered"] or report["done"]) / max(took, 1) * 1e9


def compared(lab, ours, peers, what, options):
    runs = {server.name: [] for server in [ours, *peers]}
    for _ in range(lab.runs):
        for server in [ours, *peers]:
            runs[server.name].append(run(lab, server, options))
    medians = {name: statistics.median(all_runs) for name, all_runs in runs.items()}
    return [lab.row(NAME, peer.name, what + "/s of CPU time", medians[ours.name], medians[peer.name]) for peer in peers]


def tcp_rows(lab):
    names = ["--names", dns_servers.questions(lab)]
    ours = dns_servers.start_ours(lab, more=LIMITS)
    peers = []
    for package, program, variable, start in (("knot", "knotd", "TIMEPOOL_KNOTD", dns_servers.start_knotd),
                                              ("nsd", "nsd", "TIMEPOOL_NSD", dns_servers.start_nsd)):
        found = lab.peer(package, program, variable)
        if found:
            peers.append(start(lab, found))
    peers = [peer for peer in peers if peer is not None]
    rows = []
    for what, options in KINDS:
        rows += compared(lab, ours, peers, "TCP, %s: answers" % what, names + options)
    return rows


def tls_rows(lab):
    if shutil.which("openssl") is None:
        laboratory.say("no openssl: the rows of TLS are left out (apt package openssl)")
        return []
    authority = nts_servers.Certificates(lab)
    port = laboratory.free_port(socket.SOCK_STREAM)
    tls = ('%s[tls]\nlisten = ["127.0.0.1:%d"]\nmax_per_client = 10000\nmax_per_network = 10000\n'
           '[[tls.certificate]]\nchain = "%s"\nkey = "%s"\n' %
           (LIMITS, port, authority.chain, authority.key))
    ours = dns_servers.start_ours(lab, name="timepool-dnsd-tls", more=tls)
    ours.port = port
    bare_port = laboratory.free_port(socket.SOCK_STREAM)
    child = lab.start([lab.program("timepool"), "bench", "tls-limit", "--listen", "127.0.0.1:%d" % bare_port,
                       "--chain", str(authority.chain), "--key", str(authority.key), "--duration", "1h"],
                      name="limit-tls")
    bare = dns_servers.Server("limit-tls", child, bare_port)
    wait_for(bare)
    return compared(lab, ours, [bare], "TLS handshakes", ["--tls", "--queries", "0", "--inflight", "8"])


def wait_for(server):
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end or server.child.poll() is not None:
                raise laboratory.LabError("%s does not answer" % server.name)
            time.sleep(0.05)


def measure(lab):
    return tcp_rows(lab) + tls_rows(lab)
