"""timepool query --nts asks chronyd's NTS server on loopback, and servers of TLS that are none.

chronyd is started with -x, so that it never touches the clock. The ids are those of the project's
checklist of RFC 8915.
"""
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from chrony_test import CHRONYC, CHRONYD  # noqa: E402
from chrony_nts import NAMES, ChronyNtsTest  # noqa: E402
from certificates import DAY, OPENSSL, Authority  # noqa: E402
from programs import BINARY_DIR, free_port, main  # noqa: E402

# Seconds; a loaded machine may delay one way of an exchange.
CLOSE = 0.02


@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class QueryByNts(ChronyNtsTest):
    def query(self, port, *options, host="127.0.0.1", ca=None, expect=None):
        """What it prints as JSON, and the steps by their names."""
        done = subprocess.run([BINARY_DIR / "bin/timepool", "query", "--nts", f"{host}:{port}",
                               "--json", "--ca", ca or self.authority.certificate, *options],
                              capture_output=True, text=True, timeout=60)
        self.assertTrue(done.stdout, done.stderr)
        out = json.loads(done.stdout)
        if expect is not None:
            self.assertEqual(done.returncode, expect, done.stdout)
        return out, {step["step"]: step for step in out["steps"]}

    def expect_refusal(self, port, fault, **more):
        out, steps = self.query(port, expect=1, **more)
        self.assertEqual(out["failed_step"], "tls")
        self.assertEqual(steps["tls"]["fault"], fault)
        self.assertTrue(out["error"])
        self.assertNotIn("records", steps)
        return out, steps

    @unittest.skipUnless(CHRONYD and CHRONYC, "Debian package chrony is not there")
    def test_query_by_nts_shows_each_step_of_chronyd(self):
        _, port, ntp_port = self.start_chronyd(*self.authority.issue("time.test", NAMES))
        out, steps = self.query(port, "--count", "3", "--interval", "100ms", expect=0)
        self.assertEqual(list(steps), ["dns", "tcp", "tls", "records", "keys", "server", "ntp"])
        self.assertTrue(out["ok"] and out["verified"])
        self.assertEqual(steps["tls"]["version"], "TLSv1.3")
        self.assertEqual(steps["tls"]["certificate_fault"], "none")
        self.assertEqual(steps["tls"]["certificate"]["names"], ["localhost", "127.0.0.1"])
        self.assertEqual(steps["tls"]["certificate"]["issuer"], "CN=test authority")
        types = [record["type"] for record in steps["records"]["response"]]
        self.assertEqual(sorted(types), [0, 1, 4, 5, 5, 5, 5, 5, 5, 5, 5, 7])
        self.assertEqual([record["type"] for record in steps["records"]["request"]], [1, 4, 1024, 0])
        self.assertEqual((steps["keys"]["aead"], steps["keys"]["cookies"]), (15, 8))
        self.assertEqual(steps["keys"]["cookie_octets"], [100] * 8)
        self.assertEqual((steps["server"]["address"], steps["server"]["port"]),
                         ("127.0.0.1", ntp_port))
        self.assertEqual(len(steps["ntp"]["samples"]), 3)
        for sample in steps["ntp"]["samples"]:
            self.assertTrue(sample["authentic"])
            self.assertLess(abs(sample["offset_s"]), CLOSE)
            self.assertEqual((sample["stratum"], sample["new_cookies"]), (3, 1))
        self.assertTrue(steps["ntp"]["certificate_valid_at_its_time"])

    @unittest.skipUnless(CHRONYD and CHRONYC, "Debian package chrony is not there")
    def test_query_by_nts_as_text_names_each_step(self):
        _, port, _ = self.start_chronyd(*self.authority.issue("time.test", NAMES))
        done = subprocess.run([BINARY_DIR / "bin/timepool", "query", "--nts", f"127.0.0.1:{port}",
                               "--ca", self.authority.certificate],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        first = [line.split()[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
        self.assertEqual(first, ["dns", "tcp", "tls", "records", "keys", "server", "ntp"])
        self.assertIn("AEAD Algorithm Negotiation: AES-SIV-CMAC-256 (15), critical", done.stdout)
        self.assertIn("authentic: offset", done.stdout)

    @unittest.skipUnless(CHRONYD and CHRONYC, "Debian package chrony is not there")
    def test_t3_certificates_that_are_wrong_are_refused_with_the_reason(self):
        for name, certificate, fault in (
                ("expired", self.authority.issue("expired", NAMES, -3 * DAY, -DAY), "expired"),
                ("early", self.authority.issue("early", NAMES, DAY, 3 * DAY), "not_yet_valid"),
                ("other", self.authority.issue("other", "DNS:other.test"), "wrong_name"),
                ("self", self.authority.self_signed("self", NAMES), "self_signed")):
            with self.subTest(name):
                chronyd, port, _ = self.start_chronyd(*certificate)
                _, steps = self.expect_refusal(port, fault)
                self.assertEqual(steps["tls"]["certificate"]["subject"], f"CN={name}")
                out, _ = self.query(port, "--no-verify", expect=0)
                self.assertFalse(out["verified"])
                self.assertTrue(out["ok"])
                chronyd.close()

    @unittest.skipUnless(CHRONYD and CHRONYC, "Debian package chrony is not there")
    def test_t3_an_authority_that_is_not_trusted_is_told(self):
        with tempfile.TemporaryDirectory(prefix="nts-") as directory:
            _, port, _ = self.start_chronyd(*self.authority.issue("time.test", NAMES))
            stranger = Authority(directory, "stranger")
            self.expect_refusal(port, "untrusted", ca=stranger.certificate)

    @unittest.skipUnless(CHRONYD and CHRONYC, "Debian package chrony is not there")
    def test_keys_of_one_host_do_not_open_at_another_and_the_ntsn_is_told(self):
        certificate = self.authority.issue("time.test", NAMES)
        _, _, ntp_port = self.start_chronyd(*certificate, address="127.0.0.2")
        _, port, _ = self.start_chronyd(*certificate, more="ntsntpserver 127.0.0.2",
                                        ntp_port=ntp_port)
        out, steps = self.query(port, expect=1)
        self.assertEqual(out["failed_step"], "ntp")
        self.assertEqual(steps["server"]["named"], "127.0.0.2")
        self.assertIn("NTSN", out["error"])

    def test_a_port_where_nobody_listens_fails_at_tcp(self):
        out, steps = self.query(free_port(), expect=1)
        self.assertEqual(out["failed_step"], "tcp")
        self.assertEqual(list(steps), ["dns", "tcp"])

    def serve_tls(self, prepare, talk=None):
        """A TLS server of Python's, `prepare` changes its context; `talk` gets each connection."""
        chain, key = self.authority.issue("python", NAMES)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        prepare(context)
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            while True:
                try:
                    raw, _ = listener.accept()
                except OSError:
                    return
                raw.settimeout(10)
                try:
                    with context.wrap_socket(raw, server_side=True) as connection:
                        if talk:
                            talk(connection)
                except (OSError, ssl.SSLError):
                    raw.close()
        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    def test_t1_a_server_with_tls_1_2_only_is_refused(self):
        def prepare(context):
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.expect_refusal(self.serve_tls(prepare), "version")

    def test_t2_a_server_that_does_not_select_the_protocol_is_refused(self):
        self.expect_refusal(self.serve_tls(lambda context: None), "alpn")

    def test_t2_a_server_of_another_protocol_is_refused(self):
        self.expect_refusal(self.serve_tls(lambda context: context.set_alpn_protocols(["h2"])), "alpn")

    def expect_record_fault(self, response, fault):
        def talk(connection):
            connection.recv(4096)
            connection.sendall(bytes.fromhex(response))
        port = self.serve_tls(lambda context: context.set_alpn_protocols(["ntske/1"]), talk)
        out, steps = self.query(port, expect=1)
        self.assertEqual((out["failed_step"], steps["records"]["fault"]), ("records", fault))

    def test_kec3_kec4_faults_in_the_records_are_told(self):
        for response, fault in (("80020002000180000000", "error_bad_request"),
                                ("80030002000080000000", "warning"),
                                ("80010002000080040002001180000000", "aead_not_offered"),
                                ("80010002000080040002000f80000000", "no_cookies"),
                                ("80010002000080040002000fc321000080000000",
                                 "unrecognised_critical")):
            with self.subTest(fault):
                self.expect_record_fault(response, fault)

    def test_kec3_a_response_that_ends_early_fails_at_the_records(self):
        def talk(connection):
            connection.recv(4096)
            connection.sendall(bytes.fromhex("800100020000"))
            connection.unwrap()
        port = self.serve_tls(lambda context: context.set_alpn_protocols(["ntske/1"]), talk)
        out, _ = self.query(port, expect=1)
        self.assertEqual(out["failed_step"], "records")

    def test_kec2_a_response_of_64_kib_is_taken(self):
        body = bytes.fromhex("80010002000080040002000f") + bytes.fromhex("00050004") + b"cook"
        end = bytes.fromhex("80000000")
        padding = 65536 - len(body) - 4 - len(end)
        response = body + bytes.fromhex("4321") + padding.to_bytes(2, "big") + bytes(padding) + end

        def talk(connection):
            connection.recv(4096)
            connection.sendall(response)
        port = self.serve_tls(lambda context: context.set_alpn_protocols(["ntske/1"]), talk)
        out, steps = self.query(port, "--timeout", "300ms")
        self.assertEqual(out["failed_step"], "ntp")
        self.assertEqual(steps["keys"]["cookie_octets"], [4])


if __name__ == "__main__":
    main()
