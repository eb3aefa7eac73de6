"""Signed answers of timepool-dnsd as other people's validators see them: delv and unbound, with our key as trust
anchor, unbound also with aggressive use of NSEC and minimised names. Everything must validate."""
import base64
import json
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from dns_messages import Reply, encode_name  # noqa: E402
from programs import ProgramTest, die_with_parent, free_port, main, own_directory, wait_until  # noqa: E402

SOURCE_DIR = pathlib.Path(__file__).resolve().parent.parent.parent
UNBOUND = SOURCE_DIR / "build/peers/unbound/usr/sbin/unbound"
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "DS": 43, "DNSKEY": 48,
         "HTTPS": 65}
# Sources of the resolver's questions, each of another country or none.
SOURCES = {"127.0.0.1": None, "127.0.0.2": "de", "127.0.0.3": "us", "127.0.0.4": "fr"}

ZONE = {
    "serial": 7, "ttl": 60, "max_hosts": 4, "targeting": "@ country continent",
    "data": {
        "": {"ns": ["ns1.pool.test.", "ns2.pool.test."], "mx": [{"mx": "Mail.pool.test.", "preference": 10}],
             "a": [[f"10.0.0.{n}", 10 * n] for n in range(1, 60)], "txt": "time"},
        "ns1": {"a": [["127.0.0.1"]]}, "ns2": {"a": [["127.0.0.1"]]},
        "de": {"a": [[f"10.2.0.{n}", n] for n in range(1, 30)], "aaaa": [["2001:db8::1"]]},
        "us": {"a": [[f"10.3.0.{n}", n] for n in range(1, 6)]},
        "europe": {"aaaa": [[f"2001:db8:1::{n:x}", 1] for n in range(1, 40)]},
        "www": {"cname": "Deep.er.name"}, "lost": {"cname": "no.such"}, "www.de": {"cname": "us"},
        "vendor": {"alias": ""},
        "deep.er.name": {"a": [["10.4.0.1", 1]]},
        "*.wild": {"a": [[f"10.5.0.{n}", 1] for n in range(1, 20)], "txt": "any"}, "here.wild": {"txt": "here"},
        "*.walias": {"cname": "www"},
        "_ntp._udp": {"srv": [{"srv_weight": 5, "priority": 1, "port": 123, "target": "ns1.pool.test."}]},
    },
}
NAMES = ["pool.test", "de.pool.test", "us.pool.test", "europe.pool.test", "www.pool.test", "lost.pool.test",
         "vendor.pool.test", "er.name.pool.test", "name.pool.test", "deep.er.name.pool.test", "x.wild.pool.test",
         "a.b.wild.pool.test", "here.wild.pool.test", "below.here.wild.pool.test", "y.walias.pool.test",
         "_ntp._udp.pool.test", "_udp.pool.test", "none.pool.test", "a.b.none.pool.test", "ns1.pool.test"]


