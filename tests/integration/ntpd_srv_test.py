"""timepool-ntpd as a client of a pool whose servers are named by SRV records: a zone that timepool-dnsd signs, servers
of key establishment with a certificate each, and zones that are signed wrongly. All on loopback; nobody touches a
clock. The ids are those of docs/nts-for-pools.md."""
import json
import pathlib
import subprocess
import tempfile
import time
import unittest

from certificates import DAY, OPENSSL, Authority
from programs import BINARY_DIR, ProgramTest, main, wait_until
from signed_zones import SIGNZONE, DnsServer, sign

SRV, A = 33, 1
SERVICE = "_ntske._tcp.pool.test."


@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class SrvTest(ProgramTest):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="srv-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.authority = Authority(directory.name)
        self.ports = {}

    def serve(self, name, number, begins=-DAY, ends=20 * DAY, alternative=None):
        """A server at 127.0.0.NUMBER whose certificate is for NAME.m.pool.test."""
        address = f"127.0.0.{number}"
        chain, key = self.authority.issue(name, alternative or f"DNS:{name}.m.pool.test", begins, ends)
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["{address}:0"]\n[server.local]\nstratum = 1\nrefid = "TEST"\n'
            f'[nts.server]\nlisten = ["{address}:0"]\n'
            f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'))
        self.ports[name] = int(server.control("status")["key_server"]["listen"][0].rsplit(":", 1)[1])
        return server

    def client(self, dns_port, anchor, pool='nts = "srv"', more="", wait=True):
        path = self.directory / f"anchor{len(list(self.directory.glob('anchor*')))}"
        path.write_text(anchor)
        return self.start("timepool-ntpd", (
            f'clock = "observe"\n[sources]\nmin_sources = 1\n'
            f'[[pool]]\naddress = "pool.test"\n{pool}\nnts_ca = ["{self.authority.certificate}"]\niburst = true\n'
            f'minpoll = 0\nmaxpoll = 0\nresolve_min = "1s"\nresolve_max = "1s"\nresolve_refresh = "1s"\n'
            f'[nts.srv]\ntrust_anchors = ["{path}"]\nservers = ["127.0.0.1:{dns_port}"]\n{more}'), wait=wait)

    def sources(self, client):
        """Those that gave authenticated time, by name."""
        return {it["source"]: it for it in client.control("sources")["sources"] if it.get("nts", {}).get("proven")}

    def pool(self, client):
        return client.control("sources")["pools"][0]

    def records(self, names, port=None):
        return [f"_ntske._tcp SRV 0 10 {port or self.ports[name]} {name}.m.pool.test." for name in names]

    def query(self, *arguments):
        done = subprocess.run([BINARY_DIR / "bin/timepool", "query", "--nts-pool", "pool.test", *arguments],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr


class SignedByUs(SrvTest):
    """The zone is that of timepool-dnsd."""

    def write_zone(self, listed, names):
        zone = {"serial": int(time.time() * 10) % 2**32, "ttl": 1, "max_hosts": 64, "data": {
            "": {"ns": ["ns1.pool.test."]},
            "_ntske._tcp": {"srv": [{"srv_weight": 10, "priority": 0, "port": self.ports[it],
                                     "target": f"{it}.m.pool.test."} for it in listed]}}}
        for name, number in names.items():
            zone["data"][f"{name}.m"] = {"a": [[f"127.0.0.{number}"]]}
        (self.directory / "zones").mkdir(exist_ok=True)
        path = self.directory / "zones/pool.test.json"
        fresh = self.directory / "fresh.json"
        fresh.write_text(json.dumps(zone))
        fresh.rename(path)

    def serve_zone(self):
        self.dnsd = self.start("timepool-dnsd", (
            f'[server]\nlisten = ["127.0.0.1:0"]\n[zones]\ndirectory = "{self.directory}/zones"\n'
            f'[dnssec]\ndirectory = "{self.directory}/keys"\n[[dnssec.zone]]\nname = "pool.test"\n'))
        ds = wait_until(lambda: self.dnsd.control("keys-ds", zone="pool.test", early=True).get("ds"), 20, "a DS")
        return int(self.dnsd.control("status")["listen"][0].rsplit(":", 1)[1]), "\n".join(ds) + "\n"

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
