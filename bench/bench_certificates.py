"""Many members at once: their names by the manager's API, in and out of signed DNS, and their certificates from pebble."""
import concurrent.futures
import json
import os
import pathlib
import queue
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time

import lab as laboratory

sys.path.insert(0, str(laboratory.ROOT / "tests/integration"))
import acme_tool  # noqa: E402
import dns_messages as dns  # noqa: E402
import manager_program  # noqa: E402
from certificates import OPENSSL, Authority  # noqa: E402
from pool_programs import ZONE, following, signing  # noqa: E402

NAME = "certificates"
TEXT = ("1,000 members (TIMEPOOL_BENCH_MEMBERS), each with an address, a name, a process and an account of its own: from "
        "the first registration by the API to the last certificate from pebble by HTTP-01, its delays off; 'allowed' is "
        "what it may take")
MEMBERS = int(os.environ.get("TIMEPOOL_BENCH_MEMBERS", "1000"))
ALLOWED_S = 600.0 * MEMBERS / 1000
ALLOWED_NAME_MS = 5000.0
API_CLIENTS, ORDERING = 8, 16  # at once
NXDOMAIN = 3
LIMIT = 900  # seconds: a run has gone wrong
PEBBLE = laboratory.ROOT / "build/peers/pebble/usr/bin/pebble"


