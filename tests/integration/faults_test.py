"""The programs under bad input and faults: hostile datagrams and connections, no descriptors left, full
disks, files that are written in place, a manager that answers nonsense, output that nobody reads."""
import http.server
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

from dns_messages import ask_udp, framed, query, read_tcp
from manager_program import Manager
from pool_programs import following
from pool_runner import alive
from programs import BINARY_DIR, ProgramTest, main, own_directory, wait_until
from small_disk import SmallDisk, fill

DATAGRAMS = 12000
LONGEST = 2000
GROWTH_KIB = 2048


def cpu_seconds(program):
    fields = pathlib.Path(f"/proc/{program.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(program):
    text = pathlib.Path(f"/proc/{program.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))


def hostile(chance, real):
    """Random bytes of every length, real messages cut off anywhere, then real ones mutated, without end."""
    for length in range(LONGEST + 1):
        yield chance.randbytes(length)
    for message in real:
        for length in range(len(message)):
            yield message[:length]
    while True:
        message = bytearray(chance.choice(real))
        for _ in range(chance.choice((1, 1, 2, 8))):
            message[chance.randrange(len(message))] = chance.randrange(256)
        if chance.random() < 0.2:
            message += chance.randbytes(chance.randrange(200))
        yield bytes(message)


def storm(address, datagrams, count):
    """Sends them at a modest rate and reads what comes back: how many were sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(address)
        s.setblocking(False)
        for sent in range(count):
            s.send(next(datagrams))
            if sent % 50 == 0:
                time.sleep(0.005)
                try:
                    while True:
                        s.recv(65535)
                except BlockingIOError:
                    pass
    return count


def zone_text(address="10.0.0.1", serial=1):
    return json.dumps({"serial": serial, "data": {"": {"ns": ["ns1.pool.test."], "a": [[address, 10]]}}})


class Nonsense(http.server.BaseHTTPRequestHandler):
    """A manager whose answers are whatever `answers` gives for the moment."""
    protocol_version = "HTTP/1.1"
    status, body, count = 200, b"", 0

    def do_GET(self):
        Nonsense.count += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        try:
            self.wfile.write(self.body)
        except OSError:
            pass

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Faults(ProgramTest):
    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        self.zones = self.directory / "zones"
        self.zones.mkdir()
        (self.zones / "pool.test.json").write_text(zone_text())
        self.seed = int(os.environ.get("TIMEPOOL_SEED", time.time_ns() % 100000))
        self.chance = random.Random(self.seed)
        print(f"seed {self.seed}", flush=True)

    def dnsd(self, more="", threads=0, **options):
        program = self.start("timepool-dnsd", f'[server]\nlisten = ["127.0.0.1:0"]\nthreads = {threads}\n'
                             f'[zones]\ndirectory = "{self.zones}"\n{more}', **options)
        program.address = program.listening()
        return program

    def test_hostile_datagrams_are_each_counted_and_cost_no_memory(self):
        dns = [query("pool.test"), query("pool.test", edns=True),
               query("pool.test", subnet="198.18.0.0/24"), query("x.y.pool.test", 16)]
        for threads in (0, 2):
            program = self.dnsd(threads=threads)
            datagrams = hostile(self.chance, dns)
            sent = storm(program.address, datagrams, LONGEST)
            before = resident_kib(program)
            sent += storm(program.address, datagrams, DATAGRAMS)
            wait_until(lambda: program.control("stats")["udp"]["received"] == sent, 10, "all are counted")
            reasons = program.control("stats")["udp"]["reasons"]
            self.assertEqual(sum(reasons.values()), sent, reasons)
            self.assertLess(resident_kib(program) - before, GROWTH_KIB)
            self.assertEqual(ask_udp(program.address, "pool.test").addresses, ["10.0.0.1"])
            self.assertEqual(program.stop(), 0, program.output())
        client = bytes([0x23]) + bytes(39) + b"transmit"
        ntp = [client, bytes([0x1b]) + client[1:], bytes([0x26]) + client[1:], bytes([0x27]) + client[1:],
               client + struct.pack(">HH", 0x104, 36) + bytes(32), client + bytes(20)]
        for threads in (0, 2):
            program = self.start("timepool-ntpd", f'[server]\nlisten = ["127.0.0.1:0"]\nthreads = {threads}\n'
                                 '[server.local]\nstratum = 2\n')
            address = program.listening("server")
            datagrams = hostile(self.chance, ntp)
            sent = storm(address, datagrams, LONGEST)
            before = resident_kib(program)
            sent += storm(address, datagrams, DATAGRAMS)
            reasons = lambda: program.control("counters")["server"]["reasons"]
            wait_until(lambda: sum(reasons().values()) == sent, 10, f"all are counted: {sent} {reasons()}")
            self.assertLess(resident_kib(program) - before, GROWTH_KIB)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(5)
                s.connect(address)
                s.send(client)
                self.assertEqual(s.recv(100)[24:32], b"transmit")
            self.assertEqual(program.stop(), 0, program.output())

    def test_tcp_clients_that_lie_dawdle_or_leave_harm_nobody(self):
        program = self.dnsd('[tcp]\nmax_connections = 20\nmax_per_client = 20\nidle_timeout = "700ms"\n')
        connect = lambda: socket.create_connection(program.address, timeout=5)
        before = resident_kib(program)
        for wire in (b"\xff\xff" + bytes(100), b"\0\0", b"\0\x05" + query("pool.test"), b"\0",
                     self.chance.randbytes(70000)):
            with connect() as s:
                try:
                    s.sendall(wire)
                    while s.recv(65536):  # random bytes may be a whole message, which gets an answer
                        pass
                except ConnectionError:
                    pass
        with connect() as s:
            for byte in framed(query("pool.test")):
                s.sendall(bytes([byte]))
            self.assertEqual(read_tcp(s).addresses, ["10.0.0.1"])
            s.sendall(framed(query("pool.test")))
            s.shutdown(socket.SHUT_WR)
            self.assertEqual(read_tcp(s).addresses, ["10.0.0.1"])
        for s in [connect() for _ in range(100)]:
            s.close()
        wait_until(lambda: program.control("stats")["tcp"]["connections"] == 0, 10, "all are closed")
        with connect() as s:
            s.sendall(framed(query("pool.test")))
            self.assertEqual(read_tcp(s).addresses, ["10.0.0.1"])
        self.assertLess(resident_kib(program) - before, GROWTH_KIB)

    def test_without_descriptors_it_does_not_spin_and_takes_connections_again(self):
        program = self.dnsd('[tcp]\nmax_connections = 500\nmax_per_client = 500\nidle_timeout = "60s"\n')
        resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (30, 30))
        many = [socket.create_connection(program.address, timeout=5) for _ in range(40)]
        more = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for s in more:
            s.connect(str(program.socket))
        time.sleep(0.3)
        before = cpu_seconds(program)
        time.sleep(1.5)
        self.assertLess(cpu_seconds(program) - before, 0.15)
        self.assertEqual(ask_udp(program.address, "pool.test").addresses, ["10.0.0.1"])
        for s in many + more:
            s.close()
        with socket.create_connection(program.address, timeout=5) as s:
            s.sendall(framed(query("pool.test")))
            self.assertEqual(read_tcp(s).addresses, ["10.0.0.1"])
        self.assertTrue(program.control("status")["ok"])

    def test_a_zone_file_changed_under_its_old_time_is_seen(self):
        program = self.dnsd()
        path = self.zones / "pool.test.json"
        before = path.stat()
        path.write_text(zone_text("10.0.0.2"))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        wait_until(lambda: ask_udp(program.address, "pool.test").addresses == ["10.0.0.2"], 10, "the change")
        path.write_text(zone_text() + "x")
        place = f"{path}:1:{len(zone_text()) + 1}: JSON: extra data"
        wait_until(lambda: program.control("zones")["problems"] == [place], 10,
                   f"the place is told: {program.control('zones')['problems']}")

    def test_a_reload_does_not_hide_what_is_wrong_with_the_geoip_file(self):
        source = pathlib.Path(__file__).parents[2] / "build/geoip/geo-whois-asn-country.mmdb"
        if not source.exists():
            self.skipTest("needs build/geoip/*.mmdb (./dev setup)")
        path = self.directory / "geo.mmdb"
        shutil.copy(source, path)
        program = self.dnsd(f'[geoip]\nfiles = ["{path}"]\n')
        os.truncate(path, 0)  # in place, as cp begins
        problem = [f"[geoip] files: {path}: not a MaxMind DB: the file is empty"]
        wait_until(lambda: program.control("zones")["problems"] == problem, 10, "the fault is told")
        self.assertTrue(program.control("reload")["ok"])
        self.assertEqual(program.control("zones")["problems"], problem)
        shutil.copy(source, path)
        wait_until(lambda: program.control("zones")["problems"] == [], 20, "the file is good again")

    def test_a_manager_that_talks_nonsense_is_named_and_asked_calmly(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nonsense)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        token = self.directory / "token"
        token.write_text("a-token-of-a-monitor\n")
        spool = self.directory / "spool"
        spool.mkdir()
        (spool / "00000000000000000001-1-abc.json").write_text('{"results":[{"ser')  # cut off
        (spool / "00000000000000000002-1-a\r\nX: y.json").write_text("{}")
        Nonsense.status, Nonsense.body = 400, b"{}"
        program = self.start("timepool-monitord", f'''
[manager]
url = "http://127.0.0.1:{server.server_address[1]}"
token_file = "{token}"
wait = "1s"
retry_min = "100ms"
retry_max = "300ms"
[spool]
directory = "{spool}"
[sanity]
mode = "none"
''')
        wait_until(lambda: program.control("status")["spool"]["batches"] == 0, 10, "the spool is empty")
        self.assertEqual(program.control("status")["results"]["refused_batches"], 1)
        failure = lambda: program.control("status")["work"]["last_failure"]
        asked, before, start = Nonsense.count, cpu_seconds(program), time.monotonic()
        for code, body, words in ((200, b"<html>", "not JSON"), (200, b"[]", "not a JSON object"),
                                  (200, b"[" * 100000, "too deep"), (500, b"", "status 500"),
                                  (401, b"", "status 401"), (302, b"", "status 302"),
                                  (200, b" " * 40_000_000, "longer than allowed"),
                                  (200, b'{"work":[{"server":1,"address":"x"}]}', "no address")):
            Nonsense.status, Nonsense.body = code, body
            wait_until(lambda: words in failure(), 10, f"{words}: {failure()}")
        span = time.monotonic() - start
        self.assertLess(Nonsense.count - asked, 10 * span + 10)
        self.assertLess(cpu_seconds(program) - before, 0.3 * span + 0.3)
        for text, words in (("", "first line is empty"), ("a b\n", "that no token has"),
                            ("\0\1", "that no token has")):
            token.write_text(text)
            wait_until(lambda: words in failure(), 10, f"{words}: {failure()}")
            self.assertIn(f"[manager] token_file: token file {token}", failure())

    def manager(self, **more):
        program = Manager(self.directory / "manager", publish='min_interval = "50ms"', **more)
        self.addCleanup(program.close)
        return program

    def test_a_full_disk_is_logged_with_its_setting_and_space_is_taken_up_again(self):
        small = SmallDisk(self.directory / "disk", 8192)
        program = self.manager(prefix=small.prefix, database=small.path)
        disk = small.seen_by(program)
        add = lambda address: program.call("POST", "/v1/servers", {"address": address})
        self.assertEqual(add("10.0.0.1")[0], 201)
        fill(disk)
        known = ["10.0.0.1"]
        for number in range(2, 200):
            address = f"10.0.0.{number}"
            status, answer = add(address)
            if status == 503:
                break
            self.assertEqual(status, 201, answer)
            known.append(address)
        self.assertEqual(answer["error"]["code"], "exhausted")
        for _ in range(3):
            self.assertEqual(add(address)[0], 503)
        self.assertRegex(program.output(), r"error: .*503 .*\[store\] path .*free space on its disk")
        self.assertLess(program.output().count("answered with 503"), 4)
        self.assertEqual(program.call("GET", "/healthz")[0], 200)
        (disk / "filler").unlink()
        self.assertEqual(add(address)[0], 201)
        servers = program.call("GET", "/v1/servers")[1]["servers"]
        self.assertEqual([s["address"] for s in servers], known + [address])

    def test_a_snapshot_is_on_disk_once_there_is_room_for_it(self):
        manager = self.manager()
        small = SmallDisk(self.directory / "disk", 256, full=True)
        program = self.start("timepool-dnsd", '[server]\nlisten = ["127.0.0.1:0"]\n' +
                             following(manager.url, manager.public_key(), small.path) + 'wait = "1s"\n',
                             prefix=small.prefix)
        disk = small.seen_by(program)
        wait_until(lambda: program.control("status")["snapshot_serial"], 10, "a snapshot is in use")
        wait_until(lambda: "No space left" in program.output(), 10, "the full disk is told")
        self.assertIn("[snapshot] urls, directory: the snapshot in use is not on disk", program.output())
        (disk / "filler").unlink()
        wait_until(lambda: list(disk.glob("dns-*.snapshot")), 10, "the snapshot is on disk")
        manager.process.kill()
        wait_until(lambda: "Couldn't connect" in program.output(), 10, "the manager's absence is told")

    def up(self, *options, **more):
        return subprocess.Popen([BINARY_DIR / "bin/timepool", "up", "--http", "127.0.0.1:0", "--dns",
                                 "127.0.0.1:0", "--ntp-port", "0", "--json", *options], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def started(self, process, until="ready"):
        """The processes that it started until then."""
        pids = []
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "started":
                pids.append(event["pid"])
            if event["event"] == until:
                return pids
        raise AssertionError(process.stderr.read())

    def test_up_ends_with_its_reader_and_leaves_nobody_behind_when_killed(self):
        more = {}
        # It needs no root, where others may read the checkout at all (not below a private /root).
        folders = (BINARY_DIR / "bin").resolve()
        if os.getuid() == 0 and all(f.stat().st_mode & 1 for f in [folders, *folders.parents]):
            shutil.chown(self.directory, "nobody")
            more = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        directory = str(self.directory / "pool")
        first = self.up("--dir", directory, **more)
        self.addCleanup(first.kill)
        pids = self.started(first)
        second = self.up("--dir", directory, **more)
        self.assertIn("another `timepool up` uses this directory", second.communicate(timeout=20)[1])
        self.assertEqual(second.returncode, 1)
        first.stdout.close()
        self.assertEqual(first.wait(30), 0)
        self.assertFalse([pid for pid in pids if alive(pid)])
        first.stderr.close()
        third = self.up("--dir", directory, **more)
        self.addCleanup(third.kill)
        pids = self.started(third)
        os.kill(pids[0], signal.SIGSTOP)
        third.send_signal(signal.SIGKILL)
        third.communicate(timeout=20)
        os.kill(pids[0], signal.SIGCONT)
        wait_until(lambda: not [pid for pid in pids if alive(pid)], 15, "its programs are gone")


if __name__ == "__main__":
    main()
