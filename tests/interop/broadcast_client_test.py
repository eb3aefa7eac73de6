"""timepool-ntpd listens to broadcasts of chronyd, on networks of their own with a cable between.

chronyd does not sign broadcasts, and NTPsec has none at all: another process on chronyd's side adds the
proof. Requests are signed and answered by chronyd itself, which runs with -x and without CAP_SYS_TIME.
"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
INTEGRATION = str(pathlib.Path(__file__).resolve().parent.parent / "integration")
sys.path.insert(0, INTEGRATION)
from chrony_test import CHRONYD  # noqa: E402
from networks_apart import THEIRS, ApartTest  # noqa: E402
from programs import main, wait_until  # noqa: E402

SECRET = "000102030405060708090a0b0c0d0e0f"
KEY = f"11 SHA256 HEX:{SECRET}\n"
# What chronyd broadcasts to port 1123 goes on to port 123 in its name, with the proof.
SIGN = f"""
import hashlib, socket, struct, sys
sys.path.insert(0, sys.argv[1])
import golden_files
heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
heard.bind(("192.0.2.255", 1123))
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
while True:
    packet = heard.recv(2048)
    digest = hashlib.sha256(bytes.fromhex("{SECRET}") + packet).digest()[:20]
    signed = packet + struct.pack("!I", 11) + digest
    sender.sendto(golden_files.ip_packet(("{THEIRS}", 123), ("192.0.2.255", 123), signed),
                  ("192.0.2.255", 0))
"""


@unittest.skipUnless(CHRONYD, "Debian package chrony is not there: chronyd")
class BroadcastClient(ApartTest):
    def start_chronyd(self, port):
        self.start_there("chronyd", CHRONYD, "-x", "-d", "-u", "root", "-f", self.secret_file("conf", (
            f"keyfile {self.secret_file('theirs', KEY)}\nlocal stratum 3\nallow\ncmdport 0\n"
            f"bindcmdaddress /\npidfile {self.directory}/pid\n"
            f"broadcast 2 192.0.2.255 {port}\n")))

    def start_client(self):
        return self.start("timepool-ntpd", (
            f'[keys]\nfile = "{self.secret_file("ours", KEY)}"\n[sources]\nmin_sources = 1\n'
            '[[broadcast_client]]\ninterface = "ours"\nkey = 11\nfrom = ["192.0.2.0/24"]\n'))

    def reasons(self, client):
        return {name: count for name, count in
                client.control("counters")["client"]["reasons"].items() if count}

    def logs(self):
        return "".join(path.read_text() for path in self.directory.glob("*") if path.name != "pid")

    def test_broadcasts_of_chronyd_count_when_they_are_signed(self):
        self.start_chronyd(1123)
        self.start_there("signer", sys.executable, "-c", SIGN, INTEGRATION)
        client = self.start_client()

        def measured():
            rows = [row for row in client.control("sources")["sources"] if "offset_s" in row]
            return rows[0] if rows and rows[0]["reach"].bit_count() >= 4 else None
        try:
            row = wait_until(measured, 90, "four broadcasts that count")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}\n{client.output()}\n"
                                 f"{self.reasons(client)}") from None
        self.assertEqual((row["kind"], row["address"]), ("broadcast", f"{THEIRS}:123"))
        self.assertEqual((row["stratum"], row["poll"]), (3, 1))
        # Both read the same clock: the truth is 0.
        self.assertLessEqual(abs(row["offset_s"]), row["distance_s"], row)
        self.assertLess(abs(row["offset_s"]), 0.005, row)
        self.assertTrue(client.control("tracking")["synchronised"])

    def test_b33_broadcasts_of_chronyd_which_have_no_key_are_not_believed(self):
        self.start_chronyd(123)
        client = self.start_client()
        wait_until(lambda: self.reasons(client).get("not_authentic", 0) >= 3, 60,
                   f"broadcasts\n{self.logs()}\n{self.reasons(client)}")
        self.assertEqual(set(self.reasons(client)), {"not_authentic"})
        self.assertEqual(client.control("counters")["client"]["requests"], 0)
        self.assertFalse(client.control("tracking")["synchronised"])


if __name__ == "__main__":
    main()
