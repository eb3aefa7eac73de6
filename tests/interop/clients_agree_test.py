"""Other people's clients and ours ask the same server, which lies by a known time, and find the same.

ntpdig (of NTPsec) is found in build/peers or in PATH; it knows port 123 only. chronyd is started with
-Q, by which it asks, prints and sets nothing.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from chrony_test import CHRONYC, CHRONYD, Chronyd  # noqa: E402
from programs import BINARY_DIR, ProgramTest, die_with_parent, free_port, main, wait_until  # noqa: E402

ROOT = pathlib.Path(os.environ.get("TIMEPOOL_SOURCE_DIR", "."))
ADDRESS = "127.0.0.77"
LIE = 0.4
# All read the same clock within microseconds; a loaded machine may delay one way of an exchange.
CLOSE = 0.01


def ntpdig():
    """Command and environment of ntpdig, or None."""
    peer = ROOT / "build/peers/ntpsec-ntpdig/usr/bin/ntpdig"
    library = ROOT / "build/peers/python3-ntp/usr/lib"
    found = next(library.glob("*/ntp/libntpc.so*"), None)
    if peer.exists() and found:
        return (["/usr/bin/python3", str(peer)],
                {"PYTHONPATH": str(library / "python3/dist-packages"), "LD_LIBRARY_PATH": str(found.parent)})
    path = shutil.which("ntpdig")
    return ([path], {}) if path else None


def port_123_is_ours():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind((ADDRESS, 123))
        except OSError:
            return False
    return True


class ClientsAgree(ProgramTest):
    def liar(self, port):
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["{ADDRESS}:{port}"]\n[server.local]\nstratum = 2\nrefid = "GOOD"\n'
            f'[server.test]\noffset = "{int(LIE * 1000)}ms"\n'))
        return server.listening("server")[1]

    def our_offsets(self, port):
        done = subprocess.run([BINARY_DIR / "bin/timepool", "query", f"{ADDRESS}:{port}", "--count", "3",
                               "--interval", "0.1", "--json"], capture_output=True, text=True, timeout=30,
                              check=True)
        return [sample["offset_s"] for sample in json.loads(done.stdout)["samples"]]

    def our_daemons_offset(self, port, extra=""):
        client = self.start("timepool-ntpd", (
            '[sources]\nmin_sources = 1\n'
            f'[[server]]\naddress = "{ADDRESS}"\nport = {port}\niburst = true\n'
            f'minpoll = -2\nmaxpoll = -2\n{extra}'))

        def measured():
            source = client.control("sources")["sources"][0]
            return source if bin(source["reach"]).count("1") >= 4 else None
        return wait_until(measured, 60, "four answers")["offset_s"]

    @unittest.skipUnless(CHRONYD, "Debian package chrony is not there: chronyd")
    def test_chronyd_and_our_client_agree_on_the_same_server(self):
        port = self.liar(0)
        with tempfile.TemporaryDirectory() as directory:
            user = "root" if os.geteuid() == 0 else os.environ.get("USER", "root")
            done = subprocess.run(
                [CHRONYD, "-Q", "-t", "30", "-u", user, f"server {ADDRESS} port {port} iburst maxsamples 4",
                 f"pidfile {directory}/pid", "cmdport 0", "bindcmdaddress /"],
                capture_output=True, text=True, timeout=60, check=False, preexec_fn=die_with_parent)
        found = re.search(r"System clock wrong by (\S+) seconds \(ignored\)", done.stdout + done.stderr)
        self.assertTrue(found, done.stdout + done.stderr)
        self.assertAlmostEqual(float(found[1]), LIE, delta=CLOSE)
        self.assertAlmostEqual(self.our_daemons_offset(port), LIE, delta=CLOSE)
        for offset in self.our_offsets(port):
            self.assertAlmostEqual(offset, LIE, delta=CLOSE)

    @unittest.skipUnless(ntpdig(), "Debian packages ntpsec-ntpdig and python3-ntp are not there")
    @unittest.skipUnless(port_123_is_ours(), "needs port 123 of a loopback address")
    def test_ntpdig_and_our_client_agree_on_the_same_server(self):
        self.liar(123)
        command, environment = ntpdig()
        done = subprocess.run([*command, "-j", "-t", "5", ADDRESS], env=dict(os.environ, **environment),
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["stratum"], 2)
        self.assertAlmostEqual(float(answer["offset"]), LIE, delta=CLOSE)
        self.assertAlmostEqual(self.our_daemons_offset(123), LIE, delta=CLOSE)
        for offset in self.our_offsets(123):
            self.assertAlmostEqual(offset, LIE, delta=CLOSE)

    @unittest.skipUnless(CHRONYD and CHRONYC, "Debian package chrony is not there: chronyd or chronyc")
    def test_our_client_uses_chronyds_interleaved_mode(self):
        port = free_port()
        chronyd = Chronyd(f"port {port}\nbindaddress {ADDRESS}\nlocal stratum 3\nallow 127.0.0.0/8\n")
        self.addCleanup(chronyd.close)
        offset = self.our_daemons_offset(port, "interleaved = true\n")
        self.assertAlmostEqual(offset, 0, delta=CLOSE)
        statistics = [int(x) for x in chronyd.ask("serverstats")[0]]
        # Packets received first; after what was dropped and authenticated, the interleaved replies.
        # chronyd begins to save timestamps with the first interleaved request.
        self.assertGreaterEqual(statistics[0], 4)
        self.assertGreaterEqual(statistics[8], statistics[0] - 3, statistics)


if __name__ == "__main__":
    main()
