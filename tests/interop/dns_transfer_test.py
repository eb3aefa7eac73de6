"""Other name servers copy timepool-dnsd's zones: knotd and nsd by AXFR, IXFR and NOTIFY with TSIG; kdig and dig.

The servers are found by TIMEPOOL_KNOTD and TIMEPOOL_NSD, in build/peers or in PATH, and end with the test.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from programs import ProgramTest, main, wait_until  # noqa: E402

SOURCE_DIR = pathlib.Path(__file__).resolve().parent.parent.parent
SECRET = "c2VjcmV0IG9mIHNpeHRlZW4gb2N0ZXRzIGFuZCBtb3Jl"
OTHER_SECRET = "YW5vdGhlciBzZWNyZXQgb2YgdGhlIHNhbWUgbGVuZ3Ro"
HEAD = "$TTL 60\n@ SOA ns hostmaster %d 3600 600 86400 60\n NS ns\nns A 127.0.0.1\n"
POOL = {"serial": 5, "ttl": 60, "max_hosts": 2, "data": {
    "": {"ns": ["ns.example.net."], "a": [["192.0.2.1", 1], ["192.0.2.2", 9], ["192.0.2.3", 5]]},
    "www": {"alias": ""}, "us": {"a": [["192.0.2.9", 1]]}}}


def find(program, package, variable):
    for path in (os.environ.get(variable), SOURCE_DIR / "build/peers" / package / "usr/sbin" / program,
                 shutil.which(program)):
        if path and pathlib.Path(path).exists():
            return str(path)
    return None


KNOTD = find("knotd", "knot", "TIMEPOOL_KNOTD")
NSD = find("nsd", "nsd", "TIMEPOOL_NSD")
KDIG = shutil.which("kdig")
DIG = shutil.which("dig")


def free_port():
    """A port that is free by TCP and UDP."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
                return tcp.getsockname()[1]
            except OSError:
                continue


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
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def output(self):
        return (self.directory / "log").read_text(errors="replace")

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Transfers(ProgramTest):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="timepool-transfer-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.zones = self.directory / "zones"
        self.zones.mkdir()
        self.put("example.net.zone", HEAD % 1 + "a TXT one\n")

    def put(self, name, text):
        new = self.directory / "new"
        new.write_text(text)
        os.replace(new, self.zones / name)

    def serve(self, notify=(), algorithm="hmac-sha256", more=""):
        targets = "".join(f'[[transfer.notify]]\naddress = "127.0.0.1:{port}"\nkey = "k"\n' for port in notify)
        program = self.start("timepool-dnsd", f'''[server]
listen = ["127.0.0.1:0"]
[zones]
directory = "{self.zones}"
[[transfer.key]]
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
        program.port = int(program.control("status")["listen"][0].rsplit(":", 1)[1])
        return program

    def peer_directory(self, name):
        out = self.directory / name
        out.mkdir()
        return out

    def ask(self, port, *arguments, tool=KDIG):
        port_option = ["-p", str(port)]
        return subprocess.run([tool, "@127.0.0.1", *port_option, "+time=3", *arguments], capture_output=True,
                              text=True, timeout=30, check=False).stdout

    def serial_at(self, port):
        short = self.ask(port, "example.net", "SOA", "+norec", "+short").split()
        return int(short[2]) if len(short) > 2 and short[2].isdigit() else None

    def knotd(self, primary, algorithm="hmac-sha256"):
        directory = self.peer_directory("knot")
        port = free_port()
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
zone:
  - domain: example.net
    storage: {directory}
    master: primary
    acl: notify
''')
        return port, [KNOTD, "-c", str(directory / "knot.conf")]

    def nsd(self, primary):
        directory = self.peer_directory("nsd")
        port = free_port()
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
zone:
    name: "example.net"
    zonefile: "example.net"
    request-xfr: 127.0.0.1@{primary} k
    allow-notify: 127.0.0.1 k
