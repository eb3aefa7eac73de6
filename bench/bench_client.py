"""A client-only daemon that follows eight servers: its resident memory and its share of a processor."""
import getpass
import statistics
import time

import lab as laboratory

NAME = "client"
TEXT = "a client of eight servers on loopback: resident memory, processor time at poll 6"

SERVERS = 8
# Poll 0 sends 64 times what poll 6 does, so that seconds suffice to measure; at poll 10 the daemon
# only waits, which its loop does at every poll alike.
BUSY, IDLE = 0, 10
SCALE = 2 ** 6
# iburst is over and every source has its first eight samples.
SETTLE = 20.0
LEAST_SECONDS = 10.0


def start_servers(lab, port):
    addresses = ["127.0.9.%d" % (i + 1) for i in range(SERVERS)]
    config = lab.write("servers.toml", "[server]\nlisten = [%s]\n[server.local]\nstratum = 2\n[control]\nsocket = \"%s\"\n" % (
        ", ".join('"%s:%d"' % (address, port) for address in addresses), lab.path("servers.sock")))
    lab.start([lab.program("timepool-ntpd"), "--config", config], cpu=lab.load_cpu, name="servers")
    return addresses


def start_ours(lab, addresses, port, poll):
    name = "ours-poll%d" % poll
    sources = "".join(
        '[[server]]\naddress = "%s"\nport = %d\niburst = true\nminpoll = %d\nmaxpoll = %d\n' % (address, port, poll, poll)
        for address in addresses)
    config = lab.write(name + ".toml", 'clock = "observe"\n%s[control]\nsocket = "%s"\n' % (sources, lab.path(name + ".sock")))
    return lab.start([lab.program("timepool-ntpd"), "--config", config], name=name)


def start_chronyd(lab, program, addresses, port, poll):
    name = "chronyd-poll%d" % poll
    sources = "".join("server %s port %d iburst minpoll %d maxpoll %d\n" % (address, port, poll, poll) for address in addresses)
    config = lab.write(name + ".conf", "%sport 0\ncmdport 0\nbindcmdaddress /\npidfile %s\n" % (sources, lab.path(name + ".pid")))
    # -x: never touches the clock; -U: runs as any user.
    return lab.start([program, "-d", "-x", "-U", "-u", getpass.getuser(), "-f", config], name=name)


def shares(children, seconds):
    """Of one processor, over the same seconds for all."""
    before = [laboratory.cpu_ns(child) for child in children]
    start = time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - start
    return [(laboratory.cpu_ns(child) - first) / 1e9 / elapsed for child, first in zip(children, before)]


def check_alive(lab, children, names):
    for child, name in zip(children, names):
        if child.poll() is not None:
            raise laboratory.LabError("%s has ended: %s" % (name, lab.log_of(name)))


def measure(lab):
    chronyd = lab.peer("chrony", "chronyd", "TIMEPOOL_CHRONYD")
    if chronyd is None:
        return []
    port = laboratory.free_port()
    addresses = start_servers(lab, port)
    time.sleep(1)
    children = [start_ours(lab, addresses, port, BUSY), start_chronyd(lab, chronyd, addresses, port, BUSY),
                start_ours(lab, addresses, port, IDLE), start_chronyd(lab, chronyd, addresses, port, IDLE)]
    names = ["ours-poll%d" % BUSY, "chronyd-poll%d" % BUSY, "ours-poll%d" % IDLE, "chronyd-poll%d" % IDLE]
    time.sleep(SETTLE)
    check_alive(lab, children, names)
    runs = [shares(children, max(lab.seconds, LEAST_SECONDS)) for _ in range(lab.runs)]
    check_alive(lab, children, names)
    ours, theirs, ours_idle, theirs_idle = (statistics.median(run[i] for run in runs) for i in range(4))
    return [
        lab.row(NAME, "chronyd", "kB resident", laboratory.resident_kb(children[0]), laboratory.resident_kb(children[1])),
        lab.row(NAME, "chronyd", "ppm of a CPU", at_poll_6(ours, ours_idle), at_poll_6(theirs, theirs_idle)),
    ]


def at_poll_6(busy, idle):
    """Parts in a million of a processor: what waiting costs, and a 64th of what the packets cost."""
    return (idle + max(busy - idle, 0.0) / SCALE) * 1e6
