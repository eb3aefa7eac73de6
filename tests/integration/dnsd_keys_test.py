"""Keys of signed zones in the running timepool-dnsd, by `timepool dns keys`: made, rolled with a parent that
a resolver tells of, carried to another server, and what happens when their files are wrong."""
import json
import socket
import struct
import subprocess
import threading

import dns_messages as dns
from programs import BINARY_DIR, ProgramTest, main, own_directory, wait_until

DS, RRSIG = 43, 46
# A whole roll in some seconds.
QUICK = '''dnskey_ttl = "1s"
max_zone_ttl = "1s"
ds_ttl = "1s"
propagation = "1s"
parent_propagation = "1s"
'''


class Parent(threading.Thread):
    """A resolver that tells the DS set of one parent."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.ds = []
        self.asked = 0
        self.validates = True
        self.start()

    def run(self):
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
            except OSError:
                return
            self.asked += 1
            end = query.index(b"\0", 12) + 5
            flags = b"\x81\xa0" if self.validates else b"\x81\x80"
            answer = query[:2] + flags + b"\0\1" + struct.pack("!HHH", len(self.ds), 0, 0) + query[12:end]
            for data in self.ds:
                answer += b"\xc0\x0c" + struct.pack("!HHIH", DS, 1, 1, len(data)) + data
            self.socket.sendto(answer, client)


def ds_octets(text):
    """The data of "pool.test. IN DS 1 13 2 AB..."."""
    tag, algorithm, digest_type, digest = text.split()[3:7]
    return struct.pack("!HBB", int(tag), int(algorithm), int(digest_type)) + bytes.fromhex(digest)


class DnsdKeys(ProgramTest):
    def setUp(self):
        self.root = own_directory(self.addCleanup)
        (self.root / "zones").mkdir()
        zone = {"serial": 1, "ttl": 1, "data": {"": {"ns": ["ns1.pool.test."], "a": [["10.0.0.1", 10]]}}}
        (self.root / "zones/pool.test.json").write_text(json.dumps(zone))

    def serve(self, keys="keys", zone=QUICK, more="", name="pool.test"):
        config = (f'[server]\nlisten = ["127.0.0.1:0"]\n[zones]\ndirectory = "{self.root}/zones"\n'
                  f'[dnssec]\ndirectory = "{self.root}/{keys}"\n{more}'
                  f'[[dnssec.zone]]\nname = "{name}"\n{zone}')
        return self.start("timepool-dnsd", config)

    def run_keys(self, *arguments):
        return subprocess.run([BINARY_DIR / "bin/timepool", "dns", "keys", *arguments], capture_output=True,
                              text=True, timeout=60)

    def keys(self, program, *arguments):
        """Standard output of a command that must go well."""
        done = self.run_keys(*arguments, "--socket", str(program.socket))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def zone(self, program):
        return json.loads(self.keys(program, "list", "pool.test", "--json"))["zones"][0]

    def states(self, program):
        return {key["tag"]: key["state"] for key in self.zone(program)["keys"]}

    def check_withheld(self, program, *zones):
        """SERVFAIL, Not Ready: to those who ask for signatures and to others."""
        for zone in zones:
            for dnssec in (False, True):
                reply = dns.ask_udp(program.listening(), zone, edns=True, dnssec=dnssec)
                self.assertEqual((reply.rcode, reply.errors, reply.answers), (2, [14], []))

    def is_signed(self, program, zone="pool.test"):
        reply = dns.ask_udp(program.listening(), zone, dnssec=True)
        return reply.rcode == 0 and {kind for kind, _, _ in reply.answers} == {dns.A, RRSIG}

    def test_a_key_is_made_rolls_with_its_parent_and_outlives_a_restart(self):
        parent = Parent()
        program = self.serve(more=f'resolver = "127.0.0.1:{parent.port}"\n')
        [first] = self.states(program)
        self.assertEqual(self.states(program), {first: "active"})
        wait_until(lambda: self.keys(program, "ds", "pool.test").startswith("pool.test. IN DS"), 20,
                   "its DS belongs at the parent")
        old = self.keys(program, "ds", "pool.test")
        self.assertIn(f" DS {first} 13 2 ", old)
        self.assertTrue(self.zone(program)["waits_for_parent"])
        # Anybody may have said what the resolver did not check.
        parent.validates, parent.ds = False, [ds_octets(old)]
        asked = parent.asked
        wait_until(lambda: parent.asked >= asked + 2, 20, "it is asked again")
        self.assertTrue(self.zone(program)["waits_for_parent"])
        self.assertIn("not proved", program.output())
        parent.validates = True
        wait_until(lambda: not self.zone(program)["waits_for_parent"], 20, "the DS is known")
        self.keys(program, "roll", "pool.test", "--role", "csk")
        second = max(self.states(program), key=lambda tag: tag != first)
        new = wait_until(lambda: (text := self.keys(program, "ds", "pool.test")) != old and text, 20,
                         "the DS of the next")
        self.assertIn(f" DS {second} 13 2 ", new)
        # The parent takes its time: both are published.
        self.assertEqual(self.states(program), {first: "retired", second: "active"})
        self.assertEqual(program.stop(), 0)
        program = self.serve(more=f'resolver = "127.0.0.1:{parent.port}"\n')
        self.assertEqual(self.states(program), {first: "retired", second: "active"})
        parent.ds = [ds_octets(new)]
        wait_until(lambda: self.states(program)[first] == "removed", 30, "the first has gone")
        self.assertEqual(self.states(program)[second], "active")
        self.assertEqual(self.zone(program)["problem"], "")
        self.assertGreater(parent.asked, 2)
        metrics = program.control("metrics")["text"]
        self.assertIn('timepool_dnsd_keys{zone="pool.test.",state="active"} 1', metrics)
        parent.socket.close()

    def test_without_a_resolver_the_operator_tells_what_the_parent_has(self):
        program = self.serve(zone='keys = "ksk-zsk"\nalgorithm = "ed25519"\n' + QUICK)
        wait_until(lambda: "no DS" not in self.keys(program, "ds", "pool.test"), 20, "a DS")
        ksk = next(key["tag"] for key in self.zone(program)["keys"] if key["role"] == "ksk")
        self.assertIn(f" DS {ksk} 15 2 ", self.keys(program, "ds", "pool.test"))
        self.keys(program, "ds-seen", "pool.test", str(ksk))
        wait_until(lambda: not self.zone(program)["waits_for_parent"], 20, "the DS is known")
        self.keys(program, "roll", "pool.test", "--emergency")
        self.assertEqual(len(self.states(program)), 4)
        for wrong in (["ds-seen", "pool.test", "1x"], ["roll", "pool.test"], ["retire", "pool.test", "70000"],
                      ["ds", "other.test"], ["roll", "pool.test", "--role", "csk"]):
            done = self.run_keys(*wrong, "--socket", str(program.socket))
            self.assertEqual(done.returncode, 1, wrong)
            self.assertTrue(done.stderr.startswith("timepool: "), done.stderr)

    def test_another_server_takes_the_keys_that_are_brought(self):
        first = self.serve()
        secret = self.root / "secret"
        secret.touch(mode=0o600)
        secret.write_text("5a" * 32 + "\n")
        second = self.serve(keys="there", zone="roll = false\n" + QUICK)
        self.assertIn("not there yet", self.zone(second)["problem"])

        def bring():
            sealed = str(self.root / "sealed")
            copied = ["--secret", str(secret), "--directory"]
            done = self.run_keys("export", "pool.test", sealed, *copied, str(self.root / "keys"))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual((self.root / "sealed").stat().st_mode & 0o777, 0o600)
            done = self.run_keys("import", sealed, *copied, str(self.root / "there"))
            self.assertEqual(done.returncode, 0, done.stderr)

        bring()
        wait_until(lambda: self.zone(second)["signed"], 20, "the second signs")
        self.assertEqual(set(self.states(second)), set(self.states(first)))
        self.keys(first, "roll", "pool.test", "--emergency")
        bring()
        wait_until(lambda: set(self.states(second)) == set(self.states(first)), 20, "the second has the new key")
        self.assertEqual(self.run_keys("roll", "pool.test", "--emergency", "--socket",
                                       str(second.socket)).returncode, 1)
        secret.write_text("5b" * 32 + "\n")
        done = self.run_keys("import", str(self.root / "sealed"), "--secret", str(secret), "--directory",
                             str(self.root / "there"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("the secret is not that", done.stderr)

    def test_keys_that_are_missing_are_told_and_nothing_is_given_of_their_zone(self):
        other = {"serial": 1, "data": {"": {"ns": ["ns1.other.test."], "a": [["10.0.0.2"]]}}}
        (self.root / "zones/other.test.json").write_text(json.dumps(other))
        program = self.serve()
        [tag] = self.states(program)
        path = next((self.root / "keys").glob("*.pem"))
        self.assertEqual(program.stop(), 0)
        path.rename(self.root / "aside")
        program = self.serve()
        self.check_withheld(program, "pool.test")
        self.assertEqual(dns.ask_udp(program.listening(), "other.test").addresses, ["10.0.0.2"])
        self.assertIn(str(path), self.zone(program)["problem"])
        self.assertIn("queries for it fail until it can be signed", program.output())
        self.assertIn('reason="not_signed"} 2', program.control("metrics")["text"])
        self.assertFalse(self.zone(program)["signed"])
        self.assertIn("keys_wrong{zone=\"pool.test.\"} 1", program.control("metrics")["text"])
        (self.root / "aside").rename(path)
        wait_until(lambda: self.is_signed(program), 30, "it is signed")
        self.assertEqual(self.zone(program)["problem"], "")
        self.assertEqual(list(self.states(program)), [tag])
        self.assertEqual(program.stop(), 0)
        # A damaged state: nothing is made anew.
        state = self.root / "keys/pool.test.state"
        state.write_text(state.read_text()[:-5])
        program = self.serve()
        self.check_withheld(program, "pool.test")
        self.assertIn("cut off", self.zone(program)["problem"])
        self.assertEqual(len(list((self.root / "keys").glob("*.pem"))), 1)

    def test_a_zone_that_appears_is_never_answered_without_signatures(self):
        """Zones come and go below a served one while queries for them come without a pause."""
        program = self.serve(zone=QUICK + '[[dnssec.zone]]\nname = "*"\n')
        address = program.listening()
        names = [f"n{i}.pool.test" for i in range(3)]
        seen = {name: set() for name in names}
        over = threading.Event()

        def hammer(name):
            with dns.udp_socket(address) as s:
                while not over.is_set():
                    s.send(dns.query(name, dnssec=True))
                    reply = dns.Reply(s.recv(4096))
                    kinds = {kind for kind, _, _ in reply.answers + reply.authority}
                    seen[name].add((reply.rcode, bool(reply.answers), RRSIG in kinds))

        threads = [threading.Thread(target=hammer, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for name in names:
            text = {"serial": 1, "data": {"": {"ns": ["ns1.pool.test."], "a": [["10.0.0.3"]]}}}
            (self.root / f"zones/{name}.json").write_text(json.dumps(text))
            wait_until(lambda: self.is_signed(program, name), 20, "it is there and signed")
        for name in names:
            (self.root / f"zones/{name}.json").unlink()
            wait_until(lambda: not self.is_signed(program, name), 20, "it is gone")
        over.set()
        for thread in threads:
            thread.join()
        # The denial of the zone above and the answer, both signed, and nothing else.
        for name in names:
            self.assertEqual(seen[name], {(0, False, True), (0, True, True)}, name)

    def test_a_zone_that_begins_to_be_signed_is_answered_without_a_gap(self):
        program = self.serve(zone="roll = false\n" + QUICK, name="none.test")
        self.assertEqual(dns.ask_udp(program.listening(), "pool.test").addresses, ["10.0.0.1"])
        config = program.config.read_text()
        # Without its keys, which another server brings.
        program.config.write_text(config.replace('"none.test"', '"pool.test"'))
        program.control("reload")
        self.assertEqual(dns.ask_udp(program.listening(), "pool.test").addresses, ["10.0.0.1"])
        self.assertIn("not there yet", self.zone(program)["problem"])
        program.config.write_text(config.replace('"none.test"', '"pool.test"').replace("roll = false", ""))
        program.control("reload")
        wait_until(lambda: self.is_signed(program), 20, "it is signed")


if __name__ == "__main__":
    main()
