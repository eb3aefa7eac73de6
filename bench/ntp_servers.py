"""NTP servers of the benchmarks, each on a free loopback port."""
import getpass

import lab as laboratory


def start_ours(lab):
    port = laboratory.free_port()
    config = lab.write("ntpd.toml", """
[server]
listen = ["127.0.0.1:%d"]
threads = 1
[server.local]
stratum = 2
[control]
socket = "%s"
""" % (port, lab.path("ntpd.sock")))
    child = lab.start([lab.program("timepool-ntpd"), "--config", config], name="timepool-ntpd")
    lab.wait_for_answer("ntp", port, child, "timepool-ntpd")
    return port


def start_chronyd(lab, program):
    port = laboratory.free_port()
    config = lab.write("chrony.conf", """
port %d
bindaddress 127.0.0.1
cmdport 0
bindcmdaddress /
local stratum 2
allow 127.0.0.0/8
pidfile %s
""" % (port, lab.path("chronyd.pid")))
    # -x: never touches the clock; -U: runs as any user.
    child = lab.start([program, "-d", "-x", "-U", "-u", getpass.getuser(), "-f", config], name="chronyd")
    lab.wait_for_answer("ntp", port, child, "chronyd")
    return port
