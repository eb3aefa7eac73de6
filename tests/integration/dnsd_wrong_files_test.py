"""What timepool-dnsd does with files that are wrong: a snapshot damaged at every octet and cut at every length, on its
way and on disk, and GeoIP files replaced by rubbish. What was served is served on, and what is wrong is told."""
import http.server
import json
import pathlib
import random
import struct
import subprocess
import threading
import time

from dns_messages import ask_udp
from programs import DirectoryTest, Program, main, wait_until

SOURCE_DIR = pathlib.Path(__file__).resolve().parent.parent.parent
GEOIP = SOURCE_DIR / "build/geoip/geo-whois-asn-country.mmdb"
# As many URLs as may be configured: so many damaged files come before a rest.
URLS = 16


def frame_of(payload):
    """A zstd frame of one raw block (RFC 8878 3.1.1)."""
    size = struct.pack("<BH", 0x60, len(payload) - 256) if len(payload) > 255 else bytes([0x20, len(payload)])
    return b"\x28\xb5\x2f\xfd" + size + struct.pack("<I", 1 | len(payload) << 3)[:3] + payload


class Key:
    """A manager's key, by openssl."""

    def __init__(self, directory):
        self.path, self.message = directory / "key.pem", directory / "message"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.path], check=True, timeout=20)
        self.public = subprocess.run(["openssl", "pkey", "-in", self.path, "-pubout", "-outform", "DER"], check=True,
                                     capture_output=True, timeout=20).stdout[-32:].hex()

    def seal(self, serial, address):
        """docs/snapshot.md"""
        zone = {"serial": serial, "data": {"": {"ns": ["ns.pool.test."], "a": [[address]]}}}
        payload = json.dumps({"format": 1, "serial": serial, "zones": {"pool.test": zone}}).encode()
        frame = frame_of(payload)
        head = b"TPSNAP1\n" + struct.pack("!QQII", serial, int(time.time()), len(payload), len(frame))
        self.message.write_bytes(head + frame)
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", self.path, "-rawin", "-in", self.message],
                                   check=True, capture_output=True, timeout=20).stdout
        return head + signature + frame


