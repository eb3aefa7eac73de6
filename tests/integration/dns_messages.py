"""DNS messages for tests: queries to send, the parts of replies that tests look at."""
import ipaddress
import socket
import struct

A, NS, SOA, TXT, AAAA, SRV, NSEC, DNSKEY, ANY, CAA = 1, 2, 6, 16, 28, 33, 47, 48, 255, 257


def encode_name(name):
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def subnet_option(subnet):
    """RFC 7871 6."""
    net = ipaddress.ip_network(subnet)
    address = net.network_address.packed[:(net.prefixlen + 7) // 8]
    data = struct.pack("!HBB", 1 if net.version == 4 else 2, net.prefixlen, 0) + address
    return struct.pack("!HH", 8, len(data)) + data


def query(name, kind=A, number=0x1234, subnet=None, edns=False, dnssec=False):
    options = subnet_option(subnet) if subnet else b""
    more = 1 if edns or subnet or dnssec else 0
    out = struct.pack("!6H", number, 0x0100, 1, 0, 0, more)
    out += encode_name(name) + struct.pack("!2H", kind, 1)
    if more:
        out += b"\0" + struct.pack("!HHIH", 41, 1232, 0x8000 if dnssec else 0, len(options)) + options
    return out


def name_at(data, at):
    """Of a name that is not compressed, without its last dot."""
    labels = []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode())
        at += 1 + data[at]
    return ".".join(labels)


def skip_name(data, at):
    while data[at] != 0:
        if data[at] >= 0xc0:
            return at + 2
        at += 1 + data[at]
    return at + 1


class Reply:
    """id, flags, rcode; answers: (type, ttl, rdata); addresses; scope of the client subnet; codes of
    extended errors."""

    def __init__(self, data):
        self.data = data
        self.id, self.flags, questions, answers, authority, additional = struct.unpack(
            "!6H", data[:12])
        self.rcode = self.flags & 15
        self.truncated = bool(self.flags & 0x0200)
        at = 12
        for _ in range(questions):
            at = skip_name(data, at) + 4
        self.answers, self.authority, self.scope, self.errors = [], [], None, []
        for i in range(answers + authority + additional):
            at = skip_name(data, at)
            kind, _, ttl, size = struct.unpack("!HHIH", data[at:at + 10])
            at += 10
            rdata = data[at:at + size]
            if i < answers:
                self.answers.append((kind, ttl, rdata))
            elif i < answers + authority:
                self.authority.append((kind, ttl, rdata))
            elif kind == 41:
                self.read_options(rdata)
            at += size
        assert at == len(data), "bytes behind the last record"
        self.addresses = [str(ipaddress.ip_address(rdata)) for kind, _, rdata in self.answers
                          if kind in (A, AAAA)]

    def services(self):
        """{target: (priority, weight, port)} of the SRV records."""
        return {name_at(rdata, 6): struct.unpack("!3H", rdata[:6]) for kind, _, rdata in self.answers if kind == SRV}

    def authorisations(self):
        """The values of the CAA records."""
        return {rdata[2 + rdata[1]:].decode() for kind, _, rdata in self.answers if kind == CAA}

    def read_options(self, options):
        while options:
            code, size = struct.unpack("!HH", options[:4])
            if code == 8:
                self.scope = options[7]
            elif code == 15:
                self.errors += struct.unpack("!H", options[4:6])
            options = options[4 + size:]


def udp_socket(address, seconds=5.0):
    out = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET,
                        socket.SOCK_DGRAM)
    out.settimeout(seconds)
    out.connect(address)
    return out


def ask_udp(address, name, kind=A, **more):
    with udp_socket(address) as s:
        s.send(query(name, kind, **more))
        return Reply(s.recv(65535))


def framed(message):
    return struct.pack("!H", len(message)) + message


def read_exactly(stream, count):
    out = b""
    while len(out) < count:
        part = stream.recv(count - len(out))
        if not part:
            raise EOFError("the connection was closed")
        out += part
    return out


def read_tcp(stream):
    return Reply(read_exactly(stream, struct.unpack("!H", read_exactly(stream, 2))[0]))
