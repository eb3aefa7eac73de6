"""Whom timepool-ntpd serves and how often: access lists, rate limits, the list of its clients, and all
of it changed while it runs."""
import json
import socket
import subprocess

from programs import BINARY_DIR, ProgramTest, main, own_directory

REQUEST = bytes([0x23]) + bytes(39) + b"\x12\x34\x56\x78\x9a\xbc\xde\xf0"


def ask(port, source="127.0.0.1", timeout=2.0):
    """The reply to one request from `source`, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        client.bind((source, 0))
        client.sendto(REQUEST, ("127.0.0.1", port))
        try:
            return client.recv(2048)
        except socket.timeout:
            return None


class Limits(ProgramTest):
    def serve(self, more=""):
        program = self.start("timepool-ntpd", self.config(more))
        program.port = program.listening("server")[1]
        return program

    @staticmethod
    def config(more):
        return f'[server]\nlisten = ["127.0.0.1:0"]\n{more}[server.local]\nstratum = 1\n'

    def reasons(self, program):
        return program.control("counters")["server"]["reasons"]

    def file(self, text):
        path = own_directory(self.addCleanup) / "prefixes"
        path.write_text(text)
        return path

    def test_denied_prefixes_are_not_answered_and_files_and_reloads_count(self):
        path = self.file("# those\n127.0.0.2/32\n")
        rules = f'[server.access]\ndeny_files = ["{path}"]\n'
        program = self.serve(rules)
        self.assertIsNotNone(ask(program.port))
        self.assertIsNone(ask(program.port, "127.0.0.2", 0.3))
        self.assertEqual(self.reasons(program)["denied"], 1)
        path.write_text("127.0.0.3\n")
        self.assertTrue(program.control("reload")["ok"])
        self.assertIsNotNone(ask(program.port, "127.0.0.2"))
        self.assertIsNone(ask(program.port, "127.0.0.3", 0.3))
        # A file that is wrong changes nothing, and is named with its line.
        path.write_text("127.0.0.2\n127.0.0.1/8\n")
        self.assertIn("prefixes:2: \"127.0.0.1/8\"", program.control("reload")["error"])
        self.assertIsNotNone(ask(program.port, "127.0.0.2"))
        self.assertIsNone(ask(program.port, "127.0.0.3", 0.3))

    def test_an_interface_has_rules_of_its_own(self):
        rules = ('[server.access]\ndeny = ["127.0.0.0/8"]\n'
                 '[[server.access.interface]]\nname = "lo"\nallow = ["127.0.0.4/32"]\n')
        at_start = self.serve(rules)
        later = self.serve("threads = 1\n")
        self.assertIsNotNone(ask(later.port))
        later.write_config(self.config("threads = 1\n" + rules))
        self.assertEqual(later.control("reload")["needs_restart"], [])
        for program in (at_start, later):
            self.assertIsNone(ask(program.port, "127.0.0.1", 0.3))
            self.assertIsNotNone(ask(program.port, "127.0.0.4"))

    def test_limits_drop_and_kiss_and_change_without_forgetting_clients(self):
        def limits(burst):
            return ('[server.limits]\nexempt = []\naddress_rate = 0.001\nleak = 0\nkod = 1\n'
                    f'address_burst = {burst}\n')
        program = self.serve(limits(4))
        replies = [ask(program.port) for _ in range(6)]
        self.assertEqual([reply[1] for reply in replies], [1] * 4 + [0] * 2)
        kiss = replies[4]
        self.assertEqual((kiss[0], kiss[12:16], kiss[24:32]), (0xe4, b"RATE", REQUEST[40:48]))
        self.assertEqual(len(kiss), len(REQUEST))
        self.assertEqual(self.reasons(program)["rate_kod"], 2)
        program.write_config(self.config(limits(8)))
        self.assertEqual(program.control("reload")["needs_restart"], [])
        self.assertEqual([ask(program.port)[1] for _ in range(5)], [1] * 4 + [0])
        client = program.control("clients")["clients"][0]
        self.assertEqual((client["address"], client["requests"], client["dropped"], client["version"],
                          client["mode"]), ("127.0.0.1", 11, 3, 4, 3))
        program.write_config(self.config("[server.limits]\nenabled = false\n"))
        program.control("reload")
        self.assertEqual(ask(program.port)[1], 1)
        self.assertEqual(program.control("clients")["clients"][0]["requests"], 12)
        program.write_config(self.config("[server.limits]\nclients = 2048\n"))
        self.assertEqual(program.control("reload")["needs_restart"], ["server.limits.clients"])

    def test_loopback_is_exempt_by_default(self):
        program = self.serve('[server.limits]\naddress_rate = 0.001\naddress_burst = 1\n')
        self.assertTrue(all(ask(program.port)[1] == 1 for _ in range(20)))
        self.assertEqual(self.reasons(program)["answered_plain"], 20)

    def test_clients_of_all_workers_are_listed_by_how_much_they_ask(self):
        program = self.serve("threads = 2\n")
        for i, count in ((2, 3), (3, 9), (4, 6)):
            for _ in range(count):
                self.assertIsNotNone(ask(program.port, f"127.0.0.{i}"))
        run = [BINARY_DIR / "bin" / "timepool", "ntp", "clients", "--socket", str(program.socket)]
        answer = json.loads(subprocess.run([*run, "--json", "-n", "2"], check=True, capture_output=True,
                                           timeout=30).stdout)
        self.assertEqual([(it["address"], it["requests"]) for it in answer["clients"]],
                         [("127.0.0.3", 9), ("127.0.0.4", 6)])
        self.assertGreater(answer["clients"][0]["interval_s"], 0)
        self.assertGreaterEqual(answer["places"], 65536)
        text = subprocess.run(run, check=True, capture_output=True, text=True, timeout=30).stdout
        self.assertRegex(text, r"(?m)^127\.0\.0\.3 +9 +0 +4 +3 ")
        self.assertIn("places taken", text)
        self.assertIn("expected 1 to 1000", program.control("clients", count=0)["error"])
        observer = self.start("timepool-ntpd", "")
        self.assertIn("there is no [server]", observer.control("clients")["error"])

    def test_a_prefix_that_is_wrong_stops_the_start_with_its_place(self):
        path = self.file("10.0.0.0/8\nten\n")
        config = self.file(self.config(f'[server.access]\nallow_files = ["{path}"]\n'))
        done = subprocess.run([BINARY_DIR / "bin" / "timepool-ntpd", "--config", config], timeout=30,
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{path}:2: \"ten\"", done.stderr)


if __name__ == "__main__":
    main()
