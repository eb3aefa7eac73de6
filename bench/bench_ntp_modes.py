"""What interleaved mode and keys cost: the rate with them over the basic rate, ours and chronyd's."""
import statistics

import network
import ntp_servers

NAME = "ntp-modes"
TEXT = "interleaved and AES-128-CMAC requests over loopback against basic ones of the same server"
KEY = "1:AES128:" + "2b7e151628aed2a6abf7158809cf4f3c"
MODES = {"basic": (), "interleaved": ("--interleaved",), "AES-128-CMAC": ("--key", KEY)}


def servers(lab, where):
    number, kind, secret = KEY.split(":")
    keys = lab.write("keys", "%s %s HEX:%s\n" % (number, kind, secret), mode=0o600)
    out = [ntp_servers.start_ours(lab, where, more='[keys]\nfile = "%s"\n' % keys)]
    chronyd = lab.peer("chrony", "chronyd", "TIMEPOOL_CHRONYD")
    if chronyd:
        out.append(ntp_servers.start_chronyd(lab, chronyd, where, more="keyfile %s" % keys))
    return out


def one(lab, where, server, mode):
    report = lab.served(server.child, "ntp", server.port, where=where, options=MODES[mode])
    # All but the first two of each of the slots.
    if mode == "interleaved" and report["interleaved"] < report["answered"] * 0.9:
        raise RuntimeError("%s answered in basic mode: %s" % (server.name, report))
    return report["rate"], report["per_cpu"]


def measure(lab):
    where = network.Loopback(lab)
    rows = []
    for server in servers(lab, where):
        runs = [{mode: one(lab, where, server, mode) for mode in MODES} for _ in range(lab.runs)]
        for i, unit in enumerate(("replies/s", "replies/s of CPU time")):
            basic, *others = (statistics.median(run[mode][i] for run in runs) for mode in MODES)
            rows += [lab.row(NAME, "basic", "%s, %s: %s" % (server.name, mode, unit), value, basic)
                     for mode, value in zip(list(MODES)[1:], others)]
    return rows
