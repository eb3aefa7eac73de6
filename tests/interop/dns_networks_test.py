"""10,000 clients, each of another network, ask unbound for names of every kind of a signed pool; it tells timepool-dnsd
their subnets, has our key as trust anchor, minimises names and uses NSEC records for other names too. Every answer
must validate, and be what that client may be given.

TIMEPOOL_CLIENTS is how many clients there are; TIMEPOOL_SEED repeats a run."""
import base64
import collections
import ipaddress
import json
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
import own_network  # noqa: E402
from dns_messages import ask_udp, skip_name  # noqa: E402
from pool_world import (CHILD_ANSWER, CHILD_ZONE, TYPES, ZONE, World, data_of, question,  # noqa: E402
                        read_data, settings_of)
from programs import BINARY_DIR, ProgramTest, die_with_parent, main, own_directory, wait_until  # noqa: E402

SOURCE_DIR = pathlib.Path(__file__).resolve().parent.parent.parent
UNBOUND = SOURCE_DIR / "build/peers/unbound/usr/sbin/unbound"
CLIENTS = int(os.environ.get("TIMEPOOL_CLIENTS", "10000"))
PARENT, CHILDREN, RESOLVER = "127.0.0.1", "127.0.0.2", "127.0.0.3"
WINDOW = 100
AUTHENTIC, RRSIG = 0x0020, 46


def setUpModule():
    own_network.enter()


class Networks:
    """Random networks, each once, most of them where the pool knows the country."""

    def __init__(self, chosen, world):
        self.chosen, self.world, self.seen = chosen, world, set()
        self.known = [*world.overrides, *world.asn_overrides]

    def one(self):
        while True:
            within = self.chosen.choice(self.known)
            if self.chosen.random() < 0.1:
                within = ipaddress.ip_network(self.chosen.choice(("64.0.0.0/6", "2a00::/8")))
            if self.chosen.random() < 0.01:
                within = self.world.own_network
            length = 24 if within.version == 4 else 56
            bits = within.max_prefixlen - length
            first = int(within.network_address) + self.chosen.randrange(within.num_addresses)
            network = type(within)((first >> bits << bits, length))
            if network not in self.seen:
                self.seen.add(network)
                return network


def draw(chosen):
    """(kind of question, name below the zone, type)"""
    numbered = chosen.choice(("0", "1", "2", "3"))
    word = f"r{chosen.randrange(3000)}"
    kind, name, rrtype = chosen.choices((
        ("pool", chosen.choice(("", numbered, numbered, "vendor", "0.vendor")), chosen.choice(("A", "A", "AAAA"))),
        ("country", chosen.choice(("de", "us", "0.us", "2.jp", "europe", "3.asia")), chosen.choice(("A", "AAAA"))),
        ("apex", "", chosen.choice(("NS", "SOA", "MX", "TXT", "DNSKEY", "CAA"))),
        ("service", *chosen.choice((("_ntp._udp", "SRV"), ("_ntske._tcp", "SRV"), ("web", "HTTPS"), ("back", "PTR")))),
        ("wildcard", chosen.choice((f"{word}.wild", f"a.{word}.wild", "here.wild")), chosen.choice(("A", "TXT"))),
        ("cname", chosen.choice(("www", "lost", "away", "either", f"{word}.walias")), chosen.choice(("A", "CNAME"))),
        ("secure", *chosen.choice((("www.secure", "A"), ("secure", "DS")))),
        ("insecure", *chosen.choice((("www.open", "A"), ("open", "DS")))),
        ("absent name", chosen.choice((word, f"{word}.de", f"{word}.deep.er.name", f"b.{word}.mail")),
         chosen.choice(("A", "AAAA", "SRV"))),
        ("absent type", chosen.choice(("er.name", "_udp", "here.wild", "mail", "", numbered, f"{word}.wild")),
         chosen.choice(("SRV", "PTR", "HTTPS"))),
    ), weights=(40, 8, 4, 10, 8, 8, 4, 4, 9, 5))[0]
    return kind, name, rrtype


def mixed_case(chosen, name):
    return "".join(chosen.choice((c.upper(), c)) for c in name)


