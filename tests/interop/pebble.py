"""Pebble, an ACME test server of others, with its DNS server, in a network namespace of the test's own."""
import ctypes
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import certificates
import programs

ROOT = pathlib.Path(os.environ.get("TIMEPOOL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
PROGRAMS = ROOT / "build" / "peers" / "pebble" / "usr" / "bin"


def find(name):
    unpacked = PROGRAMS / name
    return str(unpacked) if unpacked.exists() else shutil.which(name)


MISSING = None if find("pebble") and find("pebble-challtestsrv") and certificates.OPENSSL else \
    "needs the packages pebble (unpacked by ./dev setup) and openssl"
CLONE_NEWNET = 0x40000000
PORT, MANAGEMENT, HTTP_PORT, TLS_PORT, DNS_PORT, DNS_MANAGEMENT = 14000, 15000, 5002, 5001, 8053, 8055
MAC_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def enter():
    """To be called by setUpModule(): nobody else has these ports."""
    if MISSING:
        raise unittest.SkipTest(MISSING)
    if not shutil.which("ip"):
        raise unittest.SkipTest("Debian package iproute2 is not there")
    if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
        raise unittest.SkipTest("needs the right to make network namespaces")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Pebble:
    """`environment`: of pebble, such as PEBBLE_WFE_NONCEREJECT."""

    def __init__(self, directory, strict=True, external=False, environment=None):
        self.directory = directory
        authority = certificates.Authority(directory, "test authority of HTTPS")
        chain, key = authority.issue("pebble", "DNS:localhost,IP:127.0.0.1")
        self.ca_file = str(authority.certificate)
        config = {"listenAddress": f"127.0.0.1:{PORT}",
                  "managementListenAddress": f"127.0.0.1:{MANAGEMENT}",
                  "certificate": str(chain), "privateKey": str(key), "httpPort": HTTP_PORT,
                  "tlsPort": TLS_PORT, "ocspResponderURL": "",
                  "externalAccountBindingRequired": external,
                  "externalAccountMACKeys": {"kid-1": MAC_KEY}}
        path = directory / "pebble.json"
        path.write_text(json.dumps({"pebble": config}))
        self.running = []
        self.log = open(directory / "pebble.log", "ab")
        self.start(find("pebble-challtestsrv"), "-defaultIPv6", "", "-dns01", f"127.0.0.1:{DNS_PORT}",
                   "-http01", "", "-https01", "", "-tlsalpn01", "", "-management",
                   f"127.0.0.1:{DNS_MANAGEMENT}")
        self.start(find("pebble"), "-config", path, "-dnsserver", f"127.0.0.1:{DNS_PORT}",
                   *(["-strict"] if strict else []), environment=environment or {})
        programs.wait_until(lambda: self.answers(PORT), 20, "pebble listens")
        programs.wait_until(lambda: self.answers(DNS_MANAGEMENT), 20, "its DNS listens")

    def start(self, program, *arguments, environment=None):
        usual = dict(PEBBLE_VA_NOSLEEP="1", PEBBLE_AUTHZREUSE="0", PEBBLE_WFE_NONCEREJECT="5")
        self.running.append(subprocess.Popen(
            [program, *map(str, arguments)], stdout=self.log, stderr=self.log,
            env=dict(os.environ, **dict(usual, **(environment or {}))),
            preexec_fn=programs.die_with_parent))

    def answers(self, port):
        with socket.socket() as it:
            return it.connect_ex(("127.0.0.1", port)) == 0

    @property
    def directory_url(self):
        return f"https://localhost:{PORT}/dir"

    def authority(self, **more):
        """As settings of acme_tool have it."""
        return dict(dict(directory=self.directory_url, ca_file=self.ca_file), **more)

    def listen(self):
        return dict(http=[f"127.0.0.1:{HTTP_PORT}"], tls=[f"127.0.0.1:{TLS_PORT}"])

    def root(self, number=0):
        """The authority that its certificates lead to, as PEM."""
        context = ssl.create_default_context(cafile=self.ca_file)
        url = f"https://localhost:{MANAGEMENT}/roots/{number}"
        with urllib.request.urlopen(url, context=context, timeout=10) as answer:
            return answer.read().decode()

    def set_dns(self, what, **values):
        """E.g. ("set-servfail", host="a.example")"""
        request = urllib.request.Request(f"http://127.0.0.1:{DNS_MANAGEMENT}/{what}",
                                         json.dumps(values).encode())
        urllib.request.urlopen(request, timeout=10).close()

    def output(self):
        return (self.directory / "pebble.log").read_text(errors="replace")

    def close(self):
        for it in self.running:
            it.kill()
            it.wait()
        self.log.close()
