"""NTS for a pool from end to end: names by the manager's API, certificates by ACME through our DNS, SRV records by what
monitors find, clients that follow them, and an end for those who leave. The ids are those of docs/nts-for-pools.md."""
import pathlib
import re
import sys
import time
import unittest

from nts_pool_world import NXDOMAIN, ZONE, Member, World, check_needs
from programs import BINARY_DIR, main, own_directory, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from chrony_test import CHRONYC, CHRONYD, Chronyd  # noqa: E402

SERVICE = f"_ntske._tcp.{ZONE}"
# A name is in DNS, or gone, within so many seconds.
LIMIT = 5
# Name, last octet of the address, how it is proved. The client takes three of them.
MEMBERS = {"alice": (11, "http-01"), "bob": (12, "http-01"), "carol": (13, "tls-alpn-01"), "dave": (14, "http-01"),
           "erin": (15, "tls-alpn-01")}
SOURCES = 3
# Clients of different networks.
SUBNETS = ("198.18.0.0/24", "198.19.0.0/24", "203.0.113.0/24")
# Answers that together have every target, of which one has four.
SWEEP = 12


def full(name):
    return f"{name}.m.{ZONE}"


def timed(condition, what, seconds=LIMIT):
    start = time.monotonic()
    value = wait_until(condition, seconds, what)
    print("timing: %s after %.2f s" % (what, time.monotonic() - start), flush=True)
    return value


