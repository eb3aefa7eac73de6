"""timepool-dnsd as a black box: what it answers, how it takes in changes, what it says of faults."""
import collections
import json
import os
import re
import shutil
import socket
import subprocess
import threading

import dns_messages as dns
from dns_messages import AAAA, NS, SOA, TXT, ask_udp, framed, query, read_tcp
from manager_program import Manager
from pool_programs import following
from programs import BINARY_DIR, ProgramTest, endpoint, main, own_directory, wait_until

OVERRIDES = '''[geoip]
overrides = { "198.18.0.0/16" = "de", "198.19.0.0/16" = "us", "203.0.113.0/24" = "jp", \
"2001:db8:1::/48" = "de", "192.0.2.0/25" = "gb" }
asn_overrides = { "198.18.5.0/24" = 64500 }
'''


def pool_zone(serial=1, **labels):
    """A zone document; a=["10.0.0.1"] makes a label "a" of equal weights."""
    data = {"": {"ns": ["ns1.pool.test."], "a": [["10.0.0.1", 10]], "txt": f"serial {serial}"}}
    for name, addresses in labels.items():
        data[name.replace("_", "-")] = {"a": [[address, 10] for address in addresses]}
    return {"serial": serial, "ttl": 60, "max_hosts": 4,
            "targeting": "@ continent country asn ip", "data": data}


