"""timepool-ntpd and chronyd ask each other under symmetric keys, on loopback."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from chrony_test import CHRONYC, CHRONYD, Chronyd  # noqa: E402
from programs import ProgramTest, free_port, main, own_directory, wait_until  # noqa: E402

HEX = "000102030405060708090a0b0c0d0e0f"
# As chrony.keys(5) writes them; both programs read the same lines.
KEYS = {
    "AES128": (11, f"AES128 HEX:{HEX}"),
    "AES256": (12, f"AES256 HEX:{HEX}{HEX}"),
    "SHA256": (13, "SHA256 ASCII:open-sesame-open-sesame"),
    "SHA384": (14, f"SHA384 HEX:{HEX}{HEX}"),
    "SHA512": (70015, f"SHA512 HEX:{HEX}"),
    "SHA1": (16, "SHA1 ASCII:tulip-and-daffodil"),
    "MD5": (17, f"MD5 HEX:{HEX}"),
}
WRONG = HEX.replace("0f", "ff")


def lines(keys):
    return "".join(f"{number} {key}\n" for number, key in keys.values())


@unittest.skipUnless(CHRONYD and CHRONYC, "Debian package chrony is not there: chronyd or chronyc")
class ChronyKeys(ProgramTest):
    def key_file(self, text):
        path = own_directory(self.addCleanup) / "ntp.keys"
        path.write_text(text)
        path.chmod(0o600)
        return path

    def start_chronyd(self, config):
        chronyd = Chronyd(config)
        self.addCleanup(chronyd.close)
        return chronyd

    def start_server(self, keys):
        server = self.start("timepool-ntpd", (
            '[server]\nlisten = ["127.0.0.1:0"]\n[server.local]\nstratum = 1\nrefid = "GOOD"\n'
            f'[keys]\nfile = "{keys}"\nallow_weak = true\n'))
        return server, server.listening("server")[1]

    def start_client(self, sources, keys, more=""):
        return self.start("timepool-ntpd", (
            '[sources]\nmin_sources = 1\nauth_selection = "require"\n'
            f'[keys]\nfile = "{keys}"\nallow_weak = true\n{more}' + "".join(
                f'[[server]]\naddress = "{address}"\nport = {port}\nkey = {key}\nversion = {version}\n'
                "iburst = true\nminpoll = -2\nmaxpoll = -2\n"
                for address, port, key, version in sources)))

    def check_chronyd_as_client(self, number, key, version):
        server, port = self.start_server(self.key_file(f"{number} {key}\n"))
        chronyd = self.start_chronyd(
            f"keyfile {self.key_file(f'{number} {key}')}\nport 0\n"
            f"server 127.0.0.1 port {port} key {number} version {version} iburst minpoll -2 "
            "maxpoll -2\n")

        def selected():
            rows = chronyd.ask("sources")
            return rows and rows[0][1] == "*"
        wait_until(selected, 30, f"chronyd selects us by {key}\n{chronyd.output()}")
        self.assertEqual(chronyd.ask("authdata")[0][1], "SK")
        reasons = server.control("counters")["server"]["reasons"]
        self.assertEqual(reasons["answered_keyed"], sum(reasons.values()), reasons)

    def test_chronyd_is_our_keyed_client(self):
        for name, (number, key) in KEYS.items():
            # chronyd cuts long digests off in version 4 and sends them whole in version 3.
            for version in (4, 3) if name in ("AES128", "SHA256", "SHA512") else (4,):
                with self.subTest(type=name, version=version):
                    self.check_chronyd_as_client(number, key, version)

    def test_our_client_asks_chronyd_under_a_key(self):
        port = free_port()
        chronyd = self.start_chronyd(
            f"keyfile {self.key_file(lines(KEYS))}\nport {port}\nlocal stratum 3\nallow\n")
        # An address for each key: one address has one source.
        cases = [(name, number, version) for name, (number, _) in KEYS.items()
                 for version in ((4, 3) if name in ("AES128", "SHA256", "SHA512") else (4,))]
        client = self.start_client(
            [(f"127.0.0.{2 + i}", port, number, version)
             for i, (_, number, version) in enumerate(cases)], self.key_file(lines(KEYS)))

        def measured():
            rows = client.control("sources")["sources"]
            return rows if all(row["reach"] & 7 == 7 for row in rows) else None
        rows = wait_until(measured, 60, f"answers under all keys\n{chronyd.output()}")
        self.assertEqual(len(rows), len(cases))
        for row in client.control("selectdata")["sources"]:
            self.assertTrue(row["authenticated"], row)
        data = client.control("ntpdata")["sources"]
        self.assertEqual([row["key"] for row in data], [number for _, number, _ in cases])
        self.assertTrue(client.control("tracking")["synchronised"])

    def test_a_wrong_key_is_refused_both_ways(self):
        number, key = KEYS["AES128"]
        wrong = self.key_file(f"{number} AES128 HEX:{WRONG}\n")
        server, port = self.start_server(self.key_file(f"{number} {key}\n"))
        chronyd = self.start_chronyd(
            f"keyfile {wrong}\nport 0\n"
            f"server 127.0.0.1 port {port} key {number} iburst minpoll -2 maxpoll -2\n")
        wait_until(lambda: server.control("counters")["server"]["reasons"]["bad_digest"] >= 3, 30,
                   "our server drops what it can't verify")
        reasons = server.control("counters")["server"]["reasons"]
        self.assertEqual(reasons["bad_digest"], sum(reasons.values()), reasons)
        self.assertEqual(chronyd.ask("sources")[0][5], "0", "reach")

        other_port = free_port()
        self.start_chronyd(f"keyfile {self.key_file(lines(KEYS))}\nport {other_port}\n"
                           "local stratum 3\nallow\n")
        client = self.start_client([("127.0.0.1", other_port, number, 4)], wrong)
        row = wait_until(lambda: [r for r in client.control("sources")["sources"]
                                  if r["requests"] >= 3], 30, "our client asks chronyd")[0]
        self.assertEqual(row["reach"], 0)

    def test_our_client_uses_chronyds_interleaved_mode_under_a_key(self):
        port = free_port()
        number, _ = KEYS["AES128"]
        chronyd = self.start_chronyd(
            f"keyfile {self.key_file(lines(KEYS))}\nport {port}\nlocal stratum 3\nallow\n")
        client = self.start("timepool-ntpd", (
            "[sources]\nmin_sources = 1\n"
            f'[keys]\nfile = "{self.key_file(lines(KEYS))}"\n'
            f'[[server]]\naddress = "127.0.0.1"\nport = {port}\nkey = {number}\ninterleaved = true\n'
            "iburst = true\nminpoll = -2\nmaxpoll = -2\n"))

        def interleaved():
            row = client.control("ntpdata")["sources"]
            return row and row[0]["answer"] and row[0]["answer"].get("interleaved")
        wait_until(interleaved, 60, f"an interleaved answer\n{chronyd.output()}")


if __name__ == "__main__":
    main()
