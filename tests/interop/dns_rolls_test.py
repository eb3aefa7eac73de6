"""Rolls of keys as validators live through them: a signed zone "test", below it zones whose keys roll every few
seconds, a parent that takes over CDS (RFC 7344), and two unbounds with the key of "test" as their anchor, one with a
cache and one without. timepool-dnsd asks the first for the DS sets. From the moment when a zone's DS is known no answer
may ever fail to validate: not while a KSK or a ZSK rolls, or a CSK, or the algorithm changes.

TIMEPOOL_ROLLS is for how many seconds they roll at least."""
import base64
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
import own_network  # noqa: E402
from dns_messages import Reply, ask_udp, encode_name, udp_socket  # noqa: E402
from programs import BINARY_DIR, ProgramTest, die_with_parent, main, own_directory, wait_until  # noqa: E402

SOURCE_DIR = pathlib.Path(__file__).resolve().parent.parent.parent
UNBOUND = SOURCE_DIR / "build/peers/unbound/usr/sbin/unbound"
SECONDS = int(os.environ.get("TIMEPOOL_ROLLS", "40"))
PARENT, CHILDREN, CACHING, FORGETFUL = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"
SOA, DS, DNSKEY, CDS = 6, 43, 48, 59
AUTHENTIC = 0x0020
TTL = 1
# What geodns' documents have for the SOA, and so for what is not there: ten times the zone's TTL.
LONGEST_TTL = 10 * TTL
TIMES = f'''dnskey_ttl = "{TTL}s"
max_zone_ttl = "{LONGEST_TTL}s"
ds_ttl = "{TTL}s"
propagation = "2s"
parent_propagation = "2s"
'''
CHILD_ZONES = {"keys.test": 'keys = "ksk-zsk"\nzsk_lifetime = "34s"\nksk_lifetime = "44s"\n',
               "csk.test": 'keys = "csk"\n', "moved.test": 'keys = "ksk-zsk"\nalgorithm = "{algorithm}"\n'}
CHILD = {"serial": 1, "ttl": TTL, "max_hosts": 3, "data": {
    "": {"ns": ["child.test."], "ttl": TTL, "a": [[f"10.0.0.{n}", n] for n in range(1, 30)]},
    "www": {"cname": "b.wild"}, "*.wild": {"a": [["10.0.1.1", 1]]}, "a.b": {"txt": "here"}}}
QUESTIONS = (("", 1), ("", 6), ("", 2), ("www", 1), ("{word}.wild", 1), ("{word}", 1), ("a.b", 16), ("b", 16), ("", 28))


def setUpModule():
    own_network.enter()


