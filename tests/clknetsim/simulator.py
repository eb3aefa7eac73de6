"""Programs inside clknetsim, chrony's simulator of clocks and networks: our daemon and chronyd run
unmodified, their clock, network and waiting replaced by LD_PRELOAD. Python's standard library only.

clknetsim is found by CLKNETSIM or TIMEPOOL_CLKNETSIM (a folder that holds clknetsim and clknetsim.so),
or in build/peers/clknetsim. Everything of a run is in a temporary folder and ends with its caller.
"""
import ctypes
import math
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Past it a run has gone wrong.
RUN_LIMIT = 600


class SimulatorError(Exception):
    """A run that came to nothing, with the last words of its programs."""


def simulator():
    """The folder of clknetsim, or None."""
    for place in (os.environ.get("CLKNETSIM"), os.environ.get("TIMEPOOL_CLKNETSIM"),
                  ROOT / "build/peers/clknetsim"):
        if place and (pathlib.Path(place) / "clknetsim.so").exists():
            return pathlib.Path(place).resolve()
    return None


def chronyds():
    """The paths of chronyd: the one that TIMEPOOL_CHRONYD points at, and Debian's."""
    debian = next((place for place in (ROOT / "build/peers/chrony/usr/sbin/chronyd", shutil.which("chronyd"),
                                       "/usr/sbin/chronyd") if place and os.access(place, os.X_OK)), None)
    found = [os.environ.get("TIMEPOOL_CHRONYD"), debian]
    return list(dict.fromkeys(str(pathlib.Path(p).resolve()) for p in found if p and os.access(p, os.X_OK)))


def chronyd():
    """The first of them, or None."""
    return next(iter(chronyds()), None)


def sanitized(binaries):
    """Whether the programs are a sanitizer's, which can't be run under LD_PRELOAD."""
    return any(name in str(binaries) for name in ("asan", "tsan"))


MISSING = "needs clknetsim (CLKNETSIM=<folder of a built one>) and a build without a sanitizer"


class Node:
    """A program with its configuration; `file` names are put into the node's own folder."""

    def __init__(self, program, config, options=(), environment=None):
        self.program = str(program)
        self.config = config
        self.options = list(options)
        self.environment = environment or {}

    def command(self, folder):
        raise NotImplementedError

    def path(self, folder):
        path = folder / "conf"
        path.write_text(self.config.replace("@DIR@", str(folder)))
        return path


class Chronyd(Node):
    def __init__(self, config, options=(), environment=None, program=None):
        super().__init__(program or chronyd(), "pidfile @DIR@/pid\ncmdport 0\nbindcmdaddress /\nallow\n" + config,
                         options, environment)

    def command(self, folder):
        return [self.program, "-d", "-f", self.path(folder), *self.options]


class Timepool(Node):
    def __init__(self, binaries, config, options=(), environment=None):
        super().__init__(pathlib.Path(binaries).resolve() / "bin/timepool-ntpd",
                         config + '\n[control]\nsocket = ""\n', options, environment)

    def command(self, folder):
        return [self.program, "--config", self.path(folder), *self.options]


class Packet:
    """A line of clknetsim's log of packets. `sent` in seconds; `size` in octets of what UDP or TCP carry."""

    def __init__(self, line):
        fields = line.split()
        self.sent = float(fields[0])
        self.came_from, self.goes_to = int(fields[1]), int(fields[2])
        self.lost = float(fields[3]) <= 0
        self.source_port, self.port = int(fields[4]), int(fields[5])
        self.size = int(fields[7])