class Dnsd(ProgramTest):
    def setUp(self):
        self.zones = own_directory(self.addCleanup)

    def put(self, document, zone="pool.test"):
        """Replaces a zone's file at once, as a careful writer does."""
        text = document if isinstance(document, str) else json.dumps(document)
        new = self.zones / f".{zone}.new"
        new.write_text(text)
        os.replace(new, self.zones / f"{zone}.json")

    def serve(self, threads=1, listen='["127.0.0.1:0"]', more="", **options):
        config = (f'[server]\nlisten = {listen}\nthreads = {threads}\nidentity = "here"\n'
                  f'[zones]\ndirectory = "{self.zones}"\n{OVERRIDES}{more}')
        program = self.start("timepool-dnsd", config, **options)
        program.addresses = [endpoint(a) for a in program.control("status")["listen"]]
        return program

    def tcp(self, address):
        out = socket.create_connection(address, timeout=10)
        self.addCleanup(out.close)
        return out

    def test_answers_by_udp_and_tcp_with_and_without_threads(self):
        self.put(pool_zone(www=["10.1.0.1", "10.1.0.2", "10.1.0.3"]))
        for threads in (0, 1, 3):
            with self.subTest(threads=threads):
                program = self.serve(threads, '["127.0.0.1:0", "[::1]:0"]')
                self.assertEqual(len(program.addresses), 2)
                for address in program.addresses:
                    reply = ask_udp(address, "wWw.pOOl.test")
                    self.assertEqual((reply.rcode, reply.flags & 0xff80), (0, 0x8500))
                    self.assertEqual(set(reply.addresses), {"10.1.0.1", "10.1.0.2", "10.1.0.3"})
                    self.assertIn(b"\x03wWw\x04pOOl", reply.data)
                    stream = self.tcp(address)
                    stream.sendall(framed(query("www.pool.test")))
                    self.assertEqual(set(read_tcp(stream).addresses), set(reply.addresses))
                    self.assertEqual(ask_udp(address, "no.pool.test").rcode, 3)
                    self.assertEqual(ask_udp(address, "pool.test", AAAA).authority[0][0], SOA)
                    self.assertEqual(ask_udp(address, "example.com").rcode, 5)
                stats = program.control("stats")
                reasons = stats["udp"]["reasons"]
                self.assertEqual({k: v for k, v in reasons.items() if v},
                                 {"answered": 2, "nxdomain": 2, "no_data": 2, "refused_zone": 2})
                self.assertEqual(stats["udp"]["received"], 8)
                self.assertEqual(stats["tcp"]["reasons"]["answered"], 2)
                self.assertEqual(program.stop(), 0, program.output())

    def test_dig_and_kdig_agree(self):
        self.put(pool_zone(one=["10.2.0.1"]))
        program = self.serve(more="")
        host, port = program.addresses[0]
        for tool in ("dig", "kdig"):
            if not shutil.which(tool):
                self.skipTest(f"needs the package {'bind9' if tool == 'dig' else 'knot'}-dnsutils")
            for how in ("+notcp", "+tcp"):
                for kind, name, want in (("A", "one.pool.test", "10.2.0.1"),
                                         ("NS", "pool.test", "ns1.pool.test."),
                                         ("TXT", "pool.test", '"serial 1"'),
                                         ("A", "one.pool.test", "10.2.0.1")):
                    out = subprocess.run(
                        [tool, f"@{host}", "-p", str(port), how, "+short", kind, name],
                        capture_output=True, text=True, timeout=20, check=True).stdout
                    self.assertEqual(out.strip(), want, f"{tool} {how} {kind} {name}")
        out = subprocess.run(["dig", f"@{host}", "-p", str(port), "pool.test", "+nsid", "+dnssec"],
                             capture_output=True, text=True, timeout=20, check=True).stdout
        self.assertIn('("here")', out)
        self.assertIn("(good)", out, "the server's cookie")
        self.assertNotIn("WARNING: Message has", out)
        out = subprocess.run(
            ["dig", f"@{host}", "-p", str(port), "pool.test", "+subnet=198.19.1.0/24"],
            capture_output=True, text=True, timeout=20, check=True).stdout
        self.assertIn("CLIENT-SUBNET: 198.19.1.0/24/0", out)

    def test_client_subnets_get_their_label_and_its_scope(self):
        self.put(pool_zone(de=["10.3.0.1"], us=["10.4.0.1"], asia=["10.5.0.1"], uk=["10.6.0.1"],
                           as64500=["10.7.0.1"], **{"[198.19.7.0]": ["10.8.0.1"]}))
        program = self.serve()
        for subnet, address, scope in (
                ("198.18.200.0/24", "10.3.0.1", 17), ("198.18.5.0/24", "10.7.0.1", 24),
                ("198.19.128.0/24", "10.4.0.1", 17), ("198.19.7.128/32", "10.8.0.1", 24),
                ("203.0.113.0/24", "10.5.0.1", 24), ("192.0.2.0/25", "10.6.0.1", 25),
                ("2001:db8:1:200::/56", "10.3.0.1", 48), ("9.0.0.0/8", "10.0.0.1", 1),
                ("0.0.0.0/0", "10.0.0.1", 0)):
            with self.subTest(subnet=subnet):
                reply = ask_udp(program.addresses[0], "pool.test", subnet=subnet)
                self.assertEqual((reply.addresses, reply.scope), ([address], scope))
        reply = ask_udp(program.addresses[0], "de.pool.test", subnet="198.18.0.0/24")
        self.assertEqual(reply.scope, 0, "the same for all")
        found = program.control("lookup", name="pool.test", address="198.18.5.9")
        self.assertEqual((found["label"], found["country"], found["asn"], found["scope"]),
                         ("as64500", "de", 64500, 24))

    def test_reloads_lose_no_query(self):
        self.put(pool_zone(1, www=["10.1.0.1"]))
        for threads in (0, 2):
            with self.subTest(threads=threads):
                program = self.serve(threads)
                stop, seen, faults = threading.Event(), collections.Counter(), []

                def stream():
                    with dns.udp_socket(program.addresses[0], 10) as s:
                        number = 0
                        while not stop.is_set():
                            number = (number + 1) & 0xffff
                            try:
                                s.send(query("pool.test", TXT, number))
                                reply = dns.Reply(s.recv(4096))
                            except OSError as fault:
                                faults.append(f"query {number}: {fault}")
                                return
                            if reply.id != number or reply.rcode != 0 or len(reply.answers) != 1:
                                faults.append(f"query {number}: {reply.data.hex()}")
                                return
                            seen[reply.answers[0][2][1:].decode()] += 1

                clients = [threading.Thread(target=stream) for _ in range(3)]
                for client in clients:
                    client.start()
                for serial in range(2, 22):
                    self.put(pool_zone(serial, www=["10.1.0.1"] * serial))
                    self.assertTrue(program.control("reload")["ok"])
                    # However slow the machine: otherwise most pass between two queries.
                    wait_until(lambda it=f"serial {serial}": seen[it] or faults, 10,
                               f"serial {serial} is served")
                program.signal(1)
                self.put(pool_zone(99))
                wait_until(lambda: seen["serial 99"] > 20, 10, "the change is seen without a word")
                stop.set()
                for client in clients:
                    client.join()
                self.assertEqual(faults, [])
                self.assertEqual(set(seen) - {"serial 1", "serial 99"},
                                 {f"serial {serial}" for serial in range(2, 22)})
                totals = program.control("stats")["udp"]
                self.assertEqual(totals["queries"], sum(seen.values()))
                self.assertEqual(program.stop(), 0)

    def test_a_bad_file_leaves_its_zone_as_it_was(self):
        self.put(pool_zone(1))
        self.put({"data": {"": {"a": [["10.9.0.1"]]}}}, "other.test")
        program = self.serve()
        address = program.addresses[0]
        path = self.zones / "pool.test.json"
        for text, place in (
                ('{"serial": 2,\n "data": {"": {"a": [["10.0.0.2", 1],\n  ["10.0.0.300", 1]]}}}',
                 f"{path}:3:3: data/\"\"/a/1: '10.0.0.300' is no IPv4 address"),
                ('{"serial": 2,\n "data": {,}}', f"{path}:2:11: JSON: syntax error")):
            self.put(text)
            wait_until(lambda: program.control("zones")["problems"] == [place], 10,
                       f"the problem is told: {place}")
            self.assertIn(place, program.output())
            self.assertEqual(ask_udp(address, "pool.test").addresses, ["10.0.0.1"])
        self.put(pool_zone(3, www=["10.1.0.1"]))
        wait_until(lambda: ask_udp(address, "www.pool.test").addresses, 10, "the zone is mended")
        self.assertEqual(program.control("zones")["problems"], [])
        (self.zones / "other.test.json").unlink()
        wait_until(lambda: ask_udp(address, "other.test").rcode == 5, 10, "the zone is gone")
        self.assertEqual(ask_udp(address, "pool.test").rcode, 0)

    def test_tcp_pipelines_and_bounds_connections(self):
        self.put(pool_zone(www=["10.1.0.1"], big=[f"10.2.{i // 250}.{i % 250}" for i in range(999)]))
        # None is idle for a minute, however slow the machine.
        program = self.serve(0, more='[tcp]\nmax_connections = 4\nmax_per_client = 3\n'
                                     'idle_timeout = "1m"\n')
        address = program.addresses[0]
        stream = self.tcp(address)
        count = 500
        wire = b"".join(framed(query("www.pool.test", number=i)) for i in range(count))
        for at in range(0, len(wire), 777):
            stream.sendall(wire[at:at + 777])
        self.assertEqual([read_tcp(stream).id for i in range(count)], list(range(count)))
        # A client that does not read is not answered for ever: its queries wait.
        slow = self.tcp(address)
        slow.settimeout(0.2)
        sent = 0
        try:
            while sent < 64 << 20:
                sent += slow.send(wire)
        except TimeoutError:
            pass
        self.assertLess(sent, 64 << 20)
        self.assertEqual(ask_udp(address, "www.pool.test").addresses, ["10.1.0.1"])
        slow.close()
        stream.close()
        wait_until(lambda: program.control("stats")["tcp"]["connections"] == 0, 20, "both closed")
        for s in [self.tcp(address) for _ in range(3)]:
            s.sendall(framed(query("www.pool.test")))
            read_tcp(s)
        fourth = self.tcp(address)
        self.assertEqual(fourth.recv(1), b"", "one more than a client may have")
        self.assertEqual(program.control("stats")["tcp"]["ended"]["idle"], 0)

    def test_idle_tcp_connections_are_closed(self):
        self.put(pool_zone(www=["10.1.0.1"]))
        program = self.serve(0, more='[tcp]\nidle_timeout = "1s"\n')
        address = program.addresses[0]
        streams = [self.tcp(address) for _ in range(3)]
        for s in streams:
            s.sendall(framed(query("www.pool.test")))
        wait_until(lambda: program.control("stats")["tcp"]["ended"]["idle"] == 3, 20, "idle ones go")
        for s in streams:
            read_tcp(s)
            self.assertEqual(s.recv(1), b"")
        # What gets no answer ends the connection instead of stalling it.
        stream = self.tcp(address)
        stream.sendall(framed(b"short"))
        self.assertEqual(stream.recv(1), b"")

    def test_long_answers_come_by_tcp(self):
        document = pool_zone(big=[f"10.2.0.{i}" for i in range(200)])
        document["data"]["big"]["max_hosts"] = 200
        self.put(document)
        program = self.serve()
        reply = ask_udp(program.addresses[0], "big.pool.test", edns=True)
        self.assertTrue(reply.truncated)
        self.assertEqual(reply.answers, [])
        stream = self.tcp(program.addresses[0])
        stream.sendall(framed(query("big.pool.test")))
        self.assertEqual(len(set(read_tcp(stream).addresses)), 200)

    def refused(self, config):
        program = self.start("timepool-dnsd", config, wait=False)
        self.assertEqual(program.process.wait(20), 1)
        return program.output()

    def test_says_which_setting_is_wrong(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            output = self.refused(f'[server]\nlisten = ["127.0.0.1:{port}"]\n')
            self.assertRegex(output, r"\[server\] listen 127\.0\.0\.1:\d+ by TCP: .*in use")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            output = self.refused(f'[server]\nlisten = ["127.0.0.1:{port}"]\n')
            self.assertRegex(output, r"\[server\] listen.*in use")
        listen = '[server]\nlisten = ["127.0.0.1:0"]\n'
        output = self.refused(f'{listen}[geoip]\nfiles = ["/nowhere/x.mmdb"]\n')
        self.assertIn("[geoip] files: /nowhere/x.mmdb: ", output)
        (self.zones / "bad.mmdb").write_bytes(b"no database")
        output = self.refused(f'{listen}[geoip]\nfiles = ["{self.zones}/bad.mmdb"]\n')
        self.assertIn("not a MaxMind DB", output)
        output = self.refused(f'{listen}[zones]\ndirectory = "/nowhere"\n')
        self.assertIn("[zones] directory", output)
        self.assertIn("config.toml:2:1", self.refused("[zones]\ndirektory = 1\n"))

    def test_checks_zone_files(self):
        (self.zones / "good.test.json").write_text(json.dumps(pool_zone(7)))
        (self.zones / "bad.test.json").write_text('{"data":\n {"a": {"mx": [1]}}}')
        run = lambda *paths: subprocess.run(
            [BINARY_DIR / "bin" / "timepool-dnsd", "--check-zone", *paths],
            capture_output=True, text=True, timeout=20, check=False)
        good = run(self.zones / "good.test.json")
        self.assertEqual(good.returncode, 0)
        self.assertIn("ok: zone good.test. serial 7", good.stdout)
        bad = run(self.zones / "good.test.json", self.zones / "bad.test.json")
        self.assertEqual(bad.returncode, 1)
        self.assertIn("bad.test.json:2:16: data/a/mx/0: must be", bad.stderr)

    def test_metrics_by_http(self):
        self.put(pool_zone())
        program = self.serve(more='[metrics]\nlisten = "127.0.0.1:0"\n')
        ask_udp(program.addresses[0], "pool.test")
        address = endpoint(program.control("status")["metrics"][0])
        with socket.create_connection(address, timeout=10) as s:
            s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
        self.assertIn('timepool_dnsd_queries_total{transport="udp",reason="answered"} 1', text)
        self.assertIn('timepool_dnsd_zone_serial{zone="pool.test."} 1', text)
        self.assertIn(text.split("\r\n\r\n")[1].splitlines()[0],
                      program.control("metrics")["text"])


def start_manager(directory):
    return Manager(directory, publish='min_interval = "50ms"')


class Snapshots(ProgramTest):
    def test_serves_a_managers_snapshot_and_goes_on_without_it(self):
        manager = start_manager(own_directory(self.addCleanup))
        self.addCleanup(manager.close)
        kept = manager.directory / "kept"
        config = '[server]\nlisten = ["127.0.0.1:0"]\n' + following(manager.url, manager.public_key(), kept)
        first = self.start("timepool-dnsd", config)
        address = first.listening()
        serving = lambda: ask_udp(address, "pool.test", NS).answers
        wait_until(serving, 20, f"the snapshot is served\n{manager.output()}")
        serial = first.control("status")["snapshot_serial"]
        self.assertGreater(serial, 0)
        self.assertTrue(first.control("zones")["zones"][0]["source"].startswith("snapshot"))
        wait_until(lambda: list(kept.glob("*.snapshot")), 20, "the snapshot is kept")
        manager.process.kill()
        manager.process.wait()
        self.assertTrue(serving(), "served on without the manager")
        first.signal(9)
        first.process.wait()
        second = self.start("timepool-dnsd", config)
        address = second.listening()
        self.assertTrue(serving(), "from what was kept")
        self.assertEqual(second.control("status")["snapshot_serial"], serial)
        wait_until(lambda: second.control("status")["snapshot"]["failures"] > 0, 20,
                   "it says that the manager is away")
        # Another key signed what is kept: it is not served.
        other = self.start("timepool-dnsd", re.sub(r'(public_keys = \[")[0-9a-f]{64}',
                                                   r'\g<1>' + "11" * 32, config))
        address = other.listening()
        self.assertEqual(ask_udp(address, "pool.test", NS).rcode, 5)
        self.assertIn("left aside", other.output())

    def test_a_relay_hands_the_managers_snapshot_on_and_a_third_server_falls_back_to_it(self):
        manager = start_manager(own_directory(self.addCleanup))
        self.addCleanup(manager.close)
        settings = (f'public_keys = ["{manager.public_key()}"]\nwait = "1s"\nretry_max = "200ms"\n')
        relay = self.start("timepool-dnsd", f'[server]\nlisten = ["127.0.0.1:0"]\n[snapshot]\n'
                           f'urls = ["{manager.url}"]\nrelay = "127.0.0.1:0"\n{settings}')
        url = "http://" + relay.control("status")["relay"][0]
        serial = lambda server: server.control("status")["snapshot_serial"]
        # The manager first, the relay second.
        third = self.start("timepool-dnsd", f'[server]\nlisten = ["127.0.0.1:0"]\n[snapshot]\n'
                           f'urls = ["http://127.0.0.1:9", "{url}"]\n{settings}')
        wait_until(lambda: serial(relay) > 0 and serial(third) == serial(relay), 20, "both hold the manager's")
        self.assertEqual(third.control("status")["snapshot"]["url"], url)
        address = third.listening()
        self.assertTrue(ask_udp(address, "pool.test", NS).answers)
        # One that trusts another key takes nothing from it.
        other = self.start("timepool-dnsd", f'[server]\nlisten = ["127.0.0.1:0"]\n[snapshot]\nurls = ["{url}"]\n' +
                           re.sub(r"[0-9a-f]{64}", "11" * 32, settings))
        wait_until(lambda: other.control("status")["snapshot"]["failures"] > 0, 20, "it is refused")
        self.assertEqual(serial(other), 0)


if __name__ == "__main__":
    main()