class Signed(ProgramTest):
    def serve(self, algorithm="ecdsa-p256", keys="csk"):
        root = own_directory(self.addCleanup)
        (root / "zones").mkdir()
        (root / "keys").mkdir(mode=0o700)
        (root / "zones/pool.test.json").write_text(json.dumps(ZONE))
        countries = ", ".join(f'"{a}/32" = "{c}"' for a, c in SOURCES.items() if c)
        self.program = self.start("timepool-dnsd", f'''[server]
listen = ["127.0.0.1:0"]
[zones]
directory = "{root}/zones"
[geoip]
overrides = {{ {countries} }}
[dnssec]
directory = "{root}/keys"
[[dnssec.zone]]
name = "pool.test"
algorithm = "{algorithm}"
keys = "{keys}"
''')
        self.assertNotIn("error", self.program.output())
        self.port = self.program.listening()[1]
        return root

    def anchor(self):
        """The key that the zone's other keys are proved by, as (flags, protocol, algorithm, base64)."""
        for kind, _, data in self.ask("pool.test", "DNSKEY", self.port).answers:
            flags, protocol, algorithm = struct.unpack("!HBB", data[:4])
            if kind == 48 and flags & 1:
                return flags, protocol, algorithm, base64.b64encode(data[4:]).decode()
        self.fail("no key with the SEP flag")

    def ask(self, name, kind, port, dnssec=False):
        options = struct.pack("!HHIH", 41, 1232, 0x8000 if dnssec else 0, 0)
        message = (struct.pack("!6H", 1, 0x0100, 1, 0, 0, 1) + encode_name(name) +
                   struct.pack("!2H", TYPES[kind], 1) + b"\0" + options)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.connect(("127.0.0.1", port))
            client.send(message)
            reply = Reply(client.recv(65535))
        if not reply.truncated:
            return reply
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(struct.pack("!H", len(message)) + message)
            stream = client.makefile("rb")
            return Reply(stream.read(struct.unpack("!H", stream.read(2))[0]))

    def delv(self, root, name, kind):
        out = subprocess.run(
            ["delv", "@127.0.0.1", "-p", str(self.port), "-a", root / "anchor", "+root=pool.test", "-q", name,
             "-t", kind], capture_output=True, text=True, timeout=30)
        return out.stdout + out.stderr

    @unittest.skipUnless(shutil.which("delv"), "needs the package bind9-dnsutils")
    def test_delv_validates_every_kind_of_answer(self):
        for algorithm, keys in (("ecdsa-p256", "ksk-zsk"), ("ed25519", "csk")):
            root = self.serve(algorithm, keys)
            flags, protocol, number, key = self.anchor()
            (root / "anchor").write_text(
                f'trust-anchors {{ pool.test. static-key {flags} {protocol} {number} "{key}"; }};\n')
            for name in NAMES:
                for kind in ("A", "TXT"):
                    with self.subTest(algorithm=algorithm, name=name, type=kind):
                        self.assertRegex(self.delv(root, name, kind), "fully validated")
            for kind in ("NS", "SOA", "MX", "DNSKEY", "AAAA", "HTTPS"):
                with self.subTest(algorithm=algorithm, type=kind):
                    self.assertRegex(self.delv(root, "pool.test", kind), "fully validated")

    def unbound(self, root, *settings):
        port = free_port()
        flags, protocol, number, key = self.anchor()
        lines = ["server:", f"interface: 127.0.0.1@{port}", "do-daemonize: no", "use-syslog: no", 'chroot: ""',
                 'username: ""', f'directory: "{root}"', 'pidfile: ""', "do-not-query-localhost: no",
                 "module-config: \"validator iterator\"", "num-threads: 1", "val-log-level: 2",
                 f'trust-anchor: "pool.test. DNSKEY {flags} {protocol} {number} {key}"', "domain-insecure: test.",
                 'local-zone: "test." nodefault', "ip-ratelimit: 0", "infra-host-ttl: 1",
                 *[f"outgoing-interface: {source}" for source in SOURCES], *settings,
                 "stub-zone:", 'name: "pool.test."', f"stub-addr: 127.0.0.1@{self.port}",
                 "remote-control:", "control-enable: no"]
        (root / "unbound.conf").write_text("\n".join(lines) + "\n")
        log = open(root / "unbound.log", "ab")
        self.addCleanup(log.close)
        process = subprocess.Popen([UNBOUND, "-d", "-c", root / "unbound.conf"], stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log, preexec_fn=die_with_parent)
        self.end_with_test(process)
        self.log = root / "unbound.log"

        def answers():
            self.assertIsNone(process.poll(), self.log.read_text())
            try:
                return self.ask("pool.test", "SOA", port, dnssec=True).rcode == 0
            except OSError:
                return False
        wait_until(answers, 20, "unbound answers")
        return port

    def check_all(self, port, rounds, seed):
        """Random names and types; AD in every answer of the signed zone, and the right rcode."""
        chosen = random.Random(seed)
        seen = set()
        for _ in range(rounds):
            name = chosen.choice(NAMES)
            if chosen.random() < 0.4:
                name = f"r{chosen.randrange(400)}.{name}"
            # The DS of the zone itself is its parent's, of which there is none here.
            kind = chosen.choice([kind for kind in TYPES if kind != "DS" or name != "pool.test"])
            reply = self.ask(name, kind, port, dnssec=True)
            about = f"{name} {kind} seed {seed}: rcode {reply.rcode}\n{self.log.read_text()[-3000:]}"
            self.assertIn(reply.rcode, (0, 3), about)
            self.assertTrue(reply.flags & 0x0020, f"not authentic: {about}")
            seen.update(data for kind, _, data in reply.answers if kind == 1)
        return seen

    @unittest.skipUnless(UNBOUND.exists(), "needs the package unbound")
    def test_unbound_validates_everything_from_every_country_without_a_cache(self):
        root = self.serve()
        port = self.unbound(root, "cache-max-ttl: 0", "cache-max-negative-ttl: 0", "qname-minimisation: no")
        seen = self.check_all(port, 1000, random.randrange(1 << 30))
        for _ in range(150):
            reply = self.ask("pool.test", "A", port, dnssec=True)
            self.assertTrue(reply.flags & 0x0020)
            seen.update(data for kind, _, data in reply.answers if kind == 1)
        # Many of the variants of several countries.
        self.assertGreater(len(seen), 60)

    @unittest.skipUnless(UNBOUND.exists(), "needs the package unbound")
    def test_unbound_validates_with_aggressive_nsec_and_minimised_names(self):
        root = self.serve("ed25519", "ksk-zsk")
        port = self.unbound(root, "aggressive-nsec: yes", "qname-minimisation: yes", "harden-below-nxdomain: yes")
        self.check_all(port, 1000, random.randrange(1 << 30))
        # What one NSEC denies is never a name that exists.
        for name in NAMES:
            self.ask(f"zz.{name}", "A", port, dnssec=True)
        for name, kind in (("here.wild.pool.test", "TXT"), ("de.pool.test", "A"), ("deep.er.name.pool.test", "A")):
            self.assertTrue(self.ask(name, kind, port, dnssec=True).answers, name)

    def test_status_and_metrics_tell_of_signing(self):
        self.serve()
        signing = self.program.control("status")["signing"]
        self.assertEqual(signing["missing"], 0)
        self.assertEqual(signing["problems"], [])
        self.assertGreater(signing["signatures"], 300)
        text = self.program.control("metrics")["text"]
        self.assertRegex(text, r"timepool_dnsd_signatures_total \d+")

    def test_a_zone_that_changes_is_served_with_its_signatures(self):
        root = self.serve()
        zone = json.loads(json.dumps(ZONE))
        zone["serial"] = 8
        zone["data"]["new"] = {"a": [["10.9.9.9"]]}
        (root / "zones/pool.test.json").write_text(json.dumps(zone))

        def signed():
            reply = self.ask("new.pool.test", "A", self.port, dnssec=True)
            self.assertIsNone(self.program.process.poll(), self.program.output())
            return sorted(kind for kind, _, _ in reply.answers) == [1, 46]
        wait_until(signed, 10, "the new name is signed")
        soa = self.ask("pool.test", "SOA", self.port, dnssec=True)
        self.assertEqual(sorted(kind for kind, _, _ in soa.answers), [6, 46])


if __name__ == "__main__":
    main()
