"""ISC's genreport (DNS-Compliance-Testing) finds nothing to say against timepool-dnsd, for an unsigned zone and for a
signed one: RFC 8906's checks of EDNS, header bits, opcodes and types. By itself it asks by TCP twice, for all else by
UDP, so it is also run by way of a relay that carries each question and its answer over TCP.

genreport is no package: GENREPORT names the program, built from ISC's sources. What its checks send is also sent
here, without it, by UDP and by TCP, and the answers may not differ."""
import collections
import json
import os
import pathlib
import selectors
import shutil
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from dns_messages import encode_name, framed, read_exactly, skip_name, udp_socket  # noqa: E402
from programs import ProgramTest, main, own_directory, wait_until  # noqa: E402

GENREPORT = os.environ.get("GENREPORT", "")
ZONE = {"serial": 1, "ttl": 60, "max_hosts": 4, "data": {
    "": {"ns": ["ns.pool.test."], "a": [[f"10.0.0.{i}", 10] for i in range(1, 9)]},
    "ns": {"a": [["127.0.0.1"]]}}}
# What a type of tests prints for each of them.
GROUPS = {"edns": ["-e"], "full": ["-f"], "types": ["-t"], "common": ["-c"]}

SOA, DNSKEY, OPT = 6, 48, 41
AA, TC, RD, RA, Z, AD, CD = 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010
DO, OTHER_FLAG = 0x8000, 0x0080
NSID, SUBNET, EXPIRE, COOKIE, NOBODYS = 3, 8, 9, 10, 100
OPTIONS = {NSID: b"", SUBNET: b"\0\1\0\0", EXPIRE: b"", COOKIE: b"\1\2\3\4\5\6\7\x08", NOBODYS: b""}
Shape = collections.namedtuple("Shape", "flags opcode type edns size edns_flags version options",
                               defaults=(0, 0, SOA, False, 4096, 0, 0, ()))


def shapes():
    """What genreport's checks of each group send, by the check's name."""
    out = {"dns": Shape(), "opcode": Shape(opcode=15, type=None), "type666": Shape(type=666),
           "opcodeflg": Shape(AA | TC | RD | RA | Z | AD | CD, 15, None)}
    for name, flag in {"aa": AA, "ad": AD, "cd": CD, "ra": RA, "rd": RD, "tc": TC, "zflag": Z}.items():
        out[name] = Shape(flag)
    for version, prefix in ((0, "edns"), (1, "edns1")):
        edns = Shape(edns=True, version=version)
        out[prefix] = edns
        out[f"{prefix} do"] = edns._replace(edns_flags=DO)
        out[f"{prefix} flags"] = edns._replace(edns_flags=OTHER_FLAG)
        out[f"{prefix} list"] = edns._replace(options=(NSID, SUBNET, EXPIRE, COOKIE))
        for option in OPTIONS:
            out[f"{prefix} option {option}"] = edns._replace(options=(option,))
    out["docd"] = Shape(CD, edns=True, edns_flags=DO)
    out["edns@512"] = Shape(type=DNSKEY, edns=True, edns_flags=DO, size=512)
    out["bind11"] = Shape(edns=True, edns_flags=DO, options=(COOKIE,))
    out["dig11"] = Shape(RD | AD, edns=True, options=(COOKIE,))
    # Its list ends with AVC, DOA, DLV, and TYPE1000.
    for rrtype in (*range(1, 41), *range(42, 60), 61, 99, *range(104, 110), 256, 257, 258, 259, 32769, 1000):
        out[f"type {rrtype}"] = Shape(type=rrtype)
    return out


def packet(shape, name):
    message = struct.pack("!6H", 77, shape.flags | shape.opcode << 11, shape.type is not None, 0, 0, shape.edns)
    if shape.type is not None:
        message += encode_name(name) + struct.pack("!2H", shape.type, 1)
    if shape.edns:
        data = b"".join(struct.pack("!2H", code, len(OPTIONS[code])) + OPTIONS[code] for code in shape.options)
        message += b"\0" + struct.pack("!2H2BHH", OPT, shape.size, 0, shape.version, shape.edns_flags, len(data)) + data
    return message


def told(message):
    """What two answers to one question have in common: no times, no order, no cookie of the server's."""
    header = struct.unpack("!6H", message[:12])
    at, records, options = 12, [], set()
    for _ in range(header[2]):
        at = skip_name(message, at) + 4
    for section, count in enumerate(header[3:]):
        for _ in range(count):
            owner, at = message[at:skip_name(message, at)], skip_name(message, at)
            kind, _, _, size = struct.unpack("!HHIH", message[at:at + 10])
            data = message[at + 10:at + 10 + size]
            head = message[at + 2:at + 8] if kind == OPT else message[at + 4:at + 8]
            at += 10 + size
            if kind == OPT:
                while data:
                    code, length = struct.unpack("!2H", data[:4])
                    options.add((code, data[4:4 + (8 if code == COOKIE else length)]))
                    data = data[4 + length:]
            records.append((section, owner, kind, head, data))
    assert at == len(message), "octets behind the last record"
    return header, sorted(records), options


