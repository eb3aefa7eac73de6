"""tshark decodes what timepool-ntpd says under Network Time Security, as client and as server: the NTP
packets, and the handshakes of key establishment. It has no names for the records of RFC 8915 (4.0); what
is in them, others show."""
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from tshark_test import SERVER, TSHARK, DecodingTest, client_of, server_to  # noqa: E402
import golden_files  # noqa: E402
from certificates import OPENSSL, Authority  # noqa: E402
from programs import free_port, main, own_directory, wait_until  # noqa: E402

CLIENT = ("192.0.2.10", 40000)
KEY_SERVER = (SERVER[0], 4460)
TLS_1_3 = "0x0304"
# RFC 8915 4: NTPv4, AES-SIV-CMAC-256, the end.
REQUEST = struct.pack("!HHHHHHHH", 0x8001, 2, 0, 0x8004, 2, 15, 0x8000, 0)


class UdpRelay(threading.Thread):
    """Between a client and a server on loopback; keeps what passes, and whether it came from the client."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.passed = []
        self.start()

    def run(self):
        client = None
        while True:
            packet, sender = self.socket.recvfrom(4096)
            if not packet:
                return
            from_client = sender != self.server
            client = sender if from_client else client
            self.passed.append((from_client, packet))
            self.socket.sendto(packet, self.server if from_client else client)

    def close(self):
        self.socket.sendto(b"", self.socket.getsockname())
        self.join()
        self.socket.close()


class TcpRelay(threading.Thread):
    """The same for one connection."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.passed = []
        self.start()

    def run(self):
        client, _ = self.listener.accept()
        with client, socket.create_connection(self.server) as server:
            ways = [threading.Thread(target=self.copy, args=way)
                    for way in ((client, server, True), (server, client, False))]
            for way in ways:
                way.start()
            for way in ways:
                way.join()

    def copy(self, one, other, from_client):
        try:
            while octets := one.recv(65536):
                self.passed.append((from_client, octets))
                other.sendall(octets)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.join(10)
        self.listener.close()


def tcp_packets(passed):
    """IP packets with TCP for what passed between CLIENT and KEY_SERVER."""
    next_octet = {True: 1, False: 1}
    out = []
    for from_client, octets in passed:
        for at in range(0, len(octets), 1400):
            part = octets[at:at + 1400]
            source, destination = (CLIENT, KEY_SERVER) if from_client else (KEY_SERVER, CLIENT)
            header = struct.pack(">HHIIBBHHH", source[1], destination[1], next_octet[from_client],
                                 next_octet[not from_client], 5 << 4, 0x18, 65535, 0, 0)
            next_octet[from_client] += len(part)
            out.append(struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(part), 0, 0, 64, 6, 0) +
                       socket.inet_aton(source[0]) + socket.inet_aton(destination[0]) + header + part)
    return out


