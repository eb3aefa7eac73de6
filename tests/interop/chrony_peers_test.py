"""timepool-ntpd and chronyd as symmetric peers under a key, on loopback.

chronyd is started with -x, so that it never touches the clock, and ends with the test.
"""
import os
import pathlib
import socket
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from chrony_test import CHRONYC, CHRONYD, Chronyd  # noqa: E402
from programs import ProgramTest, free_port, main, own_directory, wait_until  # noqa: E402

KEY = "10 AES128 HEX:000102030405060708090a0b0c0d0e0f"


@unittest.skipUnless(CHRONYD and CHRONYC, "Debian package chrony is not there: chronyd or chronyc")
class ChronyPeers(ProgramTest):
    def key_file(self, key):
        path = own_directory(self.addCleanup) / "ntp.keys"
        path.write_text(key + "\n")
        path.chmod(0o600)
        return path

    def start_pair(self, ours, theirs, key=KEY, their_key=None, threads=0):
        """Our daemon and chronyd, peers of each other; `ours` and `theirs` are further settings."""
        their_port = free_port()
        our_port = free_port()
        daemon = self.start("timepool-ntpd", (
            f'[keys]\nfile = "{self.key_file(key)}"\n'
            "[sources]\nmin_sources = 1\n"
            f'[[peer]]\naddress = "127.0.0.1"\nport = {their_port}\nkey = 10\n'
            "minpoll = 0\nmaxpoll = 0\n"
            f'[server]\nlisten = ["127.0.0.1:{our_port}"]\nthreads = {threads}\n{ours}\n'))
        chronyd = Chronyd(
            f"port {their_port}\nbindaddress 127.0.0.1\nkeyfile {self.key_file(their_key or key)}\n"
            f"peer 127.0.0.1 port {our_port} key 10 minpoll 0 maxpoll 0\n{theirs}\n")
        self.addCleanup(chronyd.close)
        return daemon, chronyd, our_port

    def measured(self, daemon, chronyd):
        def most():
            source = daemon.control("sources")["sources"][0]
            # Each side varies its intervals: now and then two of ours meet none of the other's.
            return source if source["reach"].bit_count() >= 7 else None
        try:
            return wait_until(most, 60, "seven answers of chronyd to eight packets")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{chronyd.output()}\n{daemon.control('sources')}\n"
                                 f"{daemon.control('counters')['client']}") from None

    def check_we_measure(self, key, threads):
        # Without time of our own: chronyd would follow us rather than its own clock.
        daemon, chronyd, _ = self.start_pair("", "local stratum 3", key, threads=threads)
        source = self.measured(daemon, chronyd)
        self.assertEqual(source["kind"], "peer")
        self.assertEqual(source["stratum"], 3)
        # Both read the same clock: the truth is 0.
        self.assertLessEqual(abs(source["offset_s"]), source["distance_s"], source)
        self.assertLess(abs(source["offset_s"]), 0.005, source)
        self.assertTrue(daemon.control("tracking")["synchronised"])
        self.assertEqual(chronyd.ask("sources")[0][0], "=", "a peer")
        # All of it came to the peer's socket and none to the server's.
        self.assertEqual(sum(daemon.control("counters")["server"]["reasons"].values()), 0)

    def test_our_peer_measures_chronyd(self):
        self.check_we_measure(KEY, threads=0)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_our_peer_measures_chronyd_after_it_became_another_user(self):
        daemon, chronyd, _ = self.start_pair('[sandbox]\nuser = "nobody"', "local stratum 3")
        self.assertEqual(self.measured(daemon, chronyd)["stratum"], 3)
        self.assertEqual(sum(daemon.control("counters")["server"]["reasons"].values()), 0)

    def test_our_peer_measures_chronyd_beside_workers_with_a_long_digest(self):
        self.check_we_measure(KEY.replace("AES128", "SHA256"), threads=2)

    def test_chronyd_follows_our_peer(self):
        daemon, chronyd, _ = self.start_pair("[server.local]\nstratum = 2", "")

        def selected():
            rows = chronyd.ask("sources")
            return rows[0] if rows and rows[0][1] == "*" else None
        row = wait_until(selected, 90, f"chronyd selects us\n{chronyd.output()}")
        self.assertEqual(row[0], "=")
        self.assertEqual(row[3], "2", "our stratum")
        self.assertLess(abs(float(row[7])), 0.005, row)
        # Now it has time too, and we measure it.
        source = self.measured(daemon, chronyd)
        self.assertEqual(source["stratum"], 3)

    def test_under_different_keys_neither_believes_the_other(self):
        daemon, chronyd, _ = self.start_pair(
            "[server.local]\nstratum = 2", "local stratum 3",
            their_key="10 AES128 HEX:ffffffffffffffffffffffffffffffff")
        wait_until(lambda: daemon.control("counters")["client"]["reasons"]["not_authentic"] >= 3,
                   30, "packets under another key are refused")
        self.assertEqual(daemon.control("sources")["sources"][0]["reach"], 0)
        self.assertEqual(int(chronyd.ask("sources")[0][5], 8), 0, "chronyd's reach of us")

    def test_b34_strangers_in_symmetric_mode_get_no_answer(self):
        daemon, chronyd, port = self.start_pair("[server.local]\nstratum = 2", "local stratum 3")
        self.measured(daemon, chronyd)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.settimeout(0.5)
            for mode in (1, 2):
                packet = struct.pack("!B47x", 4 << 3 | mode)
                stranger.sendto(packet, ("127.0.0.1", port))
                with self.assertRaises(TimeoutError):
                    stranger.recv(100)
        reasons = daemon.control("counters")["server"]["reasons"]
        self.assertEqual(reasons["mode_symmetric_active"], 1)
        self.assertEqual(reasons["mode_symmetric_passive"], 1)


if __name__ == "__main__":
    main()
