"""timepool-ntpd sends broadcasts: on loopback, whose broadcast address is 127.255.255.255, and on a cable in a
network namespace of its own."""
import hashlib
import pathlib
import socket
import struct

import own_network
from namespaces import ip
from programs import ProgramTest, free_port, main, own_directory, wait_until

KEY = "000102030405060708090a0b0c0d0e0f"


def cable():
    """Two ends in this process's own network namespace; what is returned takes them away."""
    ip("link", "add", "sends", "type", "veth", "peer", "name", "listens")
    for end in ("sends", "listens"):
        pathlib.Path(f"/proc/sys/net/ipv6/conf/{end}/accept_dad").write_text("0")
        ip("link", "set", end, "up")

    def has_address(end):
        # No duplicate address detection is under way: 40 is tentative.
        return any(line.split()[5] == end and not int(line.split()[4], 16) & 0x40
                   for line in pathlib.Path("/proc/net/if_inet6").read_text().splitlines())
    wait_until(lambda: has_address("sends") and has_address("listens"), 10, "link-local addresses")
    return lambda: ip("link", "delete", "sends")


class Broadcast(ProgramTest):
    def setUp(self):
        self.keys = own_directory(self.addCleanup) / "ntp.keys"
        self.keys.write_text(f"5 SHA256 HEX:{KEY}\n")
        self.keys.chmod(0o600)
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.listener.close)
        self.listener.bind(("127.255.255.255", 0))
        self.listener.settimeout(20)
        self.port = self.listener.getsockname()[1]

    def config(self, more="[server.local]\nstratum = 2\n", key=5, address="127.255.255.255"):
        return (f'[keys]\nfile = "{self.keys}"\n'
                f'[[broadcast]]\naddress = "{address}"\nport = {self.port}\n'
                f'interface = "lo"\nkey = {key}\ninterval = 2\n'
                f'[server]\nlisten = ["127.0.0.1:{self.served}"]\n{more}')

    def check_signed(self, packet):
        header, key, digest = packet[:48], struct.unpack("!I", packet[48:52])[0], packet[52:]
        self.assertEqual(key, 5)
        self.assertEqual(digest, hashlib.sha256(bytes.fromhex(KEY) + header).digest()[:20])

    def start_server(self, **more):
        self.served = free_port()
        return self.start("timepool-ntpd", self.config(**more))

    def test_b33_broadcasts_are_signed_and_come_from_the_port_of_the_server(self):
        server = self.start_server()
        first, sender = self.listener.recvfrom(2048)
        self.assertEqual(sender, ("127.0.0.1", self.served))
        self.assertEqual(first[0], 4 << 3 | 5, "version 4, mode 5, no leap second")
        self.assertEqual(first[1], 2, "stratum")
        self.assertEqual(first[2], 2, "poll")
        self.assertEqual(first[24:40], bytes(16), "nobody asked")
        self.check_signed(first)
        second = self.listener.recv(2048)
        seconds = [int.from_bytes(packet[40:48], "big") / 2**32 for packet in (first, second)]
        self.assertAlmostEqual(seconds[1] - seconds[0], 4, delta=2)
        sent = server.control("counters")["broadcasts"][0]
        self.assertEqual(sent["interface"], "lo")
        self.assertGreaterEqual(sent["sent"], 2)

    def test_requests_still_reach_the_server_beside_its_broadcasts(self):
        server = self.start_server()
        self.listener.recv(2048)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.connect(("127.0.0.1", self.served))
            for count in range(1, 6):
                client.send(struct.pack("!B39xQ", 4 << 3 | 3, count))
                self.assertEqual(client.recv(2048)[0], 4 << 3 | 4)
        self.assertEqual(server.control("counters")["server"]["reasons"]["answered_plain"], 5)

    def test_without_time_or_key_nothing_is_broadcast_and_the_log_says_why(self):
        for more, why in (({"more": ""}, "the clock is not synchronised"),
                          ({"key": 6}, "there is no key 6")):
            server = self.start_server(**more)
            wait_until(lambda: server.control("counters")["broadcasts"][0]["unsent"] >= 1, 20, why)
            self.assertIn(why, server.output())
            self.assertEqual(server.control("counters")["broadcasts"][0]["sent"], 0)

    def test_a_multicast_goes_to_its_group(self):
        group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(group.close)
        group.settimeout(20)
        group.bind(("224.0.1.1", 0))
        lo = struct.pack("=4s4si", socket.inet_aton("224.0.1.1"), bytes(4),
                         socket.if_nametoindex("lo"))
        group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, lo)
        self.port = group.getsockname()[1]
        self.start_server(address="224.0.1.1")
        self.assertEqual(group.recv(2048)[0], 4 << 3 | 5)

    def test_by_ipv6_a_multicast_goes_to_its_group_from_the_port_of_the_server(self):
        # ff02::101 is NTP's group on a link (RFC 5905 16).
        own_network.enter()
        self.addCleanup(cable())
        group = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.addCleanup(group.close)
        group.settimeout(20)
        listens = socket.if_nametoindex("listens")
        group.bind(("::", 0))
        group.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                         socket.inet_pton(socket.AF_INET6, "ff02::101") + struct.pack("@I", listens))
        self.port = group.getsockname()[1]
        self.served = free_port()
        server = self.start("timepool-ntpd", self.config(address="ff02::101").replace(
            'interface = "lo"', 'interface = "sends"\nhops = 1').replace(
                f'listen = ["127.0.0.1:{self.served}"]', f'listen = ["[::]:{self.served}"]'))
        packet, sender = group.recvfrom(2048)
        self.assertEqual(sender[1], self.served)
        self.assertTrue(sender[0].startswith("fe80::"), sender)
        self.assertEqual(sender[3], listens)
        self.check_signed(packet)
        self.assertEqual(packet[:4], bytes((4 << 3 | 5, 2, 2)) + packet[3:4])
        self.assertEqual(packet[24:40], bytes(16), "nobody asked")
        self.assertEqual(server.control("counters")["broadcasts"][0]["address"],
                         f"[ff02::101]:{self.port}")

    def test_a_reload_takes_in_which_networks_there_are(self):
        server = self.start_server()
        self.listener.recv(2048)
        server.write_config(f'[keys]\nfile = "{self.keys}"\n'
                            f'[server]\nlisten = ["127.0.0.1:{self.served}"]\n'
                            "[server.local]\nstratum = 2\n")
        self.assertTrue(server.control("reload")["ok"])
        self.assertEqual(server.control("counters")["broadcasts"], [])


if __name__ == "__main__":
    main()
