"""A signed zone of timepool-dnsd when things go wrong: the clock jumps, strangers flood it with names that do not
exist, the files of its keys vanish while it runs."""
import json
import pathlib
import secrets
import shutil
import socket
import struct
import subprocess
import time
import unittest

import dns_messages as dns
from dns_messages import encode_name, framed, read_tcp, skip_name
from programs import DirectoryTest, main, wait_until

A, SOA, TXT, RRSIG, DNSKEY = 1, 6, 16, 46, 48
DAY = 86400
ZONE = {"serial": 1, "ttl": 60, "max_hosts": 4, "data": {
    "": {"ns": ["ns1.pool.test."], "a": [[f"10.0.0.{i}", 10] for i in range(1, 40)]},
    "small": {"a": [[f"10.1.0.{i}", 10] for i in range(1, 6)]}, "plain": {"txt": "here"}}}
QUESTIONS = (("pool.test", A), ("pool.test", SOA), ("pool.test", DNSKEY), ("small.pool.test", A),
             ("plain.pool.test", TXT), ("plain.pool.test", A))


def question(name, kind, number=7):
    return (struct.pack("!6H", number, 0x0100, 1, 0, 0, 1) + encode_name(name) + struct.pack("!2H", kind, 1) + b"\0" +
            struct.pack("!HHIH", 41, 1232, 0x8000, 0))


def signatures(message):
    """(from, until) of each RRSIG of a reply."""
    at, out = skip_name(message, 12) + 4, []
    for _ in range(sum(struct.unpack("!3H", message[6:12]))):
        at = skip_name(message, at)
        kind, _, _, size = struct.unpack("!HHIH", message[at:at + 10])
        if kind == RRSIG:
            until, since = struct.unpack("!2I", message[at + 18:at + 26])
            out.append((since, until))
        at += 10 + size
    return out


class SignedFaults(DirectoryTest):
    def serve(self, more="", prefix=()):
        for name, mode in (("zones", 0o755), ("keys", 0o700)):
            (self.directory / name).mkdir(mode=mode)
        (self.directory / "zones/pool.test.json").write_text(json.dumps(ZONE))
        program = self.start("timepool-dnsd", f'[server]\nlisten = ["127.0.0.1:0"]\nthreads = 1\n[zones]\n'
                             f'directory = "{self.directory}/zones"\n[rrl]\nexempt = ["127.0.0.0/8"]\n[dnssec]\n'
                             f'directory = "{self.directory}/keys"\n{more}\n[[dnssec.zone]]\nname = "pool.test"\n',
                             prefix=prefix)
        self.address = program.listening()
        wait_until(lambda: signatures(self.ask("pool.test", SOA)), 20, "the zone is served with signatures")
        return program

    def ask(self, name, kind):
        with dns.udp_socket(self.address, 10) as client:
            client.send(question(name, kind))
            return client.recv(65535)

    @unittest.skipUnless(shutil.which("cc"), "needs the package build-essential")
    def test_a_clock_that_jumps_has_everything_signed_anew(self):
        library, offset = self.directory / "clock_offset.so", self.directory / "offset"
        source = pathlib.Path(__file__).resolve().parent / "clock_offset.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True, timeout=120)
        offset.write_bytes(struct.pack("=q", 0))
        program = self.serve(prefix=("env", f"LD_PRELOAD={library.absolute()}", f"CLOCK_OFFSET={offset.absolute()}"))

        def wrong(now):
            """What is answered with signatures that do not hold at `now`, an hour less or more."""
            names = [*QUESTIONS, (f"{secrets.token_hex(4)}.pool.test", A)]
            times = {name: signatures(self.ask(*name)) for name in names}
            return {name: found for name, found in times.items() if not found or
                    not all(since + 3600 < now < until - 3600 for since, until in found)}
        self.assertEqual(wrong(int(time.time())), {})
        # Past all signatures, back before the first of them, back by a little, and home.
        for jump in (30 * DAY, -30 * DAY, -31 * DAY, 0):
            # The mapping sees what is written in place.
            with open(offset, "r+b") as file:
                file.write(struct.pack("=q", jump))
            wait_until(lambda: wrong(int(time.time()) + jump) == {}, 30, f"signatures hold {jump // DAY} days off")
        self.assertEqual(program.control("status")["signing"]["problems"], [])

    def test_a_flood_of_random_names_takes_a_bounded_share_and_no_answer_that_is_signed_ahead(self):
        limit, count = 50, 4000
        program = self.serve(f"online_signatures = {limit}\n")
        started, whole, cut = time.monotonic(), 0, 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            flood.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            flood.connect(self.address)
            for number in range(count):
                flood.send(question(f"{secrets.token_hex(6)}.pool.test", A, number))
                if number % 40 != 39:
                    continue
                # Others meanwhile: each answered whole, with signatures. This also waits for the server.
                for name, kind in QUESTIONS:
                    reply = self.ask(name, kind)
                    self.assertFalse(dns.Reply(reply).truncated)
                    self.assertTrue(signatures(reply), name)
            seconds = time.monotonic() - started
            flood.settimeout(2)
            while whole + cut < count:
                reply = flood.recv(65535)
                truncated = dns.Reply(reply).truncated
                whole, cut = whole + (not truncated), cut + truncated
                self.assertEqual(bool(signatures(reply)), not truncated)
        self.assertLessEqual(whole, limit * (seconds + 2))
        self.assertGreaterEqual(whole, limit)
        reasons = program.control("stats")["udp"]["reasons"]
        self.assertEqual(reasons["signature_limit"], cut)
        # By TCP the client proves where it is and has a share of its own.
        with socket.create_connection(self.address, timeout=10) as stream:
            stream.sendall(framed(question("proven.pool.test", A)))
            self.assertTrue(signatures(read_tcp(stream).data))

    def test_keys_that_vanish_while_it_runs_are_used_on(self):
        program = self.serve()

        def held():
            # Not its times: they are told in whole seconds of a clock that is being kept.
            return [(key["tag"], key["state"]) for key in program.control("keys")["zones"][0]["keys"]]
        before = held()
        for path in (self.directory / "keys").glob("*.pem"):
            path.unlink()
        zone = dict(ZONE, serial=2, data={**ZONE["data"], "new": {"txt": "later"}})
        (self.directory / "zones/pool.test.json").write_text(json.dumps(zone))
        wait_until(lambda: len(signatures(self.ask("new.pool.test", TXT))) == 1 and
                   dns.Reply(self.ask("new.pool.test", TXT)).answers, 20, "what is new is signed by what it holds")
        self.assertEqual(held(), before)
        self.assertEqual(list((self.directory / "keys").glob("*.pem")), [], "none is made in place of what was lost")


if __name__ == "__main__":
    main()
