"""tshark decodes every packet of the golden files, and what the running server sends, without
complaint, and finds in each field what our codec finds."""
import datetime
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
import golden_files  # noqa: E402
from programs import BINARY_DIR, ProgramTest, main  # noqa: E402

TSHARK = shutil.which("tshark")
SERVER = ("192.0.2.123", 123)
SERVER_6 = ("2001:db8::123", 123)
FIELDS = ("ntp.flags.li", "ntp.flags.vn", "ntp.flags.mode", "ntp.stratum", "ntp.ppoll",
          "ntp.precision", "ntp.rootdelay", "ntp.rootdispersion", "ntp.refid", "ntp.reftime",
          "ntp.org", "ntp.rec", "ntp.xmt", "ntp.keyid", "ntp.mac", "ntp.ext.type",
          "ntp.ext.length")
COMPLAINTS = ("_ws.malformed", "_ws.expert.message", "ntp.ext.invalid_length",
              "udp.checksum.status")
NTP_TO_UNIX = 2_208_988_800


def client_of(name, packet):
    return golden_files.ip_packet(name, SERVER_6 if ":" in name[0] else SERVER, packet)


def server_to(name, packet):
    return golden_files.ip_packet(SERVER_6 if ":" in name[0] else SERVER, name, packet)


def decoded(packets):
    """For each packet what tshark says of the fields, as text."""
    with tempfile.TemporaryDirectory(prefix="tshark-") as directory:
        path = pathlib.Path(directory) / "packets.pcap"
        golden_files.write_pcap(path, packets)
        command = [TSHARK, "-n", "-r", path, "-o", "udp.check_checksum:TRUE", "-T", "fields", "-E",
                   "separator=;", "-E", "occurrence=a", "-E", "aggregator=|"]
        for field in ("frame.protocols", *FIELDS, *COMPLAINTS):
            command += ["-e", field]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True,
                              env=dict(os.environ, TZ="UTC", LC_ALL="C", HOME=directory))
    names = ("protocols", *FIELDS, *COMPLAINTS)
    return [dict(zip(names, line.split(";"))) for line in done.stdout.splitlines()]


