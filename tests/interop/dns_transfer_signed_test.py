"""Signed zones as other servers copy them from timepool-dnsd: knotd and nsd follow over changes, a roll of keys and
signatures made anew; ldns judges what they have, delv and unbound validate what they answer, unbound also with our own
answers mixed in, which deny otherwise. dns_secondaries.py says where the programs are found.
"""
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
from dns_secondaries import KDIG, KNOTD, NSD, SECRET, UNBOUND, Peer, TransferTest, records  # noqa: E402
from programs import BINARY_DIR, die_with_parent, free_port, main, wait_until  # noqa: E402

LDNS_VERIFY = shutil.which("ldns-verify-zone")
DELV = shutil.which("delv")
STATIC = """$TTL 60
@ 120 SOA ns hostmaster %d 3600 600 864000 30
 NS ns
 NS ns2
 MX 10 mail
 CAA 0 issue "ca.example"
ns A 127.0.0.1
ns2 A 127.0.0.1
mail A 192.0.2.1
a.b.c TXT deep
*.w TXT wild
here.w TXT here
www CNAME a.b.c
secure NS ns.secure
 DS 12345 13 2 00000000000000000000000000000000000000000000000000000000000000AA
ns.secure A 192.0.2.3
bare NS ns.elsewhere.
x\\.y TXT dot
"""
POOL = {"serial": 5, "ttl": 60, "max_hosts": 2, "data": {
    "": {"ns": ["ns.pool.test."], "a": [[f"192.0.2.{n}", n] for n in range(1, 30)], "aaaa": [["2001:db8::1"]]},
    "ns": {"a": [["127.0.0.1"]]}, "www": {"alias": ""}, "us": {"a": [["192.0.2.9", 1]]}, "deep.er": {"txt": "t"},
    "*.wild": {"a": [["192.0.2.77", 1]]}, "web": {"cname": "www"}}}
ZONES = ("example.net", "pool.test")
NAMES = {"example.net": ["", "a.b.c", "b.c", "c", "x.w", "here.w", "y.here.w", "www", "mail", "none", "a.none", "ns",
                         "secure"],
         "pool.test": ["", "www", "us", "deep.er", "er", "a.wild", "wild", "web", "none", "b.none", "ns"]}
TYPES = {"A": 1, "NS": 2, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "DS": 43, "DNSKEY": 48, "CDS": 59}
QUICK = 'dnskey_ttl = "1s"\nmax_zone_ttl = "1s"\nds_ttl = "1s"\npropagation = "1s"\nparent_propagation = "1s"\n'


