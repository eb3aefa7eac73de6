"""Whoever sends what to the running server, in a network of its own where every packet that leaves is
seen: forged sources, servers that shall answer each other, faulty packets and faulty settings while
good clients ask."""
import contextlib
import pathlib
import random
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import golden_files  # noqa: E402
import own_network  # noqa: E402
from own_network import SERVER, ask, inject  # noqa: E402
from programs import ProgramTest, main, own_directory, wait_until  # noqa: E402

ETH_P_ALL = 3
PACKET_OUTGOING = 4
OTHER = ("192.0.2.10", 123)
REQUEST = b"\x23\x00\x06" + bytes(37) + bytes(range(1, 9))
CONFIG = ('[server]\nlisten = ["{}"]\nthreads = {}\n[server.local]\nstratum = 1\nrefid = "GOOD"\n')


def setUpModule():
    own_network.enter()


class Wire:
    """What went over the loopback of this network since it was made, as
    ((source, port), (destination, port), payload)."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(("lo", ETH_P_ALL))
        self.socket.setblocking(False)

    def datagrams(self):
        out = []
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, address = self.socket.recvfrom(65536)
                if address[2] == PACKET_OUTGOING and packet[0] == 0x45 and packet[9] == 17:
                    ports = struct.unpack(">HH", packet[20:24])
                    out.append(((socket.inet_ntoa(packet[12:16]), ports[0]),
                                (socket.inet_ntoa(packet[16:20]), ports[1]), packet[28:]))
        return out

    def close(self):
        self.socket.close()


class Abuse(ProgramTest):
    def serve(self, more="", listen="192.0.2.123:123", threads=1):
        return self.start("timepool-ntpd", CONFIG.format(listen, threads) + more)

    def wire(self):
        wire = Wire()
        self.addCleanup(wire.close)
        return wire

    def reasons(self, server):
        return {name: count for name, count in
                server.control("counters")["server"]["reasons"].items() if count}

    def counted(self, server, count):
        wait_until(lambda: sum(self.reasons(server).values()) >= count, 10, f"{count} datagrams")
        return self.reasons(server)

    def test_a_request_in_the_servers_own_name_starts_nothing(self):
        server, wire = self.serve(), self.wire()
        inject(SERVER, SERVER, REQUEST)
        self.assertEqual(self.counted(server, 1), {"source_address": 1})
        self.assertIsNotNone(ask(("192.0.2.10", 40000), REQUEST))
        # The forged one, the good one and its reply.
        self.assertEqual(len(wire.datagrams()), 3)

    def test_two_servers_do_not_answer_each_other(self):
        one, two = self.serve(), self.serve(listen="192.0.2.10:123")
        wire = self.wire()
        for first in range(256):
            inject(OTHER, SERVER, bytes([first]) + REQUEST[1:])
        self.counted(one, 256)
        time.sleep(0.3)
        sent = wire.datagrams()
        replies = [it for it in sent if it[0] == SERVER]
        # Of 256 first octets 4 leaps times 4 versions are requests of clients.
        self.assertEqual(len(replies), 16)
        self.assertEqual(len(sent), 256 + 16)
        self.assertEqual(self.counted(two, 16), {"mode_server": 16})

    def test_nothing_is_sent_to_addresses_of_many_or_of_none(self):
        server, wire = self.serve(), self.wire()
        forged = [("255.255.255.255", 123), ("224.0.1.1", 123), ("0.0.0.0", 123), ("0.1.2.3", 123),
                  ("192.0.2.10", 0), ("127.255.255.255", 123)]
        for source in forged:
            inject(source, SERVER, REQUEST)
        self.assertIsNotNone(ask(("192.0.2.10", 40000), REQUEST))
        # The kernel puts our own address where a forged one is 0.0.0.0, and drops some others.
        replies = [it[1] for it in wire.datagrams() if it[0] == SERVER and it[2][0] & 7 == 4]
        self.assertEqual(replies, [("192.0.2.10", 40000)])
        seen = self.reasons(server)
        self.assertLessEqual(set(seen), {"answered_plain", "source_address", "source_port_zero",
                                         "not_sent"})
        self.assertEqual(seen["answered_plain"], 1)
        # Only the sending finds a subnet's broadcast address.
        self.assertEqual(seen["not_sent"], 1)

    def test_a_reply_that_cannot_be_sent_takes_no_other_with_it(self):
        for threads in (0, 1):
            with self.subTest(threads=threads):
                server, wire = self.serve(threads=threads), self.wire()
                ports = range(20_000, 20_200)
                for port in ports:
                    inject(("127.255.255.255", port), SERVER, REQUEST)
                    inject(("192.0.2.11", port), SERVER, REQUEST)
                self.assertEqual(self.counted(server, 2 * len(ports)),
                                 {"answered_plain": len(ports), "not_sent": len(ports)})
                totals = server.control("counters")["server"]
                self.assertEqual((totals["received"], totals["sent"], totals["refused"]),
                                 (2 * len(ports), len(ports), len(ports)))
                self.assertEqual(sum(it["replies"] for it in totals["latency"]["buckets"]),
                                 len(ports))
                replies = [it[1] for it in wire.datagrams() if it[0] == SERVER and it[2][0] & 7 == 4]
                self.assertEqual(replies, [("192.0.2.11", port) for port in ports])
                self.doCleanups()

    def test_no_packet_however_made_gets_a_longer_reply_and_each_has_one_reason(self):
        path = own_directory(self.addCleanup) / "keys"
        path.write_text((golden_files.FOLDER / "keys").read_text())
        path.chmod(0o600)
        server = self.serve(f'[keys]\nfile = "{path}"\nallow_weak = true\n')
        wire = self.wire()
        seed = random.randrange(2**32)
        print(f"seed {seed}", file=sys.stderr)
        draw = random.Random(seed)
        golden = [it.request for it in golden_files.all_exchanges()]
        sent = 0
        for _ in range(3000):
            packet = bytearray(draw.choice(golden))
            for _ in range(draw.randrange(4)):
                if packet:
                    packet[draw.randrange(len(packet))] ^= 1 << draw.randrange(8)
            packet = packet[:draw.randrange(len(packet) + 1)] if draw.random() < 0.3 else packet
            packet += draw.randbytes(draw.choice((0, 0, 4, 20, 36, 1000))) if draw.random() < 0.3 else b""
            # The port tells which request a reply is to.
            inject(("192.0.2.11", 1024 + sent), SERVER, bytes(packet))
            sent += 1
            if sent % 200 == 0:
                self.counted(server, sent)
        self.assertEqual(sum(self.counted(server, sent).values()), sent)
        lengths, replies = {}, 0
        for source, destination, payload in wire.datagrams():
            if destination == SERVER:
                lengths[source] = len(payload)
            elif source == SERVER:
                replies += 1
                self.assertLessEqual(len(payload), lengths.pop(destination), payload.hex())
                self.assertEqual(payload[0] & 7, 4, payload.hex())
        self.assertGreater(replies, 100)

    # 0x23: a client of version 4; then of 3, 2, 1, 1 without a mode, 5; a server, a peer, broadcast,
    # control, private, and all ones.
    FIRST_OCTETS = (0x23, 0x1b, 0x13, 0x0b, 0x08, 0x2b, 0x24, 0x21, 0x25, 0x16, 0x17, 0xff)
    LONGEST = 2048

    def test_every_length_up_to_2048_octets_has_one_reason_and_no_longer_reply(self):
        for threads in (0, 1):
            with self.subTest(threads=threads):
                server, sent, replies = self.serve(threads=threads), 0, 0
                for first in self.FIRST_OCTETS:
                    answered = self.answered_lengths(server, first, sent)
                    sent += self.LONGEST + 1
                    replies += len(answered)
                    self.assertEqual(48 in answered, first & 0xf8 <= 0x20 and first & 7 in (0, 3), first)
                    self.assertFalse({it for it in answered if it < 48 or it % 4}, first)
                reasons = self.reasons(server)
                self.assertEqual(sum(reasons.values()), sent)
                self.assertEqual(sum(count for name, count in reasons.items()
                                     if name.startswith("answered")), replies)
                self.doCleanups()

    def answered_lengths(self, server, first, before):
        """Which lengths are answered; `before`: what was counted until now."""
        answered = set()

        def take(client):
            with contextlib.suppress(BlockingIOError):
                while True:
                    reply = client.recv(65536)
                    # The origin is the request's transmit timestamp, which has its length.
                    length = int.from_bytes(reply[24:32], "big")
                    self.assertLessEqual(len(reply), length)
                    self.assertEqual(reply[0] & 7, 4)
                    self.assertNotIn(length, answered, "one reply to a request")
                    answered.add(length)
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
            client.bind(("192.0.2.10", 0))
            client.setblocking(False)
            for length in range(self.LONGEST + 1):
                header = bytes([first]) + bytes(39) + length.to_bytes(8, "big")
                client.sendto((header + bytes(self.LONGEST))[:length], SERVER)
                if length % 256 == 0 or length == self.LONGEST:
                    self.counted(server, before + length + 1)
                    take(client)
        return answered

    def test_oversized_datagrams_are_counted_and_not_answered(self):
        server, wire = self.serve(), self.wire()
        for length in (2049, 9000, 65_000):
            ask(("192.0.2.10", 40000), REQUEST + bytes(length - 48), wait=0)
        self.assertEqual(sum(self.counted(server, 3).values()), 3)
        self.assertFalse([it for it in wire.datagrams() if it[0] == SERVER])
        self.assertFalse({it for it in self.reasons(server) if it.startswith("answered")})

    def test_good_clients_are_answered_while_settings_change_for_the_better_and_the_worse(self):
        server = self.serve(threads=2)
        base = CONFIG.format("192.0.2.123:123", 2)
        good = ['[server.access]\ndeny = ["198.51.100.0/24"]\n', "[server.limits]\nkod = 1\n",
                "[server.limits]\nenabled = false\n", ""]
        bad = ["[server.limits]\nleak = -1\n", '[server.access]\ndeny = ["198.51.100.0/8"]\n',
               '[keys]\nfile = "/nowhere/keys"\n', "[server.limits\n", "[nonsense]\na = 1\n"]
        asked, unanswered, stop = [0], [0], threading.Event()

        def client():
            while not stop.is_set():
                asked[0] += 1
                unanswered[0] += ask(("192.0.2.10", 40000), REQUEST) is None
        thread = threading.Thread(target=client)
        thread.start()
        try:
            for more in (good + bad) * 4:
                server.write_config(base + more)
                self.assertEqual(server.control("reload")["ok"], more in good, more)
        finally:
            stop.set()
            thread.join()
        self.assertGreater(asked[0], 50)
        self.assertEqual(unanswered[0], 0)
        self.assertEqual(self.reasons(server), {"answered_plain": asked[0]})


if __name__ == "__main__":
    main()
