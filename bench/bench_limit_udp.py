"""How near timepool-ntpd comes to what the sockets allow: a bare echo of the same packets."""
import ntp_servers

import lab as laboratory

NAME = "limit-udp"
TEXT = "timepool-ntpd against a program that only sends the same datagrams back (recvmmsg, sendmmsg)"


def measure(lab):
    ours = ntp_servers.start_ours(lab)
    port = laboratory.free_port()
    # Long enough for every run, and ended by the lab before that.
    child = lab.start([lab.program("timepool"), "bench", "echo", "--listen", "127.0.0.1:%d" % port,
                       "--duration", "1h"], name="echo")
    lab.wait_for_answer("udp", port, child, "echo")
    return [lab.compare(NAME, "echo", "replies/s", lambda: lab.load("ntp", ours)["rate"],
                        lambda: lab.load("udp", port)["rate"])]