class Feed(http.server.BaseHTTPRequestHandler):
    """Gives the files of `queue`, each once, and then `last`."""

    queue, last, given, lock = [], (0, b""), 0, threading.Lock()

    def do_GET(self):
        cls = type(self)
        with cls.lock:
            serial, body = cls.queue.pop() if cls.queue else cls.last
            cls.given += 1
        if self.headers.get("If-None-Match") == f'"{serial}"' and body == cls.last[1]:
            time.sleep(0.02)
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("ETag", f'"{serial}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class WrongFiles(DirectoryTest):
    def feed(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Feed)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]

    def config(self, key, port):
        urls = ", ".join(f'"http://127.0.0.1:{port}/{n}"' for n in range(URLS))
        return (f'[server]\nlisten = ["127.0.0.1:0"]\n[snapshot]\nurls = [{urls}]\npublic_keys = ["{key.public}"]\n'
                f'directory = "{self.directory}/kept"\nwait = "1s"\nretry_max = "100ms"\n')

    def test_a_snapshot_that_is_damaged_at_any_octet_or_cut_at_any_length_leaves_the_old_one(self):
        key = Key(self.directory)
        first, second = key.seal(1000, "10.0.0.1"), key.seal(2000, "10.0.0.2")
        Feed.last = 1000, first
        program = self.start("timepool-dnsd", self.config(key, self.feed()))
        address = program.listening()
        answer = lambda: ask_udp(address, "pool.test").addresses
        wait_until(lambda: answer() == ["10.0.0.1"], 20, f"the first is served\n{program.output()}")
        damaged = [second[:at] + bytes([second[at] ^ 1 << at % 8]) + second[at + 1:] for at in range(len(second))]
        damaged += [second[:size] for size in range(len(second))] + [second + b"x"]
        before = program.control("status")["snapshot"]["failures"]
        count = len(damaged)
        Feed.queue = [(2000, body) for body in damaged]

        def all_given():
            self.assertEqual(answer(), ["10.0.0.1"])
            return not Feed.queue and program.control("status")["snapshot"]["failures"] >= before + count
        wait_until(all_given, 120, "all were refused")
        status = program.control("status")
        self.assertEqual(status["snapshot_serial"], 1000)
        self.assertEqual(status["snapshot"]["failures"], before + count, "each counts once")
        Feed.last = 2000, second
        wait_until(lambda: answer() == ["10.0.0.2"], 20, "the good one is taken")
        self.assertEqual(program.stop(), 0)
        self.check_kept(key, second)

    def check_kept(self, key, second):
        """Damaged on disk, the newest is left aside for the one before it."""
        newest = self.directory / "kept/dns-00000000000000002000.snapshot"
        self.assertEqual(newest.read_bytes(), second)
        for at in random.sample(range(len(second)), 8):
            newest.write_bytes(second[:at] + bytes([second[at] ^ 0x10]) + second[at + 1:])
            program = Program("timepool-dnsd", self.config(key, 9))
            try:
                self.assertEqual(ask_udp(program.listening(), "pool.test").addresses, ["10.0.0.1"], f"octet {at}")
                self.assertIn("left aside", program.output())
            finally:
                program.close()
        newest.write_bytes(second)
        program = self.start("timepool-dnsd", self.config(key, 9))
        self.assertEqual(ask_udp(program.listening(), "pool.test").addresses, ["10.0.0.2"])

    def test_a_geoip_file_replaced_by_rubbish_leaves_the_old_one(self):
        if not GEOIP.exists():
            self.skipTest("needs build/geoip/*.mmdb (./dev setup)")
        good = GEOIP.read_bytes()
        path = self.directory / "geo.mmdb"
        path.write_bytes(good)
        (self.directory / "zones").mkdir()
        (self.directory / "zones/pool.test.json").write_text(json.dumps(
            {"data": {"": {"a": [["10.0.0.1"]]}, "de": {"a": [["10.0.0.2"]]}}}))
        program = self.start("timepool-dnsd", f'[server]\nlisten = ["127.0.0.1:0"]\n[zones]\n'
                             f'directory = "{self.directory}/zones"\n[geoip]\nfiles = ["{path}"]\n')
        address = program.listening()
        answer = lambda: ask_udp(address, "pool.test", subnet="193.99.144.0/24").addresses
        problems = lambda: program.control("zones")["problems"]
        self.assertEqual(answer(), ["10.0.0.2"])
        marker = good.rindex(b"\xab\xcd\xefMaxMind.com")
        kinds = {"nothing": b"", "one octet": b"\0", "noise": random.randbytes(100_000), "half": good[:len(good) // 2],
                 "another format": b"\x7fELF" + bytes(5000), "text": b"404 not found\n" * 100,
                 "metadata cut": good[:marker + 20], "metadata damaged": good[:marker + 14] + random.randbytes(200),
                 "only metadata": good[marker:]}
        for kind, body in kinds.items():
            with self.subTest(kind):
                path.with_suffix(".new").write_bytes(body)
                path.with_suffix(".new").rename(path)
                wait_until(lambda: any(str(path) in text for text in problems()), 20, f"{kind} is told: {problems()}")
                self.assertEqual(answer(), ["10.0.0.2"], kind)
                path.write_bytes(good)
                wait_until(lambda: problems() == [], 20, "the good one is taken")
        # Octets of the tree say nothing false that could be found; whatever comes of them, it serves.
        for _ in range(5):
            body = bytearray(good)
            for _ in range(200):
                body[random.randrange(marker)] ^= 1 << random.randrange(8)
            path.with_suffix(".new").write_bytes(body)
            path.with_suffix(".new").rename(path)
            time.sleep(1.2)
            self.assertIn(answer()[0], ("10.0.0.1", "10.0.0.2"))
        path.write_bytes(good)
        wait_until(lambda: problems() == [] and answer() == ["10.0.0.2"], 20, "the good one is taken")


if __name__ == "__main__":
    main()
