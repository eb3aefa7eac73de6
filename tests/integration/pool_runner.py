"""Runs `timepool up` for a test: its events, its processes, questions to its DNS. Standard library."""
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.request

from programs import BINARY_DIR, end, wait_until

A, AAAA = 1, 28
PEBBLE = pathlib.Path(os.environ.get("TIMEPOOL_SOURCE_DIR", ".")) / "build/peers/pebble/usr/bin/pebble"


class Answer:
    """A DNS answer: its code, and the addresses in the answer section in their order."""

    def __init__(self, rcode, addresses):
        self.rcode = rcode
        self.addresses = addresses


def question(name, kind, ident):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", ident, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", kind, 1)


def skip_name(message, at):
    while message[at]:
        if message[at] >= 0xC0:
            return at + 2
        at += 1 + message[at]
    return at + 1


def parse_answer(message, ident):
    """The answer, or None for a message that is not an answer to this question."""
    got, flags, questions, answers, _, _ = struct.unpack(">6H", message[:12])
    if got != ident or not flags & 0x8000:
        return None
    at = 12
    for _ in range(questions):
        at = skip_name(message, at) + 4
    addresses = []
    for _ in range(answers):
        at = skip_name(message, at)
        kind, _, _, length = struct.unpack(">HHIH", message[at:at + 10])
        data = message[at + 10:at + 10 + length]
        at += 10 + length
        if kind in (A, AAAA):
            addresses.append(socket.inet_ntop(socket.AF_INET if kind == A else socket.AF_INET6, data))
    return Answer(flags & 15, addresses)


class DnsClient:
    def __init__(self, address, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((address, port))
        self.ident = 0

    def ask(self, name, kind=A, timeout=1.0):
        """The answer, or None when there is none in time."""
        self.ident = (self.ident + 1) & 0xFFFF
        end = time.monotonic() + timeout
        try:
            self.socket.send(question(name, kind, self.ident))
            while True:
                self.socket.settimeout(max(end - time.monotonic(), 0.001))
                answer = parse_answer(self.socket.recv(4096), self.ident)
                if answer:
                    return answer
        except OSError:  # nothing listens, or nothing came in time
            return None

    def close(self):
        self.socket.close()


class Pool:
    """A running `timepool up`."""

    def __init__(self, directory, *options):
        self.directory = pathlib.Path(directory)
        self.events = []
        self.pids = {}
        self.changed = threading.Condition()
        self.errors = open(self.directory.parent / "up.log", "ab")
        self.process = subprocess.Popen(
            [BINARY_DIR / "bin" / "timepool", "up", "--dir", self.directory, "--http", "127.0.0.1:0",
             "--dns", "127.0.0.1:0", "--ntp-port", "0", "--json", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        try:
            self.ready = wait_until(lambda: self.event("ready"), 40, "the pool is ready\n" + self.output())
        except AssertionError:
            self.close()
            raise
        address, port = self.ready["dns"].rsplit(":", 1)
        self.dns_address = (address, int(port))

    def read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            with self.changed:
                self.events.append(event)
                if event["event"] == "started":
                    self.pids[event["name"]] = event["pid"]

    def all_events(self, kind):
        with self.changed:
            return [event for event in self.events if event["event"] == kind]

    def event(self, kind):
        """The last one of that kind."""
        found = self.all_events(kind)
        return found[-1] if found else None

    def output(self):
        return (self.directory.parent / "up.log").read_text(errors="replace")

    def client(self):
        return DnsClient(*self.dns_address)

    def pid(self, name):
        with self.changed:
            return self.pids[name]

    def signal(self, name, number):
        os.kill(self.pid(name), number)

    def kill_and_await_restart(self, name):
        """SIGKILL; returns when `up` has started it again."""
        old = self.pid(name)
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: self.pid(name) != old, 15, name + " is started again")

    def api(self, path, body=None, token=None, headers=(), timeout=5):
        """(status, JSON) of a call; raises OSError when there is no answer."""
        request = urllib.request.Request(self.ready["http"] + path, method="POST" if body is not None else "GET")
        if token:
            request.add_header("Authorization", "Bearer " + token)
        for name, value in headers:
            request.add_header(name, value)
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, data, timeout=timeout) as answer:
            return answer.status, json.loads(answer.read() or b"{}")

    def servers(self):
        """The manager's servers by address; empty while it does not answer."""
        try:
            return {server["address"]: server for server in self.api("/v1/servers")[1]["servers"]}
        except OSError:
            return {}

    def admin_token(self):
        return (self.directory / "admin.token").read_text().strip()

    def stop(self):
        """SIGINT, as Ctrl-C: (exit status, summary)."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        self.reader.join(5)
        return self.process.returncode, self.event("summary")

    def close(self):
        end(self.process, 20)
        self.reader.join(5)
        self.process.stdout.close()
        self.errors.close()


def alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False
