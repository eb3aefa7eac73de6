"""NTP requests under NTS: timepool-ntpd with one worker against chronyd, and against our own basic rate."""
import os
import select
import shutil
import signal
import statistics
import subprocess

import lab as laboratory
import network
import nts_servers

NAME = "nts-ntp"
TEXT = "NTPv4 requests under NTS (AES-SIV-CMAC-256) over loopback, closed loop; server and load each on one processor"
# Samples of the processor's clock a second; no multiple of the kernel's ticks.
PROFILE_HZ = 1999
# So many of the runs are looked at.
PROFILED = 3
KEY_PORT = 4460


def profiler():
    """perf, or None after saying so."""
    perf = shutil.which("perf")
    if perf:
        probe = subprocess.run([perf, "stat", "-e", "cpu-clock", "true"], capture_output=True, timeout=10, check=False)
        if probe.returncode == 0:
            return perf
    laboratory.say("no perf, or no right to use it: the rows of user time are left out (apt package linux-perf)")
    return None


def user_share(lab, perf, child, run):
    """What `run` gives, and how much of the processor time that `child` took meanwhile was in user mode."""
    data = lab.path("perf.data")
    (commands, command), (answer, answers) = os.pipe(), os.pipe()
    # It begins when it is told to: getting ready takes it longer than a run.
    with subprocess.Popen([perf, "record", "-q", "-e", "cpu-clock", "-F", str(PROFILE_HZ), "-D", "-1", "-o", data,
                           "--control", "fd:%d,%d" % (commands, answers), "-p", str(child.pid)],
                          pass_fds=(commands, answers), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as recorder:
        try:
            os.write(command, b"enable\n")
            if not select.select([answer], [], [], 20)[0]:
                raise laboratory.LabError("perf does not begin")
            out = run()
        finally:
            recorder.send_signal(signal.SIGINT)
            recorder.wait(timeout=20)
            for end in (commands, command, answer, answers):
                os.close(end)
    # One line for each sample: U or K.
    modes = subprocess.run([perf, "script", "-i", data, "-F", "misc"], capture_output=True, text=True, timeout=60,
                           check=True).stdout.split()
    if len(modes) < 200:
        raise laboratory.LabError("perf saw the server %d times only" % len(modes))
    return out, modes.count("U") / len(modes)


class Side:
    """A server and what its runs gave: {mode: [(rate, replies per second of its processor, user ns or None)]}."""

    def __init__(self, lab, server, where, certificates, perf):
        self.lab, self.server, self.where, self.perf = lab, server, where, perf
        nts = ("--nts", "%s:%d" % (where.address, server.key_port), "--name", "localhost",
               "--ca", str(certificates.certificate))
        self.modes = {"basic": (), "NTS": nts}
        self.runs = {mode: [] for mode in self.modes}

    def served(self, mode):
        report = self.lab.served(self.server.child, "ntp", self.server.port, where=self.where, options=self.modes[mode])
        # One reply of 64 is opened.
        if mode == "NTS" and report["proven"] * 100 < report["answered"]:
            raise laboratory.LabError("not proven: %s" % report)
        return report

    def run(self, mode):
        report = self.served(mode)
        user = None
        if self.perf and mode == "NTS" and len(self.runs[mode]) < PROFILED:
            # Apart, since being looked at costs the server time.
            seen, share = user_share(self.lab, self.perf, self.server.child, lambda: self.served(mode))
            user = share * 1e9 / seen["per_cpu"]
        self.runs[mode].append((report["rate"], report["per_cpu"], user))

    def median(self, mode, i):
        return statistics.median(run[i] for run in self.runs[mode] if run[i] is not None)


def measure(lab):
    where = network.Loopback(lab)
    certificates = nts_servers.Certificates(lab)
    perf = profiler()
    ours, program = nts_servers.start_ours(lab, certificates, KEY_PORT, where), lab.peer(
        "chrony", "chronyd", "TIMEPOOL_CHRONYD")
    ours.key_port = KEY_PORT
    sides = [Side(lab, ours, where, certificates, perf)]
    if program:
        theirs = nts_servers.start_chronyd(lab, program, certificates, KEY_PORT + 1, where)
        theirs.key_port = KEY_PORT + 1
        sides.append(Side(lab, theirs, where, certificates, perf))
    for _ in range(lab.runs):
        for side in sides:
            for mode in side.modes:
                side.run(mode)
    return [row for side in sides[1:] for row in against(lab, sides[0], side, perf)] + [
        row for side in sides for row in beside_basic(lab, side)]


def against(lab, ours, theirs, perf):
    """Our NTS beside theirs."""
    rates, per_cpu, user = ([side.median("NTS", i) for side in (ours, theirs)] if i < 2 or perf else None
                            for i in range(3))
    rows = [lab.row(NAME, theirs.server.name, "replies/s", *rates),
            lab.row(NAME, theirs.server.name, "replies/s of CPU time", *per_cpu),
            lab.row(NAME, theirs.server.name, "ns of CPU per reply", *(1e9 / it for it in per_cpu))]
    if user:
        rows.append({**lab.row(NAME, theirs.server.name, "ns of user time per reply", *user),
                     "runs": min(lab.runs, PROFILED)})
    return rows


def beside_basic(lab, side):
    """What NTS costs a server: its rate with it over the one without."""
    return [lab.row(NAME, "basic", "%s, NTS: %s" % (side.server.name, unit), side.median("NTS", i), side.median("basic", i))
            for i, unit in enumerate(("replies/s", "replies/s of CPU time"))]
