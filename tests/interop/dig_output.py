"""Reads what dig and kdig print, and makes the text of records from any of the three programs
comparable. Python's standard library only."""
import re

HEADER = re.compile(r"status: (\w+)[,;] id: (\d+)")
FLAGS = re.compile(r"^;; [Ff]lags: ?([a-z ]*);", re.M)
COUNTS = re.compile(r"QUERY: (\d+)[,;] ANSWER: (\d+)[,;] AUTHORITY: (\d+)[,;] ADDITIONAL: (\d+)")
SECTION = re.compile(r"^;; (QUESTION|ANSWER|AUTHORITY|ADDITIONAL) SECTION:")
DIG_EDNS = re.compile(r"^; EDNS: version: (\d+), flags:([a-z ]*); (?:MBZ: \w+, )?udp: (\d+)", re.M)
KDIG_EDNS = re.compile(r"^;; Version: (\d+); flags: ?([a-z ]*); UDP size: (\d+) B", re.M)

# Types whose data holds hexadecimal digits in either case.
HEX_TYPES = ("DS", "CDS")


def read_output(text):
    """The message that `text` shows, in the form of dns_text's `read` command."""
    found = HEADER.search(text)
    if not found:
        raise AssertionError(f"no header in:\n{text}")
    status, identifier = found.groups()
    out = {"rcode": status, "id": int(identifier),
           "flags": FLAGS.search(text).group(1).split(),
           "counts": [int(n) for n in COUNTS.search(text).groups()],
           "records": [], "questions": []}
    edns = DIG_EDNS.search(text) or KDIG_EDNS.search(text)
    if edns:
        out["edns"] = {"version": int(edns.group(1)), "do": "do" in edns.group(2).split(),
                       "udp": int(edns.group(3))}
        subnet = re.search(r"CLIENT-SUBNET: (\S+)", text)
        if subnet:
            out["edns"]["subnet"] = subnet.group(1)
        cookie = re.search(r"COOKIE: ([0-9a-fA-F]+)", text)
        if cookie:
            out["edns"]["cookie"] = cookie.group(1).lower()
        nsid = re.search(r"NSID: ((?:[0-9a-fA-F]{2} ?)+)", text)
        if nsid:
            out["edns"]["nsid"] = nsid.group(1).replace(" ", "").lower()
    section = None
    for line in text.splitlines():
        found = SECTION.match(line)
        if found:
            section = found.group(1).lower()
        elif section == "question" and line.startswith(";"):
            out["questions"].append(line.lstrip("; ").split())
        elif line and not line.startswith(";"):
            owner, ttl, klass, rrtype, *data = line.split(None, 4)
            out["records"].append([section, owner, int(ttl), klass, rrtype,
                                   data[0] if data else ""])
        elif not line:
            section = None
    return out


def tokens(text):
    """The fields of presentation format: quotes and escapes resolved, so that two ways to write the
    same octets are equal. An escaped dot stays distinct from one between labels."""
    out, current, quoted, started, i = [], "", False, False, 0
    while i < len(text):
        c = text[i]
        if c == "\\" and text[i + 1:i + 4].isdigit():
            octet = int(text[i + 1:i + 4])
            current += "\\." if octet == ord(".") else chr(octet)
            started, i = True, i + 4
        elif c == "\\":
            current += "\\." if text[i + 1] == "." else text[i + 1]
            started, i = True, i + 2
        elif c == '"':
            quoted, started, i = not quoted, True, i + 1
        elif c in " \t" and not quoted:
            if started:
                out.append(current)
            current, started, i = "", False, i + 1
        else:
            # Within quotes a dot is no separator of labels.
            current += "\\." if quoted and c == "." else c
            started, i = True, i + 1
    return out + [current] if started else out


def comparable(record, number_of):
    """The record with its text resolved; number_of gives a type mnemonic's number."""
    section, owner, ttl, klass, rrtype, data = record
    number = number_of(rrtype)
    if data.startswith("\\#"):
        # RFC 3597: hexadecimal digits, which may be in groups.
        fields = ["\\#", data.split()[1], "".join(data.split()[2:]).lower()]
    else:
        fields = tokens(data)
    if rrtype in HEX_TYPES:
        fields = fields[:3] + ["".join(fields[3:]).lower()]
    elif rrtype == "NSEC":
        fields = fields[:1] + [number_of(field) for field in fields[1:]]
    elif rrtype == "RRSIG":
        fields[0] = number_of(fields[0])
    return [section, tokens(owner), ttl, klass, number, fields]
