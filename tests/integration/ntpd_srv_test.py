"""timepool-ntpd as a client of a pool whose servers are named by SRV records: a zone that timepool-dnsd signs, servers
of key establishment with a certificate each, and zones that are signed wrongly. All on loopback; nobody touches a
clock. The ids are those of docs/nts-for-pools.md."""
import json
import time
import unittest

from certificates import DAY
from programs import main, wait_until
from signed_zones import SIGNZONE, DnsServer, sign
from srv_case import SERVICE, OwnZoneTest, SrvTest

SRV, A = 33, 1


class SignedByUs(OwnZoneTest):
    def test_lc1_to_lc5_servers_by_signed_records(self):
        numbers = {"a": 11, "b": 12, "c": 13, "d": 14, "e": 15}
        for name, number in numbers.items():
            self.serve(name, number)
        self.write_zone("abcd", numbers)
        port, anchor = self.serve_zone()
        client = self.client(port, anchor)
        names = {f"{it}.m.pool.test" for it in "abcd"}
        found = wait_until(lambda: len(it := self.sources(client)) == 4 and it, 40,
                           f"LC3: four servers\n{client.output()}")
        self.assertEqual(set(found), names)
        self.assertEqual(len({it["address"] for it in found.values()}), 4)
        self.assertEqual({it["pool"] for it in found.values()}, {"pool.test"})
        self.assertEqual(self.pool(client)["trust"], "secure")
        self.assertEqual(self.pool(client)["verdict"], "use")
        self.assertEqual(self.pool(client)["service"], SERVICE)
        self.assertIn('timepool_ntpd_pool_srv_targets{pool="pool.test",state="in_use"} 4',
                      client.control("metrics")["text"])
        # LC5: the pool takes a name away; another comes.
        self.write_zone("acde", {it: number for it, number in numbers.items() if it != "b"})
        self.dnsd.control("reload")
        wait_until(lambda: set(self.sources(client)) == {f"{it}.m.pool.test" for it in "acde"}, 40,
                   f"LC5: b is dropped\n{client.output()}")
        dropped = {it["target"]: it["dropped"] for it in self.pool(client)["targets"]}
        self.assertEqual(dropped["b.m.pool.test"], "name_gone")

    def test_query_shows_every_step(self):
        numbers = {"a": 11, "b": 12}
        for name, number in numbers.items():
            self.serve(name, number)
        self.write_zone("ab", numbers)
        port, anchor = self.serve_zone()
        (self.directory / "anchor").write_text(anchor)
        arguments = ["--dns-server", f"127.0.0.1:{port}", "--ca", str(self.authority.certificate), "--trust-anchor",
                     str(self.directory / "anchor")]
        status, text = self.query(*arguments)
        self.assertEqual(status, 0, text)
        for part in (SERVICE, "secure: signed", "1. ", "2. ", "a.m.pool.test port", "certificate", "authentic: "):
            self.assertIn(part, text)
        status, text = self.query(*arguments, "--json", "--servers", "1")
        self.assertEqual(status, 0, text)
        told = json.loads(text)
        self.assertEqual([it["step"] for it in told["steps"]], ["srv", "order"])
        self.assertEqual(told["steps"][0]["security"], "secure")
        self.assertEqual(len(told["servers"]), 1)
        self.assertEqual([it["step"] for it in told["servers"][0]["steps"]],
                         ["dns", "tcp", "tls", "records", "keys", "server", "ntp"])

    def test_query_shows_at_which_step_each_broken_member_fails(self):
        self.serve("good", 11)
        self.serve("other", 12, alternative="DNS:somebody.else.test")
        self.serve("ended", 13, -30 * DAY, -DAY)
        self.serve("closed", 14).stop()
        self.ports["nameless"] = 4460
        names = {"good": 11, "other": 12, "ended": 13, "closed": 14}
        self.write_zone([*names, "nameless"], names)
        port, anchor = self.serve_zone()
        (self.directory / "anchor").write_text(anchor)
        arguments = ["--dns-server", f"127.0.0.1:{port}", "--ca", str(self.authority.certificate), "--trust-anchor",
                     str(self.directory / "anchor"), "--servers", "5"]
        status, text = self.query(*arguments)
        self.assertEqual(status, 1, text)
        parts = {part.split(".", 1)[0]: part for part in text.split("\n\n")[1:]}
        self.assertEqual(set(parts), {*names, "nameless"}, text)
        for name, step in (("other", "tls"), ("ended", "tls"), ("closed", "tcp"), ("nameless", "dns")):
            self.assertRegex(parts[name], rf"(?m)^{step} +FAILED", name)
        self.assertIn("authentic: ", parts["good"])
        status, text = self.query(*arguments, "--json")
        self.assertEqual(status, 1, text)
        told = json.loads(text)
        self.assertFalse(told["ok"])
        failed = {it["target"].split(".")[0]: [step["step"] for step in it["steps"] if not step["ok"]]
                  for it in told["servers"]}
        self.assertEqual(failed, {"good": [], "other": ["tls"], "ended": ["tls"], "closed": ["tcp"],
                                  "nameless": ["dns"]})

    def test_an_answer_over_1232_octets_comes_by_tcp(self):
        self.serve("a", 11)
        names = {"a": 11} | {f"a-server-that-is-not-there-{i}": 99 for i in range(40)}
        self.ports |= {it: 9 for it in names if it != "a"}
        self.write_zone(names, names)
        port, anchor = self.serve_zone()
        client = self.client(port, anchor, 'nts = "srv"\nmax_addresses = 1')
        wait_until(lambda: len(client.control("sources").get("pools", [{}])[0].get("targets", [])) == 41, 30,
                   f"all records\n{client.output()}")
        self.assertEqual(self.pool(client)["trust"], "secure")


