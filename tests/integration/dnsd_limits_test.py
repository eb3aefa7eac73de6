"""timepool-dnsd under floods: limits on answers, DNS cookies, and that several servers share them."""
import json
import os
import secrets
import socket
import struct

import dns_messages as dns
from dns_messages import A, framed, query, read_tcp
from programs import ProgramTest, main, own_directory

ZONE = {"serial": 1, "ttl": 60, "max_hosts": 4,
        "data": {"": {"ns": ["ns1.pool.test."], "a": [[f"10.0.0.{i}", 10] for i in range(1, 40)]},
                 "big": {"a": [[f"10.1.0.{i}", 10] for i in range(1, 60)], "max_hosts": 50}}}
BADCOOKIE = 23


def cookie_option(cookie):
    return struct.pack("!HH", 10, len(cookie)) + cookie


def with_options(name, options, kind=A, size=1232):
    return (struct.pack("!6H", 7, 0x0100, 1, 0, 0, 1) + dns.encode_name(name)
            + struct.pack("!2H", kind, 1) + b"\0" + struct.pack("!HHIH", 41, size, 0, len(options))
            + options)


class Answer(dns.Reply):
    """With the whole rcode and the cookie."""

    def __init__(self, data):
        self.cookie = None
        super().__init__(data)
        at = dns.skip_name(data, 12) + 4
        for _ in range(sum(struct.unpack("!3H", data[6:12]))):
            at = dns.skip_name(data, at)
            kind, _, ttl, size = struct.unpack("!HHIH", data[at:at + 10])
            if kind == 41:
                self.rcode |= ttl >> 24 << 4
            at += 10 + size

    def read_options(self, options):
        super().read_options(options)
        while options:
            code, size = struct.unpack("!HH", options[:4])
            if code == 10:
                self.cookie = options[4:4 + size]
            options = options[4 + size:]


