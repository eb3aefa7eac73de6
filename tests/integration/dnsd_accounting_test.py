"""What timepool-dnsd tells of its queries: counters by zone, type, rcode, transport and country, the
servers that it hands out, and the log of queries in both formats."""
import collections
import json
import os
import shutil
import socket
import subprocess
import threading

import dns_messages as dns
from dns_messages import AAAA, NS, TXT, ask_udp, framed, query, read_tcp, udp_socket
from programs import BINARY_DIR, ProgramTest, main, own_directory, wait_until

OVERRIDES = '''[geoip]
overrides = { "198.18.0.0/16" = "de", "198.19.0.0/16" = "us" }
'''


def zone(serial, addresses, **more):
    return {"serial": serial, "ttl": 60, "max_hosts": 2,
            "data": {"": {"ns": ["ns1.pool.test."], "a": [[a, w] for a, w in addresses.items()]},
                     "www": {"cname": "pool.test."}, **more}}


class Accounting(ProgramTest):
    def setUp(self):
        self.zones = own_directory(self.addCleanup)

    def put(self, document, name="pool.test"):
        new = self.zones / f".{name}.new"
        new.write_text(json.dumps(document))
        os.replace(new, self.zones / f"{name}.json")

    def serve(self, more="", threads=1):
        program = self.start("timepool-dnsd", f'[server]\nlisten = ["127.0.0.1:0"]\n'
                             f'threads = {threads}\nidentity = "here"\n[zones]\n'
                             f'directory = "{self.zones}"\n{OVERRIDES}{more}')
        program.address = program.listening()
        return program

    def handed(self, program):
        return {s["address"]: s["handed_out"] for s in program.control("stats")["servers"]}

    def test_each_query_is_counted_by_zone_type_rcode_transport_and_country(self):
        self.put(zone(1, {"10.0.0.1": 10, "10.0.0.2": 10, "10.0.0.3": 0}))
        self.put(zone(1, {"10.9.0.1": 10}), "other.test")
        program = self.serve()
        for subnet, name, kind in (("198.18.5.0/24", "pool.test", 1), ("198.18.6.0/24", "pool.test", 1),
                                   ("198.19.5.0/24", "pool.test", AAAA), (None, "no.pool.test", 1),
                                   (None, "pool.test", NS), ("9.9.9.0/24", "other.test", 1),
                                   (None, "example.com", 1)):
            ask_udp(program.address, name, kind, subnet=subnet)
        with socket.create_connection(program.address, timeout=10) as stream:
            stream.sendall(framed(query("www.pool.test")))
            self.assertEqual(len(read_tcp(stream).addresses), 2)
        stats = program.control("stats")
        nonzero = {k: v for k, v in stats["udp"]["types"].items() if v}
        self.assertEqual(nonzero, {"A": 5, "AAAA": 1, "NS": 1})
        self.assertEqual(stats["udp"]["rcodes"], {"NOERROR": 5, "NXDOMAIN": 1, "REFUSED": 1})
        self.assertEqual(stats["udp"]["countries"], {"de": 2, "us": 1, "unknown": 4})
        self.assertEqual(stats["tcp"]["rcodes"], {"NOERROR": 1})
        self.assertEqual(stats["zones"], {
            "pool.test.": {"queries": {"records": 4, "no_data": 1, "nxdomain": 1, "other": 0},
                           "handed_out": 6},
            "other.test.": {"queries": {"records": 1, "no_data": 0, "nxdomain": 0, "other": 0},
                            "handed_out": 1}})
        self.assertEqual(self.handed(program), {"10.0.0.1": 3, "10.0.0.2": 3, "10.9.0.1": 1,
                                                "10.0.0.3": 0}, "also at the end of a CNAME")
        text = program.control("metrics")["text"]
        for line in ('timepool_dnsd_zone_queries_total{zone="pool.test.",end="records"} 4',
                     'timepool_dnsd_handed_out_total{zone="other.test."} 1',
                     'timepool_dnsd_country_queries_total{country="de"} 2',
                     'timepool_dnsd_answers_total{transport="udp",rcode="REFUSED"} 1'):
            self.assertIn(line, text)

    def test_no_answer_is_lost_from_the_accounts_while_snapshots_change(self):
        self.put(zone(1, {"10.0.0.1": 10, "10.0.0.2": 10}))
        program = self.serve(threads=2)
        stop, got = threading.Event(), collections.Counter()

        def ask():
            own = collections.Counter()
            with udp_socket(program.address, 10) as s:
                while not stop.is_set():
                    s.send(query("pool.test"))
                    own.update(dns.Reply(s.recv(65536)).addresses)
            got.update(own)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for serial in range(2, 5):
            before = program.control("zones")["compiles"]
            self.put(zone(serial, {"10.0.0.1": 10, "10.0.0.2": 10, f"10.0.1.{serial}": 10}))
            wait_until(lambda: program.control("zones")["compiles"] > before, 20, "taken in")
        stop.set()
        for thread in threads:
            thread.join()
        self.assertGreater(sum(got.values()), 100)
        self.assertEqual(self.handed(program), dict(got) | {
            a: got[a] for a in ("10.0.1.2", "10.0.1.3", "10.0.1.4")})

    def test_why_a_client_gets_its_answer(self):
        self.put(zone(1, {"10.0.0.1": 30, "10.0.0.2": 10, "10.0.0.3": 0},
                      de={"a": [["10.1.0.1", 3], ["10.1.0.2", 1]], "max_hosts": 1},
                      europe={"alias": "eu"}, eu={"a": [["10.2.0.1", 1]]}, www={"cname": "pool.test."}))
        program = self.serve()
        found = program.control("lookup", name="PooL.test", address="198.18.5.1")
        self.assertEqual((found["country"], found["geo_country"], found["geo_continent"]),
                         ("de", "de", "europe"))
        self.assertEqual(
            [(x["label"], x["exists"], x["has_type"], x["alias"], x["used"]) for x in found["levels"]],
            [("de", True, True, "", True), ("europe", True, False, "eu", False),
             ("@", True, True, "", False)])
        self.assertEqual([(x["data"], x["weight"]) for x in found["candidates"]],
                         [("10.1.0.1", 3), ("10.1.0.2", 1)])
        for candidate, chance in zip(found["candidates"], (0.75, 0.25)):
            self.assertAlmostEqual(candidate["chance"], chance, delta=0.01)
        self.assertEqual((found["answer"]["rcode"], found["answer"]["signed"]), ("NOERROR", False))
        self.assertRegex(found["answer"]["records"][0], r"^PooL\.test\. 60 A 10\.1\.0\.[12]$")
        # Elsewhere two of three, one of which has no weight.
        found = program.control("lookup", name="pool.test", address="198.19.5.1")
        self.assertEqual((found["country"], found["geo_country"], found["label"]), ("", "us", "@"))
        self.assertEqual([x["chance"] for x in found["candidates"]], [1, 1, 0])
        self.assertEqual(program.control("lookup", name="no.pool.test", address="9.9.9.9")["answer"]
                         ["rcode"], "NXDOMAIN")
        self.assertFalse(program.control("lookup", name="x.example", address="9.9.9.9")["in_zone"])
        out = subprocess.run(
            [BINARY_DIR / "bin/timepool", "dns", "lookup", "pool.test", "--from", "198.18.5.1",
             "--explain", "--socket", program.socket], capture_output=True, text=True, timeout=20)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertRegex(out.stdout, r"10\.1\.0\.1 +3 +7[3-6]\.\d\d %")
        for part in ("By GeoIP", "Labels for this client", "An answer drawn now: NOERROR"):
            self.assertIn(part, out.stdout)
        stats = subprocess.run([BINARY_DIR / "bin/timepool", "dns", "stats", "--socket",
                                program.socket], capture_output=True, text=True, timeout=20)
        self.assertIn("pool.test.", stats.stdout, stats.stderr)

    def test_pages_of_geodns_find_its_status_names(self):
        self.put(zone(1, {"10.0.0.1": 10}, _country={"txt": "ours"}))
        self.put(zone(1, {"10.0.0.1": 10}), "other.test")
        program = self.serve()

        def texts(name, **more):
            with udp_socket(program.address) as s:
                s.send(query(name, TXT, **more))
                reply = dns.Reply(s.recv(65536))
            out = []
            for _, ttl, rdata in reply.answers:
                while rdata:
                    out.append((ttl, rdata[1:1 + rdata[0]].decode()))
                    rdata = rdata[1 + rdata[0]:]
            return reply.rcode, out
        for name in ("_status.pool.test", "_STATUS.other.test", "_status.pgeodns"):
            rcode, [(ttl, text)] = texts(name)
            status = json.loads(text)
            self.assertEqual((rcode, ttl, status["id"], status["h"]),
                             (0, 1, "here", socket.gethostname()))
            self.assertLess(int(status["up"]), 300)
        rcode, found = texts("_country.other.test", subnet="198.18.5.0/24")
        self.assertEqual([text for _, text in found],
                         ["127.0.0.1", "198.18.5.0", "de europe @", "/0", "here"])
        self.assertEqual(texts("_country.pool.test")[1], [(60, "ours")], "the zone goes before")
        self.assertEqual(texts("_status.x.pool.test")[0], 3)
        self.assertEqual(texts("_status.example")[0], 5)
        self.assertEqual(ask_udp(program.address, "_status.pool.test").rcode, 3, "TXT alone")

    def test_queries_are_logged_as_lines_of_json(self):
        self.put(zone(1, {"10.0.0.1": 10}))
        path = self.zones / "queries"
        program = self.serve(f'[query_log]\nfile = "{path}"\n')
        ask_udp(program.address, "PooL.test", subnet="198.18.5.0/24")
        ask_udp(program.address, "no.pool.test")
        with udp_socket(program.address) as s:
            s.send(b"\0" * 5)
        wait_until(lambda: path.read_text().count("\n") == 3, 10, "three lines")
        first, second, third = map(json.loads, path.read_text().splitlines())
        self.assertEqual(
            [first[k] for k in ("client", "transport", "name", "type", "class", "subnet", "reason",
                                "rcode", "scope", "answers")],
            ["127.0.0.1", "udp", "PooL.test.", "A", "IN", "198.18.5.0/24", "answered", "NOERROR", 0,
             ["A 10.0.0.1"]])
        self.assertEqual((second["reason"], second["rcode"], second["answers"]),
                         ("nxdomain", "NXDOMAIN", []))
        self.assertEqual((third["reason"], third["query_size"], third["reply_size"]),
                         ("dropped_short", 5, 0))
        self.assertEqual(program.control("stats")["query_log"],
                         {"written": 3, "dropped": 0, "failed": 0})
        # As logrotate does it.
        path.rename(self.zones / "queries.1")
        program.control("reload")
        ask_udp(program.address, "pool.test")
        wait_until(lambda: path.exists() and path.read_text().count("\n") == 1, 10, "a new file")

    def test_a_sample_of_queries_is_logged_and_a_flood_is_not_waited_for(self):
        self.put(zone(1, {"10.0.0.1": 10}))
        path = self.zones / "queries"
        program = self.serve(f'[query_log]\nfile = "{path}"\nsample = 10\n')
        with udp_socket(program.address) as s:
            for _ in range(2000):
                s.send(query("pool.test"))
                s.recv(65536)
        self.assertEqual(program.stop(), 0)
        lines = path.read_text().count("\n")
        self.assertTrue(100 < lines < 300, lines)

    def test_queries_are_logged_as_dnstap_that_kdig_reads(self):
        if not shutil.which("kdig"):
            self.skipTest("needs the package knot-dnsutils")
        self.put(zone(1, {"10.0.0.1": 10}))
        path = self.zones / "queries.tap"
        program = self.serve(f'[query_log]\nfile = "{path}"\nformat = "dnstap"\n')
        ask_udp(program.address, "pool.test")
        with socket.create_connection(program.address, timeout=10) as stream:
            stream.sendall(framed(query("no.pool.test")))
            read_tcp(stream)
        self.assertEqual(program.stop(), 0)
        out = subprocess.run(["kdig", "-G", path, "+qr"], capture_output=True, text=True, timeout=20)
        if "not supported" in out.stderr or "unknown" in out.stderr.lower():
            self.skipTest(f"this kdig reads no dnstap: {out.stderr.strip()}")
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual(out.stdout.count(";; QUESTION SECTION:"), 4, out.stdout)
        self.assertIn("10.0.0.1", out.stdout)
        self.assertIn("NXDOMAIN", out.stdout)
        self.assertIn("127.0.0.1", out.stdout)

    def test_dnstap_is_taken_by_a_program_at_a_socket(self):
        capture = next(iter(BINARY_DIR.glob("../peers/fstrm-bin/usr/bin/fstrm_capture")), None)
        if capture is None:
            self.skipTest("needs the package fstrm-bin (./dev setup)")
        libraries = [str(path.parent) for path in capture.parents[2].rglob("libfstrm.so.*")]
        environment = dict(os.environ, LD_LIBRARY_PATH=":".join(libraries))
        self.put(zone(1, {"10.0.0.1": 10}))
        where, path = self.zones / "tap.sock", self.zones / "captured"
        program = self.serve(f'[query_log]\nsocket = "{where}"\nformat = "dnstap"\n')
        ask_udp(program.address, "pool.test")
        wait_until(lambda: "queries are lost until it takes them" in program.output(), 10, "told")
        takes = subprocess.Popen([capture, "-t", "protobuf:dnstap.Dnstap", "-u", where, "-w", path],
                                 env=environment, stderr=subprocess.PIPE, text=True)
        self.addCleanup(takes.kill)
        counts = {"written": 1, "dropped": 0, "failed": 0}
        wait_until(lambda: program.control("stats")["query_log"] == counts, 20,
                   "what was asked before it came")
        for _ in range(99):
            ask_udp(program.address, "no.pool.test")
        # A reload leaves the connection.
        program.control("reload")
        counts["written"] = 100
        wait_until(lambda: program.control("stats")["query_log"] == counts, 20, "all are taken")
        self.assertEqual(program.stop(), 0)
        takes.terminate()
        self.assertEqual(takes.wait(20), 0, takes.stderr.read())
        takes.stderr.close()
        out = subprocess.run(["kdig", "-G", path, "+qr"], capture_output=True, text=True, timeout=60)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual(out.stdout.count(";; QUESTION SECTION:"), 200)
        self.assertEqual(out.stdout.count("NXDOMAIN"), 99)

    def test_a_log_that_can_not_be_written_is_told_at_the_start_and_later(self):
        self.put(zone(1, {"10.0.0.1": 10}))
        program = self.start("timepool-dnsd", '[server]\nlisten = ["127.0.0.1:0"]\n[query_log]\n'
                             'file = "/nowhere/x"\n', wait=False)
        self.assertNotEqual(program.process.wait(20), 0)
        self.assertIn("[query_log] file", program.output())
        program = self.serve('[query_log]\nfile = "/dev/full"\n')
        self.assertEqual(ask_udp(program.address, "pool.test").addresses, ["10.0.0.1"])
        wait_until(lambda: program.control("stats")["query_log"]["failed"] == 1, 10, "counted")
        self.assertEqual(program.output().count("queries are lost"), 1)


if __name__ == "__main__":
    main()