@unittest.skipUnless(SIGNZONE, "Debian package ldnsutils is not there")
class SignedByOthers(SrvTest):
    def dns(self, text, **more):
        server = DnsServer(text, **more)
        self.addCleanup(server.close)
        return server

    def refused(self, text, anchor, verdict, pool='nts = "srv"', **more):
        """A client that looks at that zone makes no key establishment, and says why."""
        dns = self.dns(text, **more)
        client = self.client(dns.port, anchor, pool)
        wait_until(lambda: self.pool(client).get("verdict") == verdict, 30, f"{verdict}\n{client.output()}")
        time.sleep(2)
        self.assertEqual(self.pool(client)["verdict"], verdict, client.output())
        self.assertEqual(client.control("security")["key_establishments"], {})
        self.assertEqual(self.sources(client), {})
        return dns, client

    def good(self, names="a"):
        return self.records(names) + [f"{it}.m A 127.0.0.11" for it in names]

    def test_lc1_lc2_absolute_names_and_the_certificate_of_the_target(self):
        self.serve("a", 11)
        text, anchor = sign(self.directory, self.good())
        dns = self.dns(text)
        client = self.client(dns.port, anchor)
        wait_until(lambda: self.sources(client), 30, f"time\n{client.output()}")
        kinds = {(name, kind) for name, kind, _ in dns.asked if kind in (SRV, A)}
        self.assertEqual(kinds, {(SERVICE, SRV), ("a.m.pool.test.", A)})

    def test_lc2_a_certificate_for_another_name_is_no_good(self):
        self.serve("a", 11, alternative="DNS:pool.test")
        text, anchor = sign(self.directory, self.good())
        client = self.client(self.dns(text).port, anchor)
        wait_until(lambda: client.control("security")["key_establishments"].get("tls_wrong_name"), 30,
                   f"refused\n{client.output()}")
        self.assertEqual(self.sources(client), {})

    def test_lc4_an_expired_certificate_makes_room_for_another_server(self):
        self.serve("a", 11, -30 * DAY, -DAY)
        self.serve("b", 12)
        text, anchor = sign(self.directory, self.records("ab") + ["a.m A 127.0.0.11", "b.m A 127.0.0.12"])
        client = self.client(self.dns(text).port, anchor, 'nts = "srv"\nmax_addresses = 1')
        wait_until(lambda: set(self.sources(client)) == {"b.m.pool.test"}, 30, f"b\n{client.output()}")

    def test_lc6_unsigned(self):
        self.serve("a", 11)
        text, anchor = sign(self.directory, self.good())
        self.refused(text, anchor.replace("pool.test", "other.test"), "insecure")

    def test_lc6_signatures_stripped(self):
        self.serve("a", 11)
        text, anchor = sign(self.directory, self.good())
        _, client = self.refused(text, anchor, "bogus", strip=True)
        self.assertNotEqual(self.pool(client)["why"], "")

    def test_lc6_signed_by_another_key(self):
        self.serve("a", 11)
        text, _ = sign(self.directory, self.good())
        _, anchor = sign(self.directory, self.good())
        self.refused(text, anchor, "bogus")
        self.refused(text, anchor, "bogus", 'nts = "auto"')

    def test_lc6_expired_and_not_yet_valid(self):
        self.serve("a", 11)
        for begins, ends in ((-20 * 86400, -10 * 86400), (10 * 86400, 20 * 86400)):
            text, anchor = sign(self.directory, self.good(), begins, ends)
            self.refused(text, anchor, "bogus")

    def test_lc6_an_answer_that_is_cut_and_no_way_by_tcp(self):
        self.serve("a", 11)
        text, anchor = sign(self.directory, self.good() + [
            f"_ntske._tcp SRV 0 10 {self.ports['a']} a-server-that-is-not-there-{i}.m.pool.test." for i in range(40)])
        self.refused(text, anchor, "failed", tcp=False)

    def test_lc6_a_cname_at_the_owner(self):
        self.serve("a", 11)
        text, anchor = sign(self.directory, ["_ntske._tcp CNAME other.pool.test.", "a.m A 127.0.0.11",
                                             f"other SRV 0 10 {self.ports['a']} a.m.pool.test."])
        self.refused(text, anchor, "alias")

    def test_lc6_without_proof_only_servers_within_the_suffix(self):
        self.serve("a", 11)
        text, anchor = sign(self.directory, self.good() + [f"_ntske._tcp SRV 0 10 {self.ports['a']} evil.test."])
        client = self.client(self.dns(text).port, anchor.replace("pool.test", "other.test"),
                             'nts = "srv"\nsrv_trust = "dnssec-or-suffix"')
        wait_until(lambda: set(self.sources(client)) == {"a.m.pool.test"}, 30, f"a\n{client.output()}")
        self.assertEqual(self.pool(client)["refused"], [{"target": "evil.test", "fault": "outside_suffix"}])

    def test_lc7_the_target_root_is_no_server(self):
        self.serve("a", 11)
        records = ["_ntske._tcp SRV 0 0 0 ."]
        for pool in ('nts = "srv"', 'nts = "auto"'):
            text, anchor = sign(self.directory, records)
            self.refused(text, anchor, "nobody", pool)

    def test_auto_asks_the_name_itself_where_dns_has_no_records(self):
        self.serve("host", 11, alternative="DNS:pool.test")
        text, anchor = sign(self.directory, ["@ A 127.0.0.11"])
        client = self.client(self.dns(text).port, anchor, f'nts = "auto"\nnts_port = {self.ports["host"]}')
        wait_until(lambda: set(self.sources(client)) == {"pool.test"}, 30, f"the host\n{client.output()}")
        self.assertEqual(self.pool(client)["verdict"], "host")

    def test_without_a_trust_anchor_it_does_not_start(self):
        missing = self.directory / "missing.ds"
        client = self.start("timepool-ntpd", (
            f'clock = "observe"\n[[pool]]\naddress = "pool.test"\nnts = "srv"\n'
            f'[nts.srv]\ntrust_anchors = ["{missing}"]\nservers = ["127.0.0.1:9"]\n'), wait=False)
        self.assertNotEqual(client.process.wait(20), 0)
        self.assertIn(str(missing), client.output())


if __name__ == "__main__":
    main()