@unittest.skipUnless(UNBOUND.exists(), "needs the package unbound")
class Rolls(ProgramTest):
    def setUp(self):
        self.root = own_directory(self.addCleanup)
        self.ds = {zone: [] for zone in CHILD_ZONES}
        for name in ("parent", "children"):
            (self.root / name / "zones").mkdir(parents=True)
        self.write_parent()
        for zone in CHILD_ZONES:
            (self.root / f"children/zones/{zone}.json").write_text(json.dumps(CHILD))
        self.parent = self.start("timepool-dnsd", self.settings("parent", PARENT, '[[dnssec.zone]]\nname = "test"\n'))
        self.wait_for(PARENT, "test")
        self.logs = [self.unbound("caching", CACHING),
                     self.unbound("forgetful", FORGETFUL, "cache-max-ttl: 0", "cache-max-negative-ttl: 0")]
        self.children = self.start("timepool-dnsd", self.child_settings("ecdsa-p256"))
        for zone in CHILD_ZONES:
            self.wait_for(CHILDREN, zone)
        self.asked = 0

    def write_parent(self):
        data = {"": {"ns": ["ns.test."], "ttl": TTL}, "ns": {"a": [[PARENT]]}, "child": {"a": [[CHILDREN]]}}
        for zone, ds in self.ds.items():
            data[zone.removesuffix(".test")] = {"ns": ["child.test."], "ttl": TTL, **({"ds": ds} if ds else {})}
        path = self.root / "parent/zones/test.json"
        path.with_suffix(".new").write_text(json.dumps({"serial": int(time.time() * 1000) & 0x7fffffff, "ttl": TTL,
                                                        "data": data}))
        path.with_suffix(".new").rename(path)

    def settings(self, name, address, more):
        return (f'[server]\nlisten = ["{address}:53"]\nthreads = 1\n[zones]\ndirectory = "{self.root}/{name}/zones"\n'
                f'[dnssec]\ndirectory = "{self.root}/{name}/keys"\nresolver = "{CACHING}"\n{more}')

    def child_settings(self, algorithm):
        zones = "".join(f'[[dnssec.zone]]\nname = "{zone}"\n{more.format(algorithm=algorithm)}{TIMES}'
                        for zone, more in CHILD_ZONES.items())
        return self.settings("children", CHILDREN, zones)

    def wait_for(self, server, zone):
        def answers():
            try:
                return ask_udp((server, 53), zone, SOA).answers
            except OSError:
                return False
        wait_until(answers, 20, f"{server} answers for {zone}")

    def unbound(self, name, address, *settings):
        key = next(data for kind, _, data in ask_udp((PARENT, 53), "test", DNSKEY).answers if kind == DNSKEY)
        anchor = " ".join(map(str, struct.unpack("!HBB", key[:4]))) + " " + base64.b64encode(key[4:]).decode()
        log = self.root / f"{name}.log"
        lines = ["server:", f"interface: {address}@53", "do-daemonize: no", "use-syslog: no", 'chroot: ""',
                 'username: ""', f'directory: "{self.root}"', 'pidfile: ""', "do-not-query-localhost: no",
                 'module-config: "validator iterator"', "num-threads: 1", "val-log-level: 2", "infra-host-ttl: 1",
                 f'trust-anchor: "test. DNSKEY {anchor}"', 'local-zone: "test." nodefault', "ip-ratelimit: 0",
                 "qname-minimisation: yes", *settings, "stub-zone:", 'name: "test."', f"stub-addr: {PARENT}",
                 "remote-control:", "control-enable: no"]
        (self.root / f"{name}.conf").write_text("\n".join(lines) + "\n")
        with open(log, "ab") as out:
            self.end_with_test(subprocess.Popen([UNBOUND, "-d", "-c", self.root / f"{name}.conf"], stdout=out,
                                                stdin=subprocess.DEVNULL, stderr=out, preexec_fn=die_with_parent))
        self.wait_for(address, "test")
        return log

    def ask(self, resolver, name, kind):
        message = (struct.pack("!6H", 7, 0x0120, 1, 0, 0, 1) + encode_name(name) + struct.pack("!2H", kind, 1) +
                   b"\0" + struct.pack("!HHIH", 41, 4096, 0, 0))
        with udp_socket((resolver, 53), 10) as client:
            client.send(message)
            return Reply(client.recv(65535))

    def take_over_cds(self):
        """RFC 7344 6.1: what the child's validated CDS set says becomes the DS set."""
        for zone in CHILD_ZONES:
            reply = self.ask(FORGETFUL, zone, CDS)
            wanted = sorted(data for kind, _, data in reply.answers if kind == CDS)
            # The first DS comes by way of whoever runs the zone; then only what validates counts.
            if self.ds[zone] and not reply.flags & AUTHENTIC:
                continue
            texts = ["%d %d %d " % struct.unpack("!HBB", data[:4]) + data[4:].hex() for data in wanted]
            if texts and texts != self.ds[zone]:
                self.ds[zone] = texts
                self.write_parent()

    def ask_something(self, zone, must_be_authentic):
        base, kind = random.choice(QUESTIONS)
        name = f"{base.format(word=f'w{random.randrange(1000)}')}.{zone}".lstrip(".")
        authentic = True
        for resolver in (CACHING, FORGETFUL):
            reply = self.ask(resolver, name, kind)
            self.asked += 1
            about = f"{resolver}: {name} {kind}: flags {reply.flags:04x}; {json.dumps(self.keys(zone))}"
            self.assertIn(reply.rcode, (0, 3), about + "\n".join(log.read_text()[-3000:] for log in self.logs))
            if must_be_authentic:
                self.assertTrue(reply.flags & AUTHENTIC, about)
            authentic = authentic and bool(reply.flags & AUTHENTIC)
        return authentic

    def keys(self, zone):
        report = self.children.control("keys", zone=zone)
        self.assertTrue(report.get("ok", True), report)
        return [(key["tag"], key["role"], key["algorithm"], key["state"]) for key in report["zones"][0]["keys"]]

    def timepool(self, *arguments):
        subprocess.run([BINARY_DIR / "bin/timepool", "dns", "keys", *arguments, "--socket", self.children.socket],
                       check=True, capture_output=True, timeout=20)

    def gone(self, zone, *roles):
        """How many keys of those roles have gone."""
        return sum(key[1] in roles and key[3] == "removed" for key in self.keys(zone))

    def live_on(self, done, seconds):
        """Asks and takes over CDS until done(); `seconds` at most."""
        end = time.monotonic() + seconds
        next_look = 0.0
        while True:
            for zone in CHILD_ZONES:
                # Answers from before the first DS live in the cache until their TTL is over. From then on all validate.
                since = self.secure_since.get(zone, time.monotonic())
                must = time.monotonic() > since + LONGEST_TTL + 1
                if self.ask_something(zone, must):
                    self.secure_since.setdefault(zone, time.monotonic())
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + 0.5
                self.take_over_cds()
                if done():
                    return
            self.assertLess(time.monotonic(), end, {zone: self.keys(zone) for zone in CHILD_ZONES})

    def test_no_answer_is_ever_bogus_while_keys_roll(self):
        self.secure_since = {}
        self.live_on(lambda: len(self.secure_since) == len(CHILD_ZONES), 60)
        started = time.monotonic()
        self.timepool("roll", "csk.test", "--role", "csk")
        self.children.write_config(self.child_settings("ed25519"))
        self.children.signal(1)
        self.live_on(lambda: self.gone("keys.test", "ksk") >= 1 and self.gone("keys.test", "zsk") >= 1 and
                     self.gone("csk.test", "csk") >= 1 and self.gone("moved.test", "ksk", "zsk") >= 2 and
                     time.monotonic() - started > SECONDS, 150 + SECONDS)
        algorithms = {key[2] for key in self.keys("moved.test") if key[3] == "active"}
        print(f"{self.asked} answers in {time.monotonic() - started:.0f} s of rolls; "
              f"{ {zone: self.keys(zone) for zone in CHILD_ZONES} }", flush=True)
        self.assertEqual(algorithms, {"ed25519"})
        for zone in CHILD_ZONES:
            report = self.children.control("keys", zone=zone)["zones"][0]
            self.assertEqual(report["problem"], "")


if __name__ == "__main__":
    main()
