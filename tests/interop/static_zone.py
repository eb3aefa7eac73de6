"""A random zone as a master file, with names of every kind, and random questions about it."""
import collections
import struct

from dns_messages import encode_name

ZONE = "static.test"
QUERY, IN, CH, NONE, ANY_CLASS = 0, 1, 3, 254, 255
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "HINFO": 13, "MX": 15, "TXT": 16, "AAAA": 28, "LOC": 29,
         "SRV": 33, "NAPTR": 35, "DS": 43, "SSHFP": 44, "DNSKEY": 48, "TLSA": 52, "SVCB": 64, "HTTPS": 65, "SPF": 99,
         "CAA": 257, "TYPE731": 731, "RRSIG": 46, "NSEC": 47, "NSEC3PARAM": 51}
COOKIE, NSID, SUBNET, NOBODYS = 10, 3, 8, 65001
LONGEST = 253  # characters of a name without its last dot (RFC 1035 3.1)
Question = collections.namedtuple("Question", "name type klass flags opcode edns size edns_flags version options tcp")


class StaticZone:
    """`text` is the file; `names` are those in it, `kinds` what each is."""

    def __init__(self, chosen, size=150):
        self.chosen = chosen
        self.kinds = {"": "apex"}
        self.lines = [f"$ORIGIN {ZONE}.", "$TTL 300", "@ 3600 SOA ns1 host.master 7 7200 3600 1209600 900",
                      "@ NS ns1", "@ NS ns2", "@ NS ns.elsewhere.example.", "@ MX 10 mail", "@ MX 20 mail2.Mixed",
                      '@ TXT "one string" "and \\"another\\""', '@ CAA 0 issue "ca.example"', "@ A 192.0.2.1",
                      "ns1 A 192.0.2.2", "ns1 AAAA 2001:db8::2", "ns2 A 192.0.2.3", "mail A 192.0.2.4",
                      "mail AAAA 2001:db8::4", "mail2.mixed A 192.0.2.5"]
        for name in ("ns1", "ns2", "mail", "mail2.mixed"):
            self.kinds[name] = "host"
        for _ in range(size):
            self.add()
        self.text = "\n".join(self.lines) + "\n"
        self.names = list(self.kinds)

    def word(self):
        return self.chosen.choice(("a", "b", "c", "www", "x-1", "_sip", "_tcp", "de", "long" * 12, "0", "q7", "time"))

    def new_name(self):
        """Not below a delegation."""
        while True:
            parent = self.chosen.choice(list(self.kinds)) if self.chosen.random() < 0.5 else ""
            name = f"{self.word()}{self.chosen.choice(('', '', self.chosen.randrange(40)))}.{parent}".strip(".")
            if name.count(".") > 5 or name in self.kinds or parent.startswith("*"):
                continue
            if not any(self.kinds.get(up) == "cut" for up in above(name)):
                return name

    def add(self):
        kind = self.chosen.choice(("data", "data", "data", "wildcard", "cname", "cname", "cut", "set"))
        name = self.new_name()
        if kind == "wildcard":
            name = f"*.{name}"
        if name in self.kinds or (kind == "cut" and any(other.endswith(f".{name}") for other in self.kinds)):
            return
        self.kinds[name] = kind
        if kind == "cut":
            self.add_cut(name)
        elif kind == "cname" or (kind == "wildcard" and self.chosen.random() < 0.3):
            self.put(name, "CNAME", self.host())
        elif kind == "set":
            rrtype = self.chosen.choice(("A", "AAAA", "TXT", "SRV"))
            for n in range(self.chosen.choice((2, 5, 12, 40))):
                self.put(name, rrtype, self.data(rrtype, n), ttl=77)
        else:
            for rrtype in self.chosen.sample(["A", "AAAA", "MX", "TXT", "SRV", "PTR", "HTTPS", "SVCB", "CAA", "TLSA",
                                              "NAPTR", "SSHFP", "TYPE731", "HINFO"], self.chosen.choice((1, 2, 4))):
                ttl = self.chosen.choice((0, 1, 300, 86400))
                for n in range(self.chosen.choice((1, 1, 2))):
                    self.put(name, rrtype, self.data(rrtype, n), ttl)

    def add_cut(self, name):
        self.put(name, "NS", f"ns.{name}.{ZONE}.")
        self.put(f"ns.{name}", "A", self.data("A", 0))
        if self.chosen.random() < 0.5:
            self.put(f"ns.{name}", "AAAA", self.data("AAAA", 0))
        if self.chosen.random() < 0.5:
            self.put(name, "NS", self.chosen.choice(("ns.elsewhere.example.", f"ns1.{ZONE}.")))
        if self.chosen.random() < 0.4:
            self.put(name, "DS", f"{self.chosen.randrange(65536)} 13 2 " + "ab" * 32)

    def put(self, name, rrtype, data, ttl=""):
        # The same record twice would be one.
        line = f"{name} {ttl} {rrtype} {data}"
        if line not in self.lines:
            self.lines.append(line)

    def host(self):
        if self.chosen.random() < 0.2:
            return "elsewhere.example."
        name = self.chosen.choice(list(self.kinds))
        if name.startswith("*"):
            name = "star" + name[1:]
        return f"{name}.{ZONE}.".lstrip(".")

    def data(self, rrtype, n):
        choose = self.chosen
        number = choose.randrange(200)
        return {
            "A": lambda: f"10.{choose.randrange(256)}.{choose.randrange(256)}.{n}",
            "AAAA": lambda: f"2001:db8:{choose.randrange(65536):x}::{n:x}",
            "MX": lambda: f"{number} {self.host()}", "PTR": self.host,
            "TXT": lambda: f'"{number} {n}" "{"t" * number}"',
            "SRV": lambda: f"{n} {number} 123 {self.host()}",
            "HTTPS": lambda: f"{n + 1} . alpn=h2,h3 port={number}", "SVCB": lambda: f"{n} {self.host()}",
            "CAA": lambda: f'128 iodef "mailto:{number}.{n}@example"', "TLSA": lambda: f"3 1 1 {number:02x}{n:02x}ff",
            "NAPTR": lambda: f'{n} {number} "s" "x" "" {self.host()}',
            "SSHFP": lambda: f"4 1 {number:02x}{n:02x}" + "7e" * 18,
            "TYPE731": lambda: f"\\# 4 01{number:02x}{n:02x}ff", "HINFO": lambda: f'"cpu {n}" "{number}"',
        }[rrtype]()

    def question(self):
        choose = self.chosen
        name = choose.choice(self.names)
        if name.startswith("*") and choose.random() < 0.7:
            name = f"w{choose.randrange(99)}{name[1:]}"
        shape = choose.random()
        if shape < 0.1:
            name = f"no{choose.randrange(99)}.{name}"
        elif shape < 0.2:
            name = f"{self.word()}.{self.word()}.{name}"
        elif shape < 0.28:
            name = name.partition(".")[2]
        elif shape < 0.33 and self.kinds.get(name) == "cut":
            name = f"ns.{name}"
        full = f"{name.strip('.')}.{ZONE}".lstrip(".")
        if choose.random() < 0.03:
            full = choose.choice(("other.test", "test", ".", "x" * 63 + ".example"))
        while len(full) > LONGEST:
            full = full.partition(".")[2]
        full = "".join(choose.choice((c.upper(), c)) for c in full)
        edns = choose.random() < 0.7
        return Question(
            full, choose.choice(list(TYPES.values())), choose.choices((IN, CH, NONE, ANY_CLASS), (97, 1, 1, 1))[0],
            choose.choice((0, 0x0100, 0x0100, 0x0110, 0x0120, 0x0030)), QUERY,
            edns, choose.choice((512, 600, 1232, 4096)), choose.choice((0, 0x8000)) if edns else 0,
            choose.choices((0, 1), (30, 1))[0], tuple(choose.sample((COOKIE, NSID, SUBNET, NOBODYS),
                                                                   choose.choice((0, 0, 0, 1, 2)))),
            choose.random() < 0.15)


def above(name):
    while name:
        yield name
        name = name.partition(".")[2]


def packet(question, number):
    message = struct.pack("!6H", number, question.flags | question.opcode << 11, 1, 0, 0, question.edns)
    message += encode_name(question.name) + struct.pack("!2H", question.type, question.klass)
    if question.edns:
        data = b""
        for code in question.options:
            content = {COOKIE: b"\1\2\3\4\5\6\7\x08", SUBNET: b"\0\1\x18\0\xc6\x33\x64"}.get(code, b"")
            data += struct.pack("!2H", code, len(content)) + content
        message += b"\0" + struct.pack("!2H2BHH", 41, question.size, 0, question.version, question.edns_flags,
                                       len(data)) + data
    return message