def ours(packets):
    """For each packet what our codec says."""
    done = subprocess.run([BINARY_DIR / "tests/ntp_text"], input="".join(it.hex() + "\n" for it in packets),
                          capture_output=True, text=True, timeout=30, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def nanoseconds(text):
    """Of a time as tshark prints it: since 1970; NULL is zero."""
    if text == "NULL":
        return 0
    whole, _, rest = text.removesuffix(" UTC").rpartition(".")
    moment = datetime.datetime.strptime(whole, "%b %d, %Y %H:%M:%S")
    seconds = int((moment - datetime.datetime(1970, 1, 1)).total_seconds())
    return seconds * 10**9 + int(rest)


def nanoseconds_of(bits):
    """Of an NTP timestamp; tshark takes those of 2036 and later for such, and zero for 1970."""
    if bits == 0:
        return 0
    seconds = bits >> 32
    seconds += 0 if seconds >> 31 else 1 << 32
    return (seconds - NTP_TO_UNIX) * 10**9 + ((bits & 0xffffffff) * 10**9 >> 32)


def signed(text):
    value = int(text)
    return value - 256 if value > 127 else value


class DecodingTest(ProgramTest):
    """A test that gives packets to tshark."""

    decode = staticmethod(decoded)

    def check_field_by_field(self, packet, theirs, our):
        numbers = {"ntp.flags.li": "leap", "ntp.flags.vn": "version", "ntp.flags.mode": "mode",
                   "ntp.stratum": "stratum", "ntp.rootdelay": "root_delay",
                   "ntp.rootdispersion": "root_dispersion"}
        for field, name in numbers.items():
            self.assertEqual(int(theirs[field], 0), our[name], (name, packet.hex()))
        self.assertEqual(signed(theirs["ntp.ppoll"]), our["poll"], packet.hex())
        self.assertEqual(signed(theirs["ntp.precision"]), our["precision"], packet.hex())
        self.assertEqual(theirs["ntp.refid"].replace(":", ""), our["reference_id"], packet.hex())
        for field, name in (("ntp.reftime", "reference"), ("ntp.org", "origin"),
                            ("ntp.rec", "receive"), ("ntp.xmt", "transmit")):
            self.assertAlmostEqual(nanoseconds(theirs[field]), nanoseconds_of(our[name]), delta=1,
                                   msg=(name, packet.hex()))
        self.assertEqual(theirs["ntp.keyid"].replace(":", ""),
                         f"{our['key']:08x}" if "key" in our else "", packet.hex())
        self.assertEqual(theirs["ntp.mac"].replace(":", ""), our.get("digest", ""), packet.hex())
        types = [int(it, 0) for it in theirs["ntp.ext.type"].split("|") if it]
        lengths = [int(it, 0) for it in theirs["ntp.ext.length"].split("|") if it]
        self.assertEqual(list(zip(types, lengths)),
                         [(it["type"], it["size"]) for it in our["fields"]], packet.hex())

    def check(self, frames):
        """`frames`: IP packet and NTP packet of each."""
        rows = decoded([frame for frame, _ in frames])
        self.assertEqual(len(rows), len(frames))
        packets = [packet for _, packet in frames]
        for packet, theirs, our in zip(packets, rows, ours(packets)):
            self.assertTrue(theirs["protocols"].endswith(":udp:ntp"), theirs)
            complaints = {it: theirs[it] for it in COMPLAINTS[:3] if theirs[it]}
            self.assertEqual(complaints, {}, packet.hex())
            self.assertEqual(theirs["udp.checksum.status"], "1", "our own file")
            self.check_field_by_field(packet, theirs, our)


@unittest.skipUnless(TSHARK, "Debian package tshark is not there")
class Tshark(DecodingTest):
    def test_decodes_every_golden_reply(self):
        replies = [it for it in golden_files.all_exchanges() if it.reply]
        self.assertGreater(len(replies), 50)
        self.check([(server_to(it.client, it.reply), it.reply) for it in replies])

    def test_decodes_every_golden_request_that_is_answered(self):
        requests = [it for it in golden_files.all_exchanges() if it.reply]
        self.check([(client_of(it.client, it.request), it.request) for it in requests])

    def test_decodes_every_golden_packet_of_peers_and_broadcasts(self):
        frames = []
        for settings, packet in golden_files.sent_packets():
            to = {"peer": ("192.0.2.10", 123), "broadcast": ("192.0.2.255", 123)}[settings["send"]]
            frames.append((server_to(to, packet), packet))
        self.check(frames)
        modes = {row["ntp.flags.mode"] for row in decoded([frame for frame, _ in frames])}
        self.assertEqual(modes, {"1", "5"})

    def test_golden_packets_of_peers_and_broadcasts_have_the_digests_of_other_software(self):
        """SHA-256 by Python; AES-CMAC by openssl, where it is."""
        checked = set()
        for settings, packet in golden_files.sent_packets():
            key = settings["key"]
            if key == "13":
                right = hashlib.sha256(b"open-sesame-open-sesame" + packet[:48]).digest()
            elif shutil.which("openssl"):
                name, size = {"11": ("AES-128-CBC", 16), "12": ("AES-256-CBC", 32)}[key]
                command = ["openssl", "mac", "-cipher", name, "-macopt",
                           f"hexkey:{bytes(range(size)).hex()}", "CMAC"]
                done = subprocess.run(command, input=packet[:48], capture_output=True, check=True)
                right = bytes.fromhex(done.stdout.decode())
            else:
                continue
            self.assertEqual(packet[48:52], int(key).to_bytes(4, "big"))
            self.assertEqual(packet[52:], right[:20], settings)
            checked.add(key)
        self.assertIn("13", checked)

    def test_finds_fault_with_packets_that_have_one(self):
        header = b"\x23" + bytes(47)
        faulty = [header[:40], header + bytes.fromhex("0104001e") + bytes(60)]
        for row in decoded([client_of(("192.0.2.10", 40000), it) for it in faulty]):
            self.assertTrue(any(row[it] for it in COMPLAINTS[:3]), row)

    def test_decodes_what_the_running_server_sends(self):
        server = self.start("timepool-ntpd", (
            '[server]\nlisten = ["127.0.0.1:0"]\n[server.local]\nstratum = 1\nrefid = "GOOD"\n'))
        unsynchronised = self.start("timepool-ntpd", '[server]\nlisten = ["127.0.0.1:0"]\n')
        frames = []
        for program in (server, unsynchronised):
            port = program.listening("server")[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(5)
                origin = bytes(8)
                for first in (0x0b, 0x13, 0x1b, 0x23, 0x23):
                    request = bytes([first, 0, 6]) + bytes(21) + origin + os.urandom(16)
                    client.sendto(request, ("127.0.0.1", port))
                    reply = client.recv(2048)
                    origin = reply[32:40]
                    frames += [(client_of(("192.0.2.10", 40000), request), request),
                               (server_to(("192.0.2.10", 40000), reply), reply)]
        self.check(frames)

    def test_decodes_what_our_client_sends(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            server.settimeout(20)
            self.start("timepool-ntpd", (
                "[sources]\nmin_sources = 1\n"
                f'[[server]]\naddress = "127.0.0.1"\nport = {server.getsockname()[1]}\n'
                "iburst = true\n"))
            requests = [server.recv(2048) for _ in range(2)]
        self.check([(client_of(("192.0.2.10", 40000), it), it) for it in requests])


if __name__ == "__main__":
    main()
