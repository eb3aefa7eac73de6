"""Other name servers copy timepool-dnsd's zones: knotd and nsd by AXFR, IXFR and NOTIFY with TSIG; kdig and dig.

dns_secondaries.py says where those are found.
"""
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from dns_secondaries import DIG, KDIG, KNOTD, NSD, OTHER_SECRET, SECRET, Peer, TransferTest, records  # noqa: E402
from programs import main, wait_until  # noqa: E402

HEAD = "$TTL 60\n@ SOA ns hostmaster %d 3600 600 86400 60\n NS ns\nns A 127.0.0.1\n"
POOL = {"serial": 5, "ttl": 60, "max_hosts": 2, "data": {
    "": {"ns": ["ns.example.net."], "a": [["192.0.2.1", 1], ["192.0.2.2", 9], ["192.0.2.3", 5]]},
    "www": {"alias": ""}, "us": {"a": [["192.0.2.9", 1]]}}}


class Transfers(TransferTest):
    def setUp(self):
        super().setUp()
        self.put("example.net.zone", HEAD % 1 + "a TXT one\n")

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
