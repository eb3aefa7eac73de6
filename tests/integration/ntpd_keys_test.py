"""Symmetric keys of timepool-ntpd: what it makes of key files, at the start and on reload."""
import hashlib
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ntpd_sources_test import reply_to  # noqa: E402
from programs import BINARY_DIR, ProgramTest, main, own_directory, wait_until  # noqa: E402

ONE = b"the-key-of-one-server"
TWO = b"the-key-of-the-other"


def mac(number, secret, message):
    return struct.pack("!I", number) + hashlib.sha256(secret + message).digest()[:20]


class Signer(threading.Thread):
    """A server that answers under a key of its own choice."""

    def __init__(self, number, secret):
        super().__init__(daemon=True)
        self.number, self.secret = number, secret
        self.requests = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                request, client = self.socket.recvfrom(2048)
            except OSError:
                return
            self.requests.append(request)
            answer = reply_to(request[:48])
            self.socket.sendto(answer + mac(self.number, self.secret, answer), client)


class Keys(ProgramTest):
    def setUp(self):
        self.keys = own_directory(self.addCleanup) / "ntp.keys"
        self.write_keys(ONE, TWO)

    def write_keys(self, one, two, more="", mode=0o600):
        self.keys.write_text(f"# keys\n1 SHA256 ASCII:{one.decode()}\n2 SHA256 ASCII:{two.decode()}\n"
                             + more)
        self.keys.chmod(mode)

    def signer(self, number, secret):
        server = Signer(number, secret)
        self.addCleanup(server.socket.close)
        return server

    def client(self, *sources):
        return self.start("timepool-ntpd", (
            f'[sources]\nmin_sources = 1\n[keys]\nfile = "{self.keys}"\n' + "".join(
                f'[[server]]\naddress = "127.0.0.1"\nport = {server.port}\nkey = {key}\n'
                "iburst = true\nminpoll = -2\nmaxpoll = -2\n" for server, key in sources)))

    def rows(self, client):
        return {row["address"].rsplit(":", 1)[1]: row for row in client.control("ntpdata")["sources"]}

    def row(self, client, server):
        return self.rows(client)[str(server.port)]

    def refused(self, config):
        """What a daemon says that does not start."""
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "ntpd.toml"
            path.write_text(config)
            done = subprocess.run([BINARY_DIR / "bin/timepool-ntpd", "--config", path],
                                  capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def test_a_server_with_another_of_our_keys_is_not_believed(self):
        good, bad = self.signer(1, ONE), self.signer(2, TWO)
        client = self.client((good, 1), (bad, 1))
        wait_until(lambda: self.row(client, good)["accepted"] >= 3
                   and self.row(client, bad)["received"] >= 3, 30, "answers of both")
        self.assertEqual(self.row(client, bad)["last_reason"], "not_authentic")
        self.assertEqual(self.row(client, bad)["answered"], 0)
        self.assertEqual(good.requests[0][48:], mac(1, ONE, good.requests[0][:48]))

    def test_b18_a_reload_restarts_only_the_source_whose_key_changed(self):
        one, two = self.signer(1, ONE), self.signer(2, TWO)
        client = self.client((one, 1), (two, 2))
        wait_until(lambda: min(row["accepted"] for row in self.rows(client).values()) >= 4, 30,
                   "answers of both")
        before = self.rows(client)
        two.secret = b"quite-another-of-these"
        self.write_keys(ONE, two.secret)
        client.signal(signal.SIGHUP)
        wait_until(lambda: self.row(client, two)["sent"] < before[str(two.port)]["sent"], 20,
                   "the changed one begins anew")
        self.assertGreaterEqual(self.row(client, one)["sent"], before[str(one.port)]["sent"])
        self.assertGreaterEqual(self.row(client, one)["accepted"], before[str(one.port)]["accepted"])
        wait_until(lambda: self.row(client, two)["accepted"] >= 1, 20, "the new key is used")

    def test_a_reload_of_the_same_keys_restarts_nothing(self):
        one = self.signer(1, ONE)
        client = self.client((one, 1))
        wait_until(lambda: self.row(client, one)["accepted"] >= 4, 30, "answers")
        self.write_keys(ONE, TWO, "3 SHA256 ASCII:one-more-than-before\n")
        answer = client.control("reload")
        self.assertTrue(answer["ok"], answer)
        self.assertEqual((answer["sources_added"], answer["sources_removed"]), (0, 0))
        self.assertGreaterEqual(self.row(client, one)["accepted"], 4)

    def test_a_bad_key_file_changes_nothing_at_a_reload(self):
        one = self.signer(1, ONE)
        client = self.client((one, 1))
        wait_until(lambda: self.row(client, one)["accepted"] >= 3, 30, "answers")
        self.write_keys(ONE, TWO, "3 AES128 HEX:00\n")
        answer = client.control("reload")
        self.assertFalse(answer["ok"])
        self.assertIn(f"{self.keys}:4: a key of AES128", answer["error"])
        self.write_keys(ONE, TWO, mode=0o640)
        self.assertIn("chmod 600", client.control("reload")["error"])
        count = self.row(client, one)["accepted"]
        wait_until(lambda: self.row(client, one)["accepted"] > count, 20, "it goes on")

    def test_b18_no_start_with_a_key_file_that_others_can_read(self):
        config = f'[keys]\nfile = "{self.keys}"\n[control]\nsocket = ""\n'
        for mode in (0o640, 0o604, 0o666):
            self.write_keys(ONE, TWO, mode=mode)
            self.assertIn("others may read or write it: chmod 600", self.refused(config))

    def test_no_start_with_a_faulty_key_file_and_the_line_is_named(self):
        config = f'[keys]\nfile = "{self.keys}"\n[control]\nsocket = ""\n'
        self.write_keys(ONE, TWO, "2 SHA256 ASCII:twice\n")
        self.assertIn(f"{self.keys}:4: the number of the key is there already", self.refused(config))

    def test_a_source_without_its_key_is_never_asked(self):
        one = self.signer(1, ONE)
        client = self.client((one, 7))
        self.assertIn("there is no key 7 in [keys] file", client.output())
        self.write_keys(ONE, TWO, f"7 SHA256 ASCII:{ONE.decode()}\n")
        one.number = 7
        self.assertTrue(client.control("reload")["ok"])
        wait_until(lambda: self.row(client, one)["accepted"] >= 1, 20, "its key came")
        self.assertTrue(all(request[48:52] == struct.pack("!I", 7) for request in one.requests))

    def test_keygen_prints_a_line_that_the_daemon_takes(self):
        def keygen(*words):
            done = subprocess.run([BINARY_DIR / "bin/timepool", "ntp", "keygen", *words],
                                  capture_output=True, text=True, timeout=20, check=False)
            return done.returncode, done.stdout, done.stderr
        self.assertRegex(keygen()[1], "^1 AES128 HEX:[0-9a-f]{32}\n$")
        self.assertRegex(keygen("70000", "sha512", "256")[1], "^70000 SHA512 HEX:[0-9a-f]{64}\n$")
        self.assertNotEqual(keygen()[1], keygen()[1])
        self.assertIn("weak", keygen("1", "MD5")[2])
        for words in (("0",), ("x",), ("1", "DES"), ("1", "AES128", "64"), ("1", "SHA256", "8")):
            self.assertEqual(keygen(*words)[0], 1, words)
        self.write_keys(ONE, TWO, keygen("3")[1] + keygen("4", "AES256")[1])
        one = self.signer(1, ONE)
        client = self.client((one, 1))
        self.assertIn("4 keys", client.output())


if __name__ == "__main__":
    main()
