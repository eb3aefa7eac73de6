"""DNS queries: timepool-dnsd with one worker against knotd with one."""
import json
import socket

import lab as laboratory

NAME = "dns"
TEXT = "A and AAAA of a pool's names over loopback, closed loop; ours draws 4 of 40 by weight, knotd has 4 fixed"
NAMES = ["pool.test"] + ["%d.pool.test" % i for i in range(4)] + ["%s.pool.test" % c for c in
                                                                  ("de", "us", "jp", "br", "za", "au", "europe")]


def questions(lab):
    """Two A for one AAAA, and some names that are not there, as pool servers see it."""
    lines = []
    for i, name in enumerate(NAMES * 6):
        lines.append("%s %s" % (name, "AAAA" if i % 3 == 2 else "A"))
        if i % 16 == 15:
            lines.append("nosuch%d.%s A" % (i, name))
    return lab.write("questions.txt", "\n".join(lines) + "\n")


def start_ours(lab):
    port = laboratory.free_port(socket.SOCK_STREAM)
    addresses = [["192.0.2.%d" % (i + 1), (i % 7 + 1) * 1000] for i in range(40)]
    addresses6 = [["2001:db8::%d" % (i + 1), (i % 7 + 1) * 1000] for i in range(40)]
    labels = {name.removesuffix("pool.test").rstrip("."): {"a": addresses, "aaaa": addresses6} for name in NAMES}
    labels[""]["ns"] = {"ns1.pool.test": None}
    zone = {"serial": 1, "ttl": 150, "max_hosts": 4, "data": labels}
    lab.write("pool.test.json", json.dumps(zone))
    config = lab.write("dnsd.toml", """
[server]
listen = ["127.0.0.1:%d"]
threads = 1
[zones]
directory = "%s"
[control]
socket = "%s"
""" % (port, lab.directory, lab.path("dnsd.sock")))
    child = lab.start([lab.program("timepool-dnsd"), "--config", config], name="timepool-dnsd")
    lab.wait_for_answer("dns", port, child, "timepool-dnsd")
    return port


def start_knotd(lab, program):
    port = laboratory.free_port(socket.SOCK_STREAM)
    lines = ["$ORIGIN pool.test.", "$TTL 150", "@ SOA ns1 hostmaster 1 5400 5400 1209600 3600", "@ NS ns1",
             "ns1 A 127.0.0.1"]
    for name in NAMES:
        for i in range(1, 5):
            lines.append("%s. A 192.0.2.%d" % (name, i))
            lines.append("%s. AAAA 2001:db8::%d" % (name, i))
    lab.write("pool.test.zone", "\n".join(lines) + "\n")
    config = lab.write("knot.conf", """
server:
  rundir: %(dir)s
  listen: 127.0.0.1@%(port)d
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: %(dir)s
log:
  - target: stderr
    any: warning
zone:
  - domain: pool.test
    storage: %(dir)s
    file: pool.test.zone
    zonefile-sync: -1
    journal-content: none
""" % {"dir": lab.directory, "port": port})
    # knotd puts its first worker on the first processor whatever it was started on.
    child = lab.start([program, "-c", config], cpu=lab.load_cpu, name="knotd")
    lab.wait_for_answer("dns", port, child, "knotd")
    return port


def measure(lab):
    knotd = lab.peer("knot", "knotd", "TIMEPOOL_KNOTD")
    if knotd is None:
        return []
    names = ("--names", questions(lab))
    ours = start_ours(lab)
    theirs = start_knotd(lab, knotd)
    return [lab.compare(NAME, "knotd", "answers/s", lambda: lab.load("dns", ours, options=names)["rate"],
                        lambda: lab.load("dns", theirs, cpu=lab.server_cpu, options=names)["rate"])]
