"""Two workers against one under the same load: answers per second of processor time, times the processors
that they use. A load generator runs on each processor in both cases: on two there is no place beside the
workers, and what crosses from one processor to the other costs the same for both."""
import concurrent.futures
import statistics

import lab as laboratory
import network
import ntp_servers

NAME = "ntp-workers"
TEXT = "two workers against one, a load generator on each of two processors in both cases"
SOURCES = ("127.16.0.0/13", "127.24.0.0/13")


def per_cpu(lab, where, server, cpus):
    """Answers per second of the server's processors, with a load generator on each of `cpus`."""
    before = laboratory.cpu_ns(server.child)
    with concurrent.futures.ThreadPoolExecutor(len(cpus)) as pool:
        reports = list(pool.map(lambda pair: lab.load("ntp", server.port, where=where, cpu=pair[0],
                                                      options=("--sources", pair[1])), zip(cpus, SOURCES)))
    return sum(report["answered"] for report in reports) / (laboratory.cpu_ns(server.child) - before) * 1e9


def measure(lab):
    where = network.Loopback(lab)
    cpus = [lab.server_cpu, lab.load_cpu]
    servers = [ntp_servers.start_ours(lab, where, name="workers-%d" % n, server="threads = %d" % n, cpu=set(cpus[:n]))
               for n in (2, 1)]
    pairs = [[per_cpu(lab, where, server, cpus) * n for server, n in zip(servers, (2, 1))] for _ in range(lab.runs)]
    return [lab.row(NAME, "one worker", "replies/s of CPU time, times workers",
                    *(statistics.median(column) for column in zip(*pairs)))]
