"""Pebble, an ACME test server of others, with its DNS server, in a network namespace of the test's own."""
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
import namespaces
import programs

ROOT = pathlib.Path(os.environ.get("TIMEPOOL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
PROGRAMS = ROOT / "build" / "peers" / "pebble" / "usr" / "bin"


def find(name):
    unpacked = PROGRAMS / name
    return str(unpacked) if unpacked.exists() else shutil.which(name)


MISSING = None if find("pebble") and find("pebble-challtestsrv") and certificates.OPENSSL else \
    "needs the packages pebble (unpacked by ./dev setup) and openssl"
PORT, MANAGEMENT, HTTP_PORT, TLS_PORT, DNS_PORT, DNS_MANAGEMENT = 14000, 15000, 5002, 5001, 8053, 8055
MAC_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def enter():
    """To be called by setUpModule(): nobody else has these ports."""
    if MISSING:
        raise unittest.SkipTest(MISSING)
    namespaces.enter()


class Pebble:
    """`environment`: of pebble, such as PEBBLE_WFE_NONCEREJECT; `host`: where it runs, if not here; `dns`: the server
    that it asks instead of one of its own, by which port 80 and port 443 of a name's address are asked too."""

    def __init__(self, directory, strict=True, external=False, environment=None, host=None, dns=None):
        self.directory = directory
        self.host = host
        self.address = host.address if host else "127.0.0.1"
        authority = certificates.Authority(directory, "test authority of HTTPS")
        chain, key = authority.issue("pebble", f"DNS:localhost,IP:{self.address}")
        self.ca_file = str(authority.certificate)
        config = {"listenAddress": f"{self.address}:{PORT}",
                  "managementListenAddress": f"{self.address}:{MANAGEMENT}",
                  "certificate": str(chain), "privateKey": str(key),
                  "httpPort": 80 if dns else HTTP_PORT, "tlsPort": 443 if dns else TLS_PORT,
                  "ocspResponderURL": "",
                  "externalAccountBindingRequired": external,
                  "externalAccountMACKeys": {"kid-1": MAC_KEY}}
        path = directory / "pebble.json"
        path.write_text(json.dumps({"pebble": config}))
        self.running = []
        self.log = open(directory / "pebble.log", "ab")
        if not dns:
            self.start(find("pebble-challtestsrv"), "-defaultIPv6", "", "-dns01",
                       f"127.0.0.1:{DNS_PORT}", "-http01", "", "-https01", "", "-tlsalpn01", "",
                       "-management", f"127.0.0.1:{DNS_MANAGEMENT}")
            programs.wait_until(lambda: self.answers(DNS_MANAGEMENT), 20, "its DNS listens")
        self.start(find("pebble"), "-config", path, "-dnsserver", dns or f"127.0.0.1:{DNS_PORT}",
                   *(["-strict"] if strict else []), environment=environment or {})
        # It makes RSA keys first.
        programs.wait_until(lambda: self.answers(PORT), 60, "pebble listens")

    def start(self, program, *arguments, environment=None):
        usual = dict(PEBBLE_VA_NOSLEEP="1", PEBBLE_AUTHZREUSE="0", PEBBLE_WFE_NONCEREJECT="5")
        prefix = self.host.prefix if self.host else ()
        self.running.append(subprocess.Popen(
            [*prefix, program, *map(str, arguments)], stdout=self.log, stderr=self.log,
            env=dict(os.environ, **dict(usual, **(environment or {}))),
            preexec_fn=programs.die_with_parent))

    def answers(self, port):
        with socket.socket() as it:
            return it.connect_ex((self.address, port)) == 0

    @property
    def directory_url(self):
        return f"https://{self.address if self.host else 'localhost'}:{PORT}/dir"

    def authority(self, **more):
        """As settings of acme_tool have it."""
        return dict(dict(directory=self.directory_url, ca_file=self.ca_file), **more)

    def listen(self):
        return dict(http=[f"127.0.0.1:{HTTP_PORT}"], tls=[f"127.0.0.1:{TLS_PORT}"])

    def root(self, number=0):
        """The authority that its certificates lead to, as PEM."""
        context = ssl.create_default_context(cafile=self.ca_file)
        url = f"https://{self.address}:{MANAGEMENT}/roots/{number}"
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
