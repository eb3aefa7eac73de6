"""Key establishments of NTS, ours and chronyd's with the same certificate, each with one process that serves."""
import os
import socket

import lab as laboratory
import nts_servers

NAME = "nts-ke"
TEXT = "key establishments over loopback, TLS 1.3 with a P-256 certificate"
# Handshakes in a row for the memory, and how many of them come before the first look at it.
MANY, WARM = 100_000, 5_000
# Seconds for all of them.
LONGEST = 620
# At a time: as many as keep one server busy, and one for the time that each takes.
BUSY = 8


def free_tcp_port():
    return laboratory.free_port(socket.SOCK_STREAM)


def establish(lab, port, authority, *options, limit=laboratory.RUN_LIMIT):
    defaults = ["--duration", "%dms" % (lab.seconds * 1000), "--count", "10000000"]
    command = [lab.program("timepool"), "bench", "nts-ke", "--target", "127.0.0.1:%d" % port, "--name", "localhost",
               "--ca", str(authority), "--json", *laboratory.merged(defaults, options)]
    report = lab.report_of(command, None, True, limit)
    if report["refused"] or report["failed"] > report["begun"] * 0.01:
        raise laboratory.LabError("not a fair run: %s" % report)
    return report


def per_cpu(lab, server, port, authority):
    before = laboratory.cpu_ns(server.child)
    report = establish(lab, port, authority, "--inflight", str(BUSY))
    return report["established"] / max(laboratory.cpu_ns(server.child) - before, 1) * 1e9


def median_us(lab, port, authority):
    return establish(lab, port, authority, "--inflight", "1")["latency_us"]["p50"]


def memory_row(lab, server, port, authority):
    count = int(os.environ.get("TIMEPOOL_BENCH_HANDSHAKES", MANY))
    limits = ("--duration", "10m", "--inflight", str(BUSY))
    establish(lab, port, authority, *limits, "--count", str(min(WARM, count)))
    before = laboratory.resident_kb(server.child)
    establish(lab, port, authority, *limits, "--count", str(count), limit=LONGEST)
    after = laboratory.resident_kb(server.child)
    return lab.row(NAME, "itself", "KiB resident after %d and before" % count, after, before)


def measure(lab):
    authority = nts_servers.Certificates(lab)
    ours_port, their_port = free_tcp_port(), free_tcp_port()
    ours = nts_servers.start_ours(lab, authority, ours_port)
    rows = []
    program = lab.peer("chrony", "chronyd", "TIMEPOOL_CHRONYD")
    if program:
        theirs = nts_servers.start_chronyd(lab, program, authority, their_port)
        rows.append(lab.compare(NAME, "chronyd", "key establishments/s of CPU time",
                                lambda: per_cpu(lab, ours, ours_port, authority.certificate),
                                lambda: per_cpu(lab, theirs, their_port, authority.certificate)))
        rows.append(lab.compare(NAME, "chronyd", "us, median of one at a time",
                                lambda: median_us(lab, ours_port, authority.certificate),
                                lambda: median_us(lab, their_port, authority.certificate)))
    return rows + [memory_row(lab, ours, ours_port, authority.certificate)]