@unittest.skipUnless(KDIG and LDNS_VERIFY, "needs the packages knot-dnsutils and ldnsutils")
class SignedTransfers(TransferTest):
    def setUp(self):
        super().setUp()
        self.put("example.net.zone", STATIC % 1)
        self.put("pool.test.json", json.dumps(POOL))

    def begin(self, keys="csk", times=""):
        zones = "".join(f'[[dnssec.zone]]\nname = "{zone}"\nkeys = "{keys}"\n{times}' for zone in ZONES)
        server = self.serve(journal=True, more=(
            f'[dnssec]\ndirectory = "{self.directory}/keys"\nstatic_signatures = "7d"\n{zones}'))
        wait_until(lambda: len(self.given(server)) == len(ZONES), 20, f"zones can be copied\n{server.output()}")
        return server

    def given(self, server):
        """The serials that others may have."""
        return {name: zone["serial"] for name, zone in server.control("status")["transfers"]["zones"].items()}

    def copy(self, port, zone, *more):
        """Every record of the zone at a server, sorted, without the second SOA."""
        key = ["-y", f"hmac-sha256:k:{SECRET}"] if more == ("key",) else []
        out = self.ask(port, *key, zone, "AXFR", "+noall", "+answer", "+retry=0")
        lines = (" ".join(line.split()) for line in out.splitlines())
        return sorted({line for line in lines if line and not line.startswith(";") and " TSIG " not in line})

    def verified(self, lines, zone):
        """Whether ldns finds the zone valid, and what it says."""
        path = self.directory / "verified"
        path.write_text("\n".join(lines) + "\n")
        done = subprocess.run([LDNS_VERIFY, "-V", "2", path], capture_output=True, text=True, timeout=60)
        return done.returncode == 0, f"{zone}\n{done.stdout}{done.stderr}\n" + "\n".join(lines)

    def secondaries(self, server):
        out = []
        if KNOTD:
            out.append(Peer(*reversed(self.knotd(server.port, zones=ZONES))))
        if NSD:
            out.append(Peer(*reversed(self.nsd(server.port, zones=ZONES))))
        for peer in out:
            self.addCleanup(peer.close)
        self.assertTrue(out, "needs the packages knot or nsd")
        notify = "".join(f'[[transfer.notify]]\naddress = "127.0.0.1:{peer.port}"\nkey = "k"\n' for peer in out)
        server.config.write_text(server.config.read_text().replace("[dnssec]", notify + "[dnssec]"))
        self.assertTrue(server.control("reload")["ok"])
        return out

    def follow(self, server, peers, what):
        """Waits until what we answer, give on and the others have is one serial; judges the copies."""
        def same():
            serials = {self.serial_at(port, zone) for port in [server.port, *(peer.port for peer in peers)]}
            return serials == {self.given(server)[f"{zone}."]}
        copies = {}
        for zone in ZONES:
            wait_until(same, 30, f"{what}: {zone}: {server.output()}\n" + "\n".join(p.output() for p in peers))
            ours = self.copy(server.port, zone, "key")
            for peer in peers:
                self.assertEqual(self.copy(peer.port, zone), ours, f"{what}: {zone}")
            valid, about = self.verified(ours, zone)
            self.assertTrue(valid, about)
            copies[zone] = ours
        return copies

    def requests(self, server):
        return server.control("status")["transfers"]["requests"]

    def test_secondaries_follow_over_changes_rolled_keys_and_new_signatures(self):
        server = self.begin(times=QUICK)
        peers = self.secondaries(server)
        wait_until(lambda: all(any(" CDS " in line for line in self.copy(server.port, zone, "key")) for zone in ZONES),
                   20, "the DS is offered")
        first = self.follow(server, peers, "the first transfer")
        for zone in ZONES:
            for kind in " DNSKEY ", " CDS ", " CDNSKEY ", " NSEC ", " RRSIG SOA ":
                self.assertTrue(any(kind in line for line in first[zone]), kind)
        # One record: little more than its signatures and the SOA's go over the wire.
        last = self.given(server)["example.net."]
        self.put("example.net.zone", STATIC % (last + 3) + "new TXT new\n")
        wait_until(lambda: self.given(server)["example.net."] == last + 3, 20, "the change")
        self.follow(server, peers, "a change")
        self.assertGreaterEqual(self.requests(server)["ixfr"], len(peers))
        changed = records(self.ask(server.port, "-y", f"hmac-sha256:k:{SECRET}", "example.net", f"IXFR={last}", "+noall",
                                   "+answer"))
        self.assertLess(len(changed), 14, "\n".join(changed))
        # The parent has our DS; another key takes over at once.
        before = self.given(server)
        for zone in ZONES:
            [listed] = self.keys(server, "list", zone, "--json")
            self.keys(server, "ds-seen", zone, str(listed["keys"][0]["tag"]))
            self.keys(server, "roll", zone, "--emergency")
        wait_until(lambda: all(self.given(server)[zone] > before[zone] for zone in before), 20, "keys roll")
        rolled = self.follow(server, peers, "a roll")
        for zone in ZONES:
            self.assertGreater(sum(" IN DNSKEY " in line for line in rolled[zone]), 1)
        # Signatures that would have ended too soon are made anew.
        before = self.given(server)
        server.config.write_text(server.config.read_text().replace('static_signatures = "7d"',
                                                                   'static_signatures = "30d"'))
        self.assertTrue(server.control("reload")["ok"])
        wait_until(lambda: all(self.given(server)[zone] > before[zone] for zone in before), 30, "new signatures")
        self.follow(server, peers, "new signatures")
        # In the end they are told and have taken everything.
        wait_until(lambda: server.control("status")["notify"]["answered"] >= 4 * len(peers), 20, "notices are answered")
        metrics = server.control("metrics")["text"]
        for name in ('timepool_dnsd_transfers_total{end="ixfr"}', 'timepool_dnsd_transfers_total{end="axfr"}',
                     'timepool_dnsd_notify_ends_total{end="answered"}',
                     'timepool_dnsd_transfer_journal_total{event="written"}',
                     'timepool_dnsd_transfer_signatures_total{what="kept"}'):
            self.assertRegex(metrics, name.replace("{", r"\{") + r" [1-9]")
        self.assertEqual(server.control("zones")["problems"], [])

    def keys(self, server, *arguments):
        done = subprocess.run([BINARY_DIR / "bin/timepool", "dns", "keys", *arguments, "--socket", server.socket],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["zones"] if "--json" in arguments else done.stdout

    def test_a_restart_forgets_no_serial_and_makes_nobody_copy_a_whole_zone(self):
        server = self.begin()
        self.put("example.net.zone", STATIC % 2 + "new TXT new\n")
        wait_until(lambda: self.given(server)["example.net."] == 2, 20, "the change")
        before = self.copy(server.port, "example.net", "key")
        self.assertEqual(server.stop(), 0)
        server = self.begin()
        self.assertEqual(self.given(server), {"example.net.": 2, "pool.test.": 5})
        self.assertEqual(self.serial_at(server.port), 2)
        # The same signatures: nothing was made anew.
        self.assertEqual(self.copy(server.port, "example.net", "key"), before)
        self.ask(server.port, "-y", f"hmac-sha256:k:{SECRET}", "example.net", "IXFR=1")
        requests = self.requests(server)
        self.assertEqual((requests["ixfr"], requests["ixfr_whole"]), (1, 0))
        self.assertEqual(server.stop(), 0)
        # Another document with the old serial while nobody looked: the serial goes on.
        self.put("example.net.zone", STATIC % 1 + "newer TXT newer\n")
        server = self.begin()
        wait_until(lambda: self.given(server)["example.net."] == 3, 20, "one more")
        wait_until(lambda: self.serial_at(server.port) == 3, 20, "our own answers have it")
        self.assertEqual(server.stop(), 0)
        journal = self.directory / "journal/example.net.transfers"
        damaged = bytearray(journal.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        journal.write_bytes(damaged)
        server = self.begin()
        status = server.control("status")["transfers"]
        self.assertEqual(status["journal"]["corrupt"], 1)
        # No serial falls back for that.
        self.assertEqual(self.given(server)["example.net."], 4)
        self.assertIn("damaged", server.output())
        self.ask(server.port, "-y", f"hmac-sha256:k:{SECRET}", "example.net", "IXFR=0")
        self.assertEqual(self.requests(server)["ixfr_whole"], 1)
        whole = self.copy(server.port, "example.net", "key")
        self.assertTrue(*self.verified(whole, "example.net"))
        # Were one of its signatures or names missing, ldns would not find it so.
        for kind in " NSEC ", " RRSIG MX ", " DS ", "here.w":
            less = [line for line in whole if kind not in line]
            self.assertFalse(*self.verified(less, f"without {kind}"))

    def test_health_that_changes_is_a_new_serial(self):
        zone = json.loads(json.dumps(POOL))
        zone["data"]["us"] = {"health": {"name": "web"}, "a": [["192.0.2.9", 1], ["192.0.2.10", 1]]}
        self.put("pool.test.json", json.dumps(zone))
        health = self.directory / "health"
        health.mkdir()

        def state(one, other):
            (health / "new").write_text(json.dumps({"192.0.2.9": one, "192.0.2.10": other}))
            (health / "new").rename(health / "web.json")
        state(2, 2)
        server = self.serve(journal=True, zones=f'health_directory = "{health}"\n')
        self.assertEqual(self.serial_at(server.port, "pool.test"), 5)
        state(2, 1)
        wait_until(lambda: self.serial_at(server.port, "pool.test") == 6, 20, "health changes")
        output = self.ask(server.port, "-y", f"hmac-sha256:k:{SECRET}", "pool.test", "IXFR=5", "+noall", "+answer")
        self.assertIn("192.0.2.10", output)
        self.assertNotIn("192.0.2.9\n", output)

    # What validators say of the secondaries and of us.

    def anchor(self, server, zone):
        """The key that the zone's other keys are proved by, as (flags, protocol, algorithm, base64)."""
        for kind, _, data in self.query(server.port, zone, "DNSKEY").answers:
            flags, protocol, algorithm = struct.unpack("!HBB", data[:4])
            if kind == 48 and flags & 1:
                return flags, protocol, algorithm, base64.b64encode(data[4:]).decode()
        self.fail("no key with the SEP flag")

    def query(self, port, name, kind):
        options = struct.pack("!HHIH", 41, 1232, 0x8000, 0)
        message = (struct.pack("!6H", 1, 0x0100, 1, 0, 0, 1) + encode_name(name) +
                   struct.pack("!2H", TYPES[kind], 1) + b"\0" + options)
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(struct.pack("!H", len(message)) + message)
            stream = client.makefile("rb")
            return Reply(stream.read(struct.unpack("!H", stream.read(2))[0]))

    @unittest.skipUnless(DELV, "needs the package bind9-dnsutils")
    def test_delv_validates_every_kind_of_answer_of_the_secondaries(self):
        server = self.begin(keys="ksk-zsk")
        peers = self.secondaries(server)
        self.follow(server, peers, "the first transfer")
        for zone in ZONES:
            flags, protocol, number, key = self.anchor(server, zone)
            (self.directory / "anchor").write_text(
                f'trust-anchors {{ {zone}. static-key {flags} {protocol} {number} "{key}"; }};\n')
            for peer in peers:
                for name, kind in [*((name, "TXT") for name in NAMES[zone] if name != "secure"), ("", "SOA"),
                                   ("", "DNSKEY"), ("", "AAAA"), ("us", "A")]:
                    with self.subTest(zone=zone, peer=peer.directory.name, name=name, type=kind):
                        done = subprocess.run(
                            [DELV, "@127.0.0.1", "-p", str(peer.port), "-a", self.directory / "anchor",
                             f"+root={zone}", "-q", f"{name}.{zone}".lstrip("."), "-t", kind], capture_output=True,
                            text=True, timeout=30)
                        self.assertRegex(done.stdout + done.stderr, "fully validated")

    @unittest.skipUnless(UNBOUND, "needs the package unbound")
    def test_unbound_validates_our_answers_and_the_secondaries_mixed(self):
        """Our denials are of one name each, the others' of a chain: what unbound keeps of the ones serves beside the
        others, also where it makes denials of its own of them."""
        server = self.begin()
        peers = self.secondaries(server)
        self.follow(server, peers, "the first transfer")
        for aggressive in "yes", "no":
            port = self.unbound(server, peers, aggressive)
            seed = random.randrange(1 << 30)
            chosen = random.Random(seed)
            for _ in range(400):
                zone = chosen.choice(ZONES)
                name = chosen.choice(NAMES[zone])
                if name not in ("secure", "www", "web") and chosen.random() < 0.3:
                    name = f"r{chosen.randrange(50)}.{name}"
                name = f"{name}.{zone}".replace("..", ".").lstrip(".")
                kind = chosen.choice([kind for kind in TYPES if kind != "DS" or name != zone])
                if name.startswith("secure.") and kind != "DS":
                    continue
                reply = self.query(port, name, kind)
                about = f"{name} {kind} aggressive {aggressive} seed {seed}: rcode {reply.rcode}\n{self.log()}"
                self.assertIn(reply.rcode, (0, 3), about)
                self.assertTrue(reply.flags & 0x0020, f"not authentic: {about}")
            # What exists is never denied of what was learnt by the way.
            for name, kind in (("here.w.example.net", "TXT"), ("z.w.example.net", "TXT"), ("a.b.c.example.net", "TXT"),
                               ("us.pool.test", "A"), ("q.wild.pool.test", "A"), ("deep.er.pool.test", "TXT"),
                               ("mail.example.net", "A"), ("pool.test", "AAAA")):
                self.assertTrue(self.query(port, name, kind).answers, f"{name} {kind} seed {seed}")

    def log(self):
        return (self.directory / "unbound.log").read_text()[-3000:]

    def unbound(self, server, peers, aggressive):
        port = free_port()
        lines = ["server:", f"interface: 127.0.0.1@{port}", "do-daemonize: no", "use-syslog: no", 'chroot: ""',
                 'username: ""', f'directory: "{self.directory}"', 'pidfile: ""', "do-not-query-localhost: no",
                 'module-config: "validator iterator"', "num-threads: 1", "val-log-level: 2", "ip-ratelimit: 0",
                 "infra-host-ttl: 1", f"aggressive-nsec: {aggressive}", 'local-zone: "test." nodefault',
                 "domain-insecure: test.", "domain-insecure: net."]
        for zone in ZONES:
            flags, protocol, number, key = self.anchor(server, zone)
            lines.append(f'trust-anchor: "{zone}. DNSKEY {flags} {protocol} {number} {key}"')
        for zone in ZONES:
            lines += ["stub-zone:", f'name: "{zone}."',
                      *(f"stub-addr: 127.0.0.1@{one}" for one in [server.port, *(peer.port for peer in peers)])]
        lines += ["remote-control:", "control-enable: no"]
        config = self.directory / f"unbound-{aggressive}.conf"
        config.write_text("\n".join(lines) + "\n")
        log = open(self.directory / "unbound.log", "ab")
        self.addCleanup(log.close)
        process = subprocess.Popen([UNBOUND, "-d", "-c", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   preexec_fn=die_with_parent)
        self.end_with_test(process)

        def answers():
            self.assertIsNone(process.poll(), self.log())
            try:
                return self.query(port, "pool.test", "SOA").rcode == 0
            except OSError:
                return False
        wait_until(answers, 20, "unbound answers")
        return port


if __name__ == "__main__":
    main()
