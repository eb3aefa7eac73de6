"""timepool ntp: every report of a running timepool-ntpd, as text and as JSON, and what it says when
it can't have one. And the metrics over HTTP."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

import prometheus_text
from programs import BINARY_DIR, ProgramTest, main, wait_until

LOCAL = '[server.local]\nstratum = 1\nrefid = "TEST"\n'
NOBODY = {"user": "nobody", "group": "nogroup", "extra_groups": []}
SOURCE = "iburst = true\nminpoll = -3\nmaxpoll = -3\n"


def timepool(*arguments, **who):
    return subprocess.run([BINARY_DIR / "bin" / "timepool", *arguments], capture_output=True, text=True,
                          timeout=30, **who)


class Reports(ProgramTest):
    def serve(self, more=LOCAL):
        program = self.start("timepool-ntpd", f'[server]\nlisten = ["127.0.0.1:0"]\n{more}')
        host, port = program.control("status")["server"]["listen"][0].rsplit(":", 1)
        program.host, program.port = host, int(port)
        return program

    def observe(self, ports, more="", min_sources=1):
        sources = "".join(f'[[server]]\naddress = "127.0.0.1"\nport = {port}\n{SOURCE}' for port in ports)
        return self.start("timepool-ntpd",
                          f'clock = "observe"\n{more}[sources]\nmin_sources = {min_sources}\n{sources}')

    def report(self, program, name, *arguments):
        """The text and the object of a report."""
        socket_option = ("--socket", str(program.socket))
        text = timepool("ntp", name, *arguments, *socket_option)
        as_json = timepool("ntp", name, *arguments, "--json", *socket_option)
        for done in (text, as_json):
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr, "")
        return text.stdout, json.loads(as_json.stdout)

    def synchronised(self, count=1):
        servers = [self.serve() for _ in range(count)]
        observer = self.observe([server.port for server in servers])
        wait_until(lambda: all(s["reach"] == 255 for s in observer.control("sources")["sources"]), 30,
                   "every source is reached")
        return observer, servers

    def test_sources(self):
        observer, servers = self.synchronised()
        text, answer = self.report(observer, "sources")
        source = answer["sources"][0]
        self.assertEqual((source["kind"], source["symbol"], source["status"]), ("server", "*", "selected"))
        self.assertEqual((source["reach_octal"], source["stratum"], source["poll"]), ("377", 1, -3))
        heading, line = text.splitlines()
        self.assertEqual(heading.split()[:5], ["MS", "Name/IP", "address", "Stratum", "Poll"])
        self.assertRegex(line, rf"^\^\*  127\.0\.0\.1:{servers[0].port}\s+1\s+-3\s+377\s+\d+\s+"
                               r"[+-][\d.]+[num]?s\[\s*[+-][\d.]+[num]?s\] \+/-\s+[\d.]+[num]?s\s+selected$")
        legend, _ = self.report(observer, "sources", "-v")
        self.assertIn("falseticker", legend)

    def test_tracking(self):
        observer, servers = self.synchronised()
        text, answer = self.report(observer, "tracking")
        self.assertTrue(answer["synchronised"])
        lines = dict(re.split(r"\s*: ", line, maxsplit=1) for line in text.splitlines())
        self.assertEqual(lines["Stratum"], "2")
        self.assertEqual(lines["Reference ID"], f"127.0.0.1 (127.0.0.1:{servers[0].port})")
        self.assertRegex(lines["System time"], r"^[\d.]+[num]?s (slow|fast) of NTP time$")

    def test_tracking_before_anything_is_known(self):
        observer = self.observe([9])
        text, answer = self.report(observer, "tracking")
        self.assertFalse(answer["synchronised"])
        self.assertIn("System time     : -", text.splitlines())

    def test_ntpdata(self):
        observer, servers = self.synchronised(2)
        remote = f"127.0.0.1:{servers[1].port}"
        text, answer = self.report(observer, "ntpdata")
        self.assertEqual(len(answer["sources"]), 2)
        self.assertEqual(text.count("Remote address  : "), 2)
        text, answer = self.report(observer, "ntpdata", remote)
        source, = answer["sources"]
        self.assertEqual(source["address"], remote)
        self.assertRegex(source["local_address"], r"^127\.0\.0\.1:\d+$")
        self.assertGreaterEqual(source["sent"], 8)
        self.assertGreaterEqual(source["received"], source["answered"])
        self.assertGreaterEqual(source["answered"], source["accepted"])
        self.assertGreaterEqual(source["accepted"], 8)
        packet = source["answer"]
        self.assertEqual((packet["reason"], packet["leap"], packet["version"], packet["mode"], packet["stratum"]),
                         ("accepted", "none", 4, "server", 1))
        self.assertEqual((packet["reference_id"], packet["reference_id_hex"]), ("TEST", "54455354"))
        self.assertGreater(packet["response_s"], 0)
        self.assertFalse(packet["interleaved"])
        self.assertIn("Reference ID    : 54455354 (TEST)", text.splitlines())
        self.assertEqual(timepool("ntp", "ntpdata", "127.0.0.1", "--socket", str(observer.socket)).stdout.count(
            "Remote address"), 2)

    def test_ntpdata_of_a_source_that_does_not_answer(self):
        dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(dead.close)
        dead.bind(("127.0.0.1", 0))
        observer = self.observe([dead.getsockname()[1]])
        wait_until(lambda: observer.control("ntpdata")["sources"][0]["sent"] > 0, 20, "a request")
        text, answer = self.report(observer, "ntpdata")
        self.assertIsNone(answer["sources"][0]["answer"])
        self.assertIn("Total RX        : 0", text.splitlines())

    def test_an_unknown_source_is_an_error_that_names_those_there_are(self):
        observer = self.observe([9])
        for name in ("ntpdata",):
            done = timepool("ntp", name, "192.0.2.1", "--socket", str(observer.socket))
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("no source 192.0.2.1: there are 127.0.0.1:9", done.stderr)

    def test_activity(self):
        observer, _ = self.synchronised(2)
        text, answer = self.report(observer, "activity")
        self.assertEqual((answer["online"], answer["unresolved"]), (2, 0))
        self.assertEqual(text.splitlines()[0], "2 sources online")

    def test_counters(self):
        observer, _ = self.synchronised()
        text, answer = self.report(observer, "counters")
        self.assertGreaterEqual(answer["client"]["reasons"]["accepted"], 8)
        self.assertRegex(text, r"(?m)^ +accepted +\d+$")

    def test_security_tells_of_forged_replies_and_of_nothing_else(self):
        quiet, _ = self.synchronised()
        text, answer = self.report(quiet, "security")
        self.assertEqual(answer["concerns"], [])
        self.assertIn("nothing that looks like an attack", text)
        # A server that answers each request with another origin: RFC 8633 5.3.
        liar = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(liar.close)
        liar.bind(("127.0.0.1", 0))
        liar.settimeout(20)
        victim = self.observe([liar.getsockname()[1]])
        for origin in (b"\x01" * 8, bytes(8)):
            request, client = liar.recvfrom(100)
            liar.sendto(bytes([0x24, 1]) + bytes(22) + origin + request[40:48] * 2, client)
        wait_until(lambda: len(victim.control("security")["concerns"]) == 2, 20, "both are told of")
        text, answer = self.report(victim, "security")
        concerns = {concern["reason"]: concern for concern in answer["concerns"]}
        self.assertEqual(set(concerns), {"wrong_origin", "zero_origin"})
        self.assertEqual(concerns["wrong_origin"]["count"], 1)
        self.assertEqual(concerns["wrong_origin"]["address"], "127.0.0.1:%d" % liar.getsockname()[1])
        self.assertRegex(concerns["wrong_origin"]["last"], r"^2\d{3}-\d\d-\d\dT")
        self.assertIn("bogus origin", concerns["wrong_origin"]["meaning"])
        self.assertIn("BCP 38", text)
        self.assertEqual(answer["client"]["wrong_origin"]["count"], 1)
        self.assertIsNone(answer["client"]["crypto_nak"]["last"])
        self.assertIn("wrong_origin from 127.0.0.1", victim.output())
        self.assertEqual(victim.output().count("wrong_origin from"), 1)

    def test_security_of_the_server_tells_who_probes_it(self):
        server = self.serve()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as prober:
            prober.bind(("127.0.0.1", 0))
            for first in (0x16, 0x17, 0x24):  # control, private, a server's reply (B8)
                prober.sendto(bytes([first]) + bytes(47), (server.host, server.port))
            address = "127.0.0.1:%d" % prober.getsockname()[1]
        wait_until(lambda: len(server.control("security")["concerns"]) == 3, 20, "all are told of")
        _, answer = self.report(server, "security")
        self.assertIsNone(answer["client"])
        for reason in ("mode_control", "mode_private", "mode_server"):
            self.assertEqual((answer["server"][reason]["count"], answer["server"][reason]["address"]),
                             (1, address))
        self.assertNotIn("answered_plain", answer["server"])

    def test_without_a_daemon_every_report_says_so(self):
        for name in ("sources", "tracking", "activity", "security", "counters", "ntpdata"):
            done = timepool("ntp", name, "--socket", "/nonexistent/ntpd.sock")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("/nonexistent/ntpd.sock", done.stderr)
            self.assertIn("is the daemon running?", done.stderr)

    def test_who_may_not_use_the_socket_is_told_who_may(self):
        if os.getuid() != 0:
            self.skipTest("needs root, to be somebody else for a moment")
        server = self.serve()
        # mkdtemp's directory is the owner's alone; the socket's own mode is to decide.
        server.directory.chmod(0o755)
        if timepool("--version", **NOBODY).returncode != 0:
            self.skipTest("the user nobody can't run the programs here")
        done = timepool("ntp", "sources", "--socket", str(server.socket), **NOBODY)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Permission denied", done.stderr)
        self.assertIn("owner and group", done.stderr)

    def test_the_command_line_is_checked(self):
        self.assertEqual(timepool("ntp").returncode, 2)
        self.assertEqual(timepool("ntp", "frobnicate").returncode, 2)
        self.assertEqual(timepool("ntp", "sources", "--frobnicate").returncode, 2)


class Metrics(ProgramTest):
    def scrape(self, program, path="/metrics"):
        with urllib.request.urlopen(f"http://{program.control('status')['metrics']}{path}", timeout=10) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            return prometheus_text.parse(answer.read().decode())

    def test_are_well_formed_and_tell_of_both_halves(self):
        server = self.start("timepool-ntpd", '[server]\nlisten = ["127.0.0.1:0"]\n' + LOCAL +
                            '[metrics]\nlisten = "127.0.0.1:0"\n')
        host, port = server.control("status")["server"]["listen"][0].rsplit(":", 1)
        client = self.start("timepool-ntpd", f'clock = "observe"\n[sources]\nmin_sources = 1\n[[server]]\naddress = "{host}"\n'
                            f'port = {port}\n{SOURCE}[[refclock]]\ndriver = "pps"\npath = "/nowhere/pps0"\nnoselect = true\n'
                            '[metrics]\nlisten = "127.0.0.1:0"\n')
        wait_until(lambda: client.control("tracking")["synchronised"], 30, "synchronised")
        ours = self.scrape(client)
        reasons = {labels[0][1]: value
                   for labels, value in ours["timepool_ntpd_client_datagrams_total"]["samples"].items()}
        self.assertEqual(set(reasons), set(client.control("counters")["client"]["reasons"]))
        self.assertGreaterEqual(reasons["accepted"], 1)
        self.assertEqual(ours["timepool_ntpd_synchronised"]["samples"][()], 1)
        state = next(iter(ours["timepool_ntpd_source_state"]["samples"]))
        self.assertEqual(dict(state), {"address": f"{host}:{port}", "source": host, "state": "selected"})
        theirs = self.scrape(server)
        self.assertGreaterEqual(
            theirs["timepool_ntpd_server_datagrams_total"]["samples"][(("reason", "answered_plain"),)], 1)
        self.assertNotIn("timepool_ntpd_synchronised", theirs)
        # Every metric is documented, and every documented one is there.
        documented = set(re.findall(r"^\| `(timepool_ntpd_\w+)`", (pathlib.Path(os.environ.get(
            "TIMEPOOL_SOURCE_DIR", ".")) / "docs/metrics.md").read_text(), re.M))
        self.assertEqual(documented - set(ours) - set(theirs), set())
        self.assertEqual((set(ours) | set(theirs)) - documented, set())

    def test_every_metric_of_an_alert_exists(self):
        root = pathlib.Path(os.environ.get("TIMEPOOL_SOURCE_DIR", "."))
        rules = (root / "packaging/prometheus/timepool-ntpd.rules.yml").read_text()
        documented = set(re.findall(r"timepool_ntpd_\w+", (root / "docs/metrics.md").read_text()))
        used = set(re.findall(r"timepool_ntpd_\w+", rules))
        self.assertGreater(len(used), 5)
        self.assertEqual(used - documented, set())

    def test_another_path_is_not_found(self):
        program = self.start("timepool-ntpd", '[metrics]\nlisten = "127.0.0.1:0"\n')
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.scrape(program, "/")
        self.assertEqual(caught.exception.code, 404)
        caught.exception.close()

    def test_come_and_go_with_a_reload(self):
        program = self.start("timepool-ntpd", "")
        self.assertIsNone(program.control("status")["metrics"])
        program.write_config('[metrics]\nlisten = "127.0.0.1:0"\n')
        program.signal(signal.SIGHUP)
        wait_until(lambda: program.control("status")["metrics"], 10, "metrics are served")
        self.assertIn("timepool_ntpd_build_info", self.scrape(program))
        program.write_config("")
        program.signal(signal.SIGHUP)
        wait_until(lambda: program.control("status")["metrics"] is None, 10, "metrics are gone")


if __name__ == "__main__":
    main()
