"""Reads the files of tests/golden/ntp and sent (tests/golden/golden_file.h says what is in them), and writes
packets to a file that tshark reads."""
import dataclasses
import ipaddress
import os
import pathlib
import struct

from programs import endpoint

FOLDER = pathlib.Path(os.environ.get("TIMEPOOL_SOURCE_DIR", ".")) / "tests/golden/ntp"
USUAL_CLIENT = ("192.0.2.10", 40000)
LINKTYPE_RAW = 101


@dataclasses.dataclass
class Exchange:
    case: str
    settings: dict
    at: float
    client: tuple
    request: bytes = b""
    reason: str = ""
    reply: bytes = b""


def octets(words):
    out = b""
    for word in words:
        digits, _, times = word.partition("*")
        out += bytes.fromhex(digits) * int(times or 1)
    return out


def read(path):
    """The exchanges of a file in order."""
    out, common, case, settings = [], {}, None, {}
    client, at, is_open = USUAL_CLIENT, 0.0, False
    for line in path.read_text().splitlines():
        first, *words = line.split() or [""]
        if first == "case":
            case, settings, client, at = words[0], dict(common), USUAL_CLIENT, 0.0
        elif first == "set":
            (settings if case else common)[words[0]] = words[1]
        elif first == "from":
            client = endpoint(words[0])
        elif first == "at":
            at = float(words[0])
        elif first == ">":
            if not is_open:
                out.append(Exchange(case, settings, at, client))
            out[-1].request += octets(words)
        elif first == "reason":
            out[-1].reason = words[0]
        elif first == "<":
            out[-1].reply += octets(words)
        is_open = first == ">" or (is_open and first.startswith("#"))
    return out


def all_exchanges():
    out = [exchange for path in sorted(FOLDER.glob("*.txt")) for exchange in read(path)]
    assert len(out) > 100, f"{len(out)} exchanges in {FOLDER}"
    return out


def sent_packets():
    """What is sent unasked, as tests/golden/sent has it: settings and packet."""
    out = [(it.settings, it.reply) for path in sorted((FOLDER.parent / "sent").glob("*.txt"))
           for it in read(path) if it.reply]
    assert len(out) > 15, f"{len(out)} packets in {FOLDER.parent / 'sent'}"
    return out


def ip_packet(source, destination, payload):
    """An IP packet with UDP in it; `source` and `destination` are address and port."""
    addresses = [ipaddress.ip_address(source[0]), ipaddress.ip_address(destination[0])]
    length = 8 + len(payload)
    pseudo = b"".join(it.packed for it in addresses) + struct.pack(">II", length, 17)
    udp = struct.pack(">HHH", source[1], destination[1], length)
    sum_ = checksum(pseudo + udp + b"\0\0" + payload) or 0xffff
    datagram = udp + struct.pack(">H", sum_) + payload
    if addresses[0].version == 6:
        return struct.pack(">IHBB", 6 << 28, length, 17, 64) + b"".join(
            it.packed for it in addresses) + datagram
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 17, 0) + b"".join(
        it.packed for it in addresses)
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + datagram


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def write_pcap(path, packets):
    """`packets` are IP packets, a millisecond apart."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, LINKTYPE_RAW))
        for i, packet in enumerate(packets):
            out.write(struct.pack("<IIII", 1_795_262_400 + i // 1000, i % 1000 * 1000, len(packet),
                                  len(packet)) + packet)
