"""A pool's zone with every kind of name, networks of many countries, and what each client may be answered: geodns'
rules in their slowest form, beside those that timepool-dnsd has compiled."""
import ipaddress
import json
import struct

from dns_messages import encode_name

ZONE = "pool.test"
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "DS": 43,
         "DNSKEY": 48, "HTTPS": 65, "CAA": 257}
CONTINENTS = {
    "europe": "at be ch cz de dk es fr it nl no pl se".split(), "asia": "cn in jp kr sg".split(),
    "north-america": "ca mx us".split(), "south-america": "ar br cl".split(), "africa": "eg ke za".split(),
    "oceania": "au nz".split()}
CONTINENT_OF = {country: continent for continent, members in CONTINENTS.items() for country in members}
# Of these nobody has a server: they are answered from their continent or the whole pool.
EMPTY = {"be", "kr", "cl", "ke", "nz"}
WEIGHTED = {"A", "AAAA", "CNAME"}
MAX_HOSTS = 4
# Where the networks are: not where the resolver is, whose own place counts when nothing is known of a client's.
FIRST_OCTETS = 20 << 24, 126 << 24
# What zones below the pool's are asked for, and all that they answer.
CHILD_ZONE = {"serial": 1, "ttl": 60, "data": {"": {"ns": ["ns.pool.test."]}, "www": {"a": [["10.255.0.1"]]}}}
CHILD_ANSWER = ("A", 1, {"10.255.0.1"})


