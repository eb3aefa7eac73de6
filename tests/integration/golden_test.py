"""The exchanges of tests/golden/ntp with the running server. What depends on the time and on the
machine is left out: the reply's times, precision and root distance, and so its digest, which is
computed again where Python can."""
import collections
import hashlib
import pathlib
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import golden_files  # noqa: E402
import own_network  # noqa: E402
from programs import ProgramTest, main, own_directory, wait_until  # noqa: E402

NTP_TO_UNIX = 2_208_988_800
LOCAL = '[server.local]\nstratum = 2\nrefid = "GOOD"\n'
CONFIG = {
    ("clock", "good"): "",
    ("clock", "unsynchronised"): "",
    ("interleaved", "on"): "",
    ("access", "on"): '[server.access]\ndeny = ["198.51.100.0/24"]\n',
    ("limits", "kiss"): "[server.limits]\naddress_rate = 0.0625\naddress_burst = 2\nleak = 0\nkod = 1\n",
    ("limits", "silent"): "[server.limits]\naddress_rate = 0.0625\naddress_burst = 2\nleak = 0\nkod = 0\n",
}
DIGESTS = {13: ("sha256", b"open-sesame-open-sesame"), 14: ("sha384", b"open-sesame-open-sesame"),
           15: ("sha512", b"open-sesame-open-sesame"), 16: ("sha1", b"tulip-and-daffodil"),
           17: ("md5", b"tulip-and-daffodil")}


def setUpModule():
    own_network.enter()


def timestamp(packet, offset):
    seconds, fraction = struct.unpack(">II", packet[offset:offset + 8])
    return seconds - NTP_TO_UNIX + fraction / 2**32


class Golden(ProgramTest):
    def setUp(self):
        self.keys = own_directory(self.addCleanup) / "keys"
        self.keys.write_text((golden_files.FOLDER / "keys").read_text())
        self.keys.chmod(0o600)
        self.cookies = self.keys.with_name("cookies.keys")

    def start_server(self, settings):
        listen = ", ".join(f'"{it}"' for it in ("192.0.2.123:123", "[2001:db8::123]:123"))
        config = f"[server]\nlisten = [{listen}]\n"
        if settings.get("clock") != "unsynchronised":
            config += LOCAL
        for name, value in settings.items():
            if name == "keys":
                config += f'[keys]\nfile = "{self.keys}"\nallow_weak = true\n'
            elif name == "nts":
                self.write_cookies()
                config += f'[nts.cookies]\nfile = "{self.cookies}"\n'
            else:
                config += CONFIG[name, value]
        return self.start("timepool-ntpd", config)

    def write_cookies(self):
        """Keys of cookies with that of the golden requests among the past ones."""
        self.cookies.touch(mode=0o600)
        self.cookies.write_text("timepool-nts-cookies 1\nrotation 86400\n"
                                f"epoch {int(time.time()) // 86400}\nsecret {'01' * 32}\n"
                                f"past 676f6c64 {'2a' * 32}\nend\n")

    def reasons(self, server):
        return collections.Counter({name: count for name, count in
                                    server.control("counters")["server"]["reasons"].items() if count})

    def check_digest(self, reply):
        key = struct.unpack(">I", reply[48:52])[0]
        if key in DIGESTS:
            name, secret = DIGESTS[key]
            right = hashlib.new(name, secret + reply[:48]).digest()
            self.assertEqual(reply[52:], right[:len(reply) - 52])

    def check_reply(self, exchange, reply, sent):
        """`sent` is the request, which names our server's times instead of the golden ones."""
        golden = exchange.reply
        note = f"{exchange.case}: {golden.hex()} against {reply.hex()}"
        self.assertEqual(len(reply), len(golden), note)
        self.assertEqual(reply[:1] + reply[2:3], golden[:1] + golden[2:3], note)
        self.assertEqual(reply[1], golden[1], note)
        if golden[1] == 2:
            self.assertEqual(reply[12:16], b"GOOD", note)
        else:
            self.assertEqual(reply[4:24], golden[4:24], note)
        interleaved = exchange.reason == "answered_interleaved"
        self.assertEqual(reply[24:32], sent[32:40] if interleaved else sent[40:48], note)
        self.assertEqual(reply[48:52], golden[48:52], note)
        if len(reply) > 48:
            self.check_digest(reply)
        for offset in (32, 40) if golden[32:40] != bytes(8) else ():
            self.assertAlmostEqual(timestamp(reply, offset), time.time(), delta=30, msg=note)

    def check_exchange(self, exchange, names):
        """`names`: our times of receiving by those of the golden replies."""
        request = exchange.request
        origin = names.get(request[24:32], request[24:32])
        request = request[:24] + origin + request[32:]
        if not exchange.reply:
            own_network.ask(exchange.client, request, wait=0)
            return
        reply = own_network.ask(exchange.client, request)
        self.assertIsNotNone(reply, exchange.case)
        self.check_reply(exchange, reply, request)
        names[exchange.reply[32:40]] = reply[32:40]

    def check_server(self, settings, exchanges):
        server = self.start_server(settings)
        try:
            names = {}
            for exchange in exchanges:
                self.check_exchange(exchange, names)
            expected = collections.Counter(it.reason for it in exchanges)
            wait_until(lambda: sum(self.reasons(server).values()) >= len(exchanges), 10,
                       "all are counted")
            self.assertEqual(self.reasons(server), expected, settings)
        finally:
            server.stop()


    def test_the_running_server_answers_as_the_golden_files_say(self):
        groups = collections.defaultdict(list)
        for it in golden_files.all_exchanges():
            groups[tuple(sorted(it.settings.items())),
                   it.case if "limits" in it.settings else ""].append(it)
        checked = 0
        for (settings, case), exchanges in groups.items():
            settings = dict(settings)
            if settings.get("clock", "good") not in ("good", "unsynchronised"):
                continue
            # What waits for a token, and what is signed over a time that is not the running one's.
            if ("limits" in settings and any(it.at for it in exchanges)) or (
                    {"keys", "interleaved"} <= set(settings)):
                continue
            # What no socket can be bound to.
            exchanges = [it for it in exchanges
                         if it.client[1] != 0 and not it.client[0].startswith("::ffff:")]
            with self.subTest(settings=settings, case=case):
                self.check_server(settings, exchanges)
                checked += len(exchanges)
        self.assertGreater(checked, 100)

    def test_a_request_from_port_0_is_counted_and_not_answered(self):
        server = self.start_server({})
        own_network.inject(("192.0.2.10", 0), own_network.SERVER, b"\x23" + bytes(47))
        wait_until(lambda: self.reasons(server), 10, "it is counted")
        self.assertEqual(self.reasons(server), {"source_port_zero": 1})


if __name__ == "__main__":
    main()
