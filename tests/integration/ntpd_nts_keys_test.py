"""The running timepool-ntpd establishes keys of NTS, restricted as it is: certificates that come and go,
a take-over under load, limits, what it reports."""
import json
import socket
import subprocess
import time

from certificates import AuthorityTest
from programs import BINARY_DIR, endpoint, main, wait_until
from prometheus_text import parse
from successors import TakeOverTest

LOCAL = '[server.local]\nstratum = 1\nrefid = "TEST"\n'


class NtsKeys(AuthorityTest, TakeOverTest):
    def setUp(self):
        super().setUp()
        self.chain, self.key = self.authority.issue("server", "DNS:localhost")

    def settings(self, listen="127.0.0.1:0", more=""):
        return (f'[server]\nlisten = ["127.0.0.1:0"]\n{LOCAL}[metrics]\nlisten = "127.0.0.1:0"\n'
                f'[nts.server]\nlisten = ["{listen}"]\n'
                f'[[nts.server.certificate]]\nchain = "{self.chain}"\nkey = "{self.key}"\n{more}')

    def start_server(self, **settings):
        server = self.start("timepool-ntpd", self.settings(**settings))
        return server, server.control("status")["key_server"]["listen"][0]

    def bench(self, address, *options):
        return [BINARY_DIR / "bin/timepool", "bench", "nts-ke", "--target", address, "--ca",
                self.authority.certificate, "--json", *options]

    def establish(self, address, *options, count=1):
        done = subprocess.run(self.bench(address, "--count", str(count), *options),
                              capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)

    def outcomes(self, server):
        return server.control("counters")["key_server"]["outcomes"]

    def test_every_connection_has_one_outcome_in_report_and_metrics(self):
        server, address = self.start_server()
        report = self.establish(address, count=20)
        self.assertEqual(report["established"], 20, report)
        self.assertEqual(report["cookies"], 160, report)
        with socket.create_connection(endpoint(address)) as other:
            other.sendall(b"GET / HTTP/1.1\r\n\r\n")
            other.recv(100)
        wait_until(lambda: sum(self.outcomes(server).values()) == 21, 10, "all are counted")
        outcomes = self.outcomes(server)
        self.assertEqual((outcomes["established"], outcomes["tls_not_tls"]), (20, 1), outcomes)
        text = server.control("metrics")["text"]
        parse(text)
        self.assertIn('timepool_ntpd_key_connections_total{outcome="established"} 20', text)
        self.assertIn("timepool_ntpd_certificate_remaining_seconds", text)

    def test_a_load_of_requests_under_nts_is_answered_and_its_sample_proven(self):
        server, address = self.start_server()
        command = [BINARY_DIR / "bin/timepool", "bench", "ntp", "--target", server.control("status")["server"]["listen"][0],
                   "--nts", address, "--ca", self.authority.certificate, "--json"]
        for more in ([], ["--gcm-siv"]):
            with self.subTest(more):
                done = subprocess.run([*command, "--count", "640", "--inflight", "32", *more], capture_output=True,
                                      text=True, timeout=60)
                report = json.loads(done.stdout)
                # One of 64 is opened; a busy machine may lose some.
                self.assertGreater(report["answered"], 320, report)
                self.assertGreater(report["proven"], 4, report)
                self.assertEqual(report["refused"] + report["invalid"], 0, report)
        other = subprocess.run([*command, "--name", "other.example"], capture_output=True, text=True, timeout=60)
        self.assertEqual(other.returncode, 1)
        self.assertIn("key establishment with", other.stderr)
        mixed = subprocess.run([*command, "--interleaved"], capture_output=True, text=True, timeout=60)
        self.assertIn("neither --key nor --interleaved", mixed.stderr)

    def test_certificates_come_by_a_reload_and_rubbish_does_not(self):
        server, address = self.start_server()
        self.assertEqual(self.establish(address)["established"], 1)
        self.authority.issue("server", "DNS:other.example")
        self.assertTrue(server.control("reload")["ok"], server.output())
        self.assertEqual(self.establish(address)["established"], 0)
        self.assertEqual(self.establish(address, "--name", "other.example")["established"], 1)
        self.chain.write_text("rubbish")
        self.assertTrue(server.control("reload")["ok"], server.output())
        self.assertEqual(self.establish(address, "--name", "other.example")["established"], 1)
        fault = server.control("status")["key_server"]["certificates"][0]["fault"]
        self.assertIn("no certificate", fault)

    def test_a_start_with_a_key_that_others_can_read_fails(self):
        self.key.chmod(0o644)
        server = self.start("timepool-ntpd", self.settings(), wait=False)
        self.assertEqual(server.process.wait(20), 1)
        self.assertIn("others may read", server.output())

    def test_a_take_over_loses_no_connection(self):
        server, address = self.start_server()
        load = subprocess.Popen(self.bench(address, "--count", "1000000", "--duration", "4s",
                                           "--inflight", "4"), stdout=subprocess.PIPE, text=True)
        self.addCleanup(load.kill)
        time.sleep(1)
        heir = self.succeed(server)
        self.check_taken_over(server, heir)
        output, _ = load.communicate(timeout=60)
        report = json.loads(output)
        self.assertGreater(report["established"], 10, report)
        self.assertEqual(report["failed"] + report["refused"], 0, f"{report}\n{heir.output()}")
        self.assertGreater(self.outcomes(heir)["established"], 0)
        self.assertEqual(heir.control("status")["key_server"]["listen"], [address])

    def test_one_octet_at_a_time_and_silence_leave_others_answered(self):
        server, address = self.start_server(more="[nts.server.limits]\nconnections = 300\n")
        silent = [socket.create_connection(endpoint(address)) for _ in range(250)]
        for s in silent:
            self.addCleanup(s.close)
        # The beginning of a handshake's record.
        for octet in b"\x16\x03\x01":
            for s in silent[:50]:
                s.sendall(bytes([octet]))
        report = self.establish(address, "--inflight", "1", count=5)
        self.assertEqual(report["established"], 5, report)
        for s in silent:
            s.settimeout(10)
            self.assertEqual(s.recv(1), b"")
        wait_until(lambda: self.outcomes(server)["handshake_late"] == 250, 10, "all are counted")


if __name__ == "__main__":
    main()
