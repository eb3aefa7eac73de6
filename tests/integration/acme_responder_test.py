"""The listeners of challenges over real sockets, while an authority looks. Ids A and LM as in the
project's checklists."""
import re
import socket
import subprocess
import time

import acme_case
import certificates
import programs
from acme_case import HTTP_PORT, NAME, TLS_PORT

PATH = "/.well-known/acme-challenge/"
setUpModule = acme_case.set_up


class Responder(acme_case.AcmeTest):
    def ask(self, octets):
        with socket.create_connection(("127.0.0.1", HTTP_PORT), 5) as it:
            it.sendall(octets)
            answer = b""
            while part := it.recv(65536):
                answer += part
        return answer

    def get(self, host, path):
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())

    def test_LM3_A4_only_live_tokens_for_our_names_and_no_cookie(self):
        seen = {}

        def look():
            token = PATH + self.at.orders["1"]["token"]
            requests = {
                "live": self.get(NAME, token), "port": self.get(NAME + ":80", token),
                "dot": self.get(NAME + ".", token), "capitals": self.get(NAME.upper(), token),
                "foreign": self.get("www.pool.test", token),
                "none": self.ask(f"GET {token} HTTP/1.1\r\n\r\n".encode()),
                "traversal": self.get(NAME, PATH + "../../etc/passwd"),
                "encoded": self.get(NAME, PATH + "%2e%2e/%2e%2e/etc/passwd"),
                "root": self.get(NAME, "/"), "other": self.get(NAME, PATH + "x" * 43),
                "long": self.ask(b"GET / HTTP/1.1\r\nX: " + b"x" * 9000),
                "rubbish": self.ask(b"\x16\x03\x01\r\n\r\n"),
                "slowly": self.slowly(f"GET {token} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())}
            seen.update({name: (int(answer.split()[1]), answer) for name, answer in requests.items()})

        self.at.on_challenge = look
        tool = self.tool()
        tool.obtain()
        statuses = {name: status for name, (status, _) in seen.items()}
        self.assertEqual(statuses, dict(live=200, port=200, dot=200, capitals=200, foreign=421,
                                        none=400, traversal=404, encoded=404, root=404, other=404,
                                        long=431, rubbish=400, slowly=200))
        for name, (_, answer) in seen.items():
            self.assertNotRegex(answer, re.compile(rb"set-cookie|location:", re.I), name)
        self.assertFalse(seen["live"][1].endswith(b"\n"))
        # Afterwards there is nothing.
        token = PATH + self.at.orders["1"]["token"]
        self.assertTrue(self.get(NAME, token).startswith(b"HTTP/1.1 404 "))

    def slowly(self, octets):
        with socket.create_connection(("127.0.0.1", HTTP_PORT), 5) as it:
            for i in range(0, len(octets), 16):
                it.sendall(octets[i:i + 16])
                time.sleep(0.005)
            return it.recv(65536)

    def test_A4_silent_connections_don_t_keep_others_away(self):
        silent = []
        self.addCleanup(lambda: [it.close() for it in silent])

        def crowd():
            for _ in range(100):
                silent.append(socket.create_connection(("127.0.0.1", HTTP_PORT), 5))

        self.at.on_challenge = crowd
        self.tool().obtain()

    def handshake(self, *options):
        out = subprocess.run([certificates.OPENSSL, "s_client", "-connect", f"127.0.0.1:{TLS_PORT}",
                              *options], input="GET / HTTP/1.0\r\n\r\n", capture_output=True,
                             text=True, timeout=10)
        return "BEGIN CERTIFICATE" in out.stdout, out.stdout + out.stderr

    def test_A5_tls_alpn_by_name_and_protocol_only_and_no_data(self):
        self.at.http_port, self.at.tls_port = None, TLS_PORT
        seen = {}

        def look():
            alpn = ("-alpn", "acme-tls/1")
            seen["right"] = self.handshake(*alpn, "-servername", NAME)
            seen["foreign"] = self.handshake(*alpn, "-servername", "www.pool.test")
            seen["nameless"] = self.handshake(*alpn, "-noservername")
            seen["http"] = self.handshake("-alpn", "h2,http/1.1", "-servername", NAME)
            seen["without"] = self.handshake("-servername", NAME)

        self.at.on_challenge = look
        tool = self.tool(tls=[f"127.0.0.1:{TLS_PORT}"], challenges=["tls-alpn-01"])
        tool.obtain()
        shown = {name: it[0] for name, it in seen.items()}
        self.assertEqual(shown, dict(right=True, foreign=False, nameless=False, http=False,
                                     without=False), seen)
        self.assertNotIn("HTTP/1", seen["right"][1])
        # Afterwards no handshake is made at all.
        self.assertFalse(self.handshake("-alpn", "acme-tls/1", "-servername", NAME)[0])


if __name__ == "__main__":
    programs.main()
