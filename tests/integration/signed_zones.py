"""A DNS server for tests, by UDP and TCP, of one zone that ldns-signzone signed, rightly or not: the zone is
text, and what is asked is written down."""
import base64
import ipaddress
import pathlib
import shutil
import socket
import struct
import subprocess
import threading
import time

from dns_messages import encode_name, skip_name

SIGNZONE = shutil.which("ldns-signzone")
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "SRV": 33, "DS": 43, "RRSIG": 46, "NSEC": 47, "DNSKEY": 48}
NXDOMAIN = 3
TRUNCATED = 0x0200
EDNS_SIZE = 1232


def sign(directory, records, begins=-86400, ends=20 * 86400):
    """The zone pool.test with these records ("NAME TYPE DATA", names below the zone, @ itself) as signed text, and its DS.
    `begins` and `ends` of the signatures in seconds from now."""
    directory = pathlib.Path(directory)
    key = subprocess.run(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "pool.test"], cwd=directory, check=True,
                         capture_output=True, text=True, timeout=30).stdout.strip()
    lines = ["pool.test. 60 IN SOA ns.pool.test. h.pool.test. 1 60 60 600 1", "pool.test. 60 IN NS ns.pool.test.",
             "ns.pool.test. 60 IN A 127.0.0.1"]
    for name, rest in (it.split(" ", 1) for it in records):
        lines.append(f"{'' if name == '@' else name + '.'}pool.test. 1 IN {rest}")
    zone = directory / f"{key}.zone"
    zone.write_text("\n".join(lines) + "\n")
    dates = [time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + it)) for it in (begins, ends)]
    signed = directory / f"{key}.signed"
    subprocess.run([SIGNZONE, "-i", dates[0], "-e", dates[1], "-f", signed, zone, key], cwd=directory, check=True,
                   capture_output=True, timeout=30)
    return signed.read_text(), (directory / f"{key}.ds").read_text()


def stamp(text):
    return int(time.mktime(time.strptime(text, "%Y%m%d%H%M%S"))) - time.timezone


def bitmap(types):
    octets = bytearray(32)
    for number in (TYPES[it] for it in types):
        octets[number // 8] |= 0x80 >> number % 8
    used = bytes(octets).rstrip(b"\0")
    return bytes([0, len(used)]) + used


def encode(kind, data):
    """The data of a record, of its words."""
    if kind == "A":
        return ipaddress.ip_address(data[0]).packed
    if kind in ("NS", "CNAME"):
        return encode_name(data[0])
    if kind == "SOA":
        return encode_name(data[0]) + encode_name(data[1]) + struct.pack("!5I", *map(int, data[2:7]))
    if kind == "SRV":
        return struct.pack("!3H", *map(int, data[:3])) + encode_name(data[3])
    if kind == "DNSKEY":
        return struct.pack("!HBB", *map(int, data[:3])) + base64.b64decode("".join(data[3:]))
    if kind == "NSEC":
        return encode_name(data[0]) + bitmap(data[1:])
    if kind == "RRSIG":
        return (struct.pack("!HBBIIIH", TYPES[data[0]], int(data[1]), int(data[2]), int(data[3]), stamp(data[4]),
                            stamp(data[5]), int(data[6])) + encode_name(data[7]) + base64.b64decode("".join(data[8:])))
    raise ValueError(kind)


class Zone:
    def __init__(self, text):
        self.sets = {}  # (name, type): [octets]
        self.signatures = {}  # (name, type that is signed): [octets]
        for line in text.splitlines():
            words = line.split(";")[0].split()
            if len(words) < 5:
                continue
            name, kind, data = words[0].lower(), words[3], words[4:]
            record = encode_name(name) + struct.pack("!HHI", TYPES[kind], 1, int(words[1]))
            octets = encode(kind, data)
            record += struct.pack("!H", len(octets)) + octets
            if kind == "RRSIG":
                self.signatures.setdefault((name, TYPES[data[0]]), []).append(record)
            else:
                self.sets.setdefault((name, TYPES[kind]), []).append(record)
        self.names = {name for name, _ in self.sets}

    def find(self, name, kind):
        return self.sets.get((name, kind), [])

    def exists(self, name):
        return any(it == name or it.endswith("." + name) for it in self.names)

    def denial(self, name):
        """NSEC records with their signatures, of the name and of what could stand for it: all of them."""
        out = []
        for owner in sorted(self.names):
            out += self.find(owner, TYPES["NSEC"]) + self.signatures.get((owner, TYPES["NSEC"]), [])
        return out


class DnsServer:
    """`strip`: it loses all signatures. Without `tcp` that is refused."""

    def __init__(self, text, strip=False, tcp=True):
        self.zone, self.strip = Zone(text), strip
        self.asked = []  # (name, type, by TCP)
        for _ in range(20):
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            self.port = self.udp.getsockname()[1]
            self.tcp = socket.socket()
            try:
                self.tcp.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        if tcp:
            self.tcp.listen()
        for loop in (self.serve_udp, *([self.serve_tcp] if tcp else [])):
            threading.Thread(target=loop, daemon=True).start()

    def set(self, text):
        self.zone = Zone(text)

    def close(self):
        for it in (self.udp, self.tcp):
            it.close()

    def serve_udp(self):
        while True:
            try:
                query, client = self.udp.recvfrom(4096)
            except OSError:
                return
            answer = self.answer(query, False)
            if len(answer) > EDNS_SIZE:
                end = skip_name(query, 12) + 4
                answer = answer[:2] + struct.pack("!HHHHH", 0x8400 | TRUNCATED, 1, 0, 0, 0) + query[12:end]
            self.udp.sendto(answer, client)

    def serve_tcp(self):
        while True:
            try:
                client, _ = self.tcp.accept()
            except OSError:
                return
            with client, client.makefile("rb") as stream:
                client.settimeout(5)
                try:
                    while len(head := stream.read(2)) == 2:
                        answer = self.answer(stream.read(struct.unpack("!H", head)[0]), True)
                        client.sendall(struct.pack("!H", len(answer)) + answer)
                except OSError:
                    pass

    def answer(self, query, by_tcp):
        end = skip_name(query, 12)
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        name = ".".join(labels) + "."
        kind = struct.unpack("!H", query[end:end + 2])[0]
        self.asked.append((name, kind, by_tcp))
        zone = self.zone
        answers = zone.find(name, kind)
        signed = zone.signatures.get((name, kind), [])
        if not answers and zone.find(name, TYPES["CNAME"]):
            answers = zone.find(name, TYPES["CNAME"])
            signed = zone.signatures.get((name, TYPES["CNAME"]), [])
        authority = []
        if not answers:
            authority = zone.find("pool.test.", TYPES["SOA"])
            if not self.strip:
                authority = authority + zone.signatures.get(("pool.test.", TYPES["SOA"]), []) + zone.denial(name)
        elif not self.strip:
            answers = answers + signed
        flags = 0x8400 | (0 if answers or zone.exists(name) else NXDOMAIN)
        head = query[:2] + struct.pack("!5H", flags, 1, len(answers), len(authority), 1)
        edns = b"\0" + struct.pack("!HHIH", 41, EDNS_SIZE, 0x8000, 0)
        return head + query[12:end + 4] + b"".join(answers + authority) + edns
