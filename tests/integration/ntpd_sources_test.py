"""How timepool-ntpd asks its sources: online, offline and burst on command; where requests leave from."""
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from programs import BINARY_DIR, ProgramTest, free_port, main, wait_until  # noqa: E402

NTP_TO_UNIX = 2_208_988_800


def timestamp(seconds):
    return struct.pack("!II", int(seconds) + NTP_TO_UNIX, int(seconds % 1 * 2**32))


def reply_to(request, moment=None):
    now = timestamp(time.time() if moment is None else moment)
    header = bytes([0x24, 2, 6, 0xEC]) + bytes(8) + b"\x7f\0\0\1" + now
    return header + request[40:48] + now + now


class Sources(ProgramTest):
    def fake_server(self):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        return server

    def client(self, server, settings="", source=""):
        return self.start("timepool-ntpd", (
            f'[sources]\nmin_sources = 1\n{settings}\n[[server]]\naddress = "127.0.0.1"\n'
            f"port = {server.getsockname()[1]}\n{source}\n"))

    def command(self, client, *words):
        return subprocess.run([BINARY_DIR / "bin/timepool", "ntp", *words, "--socket", client.socket],
                              capture_output=True, text=True, timeout=20, check=False)

    def requests_of(self, client):
        return client.control("counters")["client"]["requests"]

    def test_offline_and_online_as_chronyc_has_them(self):
        server = self.fake_server()
        client = self.client(server, source="minpoll = 0\nmaxpoll = 0\niburst = true")
        server.recv(100)
        done = self.command(client, "offline")
        self.assertEqual((done.returncode, done.stdout), (0, "1 source offline\n"), done.stderr)
        count = self.requests_of(client)
        time.sleep(2.5)
        self.assertEqual(self.requests_of(client), count)
        done = self.command(client, "online", "127.0.0.1")
        self.assertEqual((done.returncode, done.stdout), (0, "1 source online\n"), done.stderr)
        wait_until(lambda: self.requests_of(client) > count, 5, "asked again")
        done = self.command(client, "offline", "192.0.2.1")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no source is called 192.0.2.1", done.stderr)

    def test_a_burst_on_command_is_as_long_as_asked_for(self):
        server = self.fake_server()
        client = self.client(server, source="minpoll = 10\nmaxpoll = 10")
        server.recv(100)
        self.assertEqual(self.requests_of(client), 1)
        done = self.command(client, "burst", "--good", "2", "--max", "3", "127.0.0.0/8")
        self.assertEqual((done.returncode, done.stdout), (0, "1 source in a burst\n"), done.stderr)
        for _ in range(2):
            request, where = server.recvfrom(100)
            server.sendto(reply_to(request), where)
        wait_until(lambda: self.requests_of(client) == 3, 5, "two of the burst, answered")
        time.sleep(2.5)
        self.assertEqual(self.requests_of(client), 3)
        self.assertEqual(client.control("burst", good=0)["ok"], False)
        self.assertEqual(client.control("burst", max=65)["ok"], False)

    def test_a_source_may_begin_offline(self):
        server = self.fake_server()
        client = self.client(server, source="online = false")
        time.sleep(1)
        self.assertEqual(self.requests_of(client), 0)
        self.command(client, "online")
        server.recv(100)

    def test_requests_leave_from_the_port_and_address_that_are_configured(self):
        server = self.fake_server()
        port = free_port("127.0.0.5")
        self.client(server, f'acquisition_port = {port}\nbind_address = ["127.0.0.5"]\ndscp = 46',
                    "minpoll = 0\nmaxpoll = 0")
        for _ in range(2):
            self.assertEqual(server.recvfrom(100)[1], ("127.0.0.5", port))

    def test_what_others_send_to_the_clients_port_is_dropped(self):
        server = self.fake_server()
        client = self.client(server, source="minpoll = 10\nmaxpoll = 10")
        request, where = server.recvfrom(100)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for address in ("127.0.0.1", "127.0.0.9"):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    stranger.bind((address, 0))
                    # Even with the right origin, which nobody off the path knows.
                    stranger.sendto(reply_to(request), where)
        time.sleep(0.5)
        reasons = client.control("counters")["client"]["reasons"]
        self.assertEqual(sum(reasons.values()), 0, reasons)
        server.sendto(reply_to(request), where)
        wait_until(lambda: client.control("counters")["client"]["reasons"]["accepted"] == 1, 5,
                   "the server itself is heard")

    def test_b10_a_time_before_the_build_is_counted_and_never_believed(self):
        server = self.fake_server()
        client = self.client(server, source="minpoll = 0\nmaxpoll = 0\niburst = false")
        year_1980 = 315_532_800
        for count in range(1, 5):
            request, where = server.recvfrom(100)
            server.sendto(reply_to(request, year_1980 + count), where)
            wait_until(lambda wanted=count:
                       client.control("counters")["client"]["reasons"]["stale_timestamp"] == wanted,
                       5, "the stale reply")
        self.assertFalse(client.control("tracking")["synchronised"])
        request, where = server.recvfrom(100)
        server.sendto(reply_to(request), where)
        wait_until(lambda: client.control("tracking")["synchronised"], 5, "a time that can be")

    def test_each_sign_of_an_attack_is_counted_apart(self):
        server = self.fake_server()
        client = self.client(server, source="minpoll = 0\nmaxpoll = 0")
        first, where = server.recvfrom(100)
        good = reply_to(first)
        forged = good[:24] + os.urandom(8) + good[32:]
        zero = good[:24] + bytes(8) + good[32:]
        for packet in (forged, zero, good, good, good[:47], bytes([0x25]) + good[1:]):
            server.sendto(packet, where)

        def counted():
            reasons = client.control("counters")["client"]["reasons"]
            return reasons if sum(reasons.values()) >= 6 else None
        reasons = wait_until(counted, 5, "six datagrams")
        for name in ("wrong_origin", "zero_origin", "accepted", "duplicate", "too_short", "wrong_mode"):
            self.assertEqual(reasons[name], 1, json.dumps(reasons))
        _, where = server.recvfrom(100)
        server.sendto(good, where)
        wait_until(lambda: client.control("counters")["client"]["reasons"]["replayed"] == 1, 5,
                   "the old reply is a replay")


if __name__ == "__main__":
    main()
