"""timepool-dnsd answers for a static zone what knotd and nsd answer: random questions about a random zone from one
master file, each field of the replies compared. What may differ, and why, is the table REASONS; everything else is a
fault of somebody's.

TIMEPOOL_QUESTIONS is how many are asked. A run is the same each time, so that what it finds is of this tree;
TIMEPOOL_SEED=random asks others, a number those of another run."""
import collections
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from dns_messages import framed, read_exactly  # noqa: E402
from programs import ProgramTest, die_with_parent, free_port, main, own_directory, wait_until  # noqa: E402
from static_zone import NSID, SUBNET, TYPES, ZONE, StaticZone, packet  # noqa: E402

QUESTIONS = int(os.environ.get("TIMEPOOL_QUESTIONS", "3000"))
SEED = os.environ.get("TIMEPOOL_SEED", "20261122")
PEERS = pathlib.Path(__file__).resolve().parent.parent.parent / "build/peers"
KNOTD = PEERS / "knot/usr/sbin/knotd"
NSD = PEERS / "nsd/usr/sbin/nsd"
AA, TC = 0x0400, 0x0200
NOERROR, NXDOMAIN, REFUSED, BADVERS = 0, 3, 5, 16
# Types whose data may be compressed (RFC 3597 4), and where in it the names are.
NAMES_IN = {2: (0,), 5: (0,), 12: (0,), 15: (2,), 6: (0, None)}
Told = collections.namedtuple("Told", "flags rcode question answer authority additional edns options repeated size")


def read_name(message, at):
    """(the name in lower case, where it ends)"""
    labels, end = [], None
    while message[at]:
        if message[at] >= 0xc0:
            end = end or at + 2
            at = struct.unpack("!H", message[at:at + 2])[0] & 0x3fff
            continue
        labels.append(message[at + 1:at + 1 + message[at]].lower())
        at += 1 + message[at]
    return b".".join(labels), end or at + 1


def read_data(message, kind, at, size):
    if kind not in NAMES_IN:
        return message[at:at + size]
    first = NAMES_IN[kind][0]
    out, end = [message[at:at + first]], at + first
    for _ in NAMES_IN[kind]:
        name, end = read_name(message, end)
        out.append(name)
    return tuple([*out, message[end:at + size]])


def told(message):
    """A reply with its sections as sets; its size is compared by none."""
    _, flags, questions, *counts = struct.unpack("!6H", message[:12])
    at, question, sections, edns, options, rcode = 12, [], ([], [], []), None, {}, flags & 15
    for _ in range(questions):
        end = read_name(message, at)[1]
        question.append((message[at:end], message[end:end + 4]))  # its case is kept
        at = end + 4
    for section, count in zip(sections, counts):
        for _ in range(count):
            owner, at = read_name(message, at)
            kind, klass, ttl, size = struct.unpack("!HHIH", message[at:at + 10])
            if kind == 41:
                edns = ttl >> 16 & 0xff, ttl & 0x8000, ttl & 0x7fff
                rcode |= ttl >> 24 << 4
                options = dict(read_options(message[at + 10:at + 10 + size]))
            else:
                section.append((owner, kind, klass, ttl, read_data(message, kind, at + 10, size)))
            at += 10 + size
    assert at == len(message), "octets behind the last record"
    repeated = sum(len(section) - len(set(section)) for section in sections)
    return Told(flags & ~15, rcode, tuple(question), *map(frozenset, sections), edns, options, repeated,
                len(message))


def read_options(data):
    while data:
        code, size = struct.unpack("!2H", data[:4])
        yield code, data[4:4 + size]
        data = data[4 + size:]


