"""A new timepool-dnsd takes the place of the one that runs: no query is lost, by UDP, TCP or TLS."""
import json
import select
import socket
import ssl
import struct
import threading
import time
import unittest

import certificates
from dns_messages import Reply, ask_udp, framed, query, read_tcp, udp_socket
from programs import endpoint, main, own_directory, wait_until
from successors import NotifySocket, TakeOverTest


class UdpLoad(threading.Thread):
    """Queries at a fixed rate from several sockets; each that has no answer in the end is lost."""
    RATE = 3000
    SOCKETS = 8
    PATIENCE = 10.0

    def __init__(self, address):
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.sent = 0
        self.waiting = set()
        self.wrong = 0
        self.sockets = []
        for _ in range(self.SOCKETS):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            s.setblocking(False)
            s.connect(address)
            self.sockets.append(s)
        self.wire = query("www.pool.test", number=0)

    def receive(self, wait):
        for s in select.select(self.sockets, [], [], wait)[0]:
            while True:
                try:
                    reply = s.recv(512)
                except BlockingIOError:
                    break
                token = (self.sockets.index(s), struct.unpack("!H", reply[:2])[0])
                self.wrong += token not in self.waiting or reply[3] & 15 != 0
                self.waiting.discard(token)

    def run(self):
        start = time.monotonic()
        while not self.over.is_set():
            while self.sent < (time.monotonic() - start) * self.RATE:
                at, number = self.sent % self.SOCKETS, self.sent // self.SOCKETS % 65536
                self.waiting.add((at, number))
                self.sent += 1
                self.sockets[at].send(struct.pack("!H", number) + self.wire[2:])
            self.receive(0.001)
        end = time.monotonic() + self.PATIENCE
        while self.waiting and time.monotonic() < end:
            self.receive(0.01)
        for s in self.sockets:
            s.close()


class StreamLoad(threading.Thread):
    """One connection after the other with three queries sent together; each without its three answers is
    lost."""

    def __init__(self, address, context=None):
        super().__init__(daemon=True)
        self.address = address
        self.context = context
        self.over = threading.Event()
        self.asked = 0
        self.lost = []

    def connect(self):
        plain = socket.create_connection(self.address, timeout=15)
        return self.context.wrap_socket(plain, server_hostname="dns.test") if self.context else plain

    def run(self):
        wire = b"".join(framed(query("www.pool.test", number=i)) for i in range(3))
        while not self.over.is_set():
            self.asked += 1
            try:
                with self.connect() as stream:
                    stream.sendall(wire)
                    if [read_tcp(stream).id for _ in range(3)] != [0, 1, 2]:
                        self.lost.append("other answers")
            except (OSError, EOFError) as error:
                self.lost.append(repr(error))


