"""timepool ntp: every report of a running timepool-ntpd, as text and as JSON, and what it says when
it can't have one. And the metrics over HTTP."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

import prometheus_text
from certificates import OPENSSL, Authority
from programs import BINARY_DIR, ProgramTest, main, wait_until

LOCAL = '[server.local]\nstratum = 1\nrefid = "TEST"\n'
NOBODY = {"user": "nobody", "group": "nogroup", "extra_groups": []}
SOURCE = "iburst = true\nminpoll = -3\nmaxpoll = -3\n"


def timepool(*arguments, **who):
    return subprocess.run([BINARY_DIR / "bin" / "timepool", *arguments], capture_output=True, text=True,
                          timeout=30, **who)


class ReportTest(ProgramTest):
    def serve(self, more=LOCAL):
        program = self.start("timepool-ntpd", f'[server]\nlisten = ["127.0.0.1:0"]\n{more}')
        program.host, program.port = program.listening("server")
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


class Reports(ReportTest):
    def test_sources(self):
        observer, servers = self.synchronised()
        text, answer = self.report(observer, "sources")
        source = answer["sources"][0]
        self.assertEqual((source["kind"], source["symbol"], source["status"]), ("server", "*", "selected"))
        self.assertEqual((source["reach_octal"], source["stratum"], source["poll"]), ("377", 1, -3))
        heading, line = text.splitlines()
        self.assertEqual(heading.split()[:5], ["MS", "Name/IP", "address", "Stratum", "Poll"])
        self.assertRegex(line, rf"^\^\*  127\.0\.0\.1:{servers[0].port}\s+1\s+-3\s+377\s+\d+\s+"
                               r"[+-][\d.]+[num]?s\[\s*[+-][\d.]+[num]?s\] \+/-\s+[\d.]+[num]?s\s+-\s+selected$")
        legend, _ = self.report(observer, "sources", "-v")
        self.assertIn("falseticker", legend)

    def test_tracking(self):
        observer, servers = self.synchronised()
        text, answer = self.report(observer, "tracking")
        self.assertTrue(answer["synchronised"])
        lines = dict(re.split(r"\s*: ", line, maxsplit=1) for line in text.splitlines())
        self.assertEqual(lines["Stratum"], "2")
        self.assertEqual(lines["Reference ID"], f"127.0.0.1 (127.0.0.1:{servers[0].port})")
        for name in ("Last offset", "RMS offset", "Update interval", "Error bound"):
            self.assertRegex(lines[name], r"^[+-]?[\d.]+[num]?s$", name)
        self.assertGreater(answer["updates"], 1)
        self.assertGreaterEqual(answer["rms_offset_s"], 0)
        self.assertRegex(lines["System time"], r"^[\d.]+[num]?s (slow|fast) of NTP time$")

    def test_tracking_before_anything_is_known(self):
        observer = self.observe([9])
        text, answer = self.report(observer, "tracking")
        self.assertFalse(answer["synchronised"])
        self.assertIn("System time     : -", text.splitlines())

    def test_selectdata_and_explain_of_good_sources_and_a_liar(self):
        servers = [self.serve() for _ in range(3)]
        servers.append(self.serve(LOCAL + '[server.test]\noffset = "-400ms"\n'))
        observer = self.observe([server.port for server in servers], min_sources=3)
        wait_until(lambda: [s["status"] for s in observer.control("sources")["sources"]].count("falseticker") == 1,
                   30, "the liar is found")
        text, answer = self.report(observer, "selectdata")
        self.assertEqual(answer["agreement"], "found")
        good, liar = answer["sources"][0], answer["sources"][3]
        self.assertEqual((liar["state"], liar["cause"]), ("x", "falseticker"))
        self.assertIn(good["cause"], ("selected", "combined"))
        self.assertLessEqual(liar["high_s"], -0.3)
        self.assertLess(good["low_s"], 0)
        self.assertGreater(good["high_s"], 0)
        self.assertEqual((good["authenticated"], good["configured"], good["leap"]), (False, [], "none"))
        self.assertEqual(text.splitlines()[0].split()[:5], ["S", "Name/IP", "Address", "Auth", "COpts"])
        self.assertRegex(text, rf"(?m)^x  127\.0\.0\.1:{servers[3].port}\s+N\s+----\s+----\s+\d+\s.*\sN\s+falseticker$")
        self.assertIn("EOpts ", self.report(observer, "selectdata", "-v")[0])
        name = f"127.0.0.1:{servers[3].port}"
        text, answer = self.report(observer, "explain", name)
        told, = answer["sources"]
        self.assertEqual(told["cause"], "falseticker")
        self.assertIn(name, told["title"])
        self.assertGreater(len(told["sentences"]), 2)
        self.assertEqual(text.splitlines()[0], told["title"])
        self.assertEqual(text.splitlines()[1], "  " + told["sentences"][0])
        self.assertEqual(timepool("ntp", "explain", "--socket", str(observer.socket)).returncode, 2)

    def test_selectdata_tells_options(self):
        server = self.serve()
        observer = self.start("timepool-ntpd", (
            'clock = "observe"\n[sources]\nmin_sources = 1\n[[server]]\naddress = "127.0.0.1"\n'
            f'port = {server.port}\nprefer = true\nrequire = true\n{SOURCE}'
            '[[server]]\naddress = "127.0.0.2"\nport = 9\nnoselect = true\n'))
        wait_until(lambda: observer.control("tracking")["synchronised"], 30, "synchronised")
        text, answer = self.report(observer, "selectdata")
        self.assertEqual([source["configured"] for source in answer["sources"]],
                         [["prefer", "require"], ["noselect"]])
        self.assertRegex(text, r"(?m)^\*  .* -P-R ")
        self.assertRegex(text, r"(?m) N--- .* noselect$")

    def test_sourcestats(self):
        observer, servers = self.synchronised(2)
        text, answer = self.report(observer, "sourcestats")
        self.assertEqual(len(answer["sources"]), 2)
        first = answer["sources"][0]
        self.assertGreaterEqual(first["samples"], 4)
        self.assertGreater(first["span_s"], 0)
        self.assertGreater(first["offset_sd_s"], 0)
        self.assertEqual(text.splitlines()[0].split()[:4], ["Name/IP", "Address", "NP", "Span"])
        self.assertRegex(text.splitlines()[1], rf"^127\.0\.0\.1:{servers[0].port}\s+\d+\s+\d+\s")
        legend, _ = self.report(observer, "sourcestats", "-v", f"127.0.0.1:{servers[1].port}")
        self.assertIn("Freq Skew  standard deviation", legend)
        self.assertEqual(legend.count("127.0.0.1:"), 1)

    def test_sourcestats_before_the_first_sample(self):
        text, answer = self.report(self.observe([9]), "sourcestats")
        self.assertEqual(answer["sources"], [])
        self.assertIn("no source has samples yet", text)

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
        for name in ("ntpdata", "sourcestats", "selectdata", "explain"):
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
        for name in ("sources", "authentication", "tracking", "activity", "security", "counters", "ntpdata", "sourcestats", "cyclelogs", "selectdata"):
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
        try:
            timepool("--version", **NOBODY)
        except PermissionError:
            self.skipTest("the user nobody may not run the programs here")
        done = timepool("ntp", "sources", "--socket", str(server.socket), **NOBODY)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Permission denied", done.stderr)
        self.assertIn("owner and group", done.stderr)

    def test_the_command_line_is_checked(self):
        self.assertEqual(timepool("ntp").returncode, 2)
        self.assertEqual(timepool("ntp", "frobnicate").returncode, 2)
        self.assertEqual(timepool("ntp", "sources", "--frobnicate").returncode, 2)


class Logs(ReportTest):
    KINDS = ("measurements", "statistics", "tracking", "selection")

    def logging(self, kinds=KINDS, directory=None, more=""):
        server = self.serve()
        directory = directory or server.directory / "logs"
        settings = "".join(f"{kind} = true\n" for kind in kinds)
        client = self.observe([server.port], f'[log]\ndirectory = "{directory}"\n{settings}{more}')
        client.logs = directory
        return client

    def test_every_log_has_a_heading_and_lines_of_as_many_columns(self):
        server_directory = self.start("timepool-ntpd", "").directory
        (server_directory / "logs").mkdir()
        client = self.logging(directory=server_directory / "logs")
        columns = {"measurements": 16, "statistics": 11, "tracking": 14, "selection": 9}
        for kind in self.KINDS:
            path = client.logs / f"{kind}.log"
            lines = wait_until(lambda p=path: (lambda t: t if t.count("\n") > 6 else None)(
                p.read_text() if p.exists() else ""), 20, f"lines in {path}").splitlines()
            self.assertEqual(set(lines[0]), {"="})
            self.assertTrue(lines[1].startswith("   Date (UTC) Time  IP Address "), lines[1])
            self.assertEqual(lines[2], lines[0])
            for line in lines[3:6]:
                self.assertRegex(line, r"^2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d 127\.0\.0\.1 ")
                self.assertEqual(len(line.split()), columns[kind], line)

    def test_are_opened_anew_by_command_and_by_sighup(self):
        directory = self.start("timepool-ntpd", "").directory / "logs"
        directory.mkdir()
        client = self.logging(("measurements",), directory)
        path = directory / "measurements.log"
        for number, cycle in enumerate((lambda: self.report(client, "cyclelogs"),
                                        lambda: client.signal(signal.SIGHUP))):
            wait_until(path.exists, 20, "the log is there")
            path.rename(f"{path}.{number}")
            cycle()
        wait_until(path.exists, 20, "the log is there again")
        self.assertEqual(sorted(p.name for p in directory.iterdir()),
                         ["measurements.log", "measurements.log.0", "measurements.log.1"])
        text, answer = self.report(client, "cyclelogs")
        self.assertEqual(answer["logs"][0]["path"], str(path))
        self.assertEqual(answer["logs"][0]["lost"], 0)
        self.assertIn("measurements.log: ", text)

    def test_a_directory_that_is_not_there_is_told_of_once_and_lines_go_on_when_it_comes(self):
        directory = self.start("timepool-ntpd", "").directory / "later"
        client = self.logging(("tracking",), directory)
        wait_until(lambda: client.control("cyclelogs")["logs"][0]["lost"] > 3, 20, "lines are lost")
        self.assertEqual(client.output().count("[log] directory: open"), 1)
        directory.mkdir()
        wait_until((directory / "tracking.log").exists, 20, "the log is there")
        self.assertTrue(client.control("tracking")["ok"])

    def test_without_logs_cyclelogs_says_so(self):
        text, answer = self.report(self.serve(), "cyclelogs")
        self.assertEqual(answer["logs"], [])
        self.assertIn("no logs", text)


class Metrics(ProgramTest):
    def scrape(self, program, path="/metrics"):
        with urllib.request.urlopen(f"http://{program.control('status')['metrics']}{path}", timeout=10) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            return prometheus_text.parse(answer.read().decode())

    @unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
    def test_are_well_formed_and_tell_of_both_halves(self):
        with tempfile.TemporaryDirectory() as directory:
            self.check_both_halves(directory)

    def check_both_halves(self, directory):
        authority = Authority(directory)
        chain, key = authority.issue("ntp.test", "DNS:ntp.test")
        server = self.start("timepool-ntpd", '[server]\nlisten = ["127.0.0.1:0"]\n' + LOCAL +
                            '[metrics]\nlisten = "127.0.0.1:0"\n[nts.server]\nlisten = ["127.0.0.1:0"]\n'
                            f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n')
        host, port = server.listening("server")
        key_port = server.listening("key_server")[1]
        client = self.start("timepool-ntpd", f'clock = "observe"\n[[refclock]]\ndriver = "sock"\n'
                            f'path = "{server.directory}/clock.sock"\nname = "GPS"\n'
                            f'[sources]\nmin_sources = 1\n[[server]]\naddress = "{host}"\n'
                            f'nts = "require"\nnts_port = {key_port}\nnts_name = "ntp.test"\n'
                            f'nts_ca = ["{authority.certificate}"]\n'
                            f'{SOURCE}[metrics]\nlisten = "127.0.0.1:0"\n')
        wait_until(lambda: client.control("tracking")["synchronised"], 30, "synchronised")
        ours = wait_until(lambda: (lambda m: m if "timepool_ntpd_frequency_ratio" in m else None)(
            self.scrape(client)), 30, "the frequency is known")
        reasons = {labels[0][1]: value
                   for labels, value in ours["timepool_ntpd_client_datagrams_total"]["samples"].items()}
        self.assertEqual(set(reasons), set(client.control("counters")["client"]["reasons"]))
        self.assertGreaterEqual(reasons["accepted"], 1)
        self.assertIn((("reason", "accepted"), ("refclock", "GPS")),
                      ours["timepool_ntpd_refclock_looks_total"]["samples"])
        self.assertEqual(ours["timepool_ntpd_steers"]["samples"][()], 0)
        self.assertEqual(ours["timepool_ntpd_synchronised"]["samples"][()], 1)
        states = [dict(labels) for labels in ours["timepool_ntpd_source_state"]["samples"]]
        self.assertEqual(len(states), 2)
        self.assertIn({"address": f"{host}:{port}", "source": host, "state": "selected",
                                       "cause": "selected"}, states)
        self.check_authentication(client, ours, host, f"{host}:{port}")
        theirs = self.scrape(server)
        self.assertGreaterEqual(
            theirs["timepool_ntpd_server_datagrams_total"]["samples"][(("reason", "answered_nts"),)], 1)
        self.assertNotIn("timepool_ntpd_synchronised", theirs)
        # Every metric is documented, and every documented one is there.
        documented = set(re.findall(r"^\| `(timepool_ntpd_\w+)`", (pathlib.Path(os.environ.get(
            "TIMEPOOL_SOURCE_DIR", ".")) / "docs/metrics.md").read_text(), re.M))
        # Those of what these two have not are in ntpd_srv_test and ntpd_acme_test.
        elsewhere = {name for name in documented if re.match("timepool_ntpd_(pool_srv|acme)_", name)}
        self.assertEqual(documented - set(ours) - set(theirs) - elsewhere, set())
        self.assertEqual((set(ours) | set(theirs)) - documented, set())

    def check_authentication(self, client, metrics, name, address):
        """What reports and metrics tell of a source that is asked with NTS, and of one without."""
        def value(metric, **labels):
            samples = metrics[f"timepool_ntpd_{metric}"]["samples"]
            return {frozenset(it): sample for it, sample in samples.items()}[frozenset(labels.items())]

        whom = {"source": name, "address": address}
        self.assertEqual(value("source_proved", authentication="nts", **whom), 1)
        self.assertEqual(value("source_proved", authentication="none", source="GPS", address=""), 0)
        self.assertIn(value("source_nts_cookies", **whom), range(1, 9))
        self.assertLess(value("source_nts_key_age_seconds", **whom), 120)
        self.assertLess(value("source_nts_attempt_age_seconds", **whom), 120)
        self.assertEqual(value("source_nts_cookie_octets", **whom), 68)
        self.assertEqual(value("source_nts_attempts", **whom), 0)
        self.assertEqual(value("source_nts_key_lifetime_seconds", **whom), 28 * 86400)
        self.assertGreater(value("source_nts_certificate_remaining_seconds", **whom), 0)
        self.assertEqual(value("source_nts_naks_total", **whom), 0)
        self.assertEqual(value("client_key_establishments_total", outcome="established"), 1)
        socket_option = ("--socket", str(client.socket))
        text = timepool("ntp", "authentication", "-v", *socket_option).stdout
        self.assertRegex(text, rf"(?m)^{address}\s+nts\s+0\s+AES-128-GCM-SIV\s+128\s+\d+\s+\d+\s+0\s+0\s+[1-8]\s+68\s+yes$")
        self.assertRegex(text, r"(?m)^GPS(\s+-){11}$")
        self.assertRegex(text, r"(?m)^  established\s+1$")
        self.assertRegex(timepool("ntp", "sources", *socket_option).stdout,
                         rf"(?m)^\^\* +{address} .* nts +selected$")

    def test_authentication_by_a_key_that_is_shared_by_nobody(self):
        with tempfile.TemporaryDirectory() as directory:
            keys = pathlib.Path(directory, "keys")
            keys.touch(0o600)
            keys.write_text("7 SHA256 HEX:" + "1f" * 32 + "\n")
            client = self.start("timepool-ntpd", (
                f'clock = "observe"\n[keys]\nfile = "{keys}"\n[[server]]\naddress = "127.0.0.1"\n'
                'port = 9\nkey = 7\n[[server]]\naddress = "127.0.0.2"\nnts = "require"\nnts_port = 9\n'))
            by_key, by_nts = client.control("authentication")["sources"]
            self.assertEqual((by_key["authentication"], by_key["key"], by_key["proved"]), ("key", 7, True))
            self.assertEqual((by_nts["authentication"], by_nts["proved"]), ("nts", False))
            self.assertNotIn("nts", by_nts)
            text = timepool("ntp", "authentication", "--socket", str(client.socket)).stdout
            self.assertRegex(text, r"(?m)^127\.0\.0\.1:9\s+key\s+7(\s+-){8}\s+yes$")
            self.assertRegex(text, r"(?m)^127\.0\.0\.2\S*\s+nts(\s+-){9}\s+no$")

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