CD, RRSIG, NSEC = 0x0010, 46, 47
IN, ANY_CLASS = 1, 255
RECORDS = ("answer", "authority", "additional")
# Differences that are nobody's fault: what of a reply may differ, and when: (question, ours, theirs, their name).
REASONS = {
    # RFC 4035 3 has CD copied, 3.1.6 has it cleared by those who only answer; ISC's genreport wants it copied.
    "only we copy CD": (("flags",), lambda q, ours, theirs, name: ours.flags ^ theirs.flags == q.flags & CD),
    # Each for itself: cookies (two of the three have none here), keepalive, the codes of extended errors.
    "other options": (("options",), lambda q, ours, theirs, name: shared(ours) == shared(theirs)),
    # RFC 1035 6.2: an answer to the class ANY can never be authoritative.
    "knotd has authority over the class ANY": (
        ("flags",), lambda q, ours, theirs, name: name == "knotd" and only_they_have_authority(q, ours, theirs)),
    "nsd has authority over the class ANY where an alias leads to a delegation": (
        ("flags",), lambda q, ours, theirs, name: name == "nsd" and only_they_have_authority(q, ours, theirs) and
        has_type(ours.answer, TYPES["CNAME"]) and has_type(ours.authority, TYPES["NS"])),
    # So that a resolver does not remember what is not there (RFC 2308 wants authority and SOA); ours has the SOA.
    "nsd has no SOA in the class ANY": (
        ("authority",), lambda q, ours, theirs, name: q.klass == ANY_CLASS and name == "nsd" and not theirs.authority),
    "nsd refuses other classes without the question": (
        ("question",), lambda q, ours, theirs, name: q.klass != IN and name == "nsd" and theirs.rcode == REFUSED),
    # Which stand beside CNAME in a signed zone (RFC 4035 2.5); this one is not.
    "knotd follows no CNAME for RRSIG and NSEC": (
        RECORDS + ("rcode",), lambda q, ours, theirs, name: q.type in (RRSIG, NSEC) and name == "knotd" and
        has_type(ours.answer, TYPES["CNAME"])),
    "nsd knows no client subnets": (
        ("options",), lambda q, ours, theirs, name: SUBNET in q.options and name == "nsd" and
        shared(ours) == {**shared(theirs), SUBNET: ours.options.get(SUBNET)}),
    "knotd tells options of version 0 with BADVERS": (
        ("options",), lambda q, ours, theirs, name: ours.rcode == BADVERS and not ours.options and name == "knotd"),
    # RFC 2181 9: what is cut off is asked for anew.
    "we leave the records of what is cut off away": (
        RECORDS, lambda q, ours, theirs, name: ours.flags & theirs.flags & TC and not any(ours[3:6])),
    # Options of different sizes, or a name that only one of the two has compressed.
    "what just fits for one is cut off for the other": (
        ("flags", *RECORDS), lambda q, ours, theirs, name: differing_flags(q, ours, theirs) == TC and
        max(ours.size, theirs.size) > (min(q.size, 1232) if q.edns else 512) - 64),
    "nsd does not copy DO to BADVERS": (
        ("edns",), lambda q, ours, theirs, name: ours.rcode == theirs.rcode == BADVERS and name == "nsd"),
    # RFC 2181 9: addresses of hosts are a courtesy, but for glue. Whole sets, and the same wherever both tell them.
    "other hosts' addresses": (
        ("additional",), lambda q, ours, theirs, name: (ours.flags & AA or q.klass == ANY_CLASS) and agree(
            ours.additional, theirs.additional)),
    "knotd tells a host's addresses as often as it is named": (
        ("repeated",), lambda q, ours, theirs, name: ours.repeated == 0 and name == "knotd"),
}


def only_they_have_authority(question, ours, theirs):
    differing = (ours.flags ^ theirs.flags) & ~(question.flags & CD)
    return question.klass == ANY_CLASS and theirs.flags & AA and differing == AA


def differing_flags(question, ours, theirs):
    """But for CD, and for authority over the class ANY."""
    differing = (ours.flags ^ theirs.flags) & ~CD
    return differing & ~AA if question.klass == ANY_CLASS and theirs.flags & AA else differing


def has_type(section, kind):
    return any(record[1] == kind for record in section)


def shared(reply):
    return {code: data for code, data in reply.options.items() if code in (NSID, SUBNET)}


def agree(ours, theirs):
    """Sets that both have are the same."""
    both = {record[:2] for record in ours} & {record[:2] for record in theirs}
    return all(({r for r in ours if r[:2] == key} == {r for r in theirs if r[:2] == key}) for key in both)


