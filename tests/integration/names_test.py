"""Names of servers for NTS, from the manager's API to signed answers: the real timepool-poold and timepool-dnsd,
with monitors that report what the test wants. The ids are those of docs/nts-for-pools.md."""
import base64
import collections
import concurrent.futures
import datetime
import shutil
import struct
import subprocess
import time
import unittest

import dns_messages as dns
from manager_program import Manager
from pool_programs import NameServer, signing
from programs import ProgramTest, main, own_directory, wait_until

# A name is in DNS, or gone, within so many seconds.
LIMIT = 5
MANY = 1000
CLIENTS = 8
# Clients of a country that the pool has servers in, of one that it has none in, and of none.
SUBNETS = ("198.18.0.0/24", "198.19.0.0/24", "203.0.113.0/24")


class NamesTest(ProgramTest):
    def setUp(self):
        self.root = own_directory(self.addCleanup)
        # Every server is fit for its zone, so that only NTS decides who is in SRV.
        self.manager = Manager(self.root / "manager", zones="min_score = -100\nnegative_ttl = 45",
                               geoip='overrides = { "10.1.0.0/16" = "de", "10.2.0.0/16" = "us" }',
                               nts='authorities = ["ca.test"]',
                               monitors='check_interval = "100ms"\nbad_interval = "100ms"\nbatch = 500')
        self.addCleanup(self.manager.close)
        self.monitors = [self.manager.add_monitor(name) for name in ("m1", "m2")]
        self.batches = 0
        self.dns = NameServer(self.manager, self.root / "dnsd", more=signing(self.root / "keys") + (
            '[geoip]\noverrides = { "198.18.0.0/16" = "de", "198.19.0.0/16" = "fr" }\n'))
        self.addCleanup(self.dns.close)
        wait_until(lambda: self.dns.ask("pool.test", dns.NS).answers, 20, "dnsd answers")

    def monitor(self, outcome, count=2):
        """One check by the first `count` monitors of all servers; `outcome(item)` says of those with a name what
        was found."""
        for token in self.monitors[:count]:
            servers = {server["address"] for server in self.manager.call("GET", "/v1/servers")[1]["servers"]}
            # Work is what is due: servers that came at different times may be due one after the other.
            while servers:
                work = wait_until(lambda: self.manager.call("GET", "/v1/work?wait=1", token=token)[1]["work"], 10,
                                  "work for the monitors")
                self.report(work, outcome, token)
                servers -= {item["address"] for item in work}

    def report(self, work, outcome, token):
        results = []
        for item in work:
            result = {"server": item["server"], "ticket": item["ticket"], "time": self.utc(),
                      "samples": [{"offset_s": 0.001, "rtt_s": 0.01, "stratum": 2}]}
            if "nts" in item:
                result["nts"] = {"name": item["nts"]["name"], "port": item["nts"]["port"],
                                 "outcome": outcome(item), "not_after": self.utc(60), "cookies": 8, "aead": 15,
                                 "ke_ms": 3.5, "offset_s": 0.001}
            results.append(result)
        self.batches += 1
        status, answer = self.manager.call("POST", "/v1/results", {"results": results}, token,
                                           Idempotency_Key=f"batch-{self.batches}")
        self.assertEqual((status, answer["accepted"]), (200, len(work)), answer)

    @staticmethod
    def utc(days=0):
        time_of = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days)
        return time_of.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def within(self, condition, what, seconds=LIMIT):
        start = time.monotonic()
        wait_until(condition, seconds, what)
        print("timing: %s after %.2f s" % (what, time.monotonic() - start), flush=True)

    def delv(self, name, kind):
        for number, _, data in self.dns.ask("pool.test", dns.DNSKEY, edns=True).answers:
            flags, protocol, algorithm = struct.unpack("!HBB", data[:4])
            if number == dns.DNSKEY and flags & 1:
                key = base64.b64encode(data[4:]).decode()
                (self.root / "anchor").write_text(
                    f'trust-anchors {{ pool.test. static-key {flags} {protocol} {algorithm} "{key}"; }};\n')
        host, port = self.dns.address
        done = subprocess.run(["delv", f"@{host}", "-p", str(port), "-a", self.root / "anchor", "+root=pool.test", "-q",
                               name, "-t", kind], capture_output=True, text=True, timeout=30)
        return done.stdout + done.stderr

    def register(self, name="alice", address="10.1.0.1", **more):
        self.manager.add(address)
        status, answer = self.manager.set_name(address, name, **more)
        self.assertEqual(status, 200, answer)
        wait_until(lambda: self.dns.addresses(name + ".m.pool.test") == [address], LIMIT, name + " is in DNS")

    def test_lm1_lo1_a_name_is_in_dns_within_seconds_the_same_for_every_client(self):
        self.manager.add("10.1.0.1", owner="alice")
        self.manager.add("2001:db8::1", owner="alice")
        self.manager.add("10.2.0.1")
        for address in ("10.1.0.1", "2001:db8::1"):
            done = self.manager.cli("name", address, "alice")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"name +alice\.m\.pool\.test, port 4460\nNTS +waiting")
        self.within(lambda: self.dns.addresses("alice.m.pool.test", kind=dns.AAAA) == ["2001:db8::1"],
                    "the name is in DNS")
        for subnet in SUBNETS:
            self.assertEqual(self.dns.addresses("alice.m.pool.test", subnet=subnet), ["10.1.0.1"])
            self.assertIn(self.dns.ask("alice.m.pool.test", subnet=subnet).scope, (0, None), "one answer for all")
        self.assertEqual(self.dns.services(), {})
        for name, fault in (("alice", "is another server's"), ("www", "is reserved"), ("x", "expected 3 to 63")):
            done = self.manager.cli("name", "10.2.0.1", name)
            self.assertEqual(done.returncode, 1)
            self.assertIn(fault, done.stderr)

    def test_lm1_what_was_asked_too_early_is_soon_forgotten(self):
        """RFC 2308 5, RFC 9077: the TTL of the SOA and of NSEC, also of names that have only other types."""
        self.register()
        for name, kind in (("bob.m.pool.test", dns.A), ("alice.m.pool.test", dns.AAAA),
                           ("_ntske._tcp.pool.test", dns.SRV)):
            denial = self.dns.ask(name, kind, dnssec=True)
            self.assertEqual(denial.answers, [], name)
            told = {kind: ttl for kind, ttl, _ in denial.authority}
            self.assertEqual((told[dns.SOA], told[dns.NSEC]), (45, 45), name)
            self.assertEqual({ttl for _, ttl, _ in denial.authority}, {45}, name)

    def test_lo2_in_srv_after_monitors_found_it_good_and_out_after_two_failures(self):
        self.register()
        self.register("carol", "10.2.0.1", port=4461)
        self.manager.call("PATCH", "/v1/servers/10.2.0.1", {"netspeed": 5000})
        self.monitor(lambda item: "ok", count=1)
        self.assertEqual(self.manager.server("10.1.0.1")["nts"]["state"], "waiting", "one of two monitors")
        self.monitor(lambda item: "ok")
        self.assertEqual(self.manager.server("10.1.0.1")["nts"]["state"], "confirmed")
        both = {"alice.m.pool.test": (0, 65535, 4460), "carol.m.pool.test": (0, 32767, 4461)}
        self.within(lambda: self.dns.services() == both, "the servers are in SRV")
        for name in ("de", "us", "europe", "north-america"):
            self.assertEqual(set(self.dns.services(f"_ntske._tcp.{name}.pool.test")), set(both), name)
        for subnet in SUBNETS:
            self.assertEqual(set(self.dns.services(subnet=subnet)), set(both))

        def carol_fails(item):
            return "certificate_expired" if item["address"] == "10.2.0.1" else "ok"
        self.monitor(carol_fails)
        self.assertTrue(self.manager.server("10.2.0.1")["nts"]["in_srv"])
        self.monitor(carol_fails)
        nts = self.manager.server("10.2.0.1")["nts"]
        self.assertEqual((nts["state"], nts["reason"], nts["in_srv"]), ("failing", "certificate_expired", False))
        self.within(lambda: set(self.dns.services()) == {"alice.m.pool.test"}, "the failing one is out of SRV")
        self.assertEqual(self.dns.addresses("carol.m.pool.test"), ["10.2.0.1"], "its name stays")
        done = self.manager.cli("list")
        self.assertRegex(done.stdout, r"10\.1\.0\.1.*confirmed in SRV")
        self.assertRegex(done.stdout, r"10\.2\.0\.1.*failing: certificate_expired")

    def test_lo3_a_name_that_the_member_brings_is_listed_and_has_nothing_in_the_zone(self):
        self.manager.add("10.1.0.1")
        self.assertEqual(self.manager.set_name("10.1.0.1", "time.example.org")[0], 200)
        self.monitor(lambda item: "ok")
        self.within(lambda: set(self.dns.services()) == {"time.example.org"}, "the brought name is in SRV")
        self.assertEqual(self.dns.ask("time.example.org").rcode, 5)

    def test_lo4_removal_breaks_the_name_at_once_and_for_everyone(self):
        self.register()
        self.register("bob", "10.2.0.1")
        self.monitor(lambda item: "ok")
        wait_until(lambda: len(self.dns.services()) == 2, LIMIT, "both are in SRV")
        self.assertEqual(self.manager.cli("name", "10.1.0.1", "--remove").returncode, 0)
        self.within(lambda: self.dns.ask("alice.m.pool.test").rcode == 3, "the removed name is gone")
        self.assertEqual(self.manager.call("DELETE", "/v1/servers/10.2.0.1")[0], 204)
        self.within(lambda: self.dns.ask("bob.m.pool.test").rcode == 3, "the removed server's name is gone")
        self.assertEqual(self.dns.services(), {})
        for name in ("alice.m.pool.test", "bob.m.pool.test"):
            self.assertEqual(self.dns.authorisations(name), set())
        self.assertEqual(self.dns.authorisations("m.pool.test"), {";"}, "nobody may issue below")
        self.manager.add("10.1.0.9")
        status, answer = self.manager.set_name("10.1.0.9", "alice")
        self.assertEqual(status, 409)
        self.assertIn("was another's, and is free from", answer["error"]["message"])

    @unittest.skipUnless(shutil.which("delv"), "needs the package bind9-dnsutils")
    def test_lo5_srv_addresses_and_the_denial_of_what_is_gone_validate(self):
        self.register()
        self.monitor(lambda item: "ok")
        wait_until(self.dns.services, LIMIT, "SRV records")
        for name, kind in (("alice.m.pool.test", "A"), ("alice.m.pool.test", "CAA"), ("m.pool.test", "CAA"),
                           ("_ntske._tcp.pool.test", "SRV"), ("_ntske._tcp.de.pool.test", "SRV")):
            with self.subTest(name=name, kind=kind):
                self.assertRegex(self.delv(name, kind), "; fully validated")
        self.manager.call("DELETE", "/v1/servers/10.1.0.1/name")
        wait_until(lambda: self.dns.ask("alice.m.pool.test").rcode == 3, LIMIT, "the name is gone")
        for name, kind in (("alice.m.pool.test", "A"), ("alice.m.pool.test", "CAA"), ("_ntske._tcp.pool.test", "SRV")):
            with self.subTest(name=name, kind=kind):
                self.assertRegex(self.delv(name, kind), "; negative response, fully validated")

    def test_lo6_only_the_members_account_may_order_by_two_methods(self):
        self.register(account_uris=["https://ca.test/acct/1"])
        self.assertEqual(self.dns.authorisations("alice.m.pool.test"), {
            "ca.test; validationmethods=http-01,tls-alpn-01; accounturi=https://ca.test/acct/1", ";"})
        self.manager.set_name("10.1.0.1", "alice")
        wait_until(lambda: self.dns.authorisations("alice.m.pool.test") ==
                   {"ca.test; validationmethods=http-01,tls-alpn-01", ";"}, LIMIT, "any account may")

    def test_a_thousand_names_are_registered_quickly_and_answers_are_drawn_of_them(self):
        addresses = ["10.%d.%d.%d" % (1 + i % 2, i // 200, 1 + i % 200) for i in range(MANY)]
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(lambda a: self.manager.add(a, netspeed=100_000 if a.startswith("10.2") else 10_000),
                             addresses))
            start = time.monotonic()
            done = clients.map(lambda i: self.manager.set_name(addresses[i], f"tick-{i}"), range(MANY))
            self.assertEqual({status for status, _ in done}, {200})
        print("timing: %d names registered in %.2f s" % (MANY, time.monotonic() - start), flush=True)
        last = f"tick-{MANY - 1}.m.pool.test"
        self.within(lambda: self.dns.addresses(last) == addresses[-1:], "the last of %d names is in DNS" % MANY)
        for _ in range(2):  # half of them in each round
            self.monitor(lambda item: "ok")
        self.within(self.dns.services, "SRV records", 30)
        counts, seen = collections.Counter(), collections.Counter()
        for _ in range(2000):
            answer = self.dns.services()
            self.assertEqual(len(answer), 4)
            self.assertEqual({weights for _, weights, _ in answer.values()}, {1})
            for target in answer:
                heavy = int(target.split(".")[0].split("-")[1]) % 2 == 1
                counts["heavy" if heavy else "light"] += 1
                seen[target] += 1
        self.assertGreater(len(seen), 400)
        if shutil.which("delv"):
            self.assertRegex(self.delv("_ntske._tcp.pool.test", "SRV"), "; fully validated")
        # By weight 10 to 1: of 8000 draws 7273 with a standard deviation of 26.
        self.assertAlmostEqual(counts["heavy"] / 8000, 10 / 11, delta=0.02)


if __name__ == "__main__":
    main()