class World:
    """`zone` is the document of pool.test, `overrides` and `asn_overrides` the settings of [geoip]."""

    def __init__(self, chosen, children):
        """`chosen`: a random.Random; `children`: for each zone below this one, "secure" of "secure.pool.test", its DS
        records as texts; none: it is not signed."""
        self.chosen = chosen
        self.children = children
        self.next_server = 0
        self.overrides = self.networks(900, lambda: chosen.choice(list(CONTINENT_OF)))
        self.asn_overrides = self.networks(120, lambda: chosen.choice((64500, 64501)))
        self.own_network = ipaddress.ip_network((chosen.randrange(*FIRST_OCTETS) & 0xffffff00, 24))
        self.labels = self.made_labels()
        self.zone = {"serial": 7, "ttl": 60, "max_hosts": MAX_HOSTS, "targeting": "@ country continent asn ip",
                     "data": self.labels}
        self.names = self.existing_names()
        self.by_length = {}
        for table, of in (("country", self.overrides), ("asn", self.asn_overrides)):
            for network, value in of.items():
                lengths = self.by_length.setdefault((table, network.version), {})
                lengths.setdefault(network.prefixlen, {})[int(network.network_address)] = value

    def networks(self, count, value):
        """Networks within each other and beside each other, none longer than what resolvers tell of a client."""
        out = {}
        while len(out) < count:
            if self.chosen.random() < 0.6:
                length = self.chosen.choice((8, 11, 14, 16, 16, 19, 22, 24))
                first = self.chosen.randrange(*FIRST_OCTETS)
                kind, bits = ipaddress.IPv4Network, 32
            else:
                length = self.chosen.choice((20, 24, 28, 32, 36, 44, 48, 56))
                first = 0x2a << 120 | self.chosen.randrange(1 << 120)
                kind, bits = ipaddress.IPv6Network, 128
            out[kind((first >> bits - length << bits - length, length))] = value()
        return out

    def addresses(self, count):
        """[[address, weight]...] of servers that no other label has."""
        out = []
        for _ in range(count):
            self.next_server += 1
            out.append([f"10.{self.next_server >> 8}.{self.next_server & 255}.1", self.chosen.choice((1, 10, 250))])
        return out

    def addresses6(self, count):
        return [[f"2001:db8:{n:x}::1", self.chosen.choice((1, 10, 250))]
                for n in self.chosen.sample(range(1 << 16), count)]

    def made_labels(self):
        choose = self.chosen
        out = {
            "": {"ns": ["ns1.pool.test.", "ns2.pool.test."], "mx": [{"mx": "mail.pool.test.", "preference": 10}],
                 "a": self.addresses(60), "aaaa": self.addresses6(30), "txt": "time", "caa": ['0 issue "ca.example"']},
            "ns1": {"a": [["127.0.0.1"]]}, "ns2": {"a": [["127.0.0.1"]]}, "mail": {"a": self.addresses(1)},
            "vendor": {"alias": ""}, "0.vendor": {"alias": "0"},
            "www": {"cname": "deep.er.name"}, "lost": {"cname": "no.such"}, "away": {"cname": "www.secure"},
            "either": {"cname": [["www", 3], ["mail", 5]]}, "deep.er.name": {"a": self.addresses(1)},
            "*.wild": {"a": self.addresses(20), "txt": "any"}, "*.wild.de": {"a": self.addresses(9)},
            "here.wild": {"txt": "here"}, "*.walias": {"cname": "www"},
            "_ntp._udp": {"srv": self.services(3)}, "_ntp._udp.europe": {"srv": self.services(2)},
            "_ntske._tcp": {"srv": [dict(item, weight=5) for item in self.services(9)]},
            "web": {"https": ["1 . alpn=h2 port=443"], "a": self.addresses(3)},
            "back": {"ptr": [["host.example.", 1]]},
            "as64500": {"a": self.addresses(8)}, "0.as64501": {"a": self.addresses(2)},
            f"[{self.own_network.network_address}]": {"a": self.addresses(1)},
        }
        for base in ("", "0", "1", "2", "3"):
            if base:
                out.setdefault(base, {})["a"] = self.addresses(15)
            for target in [*CONTINENT_OF, *CONTINENTS]:
                if target in EMPTY or target == "africa" or choose.random() < 0.15:
                    continue
                label = out.setdefault(f"{base}.{target}".lstrip("."), {})
                label["a"] = self.addresses(choose.choice((1, 2, 4, 5, 7, 30)))
                if base in ("", "2") and choose.random() < 0.5:
                    label["aaaa"] = self.addresses6(choose.choice((1, 3, 20)))
        for child, ds in self.children.items():
            out[child] = {"ns": [f"ns.{child}.pool.test."], **({"ds": ds} if ds else {})}
            out[f"ns.{child}"] = {"a": [["127.0.0.2"]]}
        return out

    def services(self, count):
        return [{"srv_weight": n, "priority": 1, "port": 123, "target": f"ns{1 + n % 2}.pool.test."}
                for n in range(count)]

    def existing_names(self):
        out = {""}
        ends = [*CONTINENT_OF, *CONTINENTS, "as64500", "as64501"]
        for label in self.labels:
            bases = [] if "[" in label else [label]
            bases += [label[:-len(end) - 1] for end in ends if label.endswith("." + end)]
            for base in bases:
                while base:
                    out.add(base)
                    base = base.partition(".")[2]
        return out

    def value_of(self, table, address):
        bits = 32 if address.version == 4 else 128
        lengths = self.by_length.get((table, address.version), {})
        for length in sorted(lengths, reverse=True):
            found = lengths[length].get(int(address) >> bits - length << bits - length)
            if found:
                return found
        return None

    def levels(self, address):
        """The ends of labels that count for a client, most specific first."""
        out = [f"[{address}]"]
        length = 24 if address.version == 4 else 48
        out.append(f"[{ipaddress.ip_network((address, length), strict=False).network_address}]")
        asn, country = self.value_of("asn", address), self.value_of("country", address)
        out += [f"as{asn}"] if asn else []
        out += [country, CONTINENT_OF[country]] if country else []
        return [*out, ""]

    def found(self, base, kind, levels):
        """(label, type) of the records that a client is given under a name, or None."""
        for level in levels:
            name = f"{base}.{level}".strip(".")
            label = self.labels.get(name)
            if label is None:
                continue
            if "alias" in label:
                there = self.found(label["alias"], kind, levels)
                if there:
                    return there
            for held in ("CNAME", kind):
                if held.lower() in label:
                    return name, held
        return None

    def expected(self, name, kind, levels):
        """(whether the name exists, [(type, how many, the data that they may be)...]) of a name of this zone, CNAMEs
        followed."""
        base, links = name, []
        for _ in range(8):
            exists, at = base in self.names, base
            if not exists:
                encloser = base.partition(".")[2]
                while encloser not in self.names:
                    encloser = encloser.partition(".")[2]
                at = f"*.{encloser}".rstrip(".")
                exists = at in self.names
            found = self.found(at, kind, levels) if exists else None
            if not found:
                return exists, links
            label, held = found
            records = self.labels[label][held.lower()]
            allowed = {data_of(held, record) for record in (records if isinstance(records, list) else [records])}
            drawn = held in WEIGHTED or any(isinstance(r, dict) and r.get("weight") for r in records)
            limit = 1 if held == "CNAME" else MAX_HOSTS if drawn else len(allowed)
            links.append((held, min(limit, len(allowed)), allowed))
            if held != "CNAME" or kind == "CNAME":
                return True, links
            if len(allowed) > 1:
                return True, links  # Where it leads is drawn.
            base = next(iter(allowed))[:-len(ZONE) - 1]
            if base.rpartition(".")[2] in self.children:
                return True, [*links, CHILD_ANSWER]
        raise AssertionError("a circle")