class StaticZones(ProgramTest):
    def setUp(self):
        if not KNOTD.exists() or not NSD.exists():
            self.skipTest("needs the packages knot and nsd")
        self.seed = random.randrange(1 << 32) if SEED == "random" else int(SEED)
        print(f"seed {self.seed}", flush=True)
        self.root = own_directory(self.addCleanup)
        self.zone = StaticZone(random.Random(self.seed))
        (self.root / "zones").mkdir()
        self.file = self.root / f"zones/{ZONE}.zone"
        self.file.write_text(self.zone.text)

    def peer(self, name, command, config):
        port = free_port()
        (self.root / name).mkdir()
        (self.root / f"{name}.conf").write_text(config.format(port=port, root=self.root / name, zone=ZONE,
                                                              file=self.file))
        log = self.root / f"{name}.log"
        with open(log, "ab") as out:
            process = subprocess.Popen([*command, self.root / f"{name}.conf"], stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=out, preexec_fn=die_with_parent)
        self.end_with_test(process)
        return self.ready(name, port, lambda: log.read_text())

    def ready(self, name, port, log):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(client.close)
        client.connect(("127.0.0.1", port))
        client.settimeout(1)
        question = self.zone.question()._replace(name=ZONE, type=TYPES["SOA"], klass=1, flags=0, edns=False, tcp=False)

        def answers():
            try:
                client.send(packet(question, 1))
                return told(client.recv(65535)).rcode == NOERROR
            except OSError:
                return False
        wait_until(answers, 20, f"{name} serves the zone: {log()}")
        client.settimeout(10)
        return client

    def start_all(self):
        program = self.start("timepool-dnsd", f'[server]\nlisten = ["127.0.0.1:0"]\nthreads = 1\nidentity = "here"\n'
                             f'[zones]\ndirectory = "{self.root}/zones"\n[rrl]\nexempt = ["127.0.0.0/8"]\n')
        self.assertNotIn("error", program.output())
        port = program.listening()[1]
        return {
            "ours": self.ready("timepool-dnsd", port, program.output),
            "knotd": self.peer("knotd", [KNOTD, "-c"], """server:
  rundir: {root}
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  nsid: "here"
  edns-client-subnet: on
database:
  storage: {root}
log:
  - target: stderr
    any: warning
zone:
  - domain: {zone}
    file: {file}
    zonefile-sync: -1
    journal-content: none
"""),
            "nsd": self.peer("nsd", [NSD, "-d", "-c"], """server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{root}"
  database: ""
  pidfile: "{root}/pid"
  zonelistfile: "{root}/list"
  xfrdfile: "{root}/xfrd"
  xfrdir: "{root}"
  nsid: ascii_here
  rrl-ratelimit: 0
  minimal-responses: yes
remote-control:
  control-enable: no
zone:
  name: {zone}
  zonefile: {file}
""")}

    def ask(self, client, question):
        number = random.getrandbits(16)
        message = packet(question, number)
        if question.tcp:
            with socket.create_connection(client.getpeername(), timeout=10) as stream:
                stream.sendall(framed(message))
                reply = read_exactly(stream, struct.unpack("!H", read_exactly(stream, 2))[0])
            self.assertEqual(reply[:2], message[:2])
        else:
            client.send(message)
            reply = client.recv(65535)
            while reply[:2] != message[:2]:  # a late one, to what ready() asked
                reply = client.recv(65535)
        return told(reply)

    def test_static_zones_are_answered_as_by_knotd_and_nsd(self):
        servers = self.start_all()
        excused, asked = collections.Counter(), collections.Counter()
        faults = []
        started = time.monotonic()
        for _ in range(QUESTIONS):
            question = self.zone.question()
            replies = {name: self.ask(client, question) for name, client in servers.items()}
            ours = replies.pop("ours")
            asked[ours.rcode] += 1
            for name, theirs in replies.items():
                for field in Told._fields[:-1]:
                    if getattr(ours, field) == getattr(theirs, field):
                        continue
                    rule = next((rule for rule, (fields, explains) in REASONS.items()
                                 if field in fields and explains(question, ours, theirs, name)), None)
                    if rule:
                        excused[rule] += 1
                    else:
                        faults.append(f"{name} {field}: {question}\n  ours {getattr(ours, field)}\n"
                                      f"  theirs {getattr(theirs, field)}")
        print(f"{QUESTIONS} questions in {time.monotonic() - started:.1f} s; rcodes {dict(asked)}; "
              f"differences with a reason: {dict(excused)}", flush=True)
        self.assertEqual(len(faults), 0, f"seed {self.seed}\n" + "\n".join(faults[:12]))
        self.assertGreater(asked[NOERROR], QUESTIONS / 2)
        self.assertGreater(asked[NXDOMAIN], QUESTIONS / 20)


if __name__ == "__main__":
    main()
