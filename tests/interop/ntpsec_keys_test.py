"""NTPsec's ntpd and ntpdig and timepool-ntpd ask each other under symmetric keys."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from clients_agree_test import ntpdig  # noqa: E402
from networks_apart import THEIRS, ApartTest  # noqa: E402
from ntpsec import OURS, NtpsecTest  # noqa: E402
from programs import main, wait_until  # noqa: E402

# As ntp.keys(5) writes them: 20 characters and fewer are text, more are hexadecimal digits.
KEYS = {"AES": (11, "AES 000102030405060708090a0b0c0d0e0f"),
        "AES256": (12, "AES-256 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
        "SHA256": (13, "SHA256 open-sesame"), "SHA512": (15, "SHA512 open-sesame-again"),
        "SHA1": (16, "SHA1 tulip-and-daffodil"), "MD5": (17, "MD5 tulip-and-daffodil")}
WRONG = "11 AES ff0102030405060708090a0b0c0d0e0f\n"


def lines():
    return "".join(f"{number} {key}\n" for number, key in KEYS.values())


class Keys(ApartTest):
    def start_server(self):
        return self.start("timepool-ntpd", (
            f'[server]\nlisten = ["{OURS}:123"]\n[server.local]\nstratum = 2\nrefid = "GOOD"\n'
            f'[keys]\nfile = "{self.secret_file("ours", lines())}"\nallow_weak = true\n'))

    def reasons(self, server):
        return {name: count for name, count in
                server.control("counters")["server"]["reasons"].items() if count}


class NtpsecKeys(NtpsecTest, Keys):
    def start_keyed_ntpd(self, config, keys):
        self.start_ntpd(f"keys {self.secret_file('theirs', keys)}\n"
                        f"trustedkey {' '.join(str(number) for number, _ in KEYS.values())}\n{config}")

    def test_ntpd_of_ntpsec_is_our_keyed_client(self):
        server = self.start_server()
        self.start_keyed_ntpd(f"server {OURS} key 11 minpoll 0 maxpoll 0 iburst\n", lines())
        wait_until(lambda: len(self.offsets()) >= 2, 60,
                   f"ntpd measures us\n{self.log()}")
        self.assertEqual(set(self.reasons(server)), {"answered_keyed"})

    def test_ntpd_of_ntpsec_with_a_wrong_key_is_dropped(self):
        server = self.start_server()
        self.start_keyed_ntpd(f"server {OURS} key 11 minpoll 0 maxpoll 0 iburst\n", WRONG)
        wait_until(lambda: self.reasons(server).get("bad_digest", 0) >= 2, 60,
                   f"ntpd asks us\n{self.log()}")
        self.assertEqual(set(self.reasons(server)), {"bad_digest"})
        self.assertEqual(self.offsets(), [])

    def test_our_client_asks_ntpd_of_ntpsec_under_a_key(self):
        self.start_keyed_ntpd("restrict default\n", lines())
        for name, (number, _) in KEYS.items():
            with self.subTest(type=name):
                client = self.client(number, self.secret_file("ours", lines()))
                # It has no time to give, and says so under the key: a kiss that is called INIT.
                row = wait_until(lambda: self.answered(client), 20,
                                 f"a proved answer\n{self.log()}")
                self.assertIn(row["answer"]["reason"], ("kiss_other", "unsynchronised"))
        client = self.client(11, self.secret_file("ours", WRONG))
        wait_until(lambda: client.control("ntpdata")["sources"][0]["sent"] >= 3, 20, "requests")
        self.assertIsNone(client.control("ntpdata")["sources"][0]["answer"])

    # NTPsec has no symmetric mode: ntp.conf(5) calls peer an alias of server, removed for security
    # reasons, and what a peer sends it is dropped.
    def test_a_peer_in_the_configuration_of_ntpsec_is_our_keyed_client(self):
        server = self.start_server()
        self.start_keyed_ntpd(f"peer {OURS} key 11 minpoll 0 maxpoll 0\n", lines())
        wait_until(lambda: len(self.offsets()) >= 2, 60,
                   f"ntpd measures us\n{self.log()}")
        self.assertIn("peer deprecated, treated as server", self.log())
        self.assertEqual(set(self.reasons(server)), {"answered_keyed"})
        modes = server.control("counters")["server"]["modes"]
        self.assertEqual({mode for mode, count in modes.items() if count}, {"3"})

    def test_ntpd_of_ntpsec_answers_our_client_and_not_our_peer_under_the_same_key(self):
        self.start_keyed_ntpd("restrict default\n", lines())
        keys = self.secret_file("both", lines())
        both = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["{OURS}:123"]\n[server.local]\nstratum = 2\n'
            f'[sources]\nmin_sources = 1\n[keys]\nfile = "{keys}"\nallow_weak = true\n'
            f'[[peer]]\naddress = "{THEIRS}"\nkey = 11\nminpoll = 0\nmaxpoll = 0\n'))
        client = self.client(11, keys)
        wait_until(lambda: self.answered(client), 20, f"our client is answered\n{self.log()}")

        def packets():
            return both.control("ntpdata")["sources"][0]
        wait_until(lambda: packets()["sent"] >= 4, 20, "our peer sends")
        self.assertEqual(packets()["received"], 0)
        self.assertEqual(both.control("sources")["sources"][0]["reach"], 0)

    def client(self, number, keys):
        return self.start("timepool-ntpd", (
            "[sources]\nmin_sources = 1\n"
            f'[keys]\nfile = "{keys}"\nallow_weak = true\n'
            f'[[server]]\naddress = "{THEIRS}"\nkey = {number}\niburst = true\n'))

    def answered(self, client):
        rows = client.control("ntpdata")["sources"]
        return rows[0] if rows and rows[0]["answer"] else None


@unittest.skipUnless(ntpdig(), "Debian packages ntpsec-ntpdig and python3-ntp are not there")
class NtpdigKeys(Keys):
    def test_ntpdig_is_our_keyed_client(self):
        server = self.start_server()
        command, environment = ntpdig()
        for name, (number, _) in KEYS.items():
            with self.subTest(type=name):
                done = subprocess.run(
                    [*command, "-j", "-t", "5", "-a", str(number), "-k", self.secret_file("dig", lines()),
                     OURS], env=dict(os.environ, **environment), capture_output=True, text=True,
                    timeout=30, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertEqual(json.loads(done.stdout)["stratum"], 2)
        self.assertEqual(self.reasons(server), {"answered_keyed": len(KEYS)})


if __name__ == "__main__":
    main()