def data_of(kind, record):
    """A record of the document as `read_data` reads it off the wire."""
    first = record[0] if isinstance(record, list) else record
    if kind in ("A", "AAAA"):
        return str(ipaddress.ip_address(first))
    if kind == "CNAME":
        return f"{first}.{ZONE}"
    if kind in ("PTR", "NS"):
        return first.rstrip(".")
    if kind == "MX":
        return first["preference"], first["mx"].rstrip(".")
    if kind == "SRV":
        return first["priority"], first["srv_weight"], first["port"], first["target"].rstrip(".")
    if kind == "TXT":
        return bytes([len(first)]) + first.encode()
    if kind == "HTTPS":
        return b"\0\1\0" + b"\0\1\0\3\2h2" + b"\0\3\0\2" + struct.pack("!H", 443)
    if kind == "CAA":
        return b"\0\5issueca.example"
    if kind == "DS":
        tag, algorithm, digest_type, digest = first.split(maxsplit=3)
        return struct.pack("!HBB", int(tag), int(algorithm), int(digest_type)) + bytes.fromhex(digest)
    raise AssertionError(kind)


def read_name(message, at):
    """A name that may be compressed, in lower case without its last dot."""
    labels = []
    while message[at]:
        if message[at] >= 0xc0:
            at = struct.unpack("!H", message[at:at + 2])[0] & 0x3fff
            continue
        labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1").lower())
        at += 1 + message[at]
    return ".".join(labels)


def read_data(kind, message, at, size):
    data = message[at:at + size]
    if kind in (TYPES["A"], TYPES["AAAA"]):
        return str(ipaddress.ip_address(data))
    if kind in (TYPES["CNAME"], TYPES["PTR"], TYPES["NS"]):
        return read_name(message, at)
    if kind == TYPES["MX"]:
        return struct.unpack("!H", data[:2])[0], read_name(message, at + 2)
    if kind == TYPES["SRV"]:
        return *struct.unpack("!3H", data[:6]), read_name(message, at + 6)
    return data


def question(number, name, kind, network):
    """With the client subnet `network`, RD, and DO."""
    address = network.network_address.packed[:(network.prefixlen + 7) // 8]
    data = struct.pack("!HBB", 1 if network.version == 4 else 2, network.prefixlen, 0) + address
    option = struct.pack("!2H", 8, len(data)) + data
    return (struct.pack("!6H", number, 0x0100, 1, 0, 0, 1) + encode_name(name) + struct.pack("!2H", TYPES[kind], 1) +
            b"\0" + struct.pack("!HHIH", 41, 4096, 0x8000, len(option)) + option)


def settings_of(world):
    """The tables of [geoip]."""
    out = []
    for table, of in (("overrides", world.overrides), ("asn_overrides", world.asn_overrides)):
        out.append(f"[geoip.{table}]")
        out += [f'"{network}" = {json.dumps(value)}' for network, value in of.items()]
    return "\n".join(out) + "\n"