@unittest.skipUnless(UNBOUND.exists(), "needs the package unbound")
class Clients(ProgramTest):
    def setUp(self):
        self.seed = int(os.environ.get("TIMEPOOL_SEED", random.randrange(1 << 32)))
        print(f"seed {self.seed}", flush=True)
        self.chosen = random.Random(self.seed)
        self.root = own_directory(self.addCleanup)
        children = self.serve("children", CHILDREN, {"secure.pool.test": CHILD_ZONE, "open.pool.test": CHILD_ZONE},
                              '[[dnssec.zone]]\nname = "secure.pool.test"\nalgorithm = "ed25519"\n')
        self.world = World(self.chosen, {"secure": self.ds(children, "secure.pool.test"), "open": []})
        self.program = self.serve("parent", PARENT, {ZONE: self.world.zone}, '[[dnssec.zone]]\nname = "pool.test"\n'
                                  'keys = "ksk-zsk"\n' + settings_of(self.world))

    def serve(self, name, address, zones, more):
        root = self.root / name
        (root / "zones").mkdir(parents=True)
        (root / "keys").mkdir(mode=0o700)
        for zone, document in zones.items():
            (root / f"zones/{zone}.json").write_text(json.dumps(document))
        program = self.start("timepool-dnsd", f'[server]\nlisten = ["{address}:53"]\nthreads = 1\n[zones]\n'
                             f'directory = "{root}/zones"\n[dnssec]\ndirectory = "{root}/keys"\n{more}')
        for zone in zones:
            wait_until(lambda: ask_udp((address, 53), zone, 6).answers, 20, f"{zone} is served\n{program.output()}")
        self.assertNotIn("error", program.output())
        return program

    def ds(self, program, zone):
        out = subprocess.run([BINARY_DIR / "bin/timepool", "dns", "keys", "ds", zone, "--early", "--socket",
                              program.socket], capture_output=True, text=True, check=True, timeout=20)
        return [line.split(" DS ")[1] for line in out.stdout.splitlines() if " DS " in line]

    def resolver(self, *settings):
        """The address of a resolver that believes the pool's key and passes subnets on."""
        keys = [data for kind, _, data in ask_udp((PARENT, 53), ZONE, TYPES["DNSKEY"]).answers if data[1] & 1]
        flags, protocol, algorithm = struct.unpack("!HBB", keys[0][:4])
        anchor = f"{ZONE}. DNSKEY {flags} {protocol} {algorithm} {base64.b64encode(keys[0][4:]).decode()}"
        lines = ["server:", f"interface: {RESOLVER}@53", "do-daemonize: no", "use-syslog: no", 'chroot: ""',
                 'username: ""', f'directory: "{self.root}"', 'pidfile: ""', "do-not-query-localhost: no",
                 'module-config: "subnetcache validator iterator"', "send-client-subnet: 127.0.0.0/8",
                 "client-subnet-always-forward: yes", "num-threads: 1", "val-log-level: 2", f'trust-anchor: "{anchor}"',
                 'domain-insecure: "test."', 'local-zone: "test." nodefault', "ip-ratelimit: 0",
                 "edns-buffer-size: 4096", "max-udp-size: 4096", "qname-minimisation: yes", "aggressive-nsec: yes",
                 "harden-below-nxdomain: yes", *settings, "stub-zone:", f'name: "{ZONE}."', f"stub-addr: {PARENT}",
                 "remote-control:", "control-enable: no"]
        (self.root / "unbound.conf").write_text("\n".join(lines) + "\n")
        self.log = self.root / "unbound.log"
        with open(self.log, "ab") as log:
            process = subprocess.Popen([UNBOUND, "-d", "-c", self.root / "unbound.conf"], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, preexec_fn=die_with_parent)
        self.end_with_test(process)

        def answers():
            self.assertIsNone(process.poll(), self.log.read_text())
            try:
                return ask_udp((RESOLVER, 53), ZONE, 6).answers
            except OSError:
                return False
        wait_until(answers, 20, "unbound answers")

    def ask_all(self, count):
        """Asks for `count` clients, WINDOW of them at a time, and checks each answer."""
        networks = Networks(self.chosen, self.world)
        self.kinds, self.countries, self.answered = collections.Counter(), set(), 0
        waiting, asked = {}, 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect((RESOLVER, 53))
            client.settimeout(20)
            while asked < count or waiting:
                while asked < count and len(waiting) < WINDOW:
                    asked += 1
                    kind, name, rrtype = draw(self.chosen)
                    network = networks.one()
                    full = f"{name}.{ZONE}".lstrip(".")
                    waiting[asked & 0xffff] = kind, name, rrtype, network
                    client.send(question(asked & 0xffff, mixed_case(self.chosen, full), rrtype, network))
                try:
                    message = client.recv(65535)
                except TimeoutError:
                    self.fail(f"no answer to {list(waiting.values())[:5]}")
                self.check(message, *waiting.pop(struct.unpack("!H", message[:2])[0]))
        self.assertEqual(len(networks.seen), count)

    def check(self, message, kind, name, rrtype, network):
        _, flags, questions, count = struct.unpack("!4H", message[:8])
        levels = self.world.levels(network.network_address)
        about = f"seed {self.seed}: {kind}: {name} {rrtype} of {network}, {levels}: flags {flags:04x}"
        self.assertIn(flags & 15, (0, 3), about + "\n" + self.log.read_text()[-3000:])
        self.assertFalse(flags & 0x0200, about)
        below_insecure = name.endswith(".open")
        self.assertEqual(bool(flags & AUTHENTIC), not below_insecure, about + "\n" + self.log.read_text()[-3000:])
        at, records, signed = skip_name(message, 12) + 4 * questions, {}, set()
        for _ in range(count):
            at = skip_name(message, at)
            held, _, _, size = struct.unpack("!HHIH", message[at:at + 10])
            at += 10
            if held == RRSIG:
                signed.add(struct.unpack("!H", message[at:at + 2])[0])
            else:
                records.setdefault(held, []).append(read_data(held, message, at, size))
            at += size
        if not below_insecure:
            self.assertEqual(signed, set(records), about)
        self.kinds[kind] += 1
        self.countries.update(levels[2:-1])
        self.answered += bool(records)
        self.check_data(records, name, rrtype, levels, flags & 15, about)

    def check_data(self, records, name, rrtype, levels, rcode, about):
        if rrtype in ("SOA", "DNSKEY"):
            self.assertEqual(list(records), [TYPES[rrtype]], about)
            return
        if name.rpartition(".")[2] in self.world.children and name not in self.world.children:
            exists, links = True, [CHILD_ANSWER]
        elif name in self.world.children:
            ds = self.world.labels[name].get("ds", [])
            exists, links = True, [("DS", len(ds), {data_of("DS", text) for text in ds})] if ds else []
        else:
            exists, links = self.world.expected(name, rrtype, levels)
        if exists:
            self.assertEqual(rcode, 0, about)
        drawn_lead = links and links[-1][0] == "CNAME" and rrtype != "CNAME" and len(links[-1][2]) > 1
        if not drawn_lead:
            self.assertEqual({TYPES[held] for held, _, _ in links}, set(records), about)
        cnames = [limit for held, limit, _ in links if held == "CNAME"]
        for held, limit, allowed in links:
            given = records[TYPES[held]]
            self.assertEqual(len(given), len(set(given)), about)
            if held == "CNAME":
                self.assertTrue(allowed & set(given), about)
                if not drawn_lead:
                    self.assertEqual(len(given), len(cnames), about)
                continue
            self.assertEqual(len(given), limit, about)
            self.assertLessEqual(set(given), allowed, about)

    def run_clients(self, count, *settings):
        self.resolver(*settings)
        before = time.monotonic()
        self.ask_all(count)
        print(f"{count} clients in {time.monotonic() - before:.1f} s: {dict(self.kinds)}; "
              f"{self.answered} answers with records; {len(self.countries)} places", flush=True)
        self.assertEqual(len(self.kinds), 10)
        self.assertGreater(min(self.kinds.values()), count / 60)
        self.assertGreater(self.answered, count / 2)
        self.assertGreater(len(self.countries), 25)

    def test_every_answer_validates_and_is_the_clients_own(self):
        self.run_clients(CLIENTS)

    def test_every_answer_validates_without_a_cache(self):
        # As many would take this test too long.
        self.run_clients(CLIENTS // 2, "cache-max-ttl: 0", "cache-max-negative-ttl: 0")


if __name__ == "__main__":
    main()
