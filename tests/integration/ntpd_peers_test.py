"""Two timepool-ntpd as symmetric peers of each other under a key, on loopback. Neither touches the clock,
which they share: the truth is 0."""
import json

from programs import ProgramTest, free_port, main, own_directory, wait_until

KEY = "10 AES128 HEX:000102030405060708090a0b0c0d0e0f"
OTHER_KEY = "10 AES128 HEX:ff0102030405060708090a0b0c0d0e0f"
LOCAL = '[server.local]\nstratum = 2\n'


class Peers(ProgramTest):
    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        self.ends = [(address, free_port(address)) for address in ("127.0.0.1", "127.0.0.2")]

    def start_peer(self, index, more="", key=KEY, threads=0):
        keys = self.directory / f"keys-{index}"
        keys.write_text(key + "\n")
        keys.chmod(0o600)
        (address, port), (other, other_port) = self.ends[index], self.ends[1 - index]
        return self.start("timepool-ntpd", (
            f'[keys]\nfile = "{keys}"\n[sources]\nmin_sources = 1\n'
            f'[[peer]]\naddress = "{other}"\nport = {other_port}\nkey = 10\n'
            "minpoll = 0\nmaxpoll = 0\n"
            f'[server]\nlisten = ["{address}:{port}"]\nthreads = {threads}\n{more}'))

    def measured(self, daemon):
        def most():
            source = daemon.control("sources")["sources"][0]
            # Each side varies its intervals: now and then two of one's meet none of the other's.
            return source if source["reach"].bit_count() >= 6 else None
        return wait_until(most, 60, f"six answers of the peer to eight packets\n{daemon.output()}")

    def check_measures(self, daemon, stratum):
        source = self.measured(daemon)
        self.assertEqual(source["kind"], "peer")
        self.assertEqual(source["stratum"], stratum)
        self.assertLessEqual(abs(source["offset_s"]), source["distance_s"], source)
        self.assertLess(abs(source["offset_s"]), 0.02, source)
        self.assertTrue(daemon.control("tracking")["synchronised"])
        # All of it came to the peer's socket and none to the server's.
        self.assertEqual(sum(daemon.control("counters")["server"]["reasons"].values()), 0)

    def check_both_measure(self, threads):
        one = self.start_peer(0, LOCAL, threads=threads)
        two = self.start_peer(1, LOCAL.replace("2", "4"), threads=threads)
        self.check_measures(one, 4)
        self.check_measures(two, 2)

    def test_two_of_ours_measure_each_other(self):
        self.check_both_measure(threads=0)

    def test_two_of_ours_measure_each_other_beside_workers(self):
        self.check_both_measure(threads=2)

    def test_one_without_time_says_so_and_measures_the_other(self):
        one = self.start_peer(0, LOCAL)
        two = self.start_peer(1)
        self.check_measures(two, 2)
        reasons = one.control("counters")["client"]["reasons"]
        self.assertGreater(reasons["unsynchronised"], 0, reasons)
        self.assertEqual(reasons["accepted"], 0, reasons)
        self.assertEqual(one.control("sources")["sources"][0]["status"], "unusable")

    def test_under_different_keys_neither_believes_the_other(self):
        both = [self.start_peer(0, LOCAL), self.start_peer(1, LOCAL, key=OTHER_KEY)]
        for daemon in both:
            wait_until(lambda it=daemon: it.control("counters")["client"]["reasons"]
                       ["not_authentic"] >= 3, 30, "packets under another key are refused")
            reasons = daemon.control("counters")["client"]["reasons"]
            self.assertEqual({name for name, count in reasons.items() if count}, {"not_authentic"})
            self.assertEqual(daemon.control("sources")["sources"][0]["reach"], 0)

    def test_one_that_is_started_anew_is_measured_again(self):
        one = self.start_peer(0, LOCAL)
        two = self.start_peer(1, LOCAL.replace("2", "4"))
        self.measured(one)
        two.stop()
        wait_until(lambda: one.control("sources")["sources"][0]["reach"] & 7 == 0, 30, "silence")
        self.start_peer(1, LOCAL.replace("2", "5"))
        wait_until(lambda: one.control("sources")["sources"][0]["stratum"] == 5, 30,
                   "the new one is measured")

    def start_names(self, addresses):
        """A DNS server whose peer.pool.test has these."""
        zones = self.directory / "zones"
        zones.mkdir()
        (zones / "pool.test.json").write_text(json.dumps({
            "serial": 1, "ttl": 60, "max_hosts": 4, "data": {
                "": {"ns": {"ns1.pool.test": None}},
                "peer": {"a": [[address, 1] for address in addresses]}}}))
        names = self.start("timepool-dnsd", (
            f'[server]\nlisten = ["127.0.0.1:0"]\n[zones]\ndirectory = "{zones}"\n'))
        return names.control("status")["listen"][0]

    def test_a_peer_by_name_whose_address_falls_silent_is_replaced_by_its_next(self):
        keys = self.directory / "keys"
        keys.write_text(KEY + "\n")
        keys.chmod(0o600)
        ours, server = ((host, free_port(host)) for host in ("127.0.0.1", "127.0.0.4"))
        theirs = free_port("127.0.0.2")

        def start(listen, peer, more):
            return self.start("timepool-ntpd", (
                f'[keys]\nfile = "{keys}"\n[server]\nlisten = ["{listen[0]}:{listen[1]}"]\n'
                f"[[peer]]\n{peer}key = 10\nminpoll = 0\nmaxpoll = 0\n"
                f"[sources]\nmin_sources = 1\n{more}"))
        machines = {address: start((address, theirs), f'address = "{ours[0]}"\nport = {ours[1]}\n',
                                   LOCAL) for address in ("127.0.0.2", "127.0.0.3")}
        # One that goes on: with nobody left to hear from, nobody would be replaced.
        self.start("timepool-ntpd", f'[server]\nlisten = ["{server[0]}:{server[1]}"]\n{LOCAL}')
        names = self.start_names(machines)
        daemon = start(ours, f'address = "peer.pool.test"\nport = {theirs}\n', (
            f'[[sources.server]]\naddress = "{server[0]}"\nport = {server[1]}\n'
            f'minpoll = 0\nmaxpoll = 0\n[resolver]\nservers = ["{names}"]\n'))

        def heard():
            found = [it for it in daemon.control("sources")["sources"]
                     if it["kind"] == "peer" and it["address"] and it["reach"] & 3]
            return found[0]["address"].rsplit(":", 1)[0] if found else None
        first = wait_until(heard, 30, f"the peer is measured\n{daemon.output()}")
        machines.pop(first).stop()
        (other,) = machines
        wait_until(lambda: heard() == other, 60, f"its next address is\n{daemon.output()}")


if __name__ == "__main__":
    main()