def address_of(number):
    return "127.64.%d.%d" % (number // 250, number % 250 + 1)


def name_of(number):
    return "tick-%d.m.%s" % (number, ZONE)


class Manager:
    """timepool-poold, and its API."""

    def __init__(self, lab):
        address = "127.0.0.1:%d" % laboratory.free_port(socket.SOCK_STREAM)
        self.url = "http://" + address
        config = lab.write("poold.toml", manager_program.settings(lab.directory, listen=address))
        command = [lab.program("timepool-poold"), "--config", config]
        self.child = lab.start(command, cpu=ALL, name="poold")
        wait_until(lambda: "ready" in lab.log_of("poold"), "poold")
        self.key = subprocess.run([*command, "--print-public-key"], capture_output=True, text=True, timeout=20,
                                  check=True).stdout.strip()
        self.token = pathlib.Path(lab.path("admin.token")).read_text(encoding="ascii").strip()

    def call(self, method, path, body=None):
        status, answer = manager_program.call(self.url, method, path, body, self.token)
        if status >= 300:
            raise laboratory.LabError("%s %s: %d %s" % (method, path, status, answer))


ALL = set(os.sched_getaffinity(0))


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise laboratory.LabError("not within %d s: %s" % (seconds, what))
        time.sleep(0.02)


def start_dnsd(lab, manager):
    port = laboratory.free_port(socket.SOCK_STREAM)
    config = lab.write("dnsd.toml", '[server]\nlisten = ["127.0.0.1:%d"]\n[control]\nsocket = "%s"\n' % (
        port, lab.path("dnsd.sock")) + following(manager.url, manager.key, lab.path("kept")) +
        signing(lab.path("keys"), ZONE))
    child = lab.start([lab.program("timepool-dnsd"), "--config", config], cpu=ALL, name="dnsd")
    wait_until(lambda: asked(port, ZONE, dns.NS).answers, "dnsd answers")
    return child, port


def asked(port, name, kind=dns.A):
    for _ in range(20):
        try:
            return dns.ask_udp(("127.0.0.1", port), name, kind)
        except OSError:
            time.sleep(0.1)
    raise laboratory.LabError("dnsd does not answer")


class Pebble:
    def __init__(self, lab, dns_port):
        self.port, self.http_port = (laboratory.free_port(socket.SOCK_STREAM) for _ in range(2))
        authority = Authority(lab.directory, "authority of HTTPS")
        chain, key = authority.issue("pebble", "DNS:localhost,IP:127.0.0.1")
        self.ca_file = str(authority.certificate)
        config = lab.write("pebble.json", json.dumps({"pebble": {
            "listenAddress": "127.0.0.1:%d" % self.port, "certificate": str(chain), "privateKey": str(key),
            "httpPort": self.http_port, "tlsPort": laboratory.free_port(socket.SOCK_STREAM), "ocspResponderURL": ""}}))
        quick = ["env", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0"]
        self.child = lab.start([*quick, str(PEBBLE), "-config", config, "-dnsserver", "127.0.0.1:%d" % dns_port],
                               cpu=ALL, name="pebble")
        wait_until(lambda: "Listening on" in lab.log_of("pebble"), "pebble")


class DnsWatch:
    """When names come and go, by asking for them in the order of the requests: one that came later is not there before."""

    def __init__(self, port, there, seen=lambda number: None):
        self.port, self.there, self.seen = port, there, seen
        self.waiting = queue.Queue()
        self.took = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def expect(self, number, since):
        self.waiting.put((number, since))

    def run(self):
        while (item := self.waiting.get()) is not None:
            number, since = item
            end = since + LIMIT
            while not self.is_so(asked(self.port, name_of(number)), number) and time.monotonic() < end:
                time.sleep(0.01)
            self.took.append((time.monotonic() - since) * 1000)
            self.seen(number)

    def is_so(self, reply, number):
        return reply.addresses == [address_of(number)] if self.there else reply.rcode == NXDOMAIN

    def finish(self):
        self.waiting.put(None)
        self.thread.join()
        return self.took


def for_all(work):
    with concurrent.futures.ThreadPoolExecutor(API_CLIENTS) as clients:
        list(clients.map(work, range(MEMBERS)))


def obtain(lab, pebble, number):
    """One member: its process begins, makes its keys and its account, answers the challenge and has the certificate."""
    directory = pathlib.Path(lab.path("member-%d" % number))
    tool = acme_tool.Tool(directory, dict(
        authorities=[{"directory": "https://localhost:%d/dir" % pebble.port, "ca_file": pebble.ca_file}],
        names=[name_of(number)], terms_agreed=True, challenges=["http-01"],
        http=["%s:%d" % (address_of(number), pebble.http_port)]))
    try:
        start = time.monotonic()
        tool.open()
        tool.obtain()
        if not (directory / "acme/certificate.pem").exists():
            raise laboratory.LabError("member %d has no certificate" % number)
        return (time.monotonic() - start) * 1000
    finally:
        tool.close()


def measure(lab):
    if not PEBBLE.exists() or not OPENSSL:
        raise laboratory.LabError("no pebble or no openssl (./dev setup bench)")
    acme_tool.TOOL = lab.programs.parent / "tests/acme_tool"
    if not acme_tool.TOOL.exists():
        raise laboratory.LabError("%s is not built: ./dev build" % acme_tool.TOOL)
    manager = Manager(lab)
    dnsd, dns_port = start_dnsd(lab, manager)
    pebble = Pebble(lab, dns_port)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = {child.pid: laboratory.cpu_ns(child) for child in (manager.child, dnsd, pebble.child)}
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(ORDERING) as members:
        orders = []
        coming = DnsWatch(dns_port, True, lambda number: orders.append(members.submit(obtain, lab, pebble, number)))

        def register(number):
            manager.call("POST", "/v1/servers", {"address": address_of(number)})
            since = time.monotonic()
            manager.call("PUT", "/v1/servers/%s/name" % address_of(number), {"name": "tick-%d" % number})
            coming.expect(number, since)
        for_all(register)
        registered = time.monotonic() - start
        came = coming.finish()
        obtained = [order.result(LIMIT) for order in orders]
    total = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    member_ms = (used.ru_utime + used.ru_stime - children.ru_utime - children.ru_stime) * 1000 / MEMBERS
    cpu_ms = {child: (laboratory.cpu_ns(child) - before[child.pid]) / 1e6 / MEMBERS
              for child in (manager.child, dnsd, pebble.child)}
    going = DnsWatch(dns_port, False)

    def remove(number):
        since = time.monotonic()
        manager.call("DELETE", "/v1/servers/%s/name" % address_of(number))
        going.expect(number, since)
    for_all(remove)
    went = going.finish()
    if len(obtained) != MEMBERS or len(came) != MEMBERS or len(went) != MEMBERS:
        raise laboratory.LabError("not all members are through")
    laboratory.say("%d names registered in %.1f s; one certificate in %.0f ms, %d members at once" %
                   (MEMBERS, registered, statistics.median(obtained), ORDERING))

    def row(peer, unit, ours, theirs):
        return dict(lab.row(NAME, peer, unit, ours, theirs), runs=1)
    rows = [row("allowed", "s: names and certificates of all", total, ALLOWED_S)]
    for what, took in (("registered to in DNS", came), ("removed to gone", went)):
        rows += [row("allowed", "ms: %s, median" % what, statistics.median(took), ALLOWED_NAME_MS),
                 row("allowed", "ms: %s, worst" % what, max(took), ALLOWED_NAME_MS)]
    ours = member_ms + cpu_ms[manager.child] + cpu_ms[dnsd]
    return rows + [row("pebble", "ms of CPU for each member", ours, cpu_ms[pebble.child])]