@unittest.skipUnless(TSHARK, "Debian package tshark is not there")
@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class TsharkNts(DecodingTest):
    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        self.authority = Authority(self.directory)
        chain, key = self.authority.issue("localhost", "DNS:localhost,IP:127.0.0.1")
        # Whoever asks under NTS is sent to the relay.
        port = free_port()
        self.relay = UdpRelay(("127.0.0.1", port))
        self.addCleanup(self.relay.close)
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["127.0.0.1:{port}"]\n[server.local]\nstratum = 1\nrefid = "GOOD"\n'
            '[nts.server]\nlisten = ["127.0.0.1:0"]\n'
            f'[[nts.server.ntp_server]]\nname = "127.0.0.1"\nport = {self.relay.port}\n'
            f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'))
        self.key_relay = TcpRelay(server.listening("key_server"))
        self.addCleanup(self.key_relay.close)

    def run_client(self):
        client = self.start("timepool-ntpd", (
            '[sources]\nmin_sources = 1\n[[server]]\naddress = "localhost"\nnts = "require"\n'
            f'nts_port = {self.key_relay.port}\nnts_ca = ["{self.authority.certificate}"]\n'
            "iburst = true\nminpoll = 0\nmaxpoll = 0\n"))
        wait_until(lambda: len(self.relay.passed) >= 12, 30, "requests and replies pass")
        client.stop()

    def tls(self, *fields, keys=None):
        """What tshark says of these fields for the frames of the connection, one list for each field."""
        path = self.directory / "tls.pcap"
        golden_files.write_pcap(path, tcp_packets(self.key_relay.passed))
        command = [TSHARK, "-n", "-r", path, "-d", f"tcp.port=={KEY_SERVER[1]},tls", "-T", "fields", "-E",
                   "separator=;", "-E", "occurrence=a", "-E", "aggregator=|"]
        if keys:
            command += ["-o", f"tls.keylog_file:{keys}"]
        for field in fields:
            command += ["-e", field]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True,
                              env=dict(os.environ, LC_ALL="C", HOME=str(self.directory)))
        rows = [line.split(";") for line in done.stdout.splitlines()]
        return [[it for row in rows for it in row[i].split("|") if it] for i in range(len(fields))]

    def test_decodes_requests_and_replies_under_nts(self):
        self.run_client()
        frames = [(client_of(CLIENT, packet) if from_client else server_to(CLIENT, packet), packet)
                  for from_client, packet in self.relay.passed]
        self.check(frames)
        # RFC 8915 5.7: identifier, cookie, proof; identifier, proof.
        rows = self.decode([frame for frame, _ in frames])
        for (from_client, _), row in zip(self.relay.passed, rows):
            kinds = ["0x0104", "0x0204", "0x0404"] if from_client else ["0x0104", "0x0404"]
            self.assertEqual(row["ntp.ext.type"].split("|"), kinds)

    def test_decodes_the_hello_of_our_client(self):
        self.run_client()
        kinds, versions, protocols, names, malformed = self.tls(
            "tls.handshake.type", "tls.handshake.extensions.supported_version",
            "tls.handshake.extensions_alpn_str", "tls.handshake.extensions_server_name", "_ws.malformed")
        self.assertEqual(kinds, ["1", "2"], "what is not encrypted of it")
        # T1: one version is offered, and taken.
        self.assertEqual(versions, [TLS_1_3, TLS_1_3])
        self.assertEqual((protocols, names), (["ntske/1"], ["localhost"]))
        self.assertEqual(malformed, [])

    def test_decodes_all_that_our_server_says_in_the_handshake(self):
        keys = self.directory / "keys"
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.set_alpn_protocols(["ntske/1"])
        context.keylog_filename = str(keys)
        with socket.create_connection(("127.0.0.1", self.key_relay.port)) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(REQUEST)
            answer = b""
            while octets := connection.recv(65536):
                answer += octets
        self.key_relay.join(10)
        kinds, versions, protocols, alerts, content, malformed = self.tls(
            "tls.handshake.type", "tls.handshake.extensions.supported_version",
            "tls.handshake.extensions_alpn_str", "tls.alert_message.desc", "tls.app_data",
            "_ws.malformed", keys=keys)
        # Hellos, the server's extensions, certificate, its proof, both ends; T5: and no ticket (4).
        self.assertEqual(sorted(map(int, kinds)), [1, 2, 8, 11, 15, 20, 20])
        # T1: whatever else the client's library offers, this one is taken.
        self.assertEqual((versions.count(TLS_1_3), versions[-1]), (2, TLS_1_3))
        # T2: asked for and selected.
        self.assertEqual(protocols, ["ntske/1", "ntske/1"])
        # T4: close_notify is 0.
        self.assertIn("0", alerts)
        self.assertEqual(set(alerts), {"0"})
        self.assertEqual(malformed, [])
        self.assertEqual(len(content), 2, "one request, one response")
        self.assertEqual(answer[-4:], bytes.fromhex("80000000"))


if __name__ == "__main__":
    main()
