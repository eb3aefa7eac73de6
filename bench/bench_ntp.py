"""Plain NTP requests: timepool-ntpd with one worker against chronyd."""
import ntp_servers

NAME = "ntp"
TEXT = "NTPv4 client requests over loopback, closed loop, server and load each on one processor"


def measure(lab):
    chronyd = lab.peer("chrony", "chronyd", "TIMEPOOL_CHRONYD")
    if chronyd is None:
        return []
    ours = ntp_servers.start_ours(lab)
    theirs = ntp_servers.start_chronyd(lab, chronyd)
    return [lab.compare(NAME, "chronyd", "replies/s", lambda: lab.load("ntp", ours)["rate"],
                        lambda: lab.load("ntp", theirs)["rate"])]