def by_udp(address, message):
    with udp_socket(address) as client:
        client.send(message)
        return client.recv(65535)


def by_tcp(address, message):
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(framed(message))
        return read_exactly(client, struct.unpack("!H", read_exactly(client, 2))[0])


class Relay(threading.Thread):
    """Answers each question, by UDP or TCP, with what the server answers to it by TCP."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.end, self.ended = socket.socketpair()
        self.carried = 0
        self.start()

    def run(self):
        with selectors.DefaultSelector() as selector:
            for it in (self.listener, self.udp, self.ended):
                selector.register(it, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self.ended in ready:
                    return
                if self.udp in ready:
                    message, client = self.udp.recvfrom(65535)
                    self.udp.sendto(self.ask(message), client)
                if self.listener in ready:
                    with self.listener.accept()[0] as client:
                        client.settimeout(5)
                        message = read_exactly(client, struct.unpack("!H", read_exactly(client, 2))[0])
                        client.sendall(framed(self.ask(message)))

    def ask(self, message):
        self.carried += 1
        return by_tcp(self.server, message)

    def close(self):
        self.end.send(b"x")
        self.join(10)
        for it in (self.listener, self.udp, self.end, self.ended):
            it.close()


class Compliance(ProgramTest):
    def serve(self, signed=False):
        root = own_directory(self.addCleanup)
        (root / "zones").mkdir()
        (root / "keys").mkdir(mode=0o700)
        (root / "zones/pool.test.json").write_text(json.dumps(ZONE))
        keys = f'[dnssec]\ndirectory = "{root}/keys"\n[[dnssec.zone]]\nname = "pool.test"\n' if signed else ""
        program = self.start("timepool-dnsd", f'[server]\nlisten = ["127.0.0.1:0"]\nthreads = 1\nidentity = "here"\n'
                             f'[zones]\ndirectory = "{root}/zones"\n{keys}')
        address = program.listening()
        wait_until(lambda: by_udp(address, packet(Shape(), "pool.test"))[7] == 1, 10, "the zone is served")
        return address

    def check_by_genreport(self, port):
        for group, options in GROUPS.items():
            with self.subTest(group):
                done = subprocess.run([GENREPORT, "-P", str(port), *options], text=True, timeout=200,
                                      input="pool.test ns.pool.test 127.0.0.1\n", capture_output=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("pool.test.", done.stdout, "a report was made")
                results = [word for word in done.stdout.split() if "=" in word]
                wrong = [word for word in results if not self.is_ok(word)]
                self.assertEqual(wrong, [], done.stdout)
                # Without a list of results the whole is told in two words.
                self.assertTrue(results or "all ok" in done.stdout, done.stdout)

    def is_ok(self, result):
        """ "edns=ok" or "do=ok,yes"; a flag that is told, but right: the version that NSID has."""
        return result.split("=", 1)[1].split(",")[0] == "ok"

    def need_genreport(self):
        if not shutil.which(GENREPORT):
            self.skipTest("GENREPORT names no program: build genreport from ISC's DNS-Compliance-Testing")

    def test_every_check_of_genreport_is_ok(self):
        self.need_genreport()
        for signed in (False, True):
            with self.subTest(signed=signed):
                self.check_by_genreport(self.serve(signed)[1])

    def test_every_check_of_genreport_is_ok_over_tcp(self):
        self.need_genreport()
        for signed in (False, True):
            with self.subTest(signed=signed):
                relay = Relay(self.serve(signed))
                self.addCleanup(relay.close)
                self.check_by_genreport(relay.port)
                self.assertGreater(relay.carried, 90)

    def test_what_genreport_sends_is_answered_alike_by_udp_and_tcp(self):
        for signed in (False, True):
            address = self.serve(signed)
            cut = []
            for check, shape in shapes().items():
                # All of the few addresses of a name come each time.
                name = "ns.pool.test" if shape.type in (1, 28) else "pool.test"
                with self.subTest(check, signed=signed):
                    message = packet(shape, name)
                    udp, tcp = told(by_udp(address, message)), told(by_tcp(address, message))
                    self.assertFalse(tcp[0][1] & TC)
                    if udp[0][1] & TC:
                        cut.append(check)
                        self.assertEqual(udp[0][1] & ~TC, tcp[0][1])
                    else:
                        self.assertEqual(udp, tcp)
            self.assertLessEqual(set(cut), {"edns@512"})


if __name__ == "__main__":
    main()