class Limits(ProgramTest):
    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        (self.directory / "pool.test.json").write_text(json.dumps(ZONE))
        self.seed = self.directory / "seed"
        self.write_seed(secrets.token_hex(32))

    def write_seed(self, text):
        self.seed.touch(0o600)
        self.seed.write_text(text + "\n")

    def serve(self, more="", threads=0):
        program = self.start("timepool-dnsd", f'[server]\nlisten = ["127.0.0.1:0"]\n'
                             f'threads = {threads}\n[zones]\ndirectory = "{self.directory}"\n{more}')
        program.address = program.listening()
        return program

    def ask(self, program, message, source="127.0.0.1", seconds=5.0):
        """The answer, or None when none came."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(seconds)
            s.bind((source, 0))
            s.connect(program.address)
            s.send(message)
            try:
                return Answer(s.recv(65536))
            except TimeoutError:
                return None

    def flood(self, program, names, source="127.0.0.1"):
        """Asks for all names at once: how many answers came whole, how many cut."""
        whole = cut = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            s.bind((source, 0))
            s.connect(program.address)
            for i, name in enumerate(names):
                s.send(query(name, number=i & 0xffff))
                if i % 50 == 49:  # so that the server's queue never overflows
                    program.control("status")
            program.control("status")
            s.setblocking(False)
            while True:
                try:
                    reply = dns.Reply(s.recv(65536))
                except BlockingIOError:
                    return whole, cut
                whole, cut = whole + (not reply.truncated), cut + reply.truncated

    def reasons(self, program, transport="udp"):
        found = program.control("stats")[transport]["reasons"]
        return {name: count for name, count in found.items() if count}

    def test_a_flood_of_random_names_is_cut_and_others_are_served_on(self):
        # 5 a second and 20 at once: what a slow test machine adds while the flood runs is little.
        program = self.serve('[rrl]\nrate = 5\nwindow = 4\nslip = 2\nexempt = []\n')
        names = [f"{secrets.token_hex(8)}.pool.test" for _ in range(2000)]
        whole, cut = self.flood(program, names)
        self.assertTrue(20 <= whole <= 200, whole)
        self.assertTrue(800 <= cut <= 1100, cut)
        reasons = self.reasons(program)
        self.assertEqual(reasons["nxdomain"], whole)
        self.assertEqual(reasons["limit_cut"], cut)
        self.assertEqual(sum(reasons.values()), 2000, "one reason for each")
        # The same network still gets what exists, and another one everything.
        self.assertEqual(len(self.ask(program, query("pool.test")).addresses), 4)
        self.assertEqual(self.ask(program, query("no.pool.test"), "127.0.1.1").rcode, 3)
        # By TCP the client proves where it is.
        for _ in range(30):
            with socket.create_connection(program.address, timeout=10) as stream:
                stream.sendall(framed(query("no.pool.test")))
                self.assertEqual(read_tcp(stream).rcode, 3)

    def test_one_name_is_limited_by_network_and_exempt_networks_are_not(self):
        program = self.serve('[rrl]\nrate = 5\nwindow = 2\nslip = 0\nexempt = ["127.0.9.0/24"]\n')
        whole, cut = self.flood(program, ["pool.test"] * 1000)
        self.assertTrue(10 <= whole < 200 and cut == 0, (whole, cut))
        self.assertEqual(self.flood(program, ["pool.test"] * 1000, "127.0.9.1"), (1000, 0))
        self.assertEqual(self.flood(program, ["pool.test"] * 10, "127.0.8.1"), (10, 0))

    def test_loopback_is_not_limited_unless_told_and_reload_takes_limits(self):
        program = self.serve()
        self.assertEqual(self.flood(program, ["no.pool.test"] * 5000), (5000, 0))
        config = program.config.read_text()
        program.write_config(config.split("[control]")[0]
                             + '[rrl]\nrate = 1\nwindow = 1\nslip = 1\nexempt = []\n')
        self.assertEqual(program.control("reload")["needs_restart"], [])
        whole, cut = self.flood(program, ["no.pool.test"] * 500)
        self.assertTrue(whole < 100 and whole + cut == 500, (whole, cut))

    def test_a_good_cookie_lifts_the_limit_and_a_missing_one_is_told(self):
        program = self.serve('[rrl]\nrate = 1\nwindow = 1\nslip = 1\nexempt = []\n')
        client = secrets.token_bytes(8)
        first = self.ask(program, with_options("pool.test", cookie_option(client)))
        self.assertEqual((first.rcode, len(first.cookie)), (0, 24))
        refused = None
        for _ in range(5):
            answer = self.ask(program, with_options("pool.test", cookie_option(client)))
            if answer.rcode == BADCOOKIE:
                refused = answer
        self.assertIsNotNone(refused)
        self.assertEqual((refused.addresses, refused.truncated), ([], False))
        for cookie in (first.cookie, refused.cookie):
            for _ in range(20):
                answer = self.ask(program, with_options("pool.test", cookie_option(cookie)))
                self.assertEqual((answer.rcode, len(answer.addresses)), (0, 4))
        forged = client + bytes([1, 0, 0, 0]) + secrets.token_bytes(12)
        codes = [self.ask(program, with_options("pool.test", cookie_option(forged))).rcode
                 for _ in range(5)]
        self.assertIn(BADCOOKIE, codes)
        self.assertGreater(self.reasons(program)["bad_cookie"], 0)

    def test_cookies_may_be_required_of_who_knows_them(self):
        program = self.serve('[cookies]\nrequired = true\nmax_udp_without = 512\n')
        client = secrets.token_bytes(8)
        told = self.ask(program, with_options("pool.test", cookie_option(client)))
        self.assertEqual((told.rcode, told.addresses), (BADCOOKIE, []))
        answer = self.ask(program, with_options("pool.test", cookie_option(told.cookie)))
        self.assertEqual((answer.rcode, len(answer.addresses)), (0, 4))
        self.assertEqual(len(self.ask(program, query("pool.test")).addresses), 4, "knows of none")
        # 50 addresses are 800 octets.
        self.assertTrue(self.ask(program, query("big.pool.test", edns=True)).truncated)
        whole = self.ask(program, with_options("big.pool.test", cookie_option(told.cookie)))
        self.assertEqual(len(whole.addresses), 50)

    def test_servers_of_one_seed_take_each_others_cookies_also_after_a_restart(self):
        shared = f'[cookies]\nseed_file = "{self.seed}"\nrequired = true\n'
        programs = [self.serve(shared) for _ in range(2)]
        stranger = self.serve('[cookies]\nrequired = true\n')
        client = secrets.token_bytes(8)
        cookie = self.ask(programs[0], with_options("pool.test", cookie_option(client))).cookie
        again = with_options("pool.test", cookie_option(cookie))
        self.assertEqual(programs[0].stop(), 0)
        programs[0] = self.serve(shared)
        for program in programs:
            self.assertEqual(self.ask(program, again).rcode, 0)
        self.assertEqual(self.ask(stranger, again).rcode, BADCOOKIE)
        # Another address may not use it.
        self.assertEqual(self.ask(programs[1], again, "127.0.0.9").rcode, BADCOOKIE)
        # A new seed, on reload: the old cookie is nobody's.
        self.write_seed(secrets.token_hex(32))
        self.assertEqual(programs[1].control("reload")["needs_restart"], [])
        self.assertEqual(self.ask(programs[1], again).rcode, BADCOOKIE)
        # A damaged one is told, and what is served stays.
        self.write_seed("xyz")
        self.assertIn("[cookies] seed_file", programs[1].control("reload")["error"])
        self.assertEqual(len(self.ask(programs[1], query("pool.test")).addresses), 4)

    def test_a_seed_that_others_may_read_is_refused_at_the_start(self):
        os.chmod(self.seed, 0o644)
        program = self.start("timepool-dnsd", f'[server]\nlisten = ["127.0.0.1:0"]\n[cookies]\n'
                             f'seed_file = "{self.seed}"\n', wait=False)
        self.assertNotEqual(program.process.wait(20), 0)
        self.assertIn("[cookies] seed_file", program.output())


if __name__ == "__main__":
    main()
