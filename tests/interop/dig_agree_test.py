"""dig and kdig agree with our parser on answers with every type of record.

A server of the test's own answers each query of dig and kdig with a random message that our writer
made; what they print of it is compared with what our parser says of the same bytes.
"""
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from dig_output import comparable, read_output  # noqa: E402
from programs import BINARY_DIR, main  # noqa: E402

TYPES = ["A", "AAAA", "NS", "SOA", "CNAME", "TXT", "SRV", "PTR", "MX", "CAA", "DNSKEY", "DS", "SPF",
         "NSEC", "CDS", "RRSIG", "CDNSKEY", "HTTPS", "SVCB", "DNAME", "TYPE731"]
SEEDS = 6
PACKAGES = {"dig": "bind9-dnsutils", "kdig": "knot-dnsutils"}
OPTIONS = {"dig": ["+nosplit", "+norrcomments", "+noidnin", "+noidnout", "+nocookie", "+tries=1"],
           "kdig": ["+noidn", "+nocookie", "+retry=0"]}


class Codec:
    """Our parser and writer, in the program dns_text."""

    def __init__(self):
        self.lock = threading.Lock()
        self.numbers = {}
        self.process = subprocess.Popen([BINARY_DIR / "tests" / "dns_text"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        with self.lock:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())

    def number_of(self, mnemonic):
        if mnemonic not in self.numbers:
            answer = self.ask("type", mnemonic)
            if "type" not in answer:
                raise AssertionError(f"{mnemonic} is no type to us")
            self.numbers[mnemonic] = answer["type"]
        return self.numbers[mnemonic]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Recorder:
    """A UDP server on loopback: answer(query) -> reply; keeps the last reply."""

    def __init__(self, answer):
        self.answer = answer
        self.last = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            query, address = self.socket.recvfrom(65535)
            if not query:
                return
            self.last = self.answer(query)
            self.socket.sendto(self.last, address)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join()
        self.socket.close()


def ask(tool, port, name, rrtype, *more):
    """What `tool` prints. One try, and nothing over TCP: the recorder has the only answer."""
    command = [tool, "@127.0.0.1", "-p", str(port), *OPTIONS[tool], *more, "+dnssec",
               "+time=10", "+ignore", "+bufsize=4096", "-q", name, "-t", rrtype]
    return subprocess.run(command, text=True, capture_output=True, timeout=30, check=True,
                          errors="surrogateescape").stdout


class Agreement(unittest.TestCase):
    def setUp(self):
        self.codec = Codec()
        self.addCleanup(self.codec.close)

    def need(self, tool):
        if not shutil.which(tool):
            self.skipTest(f"needs {tool} of the package {PACKAGES[tool]}")

    def check(self, tool, output, reply):
        theirs = read_output(output)
        ours = self.codec.ask("read", reply.hex())
        self.assertNotIn("error", ours, output)
        for field in ("id", "rcode", "flags", "counts"):
            self.assertEqual(theirs[field], ours[field], f"{field} by {tool}\n{output}")
        self.assertEqual("edns" in theirs, "edns" in ours, output)
        for field, value in theirs.get("edns", {}).items():
            self.assertEqual(value, ours["edns"][field], f"EDNS {field} by {tool}\n{output}")
        self.assertEqual(len(theirs["records"]), len(ours["records"]), output)
        for left, right in zip(theirs["records"], ours["records"]):
            self.assertEqual(comparable(left, self.codec.number_of),
                             comparable(right, self.codec.number_of), f"{tool}: {left}\n{right}")
        return len(ours["records"])

    def every_type(self, tool):
        self.need(tool)
        seed = 0
        recorder = Recorder(lambda query: bytes.fromhex(
            self.codec.ask("answer", seed, query.hex())["hex"]))
        self.addCleanup(recorder.close)
        records = 0
        for rrtype in TYPES:
            for _ in range(SEEDS):
                seed += 1
                with self.subTest(tool=tool, type=rrtype, seed=seed):
                    output = ask(tool, recorder.port, "Name.Pool.test", rrtype)
                    records += self.check(tool, output, recorder.last)
        self.assertGreater(records, len(TYPES) * SEEDS)

    def test_dig_reads_every_type_as_we_do(self):
        self.every_type("dig")

    def test_kdig_reads_every_type_as_we_do(self):
        self.every_type("kdig")


if __name__ == "__main__":
    main()
