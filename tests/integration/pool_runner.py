"""Runs `timepool up` for a test: its events, its processes, questions to its DNS. Standard library."""
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import dns_messages as dns
from manager_program import call
from programs import BINARY_DIR, end, endpoint, wait_until

PEBBLE = pathlib.Path(os.environ.get("TIMEPOOL_SOURCE_DIR", ".")) / "build/peers/pebble/usr/bin/pebble"


class DnsClient:
    def __init__(self, address):
        self.socket = dns.udp_socket(address)
        self.number = 0

    def ask(self, name, kind=dns.A, timeout=1.0):
        """The reply, or None when there is none in time."""
        self.number = (self.number + 1) & 0xFFFF
        end = time.monotonic() + timeout
        try:
            self.socket.send(dns.query(name, kind, self.number))
            while True:
                self.socket.settimeout(max(end - time.monotonic(), 0.001))
                reply = dns.Reply(self.socket.recv(4096))
                if reply.id == self.number:
                    return reply
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
        self.dns_address = endpoint(self.ready["dns"])

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
        return DnsClient(self.dns_address)

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

    def api(self, path, body=None, token=None, timeout=5, **headers):
        """JSON, of a POST where there is a body; raises OSError when there is no answer, or a refusal."""
        status, answer = call(self.ready["http"], "GET" if body is None else "POST", path, body, token,
                              timeout=timeout, **headers)
        if status >= 400:
            raise OSError(f"{path}: {status} {answer}")
        return answer

    def servers(self):
        """The manager's servers by address; empty while it does not answer."""
        try:
            return {server["address"]: server for server in self.api("/v1/servers")["servers"]}
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
