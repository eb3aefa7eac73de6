"""NTP servers of the benchmarks, each on a port of its own. `where` is of network.py."""
import getpass
import shutil

import lab as laboratory
import network


# Every client is judged, as by the usual limits, but few clients may ask what a benchmark asks.
LIMITS = """
[server.limits]
exempt = []
%s
""" % "".join("%s_rate = 1000000\n%s_burst = 10000000\n" % (name, name) for name in ("address", "v4_24", "newcomers"))


class Server:
    def __init__(self, name, child, port, kind="ntp"):
        self.name, self.child, self.port, self.kind = name, child, port, kind


def ready(lab, server, where, options=()):
    lab.wait_for_answer(server.kind, server.port, server.child, server.name, where=where, options=options)
    return server


def start_ours(lab, where=network.Loopback(), name="timepool-ntpd", server="threads = 1", more="", cpu=None,
               limits=LIMITS):
    port = laboratory.free_port()
    file = "%s-%s" % (name, where.name)
    config = lab.write(file + ".toml", """
[server]
listen = ["%s:%d"]
%s
[server.local]
stratum = 2
%s
[control]
socket = "%s"
%s
""" % (where.address, port, server, limits, lab.path(file + ".sock"), more))
    child = lab.start([*where.server_prefix, lab.program("timepool-ntpd"), "--config", config], name=name, cpu=cpu)
    return ready(lab, Server(name, child, port), where)


def start_chronyd(lab, program, where=network.Loopback(), more=""):
    port = laboratory.free_port()
    config = lab.write("chrony-%s.conf" % where.name, """
port %d
bindaddress %s
cmdport 0
bindcmdaddress /
local stratum 2
allow all
pidfile %s
%s
""" % (port, where.address, lab.path("chronyd-%s.pid" % where.name), more))
    # -x: never touches the clock; -U: runs as any user.
    child = lab.start([*where.server_prefix, program, "-d", "-x", "-U", "-u", getpass.getuser(), "-f", config],
                      name="chronyd")
    return ready(lab, Server("chronyd", child, port), where)


def start_ntpsec(lab, program, where):
    """None where its port can't be ours: it has only 123."""
    if not where.server_prefix or shutil.which("setpriv") is None:
        return None
    config = lab.write("ntpsec-%s.conf" % where.name, """
restrict default
unrestrict default kod limited
disable monitor
tos orphan 2 orphanwait 1
interface ignore wildcard
interface listen %s
""" % where.address)
    # It would set the clock: without CAP_SYS_TIME it can't.
    child = lab.start([*where.server_prefix, "setpriv", "--bounding-set", "-sys_time", "--inh-caps", "-sys_time",
                       program, "-n", "-g", "-c", config], name="ntpsec")
    return ready(lab, Server("ntpsec", child, 123), where)


def start_echo(lab, where=network.Loopback()):
    """What only sends the same datagrams back (recvmmsg, sendmmsg)."""
    port = laboratory.free_port()
    # Long enough for every run, and ended by the lab before that.
    child = lab.start([*where.server_prefix, lab.program("timepool"), "bench", "echo",
                       "--listen", "%s:%d" % (where.address, port), "--duration", "1h",
                       *(["--allow-private"] if where.server_prefix else [])], name="echo")
    return ready(lab, Server("limit-udp", child, port, "udp"), where)
