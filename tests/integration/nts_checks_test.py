"""Monitors check servers' NTS: the real timepool-monitord, timepool-poold and timepool-dnsd with members that are in order
and members that are not. The ids are those of docs/nts-for-pools.md."""
import pathlib
import shutil
import socket
import struct
import tempfile
import unittest

import dns_messages as dns
from certificates import DAY, OPENSSL, Authority
from pool_manager import Manager
from programs import ProgramTest, main, wait_until

SRV = 33
# A check takes the time of its NTP requests, which are [probe] spacing apart.
INTERVAL = "300ms"


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class NtsChecks(ProgramTest):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="timepool-nts-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        for name in ("manager", "ca", "other"):
            (self.root / name).mkdir()
        self.authority = Authority(self.root / "ca")
        self.ntp_port = free_port()
        self.manager = Manager(self.root / "manager", 'trust = "test"',
                               f"ntp_port = {self.ntp_port}\nsamples = 1", INTERVAL, '"127.0.0.0/8" = "de"')
        self.addCleanup(self.manager.close)
        self.dns = self.start("timepool-dnsd", f'''[server]
listen = ["127.0.0.1:0"]
[snapshot]
urls = ["{self.manager.url}"]
public_keys = ["{self.manager.public_key()}"]
directory = "{self.root}/kept"
''')
        wait_until(lambda: self.dns.control("status")["snapshot_serial"], 20, "dnsd has the snapshot")
        host, port = self.dns.control("status")["listen"][0].rsplit(":", 1)
        self.resolver = (host, int(port))
        self.monitors = [self.monitor(f"m{i}") for i in (1, 2)]
        self.members = 0

    def monitor(self, name):
        token = self.manager.call("POST", "/v1/monitors", {"name": name})[1]["token"]
        directory = self.root / name
        directory.mkdir()
        (directory / "token").write_text(token)
        return self.start("timepool-monitord", f'''[manager]
url = "{self.manager.url}"
token_file = "{directory}/token"
[sanity]
mode = "none"
[probe]
spacing = "50ms"
timeout = "300ms"
[nts]
timeout = "1s"
resolvers = ["{self.resolver[0]}:{self.resolver[1]}"]
[[nts.trust]]
word = "test"
file = "{self.authority.certificate}"
[report]
interval = "50ms"
[spool]
directory = "{directory}/spool"
''', directory=directory)

    def address(self):
        """Another one for each member."""
        self.members += 1
        return f"127.{self.ntp_port >> 8}.{self.ntp_port & 0xff}.{self.members}"

    def certificate(self, label, authority=None, name=None, **more):
        return (authority or self.authority).issue(label, f"DNS:{name or label}.m.pool.test", **more)

    def server(self, address, certificate, port=0, more=""):
        """The member's timepool-ntpd and the port of its key establishment."""
        chain, key = certificate
        program = self.start("timepool-ntpd", f'''[server]
listen = ["{address}:{self.ntp_port}"]
[server.local]
stratum = 2
[nts.server]
listen = ["{address}:{port}"]
{more}
[[nts.server.certificate]]
chain = "{chain}"
key = "{key}"
''')
        return program, int(program.control("status")["key_server"]["listen"][0].rsplit(":", 1)[1])

    def register(self, label, address, port):
        self.manager.add(address)
        status, answer = self.manager.set_name(address, label, port=port)
        self.assertEqual(status, 200, answer)

    def services(self):
        return {self.target(data) for kind, _, data in
                dns.ask_udp(self.resolver, "_ntske._tcp.pool.test", SRV).answers if kind == SRV}

    @staticmethod
    def target(data):
        at, labels = 6, []
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        return ".".join(labels), struct.unpack("!H", data[4:6])[0]

    def state(self, address, state, reason=""):
        try:
            wait_until(lambda: (self.nts(address)["state"], self.nts(address)["reason"]) == (state, reason), 30, "")
        except AssertionError:
            self.fail(f"{address} is not {state} {reason}, but {self.nts(address)}; monitors say: "
                      f"{[it.control('status') for it in self.monitors]} {self.monitors[0].output()}")

    def nts(self, address):
        return self.manager.nts(address)

    def test_lo2_a_good_server_is_confirmed_and_listed_and_leaves_srv_with_its_certificate(self):
        address = self.address()
        server, port = self.server(address, self.certificate("alice"))
        self.register("alice", address, port)
        self.state(address, "confirmed")
        wait_until(lambda: self.services() == {("alice.m.pool.test", port)}, 10, "it is in SRV")
        nts = self.nts(address)
        self.assertTrue(nts["in_srv"])
        checks = self.manager.call("GET", "/v1/servers/" + address)[1]["nts_checks"]
        good = [it for it in checks if it["outcome"] == "ok"]
        self.assertEqual({(it["cookies"], it["aead"]) for it in good}, {(8, 30)})
        self.assertTrue(all(0 < it["ke_ms"] < 1000 and abs(it["offset"]) < 0.1 for it in good), good)


if __name__ == "__main__":
    main()
