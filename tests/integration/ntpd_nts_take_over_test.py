"""timepool-ntpd with Network Time Security changes its process: no key establishment is lost, and none
is needed for it."""
import contextlib
import os
import socket
import ssl
import struct
import sys

from certificates import AuthorityTest
from programs import endpoint, main, wait_until
from successors import NotifySocket, TakeOverTest

# RFC 8915 4: NTPv4, AES-SIV-CMAC-256, the end.
REQUEST = struct.pack("!HHHHHHHH", 0x8001, 2, 0, 0x8004, 2, 15, 0x8000, 0)
# As systemd does (sd_listen_fds): descriptors from the third on, for this process. Arguments: the
# names, the descriptors, "--", the command.
GIVE = """
import os, sys
names, *numbers = sys.argv[1:sys.argv.index("--")]
command = sys.argv[sys.argv.index("--") + 1:]
high = [os.dup2(int(number), 100 + i) for i, number in enumerate(numbers)]
for i, number in enumerate(high):
    os.dup2(number, 3 + i)
os.closerange(3 + len(high), 100 + len(high))
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(high)), LISTEN_FDNAMES=names)
os.execv(command[0], command)
"""


class NtsTakeOver(AuthorityTest, TakeOverTest):
    def setUp(self):
        super().setUp()
        self.chain, self.key = self.authority.issue("server", "DNS:localhost,IP:127.0.0.1")

    def server_settings(self, ntp="127.0.0.1:0", keys="127.0.0.1:0"):
        return (f'state_directory = "{self.directory}"\n[server]\nlisten = ["{ntp}"]\n'
                '[server.local]\nstratum = 1\nrefid = "TEST"\n'
                f'[nts.server]\nlisten = ["{keys}"]\n'
                f'[[nts.server.certificate]]\nchain = "{self.chain}"\nkey = "{self.key}"\n')

    def start_server(self):
        server = self.start("timepool-ntpd", self.server_settings())
        return server, *self.addresses(server)

    def addresses(self, server):
        status = server.control("status")
        return [status[half]["listen"][0] for half in ("server", "key_server")]

    def client_settings(self, ntp, keys):
        state = self.directory / "client"
        state.mkdir(exist_ok=True)
        return (f'state_directory = "{state}"\n'
                '[sources]\nmin_sources = 1\nauth_selection = "require"\n'
                f'[[server]]\naddress = "127.0.0.1"\nnts = "require"\nnts_port = {endpoint(keys)[1]}\n'
                f'nts_ca = ["{self.authority.certificate}"]\niburst = true\nminpoll = 0\nmaxpoll = 0\n')

    def source(self, client):
        return client.control("sources")["sources"][0]

    def wait_selected(self, client):
        wait_until(lambda: self.source(client)["status"] == "selected", 30, "selected by NTS")

    def test_a_take_over_of_a_client_takes_its_cookies_along(self):
        server, ntp, keys = self.start_server()
        client = self.start("timepool-ntpd", self.client_settings(ntp, keys))
        self.wait_selected(client)
        for _ in range(3):
            age = self.source(client)["nts"]["key_age_s"]
            new = self.succeed(client)
            self.check_taken_over(client, new)
            self.wait_selected(new)
            wait_until(lambda: self.source(new)["requests"] >= 3, 20, "it asks")
            source = self.source(new)
            self.assertTrue(source["nts"]["proven"])
            self.assertGreater(source["nts"]["key_age_s"], age, "the keys are the same")
            self.assertEqual(new.control("security")["key_establishments"], {})
            client = new
        # NC5: no cookie came twice, or its answer would have told; NC10: none stays on the disk.
        counters = server.control("counters")
        self.assertEqual(counters["key_server"]["outcomes"]["established"], 1)
        self.assertEqual(counters["server"]["reasons"]["nts_nak"], 0)
        self.assertEqual(client.stop(), 0)

    def begun(self, address):
        """A connection that waits with all that a client says first, unanswered as yet."""
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.set_alpn_protocols(["ntske/1"])
        connection = socket.create_connection(endpoint(address), timeout=30)
        self.addCleanup(connection.close)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        connection.sendall(outgoing.read())
        return connection, tls, incoming, outgoing

    def finish(self, connection, tls, incoming, outgoing):
        """The octets of the response."""
        answer = b""
        asked = False
        while True:
            try:
                if not asked:
                    tls.do_handshake()
                    tls.write(REQUEST)
                    asked = True
                else:
                    part = tls.read(65536)
                    if not part:
                        return answer
                    answer += part
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                octets = connection.recv(65536)
                if not octets:
                    return answer
                incoming.write(octets)
            except ssl.SSLZeroReturnError:
                return answer
            connection.sendall(outgoing.read())

    def check_response(self, answer):
        kinds = []
        while answer:
            kind, size = struct.unpack("!HH", answer[:4])
            kinds.append(kind & 0x7fff)
            answer = answer[4 + size:]
        self.assertEqual(kinds.count(5), 8, kinds)

    def test_a_restart_by_systemd_loses_no_key_establishment(self):
        """What listens for keys lies with systemd too, and comes back in any order."""
        server, ntp, keys = self.start_server()
        server.stop()
        notify = NotifySocket(self.directory)
        self.addCleanup(notify.close)
        settings = self.server_settings(ntp, keys)
        first = self.succeed(server, settings, environment={"NOTIFY_SOCKET": notify.path})
        wait_until(first.serves, 20, "it serves")
        wait_until(lambda: len(notify.kept) == 2, 10, "both sockets are kept")
        self.check_response(self.finish(*self.begun(keys)))
        self.assertEqual(first.stop(), 0)
        # Nobody is there; who comes now waits.
        waiting = [self.begun(keys) for _ in range(20)]
        names = sorted(notify.kept, reverse=True)
        numbers = [notify.kept[name] for name in names]
        second = self.succeed(first, settings, arguments=(), descriptors=numbers, wrap=(
            sys.executable, "-c", GIVE, ":".join(names), *map(str, numbers), "--"))
        wait_until(second.serves, 20, "it serves")
        for one in waiting:
            self.check_response(self.finish(*one))
        wait_until(lambda: second.control("counters")["key_server"]["outcomes"]["established"] == 20,
                   10, "each is counted")

    def test_sockets_of_a_unit_of_systemd_are_taken_by_their_addresses(self):
        """Socket activation: all carry the unit's own name."""
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.create_server(("127.0.0.1", 0), backlog=64)
        for one in (udp, tcp):
            self.addCleanup(one.close)
        udp.bind(("127.0.0.1", 0))
        ntp, keys = (f"127.0.0.1:{one.getsockname()[1]}" for one in (udp, tcp))
        waiting = self.begun(keys)
        server = self.start("timepool-ntpd", self.server_settings("127.0.0.1:0", "127.0.0.1:0"))
        self.assertEqual(server.stop(), 0)
        numbers = (tcp.fileno(), udp.fileno())
        given = self.succeed(server, self.server_settings(ntp, keys), arguments=(),
                             descriptors=numbers, wrap=(
            sys.executable, "-c", GIVE, "timepool-ntpd.socket:timepool-ntpd.socket",
            *map(str, numbers), "--"))
        wait_until(given.serves, 20, "it serves")
        self.assertEqual(self.addresses(given), [ntp, keys])
        # It accepts at the very socket: who waited there is served, and a new one.
        self.check_response(self.finish(*waiting))
        self.check_response(self.finish(*self.begun(keys)))
        inodes = {os.readlink(f"/proc/{given.process.pid}/fd/{number}")
                  for number in os.listdir(f"/proc/{given.process.pid}/fd")
                  if os.path.lexists(f"/proc/{given.process.pid}/fd/{number}")}
        for one in (udp, tcp):
            self.assertIn(os.readlink(f"/proc/self/fd/{one.fileno()}"), inodes)


if __name__ == "__main__":
    main()
