"""timepool-ntpd keeps sources of NTS that are timepool-ntpd too: clocks that are wrong by years, programs that are
killed. All on loopback; nobody touches a clock: the client only observes, and servers lie by [server.test]. The ids
are those of the project's checklist of RFC 8915."""
import datetime
import json
import select
import socket
import struct
import threading
import time

from certificates import DAY, AuthorityTest
from programs import main, wait_until

YEARS = 1000 * DAY
COOKIE = 0x0204


class Relay:
    """Between a client and an NTP server: notes the cookie of each request."""

    def __init__(self):
        self.cookies = []
        self.server = None
        self.drop = False
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.port = self.front.getsockname()[1]
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        client = None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
            while not self.ended:
                # Each way for itself: an answer may come late.
                readable = select.select([self.front, back], [], [], 0.1)[0]
                if self.front in readable:
                    request, client = self.front.recvfrom(2048)
                    self.note(request)
                    if not self.drop and self.server is not None:
                        back.sendto(request, self.server)
                if back in readable:
                    self.front.sendto(back.recv(2048), client)

    def note(self, request):
        at = 48
        while at + 4 <= len(request):
            kind, length = struct.unpack(">HH", request[at:at + 4])
            if kind == COOKIE:
                self.cookies.append(request[at + 4:at + length])
            at += max(length, 4)

    def close(self):
        self.ended = True
        self.thread.join()
        self.front.close()


class NtsClient(AuthorityTest):
    AUTHORITY_DAYS = 3000

    def serve(self, number, begins=-DAY, ends=20 * DAY, more=""):
        """The port of its key establishment at 127.0.0.NUMBER."""
        address = f"127.0.0.{number}"
        chain, key = self.authority.issue(f"server{number}", f"IP:{address}", begins, ends)
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["{address}:0"]\n[server.local]\nstratum = 1\nrefid = "TEST"\n{more}'
            f'[nts.server]\nlisten = ["{address}:0"]\n'
            f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'))
        return server, server.listening("key_server")[1]

    def config(self, ports, more="", min_sources=1):
        out = (f'clock = "observe"\nstate_directory = "{self.directory}"\n'
               f'[sources]\nmin_sources = {min_sources}\nauth_selection = "require"\n{more}')
        for number, port in ports.items():
            out += (f'[[server]]\naddress = "127.0.0.{number}"\nnts = "require"\nnts_port = {port}\n'
                    f'nts_ca = ["{self.authority.certificate}"]\niburst = true\nminpoll = 0\nmaxpoll = 0\n')
        return out

    def sources(self, client):
        return {it["source"].rsplit(".", 1)[1]: it for it in client.control("authentication")["sources"]}

    def years_ahead(self):
        """Three servers whose time is years ahead, with certificates of that time, and one with one of today."""
        lie = '[server.test]\noffset = "1000d"\n'
        ports = {number: self.serve(number, YEARS - DAY, YEARS + 20 * DAY, lie)[1] for number in (1, 2, 3)}
        ports[4] = self.serve(4, more=lie)[1]
        return ports

    def test_kec9_a_clock_that_is_years_behind(self):
        ports = self.years_ahead()
        client = self.start("timepool-ntpd", self.config(
            ports, "[nts.client]\nunchecked_updates = 1\n", min_sources=3))

        def settled():
            judged = {number: it.get("nts", {}).get("certificate_judged") for number, it in self.sources(client).items()}
            return judged == {"1": "agreed", "2": "agreed", "3": "agreed", "4": None}
        wait_until(settled, 60, f"three hold, and the fourth is dropped\n{client.output()}")
        self.assertTrue(client.control("tracking")["synchronised"])
        self.assertAlmostEqual(client.control("tracking")["offset_s"], YEARS.total_seconds(), delta=60)
        self.assertIn("does not hold at the time that is agreed on", client.output())
        # Its keys are wanted anew, and its certificate is judged by the time that is agreed on.
        wait_until(lambda: client.control("security")["key_establishments"].get("tls_expired"), 60, "refused")
        self.assertFalse(self.sources(client)["4"]["proved"])

    def test_kec9_by_default_dates_must_hold_by_the_system_clock(self):
        ports = self.years_ahead()
        client = self.start("timepool-ntpd", self.config(ports))
        wait_until(lambda: client.control("security")["key_establishments"].get("tls_not_yet_valid", 0) >= 3, 30,
                   f"refused\n{client.output()}")
        for number in "123":
            self.assertNotIn("nts", self.sources(client)[number])

    def test_kec9_unchecked_dates_need_a_quorum(self):
        ports = self.years_ahead()
        client = self.start("timepool-ntpd", self.config(
            {number: ports[number] for number in (1, 2)}, "[nts.client]\nunchecked_updates = 1\n"))
        wait_until(lambda: all(it["proved"] for it in self.sources(client).values()), 30,
                   f"both answer\n{client.output()}")
        selection = client.control("selectdata")["sources"]
        self.assertEqual({it["cause"] for it in selection}, {"waits_for_others"}, selection)
        self.assertFalse(client.control("tracking")["synchronised"])

    def test_kec9_what_ended_before_the_last_good_time_is_refused(self):
        ports = {number: self.serve(number)[1] for number in (1, 2, 3)}
        ports[4] = self.serve(4, -30 * DAY, -9 * DAY)[1]
        good = datetime.datetime.now(datetime.timezone.utc) - 2 * DAY
        (self.directory / "clock.json").write_text(json.dumps(
            {"version": 1, "was_set": True, "last_good": good.strftime("%Y-%m-%dT%H:%M:%SZ")}))
        client = self.start("timepool-ntpd", self.config(
            ports, "[nts.client]\nunchecked_updates = 1000000\n"))
        wait_until(lambda: sum(it["proved"] for it in self.sources(client).values()) == 3, 30,
                   f"three prove themselves\n{client.output()}")
        self.assertEqual({it["nts"]["certificate_judged"] for it in self.sources(client).values() if "nts" in it},
                         {"not"})
        wait_until(lambda: client.control("security")["key_establishments"].get("tls_expired"), 30, "the fourth")

    def test_a_killed_client_establishes_no_keys_and_reuses_no_cookie(self):
        relay = Relay()
        self.addCleanup(relay.close)
        server, port = self.serve(1, more="")
        relay.server = host, ntp_port = server.listening("server")
        chain, key = self.directory / "server1.pem", self.directory / "server1.key"
        server.write_config(
            f'[server]\nlisten = ["{host}:{ntp_port}"]\n[server.local]\nstratum = 1\nrefid = "TEST"\n'
            f'[nts.server]\nlisten = ["127.0.0.1:{port}"]\n'
            f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'
            f'[[nts.server.ntp_server]]\nname = "127.0.0.1"\nport = {relay.port}\n')
        self.assertTrue(server.control("reload")["ok"], server.output())
        for run in range(5):
            before = len(relay.cookies)
            client = self.start("timepool-ntpd", self.config({1: port}))
            # The last runs are killed while nobody answers.
            relay.drop = run >= 3
            wait_until(lambda: len(relay.cookies) > before + (0 if relay.drop else 3), 30,
                       f"it asks\n{client.output()}")
            # What was answered is on the disk soon.
            time.sleep(0 if relay.drop else 3)
            client.process.kill()
            client.process.wait()
        established = server.control("counters")["key_server"]["outcomes"]["established"]
        self.assertEqual(established, 1)
        self.assertEqual(len(set(relay.cookies)), len(relay.cookies), "a cookie was sent twice")
        saved = self.directory / "nts-sessions.bin"
        self.assertEqual(saved.stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    main()
