"""timepool-ntpd hears broadcasts and multicasts of timepool-ntpd: each has a network of its own, with
a cable between."""
import os
import subprocess
import sys
import unittest

from namespaces import ip
from networks_apart import OURS, THEIRS, ApartTest
from programs import BINARY_DIR, main, wait_until

KEY = "5 AES128 HEX:000102030405060708090a0b0c0d0e0f\n"
WRONG = "5 AES128 HEX:ff0102030405060708090a0b0c0d0e0f\n"
# Asks OURS for the time from their side: the mode of the answer.
ASK = ("import socket, struct\n"
       "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
       "    s.settimeout(10)\n"
       f"    s.connect(('{OURS}', 123))\n"
       "    s.send(struct.pack('!B39xQ', 4 << 3 | 3, 99))\n"
       "    print(s.recv(2048)[0] & 7)\n")


class BroadcastClient(ApartTest):
    def start_sender(self, address="192.0.2.255", listen=f"{THEIRS}:123", key=KEY):
        return self.start("timepool-ntpd", (
            f'[keys]\nfile = "{self.secret_file("theirs", key)}"\n'
            f'[[broadcast]]\naddress = "{address}"\ninterface = "theirs"\nkey = 5\ninterval = 2\n'
            f'[server]\nlisten = ["{listen}"]\n[server.local]\nstratum = 2\n'),
            prefix=self.apart.theirs.prefix)

    def config(self, more="", network='from = ["192.0.2.0/24"]', interface="ours"):
        return (f'[keys]\nfile = "{self.secret_file("ours", KEY)}"\n'
                "[sources]\nmin_sources = 1\n"
                f'[[broadcast_client]]\ninterface = "{interface}"\nkey = 5\n{network}\n{more}\n')

    def start_client(self, more="", **settings):
        return self.start("timepool-ntpd", self.config(more, **settings))

    def servers(self, client):
        return [row for row in client.control("sources")["sources"] if row["address"]]

    def measured(self, client, reach=2):
        def often():
            rows = [row for row in self.servers(client) if row["reach"].bit_count() >= reach
                    and "offset_s" in row]
            return rows[0] if rows else None
        row = wait_until(often, 60, f"broadcasts that count\n{client.output()}\n"
                                    f"{client.control('counters')['client']}")
        self.assertEqual(row["kind"], "broadcast")
        # Both read the same clock: the truth is 0.
        self.assertLessEqual(abs(row["offset_s"]), row["distance_s"], row)
        self.assertLess(abs(row["offset_s"]), 0.005, row)
        return row

    def reasons(self, client, half="client"):
        return {name: count for name, count in
                client.control("counters")[half]["reasons"].items() if count}

    def test_broadcasts_are_heard_beside_a_server_that_goes_on_serving(self):
        client = self.start_client("[server]\nlisten = [\"0.0.0.0:123\"]\nthreads = 2\n")
        self.start_sender()
        row = self.measured(client, reach=4)
        self.assertEqual(row["address"], f"{THEIRS}:123")
        self.assertEqual((row["poll"], row["stratum"]), (2, 2))
        self.assertTrue(client.control("tracking")["synchronised"])
        # What is asked of the interface comes to the server and not to what listens there.
        for _ in range(10):
            self.assertEqual(self.apart.theirs.run(sys.executable, "-c", ASK), "4\n")
        served = self.reasons(client, "server")
        self.assertEqual(served.pop("answered_unsynchronised", 0), 10, "the clock is observed only")
        # A broadcast goes to every socket of any address as well: each is dropped and counted.
        self.assertEqual(set(served), {"mode_broadcast"})
        counters = client.control("counters")["server"]
        self.assertEqual(counters["received"], sum(counters["reasons"].values()))

    def test_multicasts_of_both_families_are_heard_and_come_to_nobody_else(self):
        for group, listen, of in (("224.0.1.1", f"{THEIRS}:123", "192.0.2.0/24"),
                                  ("ff05::101", "[::]:123", "2001:db8:77::/64"),
                                  ("ff02::101", "[::]:123", "fe80::/10")):
            with self.subTest(group=group):
                client = self.start_client(
                    '[server]\nlisten = ["0.0.0.0:123", "[::]:123"]\nthreads = 2\n',
                    network=f'group = "{group}"\nfrom = ["{of}"]')
                sender = self.start_sender(group, listen)
                self.measured(client)
                self.assertEqual(self.reasons(client, "server"), {})
                sender.stop()
                client.stop()

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_all_of_it_works_within_the_sandbox_of_another_user(self):
        client = self.start_client('[server]\nlisten = ["0.0.0.0:123"]\n'
                                   '[sandbox]\nuser = "nobody"\n')
        self.start_sender()
        self.measured(client)
        self.assertIn("CAP_NET_BIND_SERVICE", client.output())

    def test_with_a_known_delay_nobody_is_asked(self):
        client = self.start_client("delay = \"100us\"\n")
        sender = self.start_sender()
        self.measured(client)
        self.assertEqual(client.control("counters")["client"]["requests"], 0)
        self.assertEqual(self.reasons(sender, "server"), {})

    def test_b33_a_wrong_key_and_a_wrong_sender_are_counted_and_never_believed(self):
        wrong = self.start_sender(key=WRONG)
        client = self.start_client()
        wait_until(lambda: self.reasons(client).get("not_authentic", 0) >= 2, 20, "wrong keys")
        self.assertEqual(set(self.reasons(client)), {"not_authentic"})
        wrong.stop()
        client.stop()
        self.start_sender()
        client = self.start_client(network='from = ["198.51.100.0/24"]')
        wait_until(lambda: self.reasons(client).get("wrong_sender", 0) >= 2, 20, "wrong senders")
        self.assertEqual(self.servers(client), [])
        self.assertEqual(client.control("counters")["client"]["requests"], 0)

    def test_its_own_broadcasts_make_no_source(self):
        client = self.start_client(
            '[[broadcast]]\naddress = "192.0.2.255"\ninterface = "ours"\nkey = 5\ninterval = 2\n'
            f'[server]\nlisten = ["{OURS}:123"]\n[server.local]\nstratum = 2\n')
        wait_until(lambda: self.reasons(client).get("reflected", 0) >= 2, 30,
                   f"its own broadcasts\n{client.output()}")
        self.assertEqual(set(self.reasons(client)), {"reflected"})
        self.assertEqual(self.servers(client), [])

    def test_who_broadcasts_no_more_is_no_source_any_more(self):
        client = self.start_client()
        sender = self.start_sender()
        self.measured(client)
        sender.stop()
        wait_until(lambda: not self.servers(client), 60, "eight broadcasts that did not come")

    def test_a_network_that_comes_later_is_listened_to(self):
        client = self.start_client(interface="late")
        self.assertIn("nothing is heard of broadcast%late", client.output())
        ip("link", "add", "late", "type", "veth", "peer", "name", "latest")
        self.addCleanup(ip, "link", "del", "late")
        wait_until(lambda: "listening for broadcasts: broadcast%late" in client.output(), 20,
                   f"the interface\n{client.output()}")

    def test_a_reload_takes_in_where_it_listens(self):
        self.start_sender()
        keys = f'[keys]\nfile = "{self.secret_file("ours", KEY)}"\n'
        # It keeps the right to a low port for as long as it listens on one.
        client = self.start_client(interface="lo")
        client.write_config(self.config())
        self.assertTrue(client.control("reload")["ok"], client.output())
        self.measured(client)
        client.write_config(keys)
        self.assertTrue(client.control("reload")["ok"])
        self.assertEqual(client.control("sources")["sources"], [])

    def test_the_list_of_sources_names_the_mode(self):
        self.start_sender()
        client = self.start_client()
        self.measured(client)
        done = subprocess.run([BINARY_DIR / "bin/timepool", "ntp", "sources", "--socket",
                               client.socket], text=True, capture_output=True, timeout=30)
        self.assertRegex(done.stdout, rf"(?m)^>\* +{THEIRS}.*broadcast%ours", done.stderr)


if __name__ == "__main__":
    main()
