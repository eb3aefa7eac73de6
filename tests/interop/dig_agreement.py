"""Runs dig and kdig against a server on loopback and compares what they print of each reply with
what our parser says of the same bytes."""
import json
import shutil
import socket
import subprocess
import threading
import unittest

from dig_output import comparable, read_output
from programs import BINARY_DIR

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
    command = [tool, "@127.0.0.1", "-p", str(port), *OPTIONS[tool], "+dnssec", "+time=10",
               "+ignore", "+bufsize=4096", *more, "-q", name, "-t", rrtype]
    return subprocess.run(command, text=True, capture_output=True, timeout=30, check=True,
                          errors="surrogateescape").stdout


class Agreement(unittest.TestCase):
    """A test that compares replies."""

    def setUp(self):
        self.compared = set()  # fields of EDNS that were there to compare
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
            self.compared.add(field)
            self.assertEqual(value, ours["edns"][field], f"EDNS {field} by {tool}\n{output}")
        self.assertEqual(len(theirs["records"]), len(ours["records"]), output)
        for left, right in zip(theirs["records"], ours["records"]):
            self.assertEqual(comparable(left, self.codec.number_of),
                             comparable(right, self.codec.number_of), f"{tool}: {left}\n{right}")
        return len(ours["records"])