class NtsPool(unittest.TestCase):
    """One pool for all: the tests run in the order of their names, each on what those before it left."""

    @classmethod
    def setUpClass(cls):
        check_needs()
        base = own_directory(cls.addClassCleanup)
        cls.world = World(base, cls.addClassCleanup)
        cls.manager = cls.world.manager
        cls.addresses = {name: f"192.0.2.{octet}" for name, (octet, _) in MEMBERS.items()}
        cls.members = {}
        cls.client = cls.chronyd = None

    def nts(self, name):
        return self.manager.server(self.addresses[name])["nts"]

    def targets(self):
        """{target: port} of the SRV records in one answer."""
        return {target: port for target, (_, _, port) in self.world.dnsd.services().items()}

    def listed(self):
        """Names that SRV records have, of several answers."""
        return set().union(*(self.targets() for _ in range(SWEEP)))

    def sources(self):
        """Those of the client that gave authenticated time, by name."""
        found = self.client.control("sources")["sources"]
        return {it["source"]: it for it in found if it.get("nts", {}).get("proven")}

    def used_and_spare(self):
        """Names of members that the client has and has not; alice is left to chronyd."""
        used = [name for name in self.members if name != "alice" and full(name) in self.sources()]
        return used, [name for name in self.members if name != "alice" and name not in used]

    def validates(self, name, kind, negative=False):
        """By delv, which asks our name server, and by unbound."""
        said = "; negative response, fully validated" if negative else "; fully validated"
        self.assertIn(said, self.world.delv(name, kind), f"delv {name} {kind}")
        self.assertRegex(self.world.dig(name, kind), r";; flags:[^;]* ad[ ;]", f"unbound {name} {kind}")

    def test_01_lm1_lo1_a_name_is_in_dns_within_seconds_of_its_registration(self):
        for name, address in self.addresses.items():
            self.manager.add(address, owner=name)
        for name in ("bob", "carol", "dave", "erin"):
            status, answer = self.manager.set_name(self.addresses[name], name)
            self.assertEqual(status, 200, answer)
            timed(lambda: self.world.dnsd.addresses(full(name)) == [self.addresses[name]], f"{name} is in DNS")
        done = self.manager.cli("name", self.addresses["alice"], "alice")
        self.assertEqual(done.returncode, 0, done.stderr)
        timed(lambda: self.world.dnsd.addresses(full("alice")), "alice, named by the command line, is in DNS")
        for subnet in SUBNETS:
            self.assertEqual(self.world.dnsd.addresses(full("alice"), subnet=subnet), [self.addresses["alice"]])

    def test_02_lo6_authorities_and_methods_are_limited(self):
        self.assertEqual(self.world.dnsd.authorisations(full("alice")),
                         {"ca.test; validationmethods=http-01,tls-alpn-01", ";"})
        self.assertEqual(self.world.dnsd.authorisations(f"m.{ZONE}"), {";"})

    def test_03_lm2_lm4_a4_a5_members_get_certificates_by_their_own_daemons(self):
        for name, (_, challenge) in MEMBERS.items():
            self.members[name] = self.world.keep(Member(self.world, name, self.addresses[name], challenge))
        for name, member in self.members.items():
            timed(member.is_certified, f"{name} shows a certificate of pebble, by {MEMBERS[name][1]},", 30)

    def test_04_lm3_port_80_of_a_member_serves_nothing_but_its_own_challenges(self):
        alice = self.members["alice"]
        path = "/.well-known/acme-challenge/none"
        for host in (full("alice"), full("alice").upper() + ".:80"):
            self.assertEqual(alice.get(host, path)[0], 404, host)
        for host, status in (("www.example.org", 421), (self.addresses["alice"], 421), (None, 400)):
            code, fields, body = alice.get(host, path)
            self.assertEqual(code, status, host)
            self.assertNotIn("Set-Cookie", fields)
            self.assertNotIn(b"example.org", body)

    def test_04_a12_a_member_sees_what_an_authority_would_see(self):
        for name, member in self.members.items():
            status, text = member.acme("check")
            self.assertEqual(status, 0, text)
            self.assertIn(f"{full(name)} by {MEMBERS[name][1]}: the proof was seen", text)

    def test_05_lo2_srv_lists_whom_the_monitors_confirmed(self):
        self.assertEqual(self.targets(), {}, "certificates alone list nobody")
        for n in (1, 2):
            self.world.start_monitor(f"monitor-{n}", f"192.0.2.{100 + n}")
        timed(lambda: all(self.nts(name)["state"] == "confirmed" for name in MEMBERS), "all are confirmed", 30)
        timed(lambda: self.listed() == {full(name) for name in MEMBERS}, "all are in SRV", 30)
        self.assertEqual(set(self.targets().values()), {4460})

    def test_06_lo5_delv_and_unbound_validate(self):
        for name, kind in ((SERVICE, "SRV"), (full("alice"), "A"), (full("alice"), "CAA"), (f"m.{ZONE}", "CAA")):
            self.validates(name, kind)
        self.validates(full("nobody"), "A", negative=True)

    def test_07_lc1_lc2_lc3_lc6_our_client_is_synchronised_by_servers_of_one_look_up(self):
        type(self).client = self.world.start_client("client", f'''
[[pool]]
address = "{ZONE}"
nts = "srv"
nts_ca = ["{self.world.roots}"]
max_addresses = {SOURCES}
iburst = true
minpoll = 0
maxpoll = 0
resolve_min = "1s"
resolve_max = "1s"
resolve_refresh = "1s"
''')
        timed(lambda: self.client.control("tracking")["synchronised"], "our client is synchronised", 30)
        sources = wait_until(lambda: len(it := self.sources()) == SOURCES and it, 20, "three servers")
        self.assertEqual(len({it["address"] for it in sources.values()}), SOURCES)
        self.assertLessEqual(set(sources), {full(name) for name in MEMBERS})
        pool = self.client.control("sources")["pools"][0]
        self.assertEqual((pool["service"], pool["trust"], pool["verdict"]), (SERVICE + ".", "secure", "use"))
        self.assertEqual(self.client.control("status")["clock"], "observe")

    def test_08_the_command_line_shows_every_step(self):
        text = self.world.client_host.run(BINARY_DIR / "bin/timepool", "query", "--nts-pool", ZONE, "--ca",
                                          self.world.roots, "--trust-anchor", self.world.anchor)
        for part in (SERVICE, "secure: signed", "1. ", "certificate", "authentic: "):
            self.assertIn(part, text)

    def test_09_chronyd_is_synchronised_by_a_members_name(self):
        if not (CHRONYD and CHRONYC):
            self.skipTest("needs the package chrony")
        chronyd = self.world.keep(Chronyd(
            f"port 0\nserver {full('alice')} nts iburst minpoll 0 maxpoll 0\nntstrustedcerts {self.world.roots}\n",
            prefix=self.world.client_host.prefix))
        type(self).chronyd = chronyd

        def selected():
            rows = chronyd.ask("sources")
            return rows and rows[0][1] == "*"
        timed(selected, "chronyd selects alice", 30)
        self.assertEqual(chronyd.ask("authdata")[0][1], "NTS", chronyd.output())

    def test_10_lo6_only_the_members_own_account_may_order(self):
        account = self.members["alice"].control("acme")["authorities"][0]["account"]
        status, answer = self.manager.set_name(self.addresses["alice"], "alice", account_uris=[account])
        self.assertEqual(status, 200, answer)
        timed(lambda: self.world.dnsd.authorisations(full("alice")) == {
            f"ca.test; validationmethods=http-01,tls-alpn-01; accounturi={account}", ";"}, "CAA has the account")
        self.assertEqual(answer["nts"]["state"], "confirmed", "nothing else changed")

    def test_10_lm2_a10_a_renewed_certificate_is_shown_at_once_and_sessions_go_on(self):
        alice = self.members["alice"]
        before = certificate_of(alice.shown_certificate())
        status, text = alice.acme("renew")
        self.assertEqual(status, 0, text)
        timed(lambda: certificate_of(alice.shown_certificate()) != before, "the new one is shown")
        self.assertTrue(alice.is_certified())
        if self.chronyd:
            self.assertEqual(self.chronyd.ask("authdata")[0][7], "0", "no cookie was refused")

    def test_11_lc5_a_member_moves_and_the_client_follows(self):
        name = type(self).moved = self.used_and_spare()[0][0]
        old, new = self.addresses[name], "192.0.2.31"
        self.members[name].host.move(new)
        self.manager.add(new, owner=name)
        self.assertEqual(self.manager.set_name(new, name)[0], 200)
        self.assertEqual(self.manager.call("DELETE", "/v1/servers/" + old)[0], 204)
        self.addresses[name] = new
        timed(lambda: self.world.dnsd.addresses(full(name)) == [new], f"{name} has its new address in DNS")
        timed(lambda: self.sources().get(full(name), {}).get("address") == f"{new}:123",
              "the client has authentic time from the new address", 30)
        timed(lambda: full(name) in self.listed(), "the moved one is in SRV again", 30)

    def test_12_lo2_whose_nts_fails_leaves_srv_and_keeps_its_name(self):
        name = self.used_and_spare()[1][0]
        host = self.members[name].host
        host.mute(4460)
        timed(lambda: self.nts(name)["state"] == "failing", "the one that gives no keys is found out", 20)
        self.assertNotEqual(self.nts(name)["reason"], "")
        timed(lambda: full(name) not in self.listed(), "it is out of SRV")
        self.assertEqual(self.world.dnsd.addresses(full(name)), [self.addresses[name]], "its name stays")
        self.assertTrue(self.manager.server(self.addresses[name])["in_dns"], "its time is as good as before")
        host.mute(4460, False)
        timed(lambda: full(name) in self.listed(), "it is in SRV again", 20)

    def test_13_lo4_lm1_a_member_that_leaves_has_no_name_any_more(self):
        type(self).leaver = next(name for name in self.used_and_spare()[0] if name != self.moved)
        done = self.manager.cli("remove", self.addresses[self.leaver])
        self.assertEqual(done.returncode, 0, done.stderr)
        timed(lambda: self.world.dnsd.ask(full(self.leaver)).rcode == NXDOMAIN, "the name is gone")
        timed(lambda: full(self.leaver) not in self.listed(), "it is out of SRV")
        self.assertEqual(self.world.dnsd.authorisations(f"m.{ZONE}"), {";"}, "no authority may issue below")
        for kind in ("A", "CAA"):
            self.validates(full(self.leaver), kind, negative=True)

    def test_14_lc4_lc5_the_client_replaced_it(self):
        timed(lambda: full(self.leaver) not in self.sources() and len(self.sources()) == SOURCES,
              "another server is in its place", 30)
        dropped = {it["target"]: it.get("dropped") for it in self.client.control("sources")["pools"][0]["targets"]}
        self.assertEqual(dropped[full(self.leaver)], "name_gone")
        self.assertTrue(self.client.control("tracking")["synchronised"])

    def test_15_lo4_pebble_gives_no_certificate_for_the_name(self):
        member = self.members[self.leaver]
        before = certificate_of(member.shown_certificate())
        status, text = member.acme("renew")
        self.assertEqual(status, 1, text)
        refusal = re.search(r"because *: *(.*)", text)
        self.assertTrue(refusal, text)
        print("pebble: " + refusal.group(1), flush=True)
        self.assertIn(full(self.leaver), refusal.group(1))
        self.assertRegex(refusal.group(1), r"(?i)(could not resolve|no such host|NXDOMAIN).*\(challenge\)")
        self.assertEqual(certificate_of(member.shown_certificate()), before, "no new one came")


def certificate_of(text):
    return re.search(r"-----BEGIN CERTIFICATE-----.*?-----END", text, re.S).group(0)


if __name__ == "__main__":
    main(failfast=True)
