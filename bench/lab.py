"""What benchmarks share: programs started on one processor, load from another, runs in turn, medians.

Virtual machines drift by a third within minutes (bench/README.md), so that only numbers taken in turn
in one batch are compared, by their medians.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Past it a run has gone wrong.
RUN_LIMIT = 120
# Requests under way at once: as many as a peer's default receive buffer (208 KiB, some 270 small
# datagrams) holds with room to spare, so that nobody is measured by what overflows.
IN_FLIGHT = 128


class LabError(Exception):
    """A benchmark that can't be run, with the reason."""


class Lab:
    def __init__(self, programs, runs, seconds):
        self.programs = pathlib.Path(programs).resolve()
        self.runs = runs
        self.seconds = seconds
        self.children = []
        self.directory = tempfile.mkdtemp(prefix="timepool-bench-")
        cpus = sorted(os.sched_getaffinity(0))
        self.load_cpu = cpus[0]
        self.server_cpu = cpus[1] if len(cpus) > 1 else cpus[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def program(self, name):
        path = self.programs / name
        if not path.exists():
            raise LabError("%s is not built: ./dev build" % path)
        return str(path)

    def peer(self, package, program, variable):
        """The peer's program, or None after saying which package has it."""
        for candidate in (os.environ.get(variable), ROOT / "build/peers" / package / "usr/sbin" / program,
                          shutil.which(program)):
            if candidate and os.access(candidate, os.X_OK):
                return str(candidate)
        say("no %s: its rows are left out (apt package %s; ./dev setup bench unpacks it, or set %s)" %
            (program, package, variable))
        return None

    def start(self, command, cpu=None, name="server"):
        """A server on its processor, with the highest priority that we may have."""
        with open(self.path(name + ".log"), "ab") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                     preexec_fn=lambda: place(self.server_cpu if cpu is None else cpu))
        self.children.append(child)
        return child

    def end(self, child):
        """Of a server that the rest of the benchmark has no use for."""
        child.terminate()
        child.wait(timeout=5)
        self.children.remove(child)

    def log_of(self, name):
        with open(self.path(name + ".log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def load(self, kind, port, cpu=None, options=(), where=None, fair=True):
        """One run of the load generator: its JSON report. `where` (network.py) says from and to where. A fair
        run is one in which less than 1 % was lost and nothing was wrong."""
        prefix, address, more = ((), "127.0.0.1", ()) if where is None else (
            where.load_prefix, where.address, where.load_options)
        defaults = ["--inflight", str(IN_FLIGHT), "--count", "100000000",
                    "--duration", "%dms" % (self.seconds * 1000)]
        command = [*prefix, self.program("timepool"), "bench", kind, "--target", "%s:%d" % (address, port), "--json",
                   *merged(defaults, more, options)]
        report = self.report_of(command, cpu, fair)
        wrong = report["invalid"] + report["refused"]
        if wrong or (fair and report["lost"] > report["sent"] * 0.01):
            raise LabError("not a fair run: %s" % report)
        return report

    def frames(self, port, where, options):
        """One run of `timepool bench frames`, whatever was lost or refused: its report. `where` is a network.Veth."""
        command = [*where.load_prefix, self.program("timepool"), "bench", "frames", "--target",
                   "%s:%d" % (where.address, port), "--json", *where.frame_options, *options]
        return self.report_of(command, None, fair=False)

    def report_of(self, command, cpu, fair, limit=RUN_LIMIT):
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False,
                              preexec_fn=lambda: place(self.load_cpu if cpu is None else cpu))
        if done.returncode != 0 and (fair or not done.stdout):
            raise LabError("%s: %s" % (" ".join(command), done.stderr.strip()))
        return json.loads(done.stdout)

    def served(self, child, kind, port, **how):
        """One run, and what it cost `child`: the report with "per_cpu", answers per second of its processors."""
        before = cpu_ns(child)
        report = self.load(kind, port, **how)
        report["per_cpu"] = report["answered"] / max(cpu_ns(child) - before, 1) * 1e9
        return report

    def wait_for_answer(self, kind, port, child, name="server", options=(), where=None):
        """Until the server answers. Raises with its last words when it does not."""
        end = time.monotonic() + 15
        while time.monotonic() < end:
            if child.poll() is not None:
                break
            prefix, address, more = ((), "127.0.0.1", ()) if where is None else (
                where.load_prefix, where.address, where.load_options)
            probe = subprocess.run(
                [*prefix, self.program("timepool"), "bench", kind, "--target", "%s:%d" % (address, port), "--count", "1",
                 "--sockets", "1", "--inflight", "1", "--timeout", "300ms", *more, *options],
                capture_output=True, timeout=RUN_LIMIT, check=False)
            if probe.returncode == 0:
                return
            time.sleep(0.1)
        raise LabError("%s does not answer: %s" % (name, self.log_of(name)))

    def medians_of(self, name):
        """What a benchmark within one process prints as JSON: the median of each number over the runs."""
        program = self.programs.parent / "bench" / name
        if not program.exists():
            raise LabError("%s is not built: ./dev build" % program)
        runs = []
        for _ in range(self.runs):
            done = subprocess.run([program], capture_output=True, text=True, check=True, timeout=RUN_LIMIT)
            runs.append(json.loads(done.stdout))
        return {unit: statistics.median(run[unit] for run in runs) for unit in runs[0]}

    def compare(self, bench, peer, unit, ours, theirs):
        """Runs the two in turn and gives the row of their medians."""
        pairs = [(ours(), theirs()) for _ in range(self.runs)]
        return self.row(bench, peer, unit, statistics.median(p[0] for p in pairs),
                        statistics.median(p[1] for p in pairs))

    def row(self, bench, peer, unit, ours, theirs):
        return {"bench": bench, "peer": peer, "unit": unit, "ours": round(ours, 1), "theirs": round(theirs, 1),
                "ratio": round(ours / theirs, 3), "runs": self.runs}


def merged(*lists):
    """Options of which a later one replaces an earlier one of its name."""
    out = {}
    for word in (word for options in lists for word in options):
        if word.startswith("--"):
            name, out[word] = word, []
        else:
            out[name].append(word)
    return [word for name, values in out.items() for word in (name, *values)]


def say(text):
    print(text, file=sys.stderr)


def cpu_ns(child):
    """Of all its threads and of the processes that it began, by the scheduler's own account: the ticks of
    /proc/PID/stat miss most of what a server does in bursts."""
    total, pids = 0, [child.pid]
    while pids:
        for task in pathlib.Path("/proc/%d/task" % pids.pop()).iterdir():
            total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
            pids += [int(pid) for pid in (task / "children").read_text(encoding="ascii").split()]
    return total


def resident_kb(child):
    for line in pathlib.Path("/proc/%d/status" % child.pid).read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise LabError("process %d has no VmRSS" % child.pid)


def place(cpu):
    os.sched_setaffinity(0, cpu if isinstance(cpu, set) else {cpu})
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    except PermissionError:
        pass


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