class TakeOver(TakeOverTest):
    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        zone = {"serial": 1, "ttl": 60, "max_hosts": 4, "data": {
            "": {"ns": ["ns1.pool.test."]}, "www": {"a": [["10.1.0.1", 1]]}}}
        (self.directory / "pool.test.json").write_text(json.dumps(zone))

    def config(self, listen="127.0.0.1:0", threads=1, tcp_threads=1, more=""):
        return (f'[server]\nlisten = ["{listen}"]\nthreads = {threads}\n'
                f'[tcp]\nthreads = {tcp_threads}\n[zones]\ndirectory = "{self.directory}"\n{more}')

    def serve(self, config):
        program = self.start("timepool-dnsd", config)
        program.address = program.listening()
        return program

    @unittest.skipIf(certificates.OPENSSL is None, "needs openssl (package openssl)")
    def test_no_query_is_lost_under_load(self):
        """Six processes after each other, with one thread more or fewer."""
        authority = certificates.Authority(self.directory)
        chain, key = authority.issue("dns", "DNS:dns.test")
        context = ssl.create_default_context(cafile=str(authority.certificate))
        tls = f'[tls]\nlisten = ["127.0.0.1:%d"]\n[[tls.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'
        program = self.serve(self.config(more=tls % 0))
        listen = "%s:%d" % program.address
        secure = endpoint(program.control("status")["tls_listen"][0])
        loads = [UdpLoad(program.address), StreamLoad(program.address), StreamLoad(secure, context)]
        for load in loads:
            load.start()
        for threads, tcp_threads in ((2, 1), (1, 3), (0, 2), (3, 1), (1, 1)):
            time.sleep(0.3)
            new = self.succeed(program, self.config(listen, threads, tcp_threads, tls % secure[1]))
            self.check_taken_over(program, new)
            status = new.control("status")
            self.assertEqual(status["listen"], [listen])
            self.assertEqual(status["tls_listen"], ["%s:%d" % secure])
            program = new
        time.sleep(0.3)
        for load in loads:
            load.over.set()
        for load in loads:
            load.join()
        udp, tcp, tls_load = loads
        print(f"5 take-overs: {udp.sent} queries by UDP, {len(udp.waiting)} lost; {tcp.asked} "
              f"connections by TCP, {len(tcp.lost)} lost; {tls_load.asked} by TLS, "
              f"{len(tls_load.lost)} lost")
        self.assertGreater(udp.sent, 3000)
        self.assertEqual(len(udp.waiting), 0)
        self.assertEqual(udp.wrong, 0)
        self.assertEqual(tcp.lost, [])
        self.assertEqual(tls_load.lost, [])
        self.assertGreater(tcp.asked, 20)
        self.assertGreater(tls_load.asked, 20)
        self.assertEqual(program.stop(), 0)
        self.assertFalse(program.socket.exists(), "the last one removes the control socket")

    def test_a_connection_that_is_open_is_answered_by_the_old_one_and_then_closed(self):
        program = self.serve(self.config())
        with socket.create_connection(program.address, timeout=20) as held:
            held.sendall(framed(query("www.pool.test", number=1)))
            self.assertEqual(read_tcp(held).id, 1)
            new = self.succeed(program, self.config("%s:%d" % program.address))
            wait_until(new.serves, 20, f"the new one answers\n{new.output()}")
            self.assertEqual(held.recv(1), b"")
        self.check_taken_over(program, new)

    def test_when_the_new_one_cannot_start_the_old_one_goes_on(self):
        program = self.serve(self.config())
        listen = "%s:%d" % program.address
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            new = self.succeed(program, self.config(f'{listen}", "127.0.0.1:{port}'))
            self.assertEqual(new.process.wait(20), 1)
        self.assertEqual(ask_udp(program.address, "www.pool.test").addresses, ["10.1.0.1"])
        with socket.create_connection(program.address, timeout=10) as stream:
            stream.sendall(framed(query("www.pool.test")))
            self.assertEqual(read_tcp(stream).addresses, ["10.1.0.1"])
        # It still takes in what changes, and another one may take over.
        new = self.succeed(program, self.config(listen))
        self.check_taken_over(program, new)

    def test_when_the_new_one_ends_half_way_the_old_one_goes_on_with_its_keys(self):
        """It has been asked to give up all but answering, and then nobody is there any more."""
        more = f'[dnssec]\ndirectory = "{self.directory}/keys"\n[[dnssec.zone]]\nname = "*"\n'
        program = self.serve(self.config(more=more))
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as control:
                control.settimeout(20)
                control.connect(str(program.socket))
                for phase in ("begin", "release"):
                    control.sendall(json.dumps({"command": "take-over", "phase": phase}).encode() + b"\n")
                    self.assertIn(b'"ok":true', control.recv(65536).replace(b" ", b""))
                self.assertEqual(ask_udp(program.address, "www.pool.test").addresses, ["10.1.0.1"])
                self.assertFalse(program.control("reload")["ok"])

            def goes_on():
                try:
                    return program.control("reload")["ok"]
                except OSError:  # it has noticed in this very moment
                    return False
            wait_until(goes_on, 20, "it goes on")
            self.assertEqual(ask_udp(program.address, "www.pool.test").addresses, ["10.1.0.1"])
        zone = {"serial": 2, "data": {"": {"ns": ["ns1.pool.test."]}, "www": {"a": [["10.1.0.2"]]}}}
        (self.directory / "pool.test.json").write_text(json.dumps(zone))
        wait_until(lambda: ask_udp(program.address, "www.pool.test").addresses == ["10.1.0.2"], 20,
                   "it takes in and signs what changes")
        wait_until(lambda: program.control("keys-roll", zone="pool.test", role="csk")["ok"], 20,
                   "the keys are its own again")

    def test_one_that_signs_what_was_not_signed_has_signatures_from_its_first_answer_on(self):
        program = self.serve(self.config())
        more = f'[dnssec]\ndirectory = "{self.directory}/keys"\n[[dnssec.zone]]\nname = "*"\n'
        seen, over = set(), threading.Event()

        def hammer():
            with udp_socket(program.address) as s:
                while not over.is_set():
                    s.send(query("www.pool.test", dnssec=True))
                    reply = Reply(s.recv(4096))
                    seen.add((reply.rcode, len(reply.answers)))

        thread = threading.Thread(target=hammer)
        thread.start()
        new = self.succeed(program, self.config("%s:%d" % program.address, more=more))
        self.check_taken_over(program, new)
        wait_until(lambda: (0, 2) in seen, 20, "a signature")
        over.set()
        thread.join()
        self.assertEqual(seen, {(0, 1), (0, 2)})

    def test_one_that_would_know_less_does_not_take_over(self):
        """Snapshots come from a manager, none is kept on disk, and the manager is away."""
        program = self.serve(self.config())
        key = "ab" * 32
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        url = "http://127.0.0.1:%d" % silent.getsockname()[1]
        silent.close()
        new = self.succeed(program, self.config(
            "%s:%d" % program.address, more=f'[snapshot]\nurls = ["{url}"]\npublic_keys = ["{key}"]\n'))
        self.assertEqual(new.process.wait(60), 1)
        self.assertIn("the one that runs knows more", program.output())
        self.assertEqual(ask_udp(program.address, "www.pool.test").addresses, ["10.1.0.1"])

    def test_a_restart_by_systemd_loses_nothing(self):
        """The sockets are kept with systemd, which gives them to the next process in any order."""
        program = self.serve(self.config())
        listen = "%s:%d" % program.address
        program.stop()
        notify = NotifySocket(program.directory)
        self.addCleanup(notify.close)
        first = self.succeed(program, self.config(listen), arguments=(),
                             environment={"NOTIFY_SOCKET": notify.path})
        wait_until(first.serves, 20, "it serves")
        wait_until(lambda: sorted(notify.kept) == ["dns-0", "dns-1"], 10, "both sockets are kept")
        udp, tcp = UdpLoad(program.address), StreamLoad(program.address)
        udp.start()
        # A connection that waits in the listening socket, and its query with it.
        time.sleep(0.3)
        self.assertEqual(first.stop(), 0)
        tcp.start()
        time.sleep(0.3)
        kept = notify.kept
        give = ('import os,sys\nos.dup2(int(sys.argv[1]),103)\nos.dup2(int(sys.argv[2]),104)\n'
                'os.dup2(103,3)\nos.dup2(104,4)\nos.closerange(5,110)\n'
                'os.environ.update(LISTEN_PID=str(os.getpid()),LISTEN_FDS="2",'
                'LISTEN_FDNAMES="dns-1:dns-0")\nos.execv(sys.argv[3],sys.argv[3:])\n')
        second = self.succeed(
            first, self.config(listen), arguments=(), environment={"NOTIFY_SOCKET": notify.path},
            wrap=("/usr/bin/python3", "-c", give, str(kept["dns-1"]), str(kept["dns-0"])),
            descriptors=(kept["dns-0"], kept["dns-1"]))
        wait_until(second.serves, 20, f"it serves\n{second.output()}")
        time.sleep(0.3)
        for load in (udp, tcp):
            load.over.set()
            load.join()
        print(f"a restart: {udp.sent} queries by UDP, {len(udp.waiting)} lost; {tcp.asked} "
              f"connections by TCP, {len(tcp.lost)} lost")
        self.assertEqual(len(udp.waiting), 0)
        self.assertEqual(tcp.lost, [])
        self.assertGreater(tcp.asked, 1)

    def test_sockets_of_a_socket_unit_are_taken(self):
        """Socket activation: systemd bound the port, and named the sockets as it likes."""
        program = self.serve(self.config())
        address = program.address
        program.stop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            udp.bind(address)
            tcp.bind(address)
            tcp.listen(16)
            give = ('import os,sys\nos.dup2(int(sys.argv[1]),103)\nos.dup2(int(sys.argv[2]),104)\n'
                    'os.dup2(103,3)\nos.dup2(104,4)\nos.closerange(5,110)\n'
                    'os.environ.update(LISTEN_PID=str(os.getpid()),LISTEN_FDS="2",'
                    'LISTEN_FDNAMES="dns.socket:dns.socket")\nos.execv(sys.argv[3],sys.argv[3:])\n')
            given = self.succeed(program, self.config("%s:%d" % address), arguments=(),
                                 wrap=("/usr/bin/python3", "-c", give, str(tcp.fileno()),
                                       str(udp.fileno())),
                                 descriptors=(tcp.fileno(), udp.fileno()))
            wait_until(given.serves, 20, f"it serves\n{given.output()}")
            self.assertEqual(ask_udp(address, "www.pool.test").addresses, ["10.1.0.1"])
            with socket.create_connection(address, timeout=10) as stream:
                stream.sendall(framed(query("www.pool.test")))
                self.assertEqual(read_tcp(stream).addresses, ["10.1.0.1"])


if __name__ == "__main__":
    main()