class Run:
    """What came of a run: nodes count from 1."""

    def __init__(self, folder, nodes):
        rows = [line.split() for line in (folder / "offsets").read_text().splitlines()]
        # clknetsim: the node's clock less true time, each simulated second.
        self.offsets = [[float(row[i]) for row in rows] for i in range(nodes)]
        self.logs = [(folder / str(n) / "log").read_text(errors="replace") for n in range(1, nodes + 1)]
        self.statistics = (folder / "statistics").read_text()
        packets = folder / "packets"
        # All that were sent, when they were asked for.
        self.packets = [Packet(line) for line in packets.read_text().splitlines()] if packets.exists() else []

    def log(self, node):
        return self.logs[node - 1]

    def rms(self, node, since):
        """Root mean square of the node's offset from this second on."""
        part = self.offsets[node - 1][since:]
        return math.sqrt(sum(x * x for x in part) / len(part))

    def worst(self, node, since):
        return max(abs(x) for x in self.offsets[node - 1][since:])

    def synchronised_at(self, node, within):
        """The second from which on the node's offset stays within this bound; None if it never does."""
        values = self.offsets[node - 1]
        for second in range(len(values) - 1, -1, -1):
            if abs(values[second]) > within:
                return second + 1 if second + 1 < len(values) else None
        return 0

    def request_interval(self, node):
        """Mean seconds between packets that the node sent; None when there were fewer than two."""
        found = re.findall(r"^Mean outgoing packet interval:\s+(\S+)", self.statistics, re.M)
        value = float(found[node - 1])
        return None if math.isinf(value) else value


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def last_words(folder, count):
    return "\n".join(f"node {n}: " + (folder / str(n) / "log").read_text(errors="replace")[-600:]
                     for n in range(1, count + 1))


def start(folder, number, node, seed, environment):
    home = folder / str(number)
    home.mkdir()
    variables = dict(os.environ, LD_PRELOAD=str(simulator() / "clknetsim.so"), CLKNETSIM_NODE=str(number),
                     CLKNETSIM_RANDOM_SEED=str(seed * 1000 + number), CLKNETSIM_SOCKET=str(folder / "socket"),
                     CLKNETSIM_CONNECT_TIMEOUT="60")
    variables.pop("NOTIFY_SOCKET", None)
    variables.update(environment)
    variables.update(node.environment)
    with open(home / "log", "wb") as log:
        return subprocess.Popen(node.command(home), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                env=variables, cwd=home, preexec_fn=die_with_parent)


def stop(children):
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def simulate(network, nodes, seconds, seed=1, environment=None, subnets=1, keep=None,
             packets=False):
    """One run. `network` is clknetsim's configuration, `nodes` a list of Node, `environment` variables
    for all of them; the folder of the run is copied to `keep` if that is given. With `packets` each
    packet is logged."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="clknetsim-"))
    children = []
    try:
        (folder / "network").write_text(network)
        for number, node in enumerate(nodes, 1):
            children.append(start(folder, number, node, seed, environment or {}))
        with open(folder / "statistics", "wb") as out, open(folder / "simulator.log", "wb") as log:
            done = subprocess.run(
                [simulator() / "clknetsim", "-s", folder / "socket", "-n", str(subnets), "-l", str(seconds),
                 "-o", folder / "offsets", *(["-p", folder / "packets"] if packets else []), folder / "network",
                 str(len(nodes))],
                env=dict(os.environ, CLKNETSIM_RANDOM_SEED=str(seed)), check=False, timeout=RUN_LIMIT,
                stdin=subprocess.DEVNULL, stdout=out, stderr=log, preexec_fn=die_with_parent)
        stop(children)
        if done.returncode != 0:
            raise SimulatorError("clknetsim: " + (folder / "simulator.log").read_text()[-600:] + "\n" +
                                 last_words(folder, len(nodes)))
        if keep:
            shutil.copytree(folder, keep, dirs_exist_ok=True, ignore=shutil.ignore_patterns("socket"))
        return Run(folder, len(nodes))
    except subprocess.TimeoutExpired as error:
        raise SimulatorError(f"no end within {RUN_LIMIT} s\n{last_words(folder, len(nodes))}") from error
    finally:
        stop(children)
        shutil.rmtree(folder, ignore_errors=True)