''')
        return port, [NSD, "-d", "-c", str(directory / "nsd.conf")]

    def follow(self, make, log_of_ixfr):
        """A secondary that starts with nothing, and then follows two changes it is told of."""
        # Its port must be known to ours, and ours to it: ours is started anew with the first.
        server = self.serve()
        port, command = make(server.port)
        server.config.write_text(server.config.read_text().replace(
            "[control]", f'[[transfer.notify]]\naddress = "127.0.0.1:{port}"\nkey = "k"\n[control]'))
        peer = Peer(command, port)
        self.addCleanup(peer.close)
        wait_until(lambda: self.serial_at(port) == 1, 30, f"the first transfer\n{peer.output()}")
        self.assertTrue(server.control("reload")["ok"])
        self.put("example.net.zone", HEAD % 2 + "a TXT two\nb.c MX 5 ns\n")
        wait_until(lambda: self.serial_at(port) == 2, 30, f"the change\n{peer.output()}\n{server.output()}")
        self.assertIn('"two"', self.ask(port, "a.example.net", "TXT"))
        self.assertIn("MX", self.ask(port, "b.c.example.net", "MX"))
        self.put("example.net.zone", HEAD % 3 + "b.c MX 5 ns\n")
        wait_until(lambda: self.serial_at(port) == 3, 30, f"the second change\n{peer.output()}")
        self.assertIn("NXDOMAIN", self.ask(port, "a.example.net", "TXT"))
        self.assertRegex(peer.output(), log_of_ixfr)
        self.assertNotIn("did not answer", server.output())
        # The secondary's word may still be under way when its zone has changed already.
        wait_until(lambda: server.control("status")["notify"]["answered"] >= 2, 10, "both notices are answered")
        notices = server.control("status")["notify"]
        self.assertGreaterEqual(notices["sent"], notices["answered"])
        self.assertEqual((notices["refused"], notices["given_up"]), (0, 0))
        ours = records(self.ask(server.port, "-y", f"hmac-sha256:k:{SECRET}", "example.net", "AXFR"))
        self.assertEqual(len(ours), 4)

    @unittest.skipUnless(KNOTD and KDIG, "Debian packages knot and knot-dnsutils are not there: knotd, kdig")
    def test_knotd_follows_by_notify_axfr_and_ixfr(self):
        self.follow(self.knotd, r"(?s)IXFR, incoming.*serial 1 -> 2")

    @unittest.skipUnless(NSD and KDIG, "Debian packages nsd and knot-dnsutils are not there: nsd, kdig")
    def test_nsd_follows_by_notify_axfr_and_ixfr(self):
        self.follow(self.nsd, r"serial 1 is updated to 2|update to serial 2")

    @unittest.skipUnless(KDIG and DIG, "Debian packages knot-dnsutils and bind9-dnsutils are not there: kdig, dig")
    def test_dig_and_kdig_take_zones_with_the_key_only(self):
        for algorithm in "hmac-sha256", "hmac-sha512":
            with self.subTest(algorithm=algorithm):
                server = self.serve(algorithm=algorithm)
                key = f"{algorithm}:k:{SECRET}"
                expected = records("""example.net. 60 IN SOA ns.example.net. hostmaster.example.net. 1 3600 600 86400 60
                    example.net. 60 IN NS ns.example.net.\n a.example.net. 60 IN TXT "one"
                    ns.example.net. 60 IN A 127.0.0.1""")
                for tool in DIG, KDIG:
                    output = self.ask(server.port, "-y", key, "example.net", "AXFR", "+noall", "+answer", tool=tool)
                    self.assertEqual(records(output), expected, output)
                    self.assertNotIn("BADSIG", output)
                    # An answer to any query with the key has a proof that the tool checks.
                    output = self.ask(server.port, "-y", key, "a.example.net", "TXT", tool=tool)
                    self.assertIn('"one"', output)
                    self.assertNotRegex(output.lower(), "tsig.*(fail|error:|expected)|badsig|couldn't verify")
                refused = self.ask(server.port, "example.net", "AXFR", tool=DIG)
                self.assertIn("Transfer failed", refused)
                wrong = self.ask(server.port, "-y", f"{algorithm}:k:{OTHER_SECRET}", "example.net", "AXFR", tool=DIG)
                self.assertRegex(wrong, "BADSIG|NOTAUTH|failed")
                stranger = self.ask(server.port, "-y", f"{algorithm}:x:{SECRET}", "example.net", "AXFR", tool=DIG)
                self.assertRegex(stranger, "BADKEY|NOTAUTH|failed")
                other = self.ask(server.port, "-y", f"hmac-sha256:other:{OTHER_SECRET}", "example.net", "AXFR",
                                 tool=DIG)
                self.assertIn("Transfer failed", other)
                elsewhere = self.ask(server.port, "-y", key, "example.org", "AXFR", tool=DIG)
                self.assertIn("Transfer failed", elsewhere)

    @unittest.skipUnless(KDIG, "Debian package knot-dnsutils is not there: kdig")
    def test_a_pool_is_given_as_one_representative_set(self):
        self.put("pool.test.json", json.dumps(POOL))
        server = self.serve()
        output = self.ask(server.port, "-y", f"hmac-sha256:k:{SECRET}", "pool.test", "AXFR", "+noall", "+answer")
        self.assertEqual(records(output), records("""
            pool.test. 600 IN SOA ns.example.net. hostmaster.pool.test. 5 5400 5400 1209600 3600
            pool.test. 86400 IN NS ns.example.net.\n pool.test. 60 IN A 192.0.2.2\n pool.test. 60 IN A 192.0.2.3
            us.pool.test. 60 IN A 192.0.2.9
            www.pool.test. 60 IN A 192.0.2.2\n www.pool.test. 60 IN A 192.0.2.3"""))

    @unittest.skipUnless(KDIG, "Debian package knot-dnsutils is not there: kdig")
    def test_a_zone_of_many_messages_comes_whole(self):
        lines = "".join(f"n{i} TXT {'x' * 200}\n" for i in range(5000))
        self.put("example.net.zone", HEAD % 1 + lines)
        server = self.serve()
        output = self.ask(server.port, "-y", f"hmac-sha256:k:{SECRET}", "example.net", "AXFR")
        self.assertEqual(output.count("TXT"), 5000)
        self.assertRegex(output, r"messages|Received")
        self.assertNotRegex(output.lower(), "badsig|malformed|warning")

    @unittest.skipUnless(KDIG, "Debian package knot-dnsutils is not there: kdig")
    def test_ixfr_by_udp_gives_the_soa_and_by_tcp_what_changed(self):
        server = self.serve()
        self.put("example.net.zone", HEAD % 2 + "a TXT two\n")
        wait_until(lambda: self.serial_at(server.port) == 2, 20, "the new zone")
        key = ["-y", f"hmac-sha256:k:{SECRET}"]
        output = self.ask(server.port, *key, "example.net", "IXFR=1", "+noall", "+answer")
        self.assertIn('"one"', output)
        self.assertIn('"two"', output)
        self.assertNotIn("127.0.0.1\n", re.sub(r"^;.*$", "", output, flags=re.M))
        output = self.ask(server.port, *key, "example.net", "IXFR=1", "+notcp", "+noall", "+answer")
        self.assertNotIn("TXT", output)
        self.assertEqual(self.ask(server.port, *key, "example.net", "IXFR=2", "+noall", "+answer").count("SOA"), 1)


if __name__ == "__main__":
    main()
