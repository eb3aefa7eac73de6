"""knotd and nsd as secondaries of timepool-dnsd, for tests of transfers.

They are found by TIMEPOOL_KNOTD and TIMEPOOL_NSD, in build/peers or in PATH, and end with the test.
"""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from programs import ProgramTest, die_with_parent, end, free_port, own_directory  # noqa: E402

SOURCE_DIR = pathlib.Path(__file__).resolve().parent.parent.parent
SECRET = "c2VjcmV0IG9mIHNpeHRlZW4gb2N0ZXRzIGFuZCBtb3Jl"
OTHER_SECRET = "YW5vdGhlciBzZWNyZXQgb2YgdGhlIHNhbWUgbGVuZ3Ro"


def find(program, package, variable):
    for path in (os.environ.get(variable), SOURCE_DIR / "build/peers" / package / "usr/sbin" / program,
                 shutil.which(program)):
        if path and pathlib.Path(path).exists():
            return str(path)
    return None


KNOTD = find("knotd", "knot", "TIMEPOOL_KNOTD")
NSD = find("nsd", "nsd", "TIMEPOOL_NSD")
UNBOUND = find("unbound", "unbound", "TIMEPOOL_UNBOUND")
KDIG = shutil.which("kdig")
DIG = shutil.which("dig")


def records(text):
    """The records of dig's or kdig's output, sorted, each with single blanks and in lower case."""
    out = set()
    for line in text.splitlines():
        line = " ".join(line.split()).lower()
        if line and not line.startswith(";") and " tsig " not in line:
            out.add(line)
    return sorted(out)


class Peer:
    def __init__(self, command, port):
        self.port = port
        self.directory = pathlib.Path(command[-1]).parent
        self.log = open(self.directory / "log", "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        preexec_fn=die_with_parent)

    def output(self):
        return (self.directory / "log").read_text(errors="replace")

    def close(self):
        end(self.process)
        self.log.close()


class TransferTest(ProgramTest):
    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        self.zones = self.directory / "zones"
        self.zones.mkdir()

    def put(self, name, text):
        new = self.directory / "new"
        new.write_text(text)
        os.replace(new, self.zones / name)

    def serve(self, notify=(), algorithm="hmac-sha256", more="", journal=False, zones=""):
        targets = "".join(f'[[transfer.notify]]\naddress = "127.0.0.1:{port}"\nkey = "k"\n' for port in notify)
        kept = f'[transfer]\njournal = "{self.directory}/journal"\n' if journal else ""
        program = self.start("timepool-dnsd", f'''[server]
listen = ["127.0.0.1:0"]
[zones]
directory = "{self.zones}"
{zones}{kept}[[transfer.key]]
name = "k"
algorithm = "{algorithm}"
secret = "{SECRET}"
[[transfer.key]]
name = "other"
secret = "{OTHER_SECRET}"
[[transfer.allow]]
prefixes = ["127.0.0.0/8"]
key = "k"
{targets}{more}''')
        program.port = program.listening()[1]
        return program

    def peer_directory(self, name):
        out = self.directory / name
        out.mkdir()
        return out

    def ask(self, port, *arguments, tool=KDIG):
        port_option = ["-p", str(port)]
        return subprocess.run([tool, "@127.0.0.1", *port_option, "+time=3", *arguments], capture_output=True,
                              text=True, timeout=30, check=False).stdout

    def serial_at(self, port, zone="example.net"):
        short = self.ask(port, zone, "SOA", "+norec", "+short").split()
        return int(short[2]) if len(short) > 2 and short[2].isdigit() else None

    def knotd(self, primary, algorithm="hmac-sha256", zones=("example.net",)):
        """Its port and how it is started. Anybody on this machine may copy from it."""
        directory = self.peer_directory("knot")
        port = free_port()
        served = "".join(f'''  - domain: {zone}
    storage: {directory}
    master: primary
    acl: [notify, copy]
''' for zone in zones)
        (directory / "knot.conf").write_text(f'''server:
    rundir: {directory}
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: {directory}
log:
  - target: stdout
    any: info
key:
  - id: k
    algorithm: {algorithm}
    secret: {SECRET}
remote:
  - id: primary
    address: 127.0.0.1@{primary}
    key: k
acl:
  - id: notify
    address: 127.0.0.1
    key: k
    action: notify
  - id: copy
    address: 127.0.0.1
    action: transfer
zone:
{served}''')
        return port, [KNOTD, "-c", str(directory / "knot.conf")]

    def nsd(self, primary, zones=("example.net",)):
        directory = self.peer_directory("nsd")
        port = free_port()
        served = "".join(f'''zone:
    name: "{zone}"
    zonefile: "{zone}"
    request-xfr: 127.0.0.1@{primary} k
    allow-notify: 127.0.0.1 k
    provide-xfr: 127.0.0.1 NOKEY
''' for zone in zones)
        (directory / "nsd.conf").write_text(f'''server:
    ip-address: 127.0.0.1@{port}
    zonesdir: "{directory}"
    username: ""
    chroot: ""
    pidfile: "{directory}/nsd.pid"
    xfrdfile: "{directory}/xfrd.state"
    xfrdir: "{directory}"
    zonelistfile: "{directory}/zone.list"
    database: ""
    server-count: 1
    verbosity: 2
remote-control:
    control-enable: no
key:
    name: "k"
    algorithm: hmac-sha256
    secret: "{SECRET}"
{served}''')
        return port, [NSD, "-d", "-c", str(directory / "nsd.conf")]
