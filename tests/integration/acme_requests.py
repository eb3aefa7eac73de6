"""What a responder of challenges is asked by authorities, by strangers and by those who look for more
(LM3, A4), and what it must answer."""
import re
import socket
import subprocess
import time

import certificates

PATH = "/.well-known/acme-challenge/"


def get(host, path):
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def requests(name, token):
    """By what is special: the octets, and the status of the answer."""
    token = PATH + token
    return {
        "live": (get(name, token), 200), "port": (get(name + ":80", token), 200),
        "dot": (get(name + ".", token), 200), "capitals": (get(name.upper(), token), 200),
        "foreign": (get("www.pool.test", token), 421),
        "none": (f"GET {token} HTTP/1.1\r\n\r\n".encode(), 400),
        "traversal": (get(name, PATH + "../../etc/passwd"), 404),
        "encoded": (get(name, PATH + "%2e%2e/%2e%2e/etc/passwd"), 404),
        "root": (get(name, "/"), 404), "other": (get(name, PATH + "x" * 43), 404),
        "long": (b"GET / HTTP/1.1\r\nX: " + b"x" * 9000, 431),
        "rubbish": (b"\x16\x03\x01\r\n\r\n", 400)}


def ask(port, octets):
    with socket.create_connection(("127.0.0.1", port), 5) as it:
        it.sendall(octets)
        answer = b""
        while part := it.recv(65536):
            answer += part
    return answer


def slowly(port, octets):
    with socket.create_connection(("127.0.0.1", port), 5) as it:
        for i in range(0, len(octets), 16):
            it.sendall(octets[i:i + 16])
            time.sleep(0.005)
        return it.recv(65536)


class Look:
    """Asks everything while a challenge is live; check() judges."""

    def __init__(self, port, name, token):
        wanted = requests(name, token)
        self.wanted = {it: status for it, (_, status) in wanted.items()}
        self.answers = {it: ask(port, octets) for it, (octets, _) in wanted.items()}
        self.wanted["slowly"] = 200
        self.answers["slowly"] = slowly(port, wanted["live"][0])

    def check(self, test):
        test.assertEqual({it: int(answer.split()[1]) for it, answer in self.answers.items()},
                         self.wanted)
        for it, answer in self.answers.items():
            test.assertNotRegex(answer, re.compile(rb"set-cookie|location:", re.I), it)
        test.assertFalse(self.answers["live"].endswith(b"\n"))


def handshake(port, *options):
    """Whether a certificate was shown, and all that openssl says; a request is sent behind it."""
    out = subprocess.run([certificates.OPENSSL, "s_client", "-connect", f"127.0.0.1:{port}", *options],
                         input="GET / HTTP/1.0\r\n\r\n", capture_output=True, text=True, timeout=10)
    return "BEGIN CERTIFICATE" in out.stdout, out.stdout + out.stderr


class TlsLook:
    """The same of a challenge by TLS (A5)."""

    def __init__(self, port, name):
        alpn = ("-alpn", "acme-tls/1")
        self.seen = {"right": handshake(port, *alpn, "-servername", name),
                     "foreign": handshake(port, *alpn, "-servername", "www.pool.test"),
                     "nameless": handshake(port, *alpn, "-noservername"),
                     "http": handshake(port, "-alpn", "h2,http/1.1", "-servername", name),
                     "without": handshake(port, "-servername", name)}

    def check(self, test):
        shown = {it: yes for it, (yes, _) in self.seen.items()}
        test.assertEqual(shown, dict(right=True, foreign=False, nameless=False, http=False,
                                     without=False), self.seen)
        test.assertNotIn("HTTP/1", self.seen["right"][1])
