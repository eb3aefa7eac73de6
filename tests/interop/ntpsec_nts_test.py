"""NTPsec's ntpd and timepool-ntpd under Network Time Security, each as client and as server, with the
keys established by the NTP server's own host and by another."""
import json
import pathlib
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ntpsec import OURS, NtpsecTest  # noqa: E402
import nts_source  # noqa: E402
from certificates import OPENSSL, Authority  # noqa: E402
from namespaces import Namespace  # noqa: E402
from networks_apart import THEIRS  # noqa: E402
from programs import BINARY_DIR, main, wait_until  # noqa: E402

# A further address of ours.
OTHER = "192.0.2.78"
RELAY_PORT = 4461
# Has time to give, that of its own clock, as soon as it is started.
ORPHAN = "tos orphan 5 orphanwait 1\n"
# Connections to a port of this network go on to loopback of another one: its namespace is the first
# argument. They are of keys: a question and an answer.
RELAY = f"""
import ctypes, os, socket, sys, threading
heard = socket.create_server(("{THEIRS}", {RELAY_PORT}))
namespace = os.open(sys.argv[1], os.O_RDONLY)
if ctypes.CDLL(None).setns(namespace, 0x40000000) != 0:
    sys.exit("setns")
def copy(a, b):
    while octets := a.recv(65536):
        b.sendall(octets)
    b.shutdown(socket.SHUT_WR)
while True:
    one, _ = heard.accept()
    two = socket.create_connection(("127.0.0.1", 4460))
    for pair in ((one, two), (two, one)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
"""


@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class NtpsecNts(NtpsecTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory)

    def start_server(self, more="", *, ntp=f"{OURS}:123", keys=True):
        chain, key = self.authority.issue(f"ours-{len(list(self.directory.iterdir()))}",
                                          f"DNS:ours.test,IP:{OURS}")
        return self.start("timepool-ntpd", (
            f'[server]\nlisten = ["{ntp}"]\n[server.local]\nstratum = 2\n{more}' + (
                f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n' if keys else "")))

    def answered(self, server):
        return server.control("counters")["server"]["reasons"]["answered_nts"]

    def start_nts_client(self):
        self.start_ntpd(f"server {OURS} nts ca {self.authority.certificate} iburst minpoll 0 maxpoll 0\n")

    def start_nts_ntpd(self, name="ntpsec", network=None, more=""):
        chain, key = self.authority.issue(name, f"DNS:time.test,IP:{THEIRS}")
        return self.start_ntpd(f"nts enable\nnts cert {chain}\nnts key {key}\n"
                               f"nts cookie {self.directory}/cookies\n{more}", network, name)

    def query(self):
        done = subprocess.run([BINARY_DIR / "bin/timepool", "query", "--nts", THEIRS, "--json",
                               "--ca", self.authority.certificate],
                              capture_output=True, text=True, timeout=60, check=False)
        out = json.loads(done.stdout)
        return out if out["ok"] else None

    def check_source(self, port=4460):
        """Our daemon keeps ntpd by NTS and no other way, with keys of this port."""
        def listens():
            try:
                socket.create_connection((THEIRS, port), timeout=1).close()
                return True
            except OSError:
                return False
        wait_until(listens, 30, f"keys are given\n{self.log()}")
        client = self.start("timepool-ntpd", nts_source.settings(THEIRS, port, self.authority))
        nts_source.check_kept(self, client, f"{THEIRS}:123")

    def test_ntpsec_gets_keys_of_us_and_asks_under_them(self):
        server = self.start_server(f'[nts.server]\nlisten = ["{OURS}:4460"]\n')
        self.start_nts_client()
        wait_until(lambda: self.answered(server) >= 5, 60, f"ntpd asks under NTS:\n{self.log()}")
        self.assertGreaterEqual(
            server.control("counters")["key_server"]["outcomes"]["established"], 1)
        # It takes our answers for true ones.
        wait_until(lambda: self.offsets(), 60, "ntpd measures us")

    def test_ntpsec_gets_keys_of_a_host_of_ours_for_another(self):
        subprocess.run(["ip", "address", "replace", f"{OTHER}/24", "dev", "ours"], check=True)
        ours, copy = self.directory / "ntp.keys", self.directory / "copy.keys"
        server = self.start_server(f'[nts.cookies]\nfile = "{ours}"\n', ntp=f"{OTHER}:123", keys=False)
        self.secret_file("copy.keys", ours.read_text())
        hosts = self.start_server(
            f'[nts.cookies]\nfile = "{copy}"\nshared = true\n'
            f'[nts.server]\nlisten = ["{OURS}:4460"]\n'
            f'[[nts.server.ntp_server]]\nname = "{OTHER}"\nport = 123\n')
        self.start_nts_client()
        wait_until(lambda: self.answered(server) >= 5, 60, f"ntpd asks under NTS:\n{self.log()}")
        self.assertEqual(self.answered(hosts), 0)

    def test_query_by_nts_shows_each_step_of_ntpsec(self):
        self.start_nts_ntpd()
        out = wait_until(self.query, 60, f"ntpd answers\n{self.log()}")
        steps = {step["step"]: step for step in out["steps"]}
        self.assertEqual(steps["tls"]["version"], "TLSv1.3")
        self.assertEqual((steps["keys"]["aead"], steps["keys"]["cookies"]), (15, 8))
        sample = steps["ntp"]["samples"][0]
        self.assertTrue(sample["authentic"])
        self.assertEqual(sample["new_cookies"], 1)
        # Stratum 0 with INIT, until it has time.
        self.assertIn(sample["result"], ("kiss_other", "unsynchronised"))

    def test_our_client_keeps_ntpsec_by_nts(self):
        self.start_nts_ntpd(more=ORPHAN)
        self.check_source()

    def test_our_client_gets_keys_for_ntpsec_of_another_host(self):
        # NTPsec's key establishment names no other server: this other host stands behind the same
        # address, at another port, and has the same keys for cookies.
        elsewhere = Namespace()
        self.addCleanup(elsewhere.close)
        self.start_nts_ntpd("keys", elsewhere)
        wait_until(lambda: (self.directory / "cookies").exists(), 30, self.log("keys"))
        self.start_nts_ntpd(more=ORPHAN)
        self.start_there("relay", sys.executable, "-c", RELAY, f"/proc/{elsewhere.pid}/ns/net")
        self.check_source(RELAY_PORT)
        self.assertIn("NTSs: NTS-KE from", self.log("keys"))
        self.assertNotIn("NTSs: NTS-KE from", self.log())


if __name__ == "__main__":
    main()
