"""A new timepool-ntpd takes the place of the one that runs: no request is lost, and whatever fails on
the way, one of the two serves on."""
import json
import os
import pathlib
import pwd
import select
import shutil
import socket
import struct
import subprocess
import threading
import time

from programs import endpoint, main, own_directory, wait_until
from successors import NotifySocket, TakeOverTest

LOCAL = '[server.local]\nstratum = 1\nrefid = "TEST"\n'


class Load(threading.Thread):
    """Requests at a fixed rate from several sockets; each that has no answer in the end is lost."""
    RATE = 5000
    SOCKETS = 16
    PATIENCE = 5.0

    def __init__(self, address, seconds):
        super().__init__(daemon=True)
        self.seconds = seconds
        self.sent = 0
        self.waiting = set()
        self.invalid = 0
        self.longest = 0.0
        self.unsynchronised = 0
        self.sockets = []
        for _ in range(self.SOCKETS):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            s.setblocking(False)
            s.connect(address)
            self.sockets.append(s)
        self.poll = select.poll()
        for s in self.sockets:
            self.poll.register(s, select.POLLIN)
        self.by_number = {s.fileno(): s for s in self.sockets}

    def receive(self, wait_ms):
        for number, _ in self.poll.poll(wait_ms):
            while True:
                try:
                    reply = self.by_number[number].recv(256)
                except BlockingIOError:
                    break
                (token,) = struct.unpack("!Q", reply[24:32])
                if len(reply) != 48 or token not in self.waiting:
                    self.invalid += 1
                    continue
                self.waiting.remove(token)
                self.unsynchronised += reply[0] >> 6 == 3

    def run(self):
        start = time.monotonic()
        while True:
            now = time.monotonic() - start
            if now >= self.seconds:
                break
            while self.sent < now * self.RATE:
                self.sent += 1
                # A refused port (ICMP) shows as an error of the next call: then it counts as lost.
                try:
                    self.sockets[self.sent % self.SOCKETS].send(
                        b"\x23" + bytes(39) + struct.pack("!Q", self.sent))
                except OSError:
                    pass
                self.waiting.add(self.sent)
            self.receive(1)
        end = time.monotonic() + self.PATIENCE
        while self.waiting and time.monotonic() < end:
            self.receive(10)
        for s in self.sockets:
            s.close()


class TakeOver(TakeOverTest):
    def serve(self, threads=2, listen='"127.0.0.1:0"', **more):
        program = self.start("timepool-ntpd",
                             f"[server]\nlisten = [{listen}]\nthreads = {threads}\n{LOCAL}", **more)
        program.addresses = self.addresses(program)
        return program

    @staticmethod
    def addresses(program):
        return [endpoint(text) for text in program.control("status")["server"]["listen"]]

    def config(self, address, threads, more=LOCAL):
        return f'[server]\nlisten = ["{address[0]}:{address[1]}"]\nthreads = {threads}\n{more}'

    def answered(self, address):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(address)
            s.settimeout(3)
            s.send(b"\x23" + bytes(47))
            try:
                return s.recv(100)
            except OSError:
                return None

    def test_no_request_is_lost_under_load(self):
        """Six processes after each other, with one thread more or fewer, at 5,000 requests a second."""
        program = self.serve(threads=2)
        address = program.addresses[0]
        load = Load(address, 5.0)
        load.start()
        for threads in (2, 3, 1, 0, 2):
            time.sleep(0.5)
            new = self.succeed(program, self.config(address, threads))
            self.check_taken_over(program, new)
            self.assertEqual(self.addresses(new), [address])
            program = new
        load.join()
        self.assertGreater(load.sent, 24000)
        self.assertEqual(len(load.waiting), 0, f"{len(load.waiting)} of {load.sent} are lost")
        self.assertEqual(load.invalid, 0)
        self.assertEqual(load.unsynchronised, 0)
        print(f"{load.sent} requests, 5 take-overs, {len(load.waiting)} lost")
        self.assertEqual(program.stop(), 0)
        self.assertFalse(program.socket.exists(), "the last one removes the control socket")

    def test_the_control_socket_refuses_nobody_meanwhile(self):
        program = self.serve(threads=1)
        address = program.addresses[0]
        failures = []
        over = threading.Event()
        pids = set()

        def ask():
            while not over.is_set():
                try:
                    # One that blocks: while the queue is full it waits, and is not refused.
                    with socket.socket(socket.AF_UNIX) as connection:
                        connection.connect(str(program.socket))
                except OSError as error:
                    failures.append(error)
                time.sleep(0.0005)
        asking = threading.Thread(target=ask)
        asking.start()
        for _ in range(3):
            new = self.succeed(program, self.config(address, 1))
            self.check_taken_over(program, new)
            pids.add(new.process.pid)
            program = new
        over.set()
        asking.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(pids), 3)

    def test_addresses_that_came_and_went(self):
        program = self.serve(listen='"127.0.0.1:0", "127.0.0.2:0"')
        kept, dropped = program.addresses
        new = self.succeed(program, f'[server]\nlisten = ["{kept[0]}:{kept[1]}", "127.0.0.3:0"]\n'
                                    f'threads = 2\n{LOCAL}')
        self.check_taken_over(program, new)
        first, added = self.addresses(new)
        self.assertEqual(first, kept)
        self.assertEqual(added[0], "127.0.0.3")
        self.assertIsNotNone(self.answered(kept))
        self.assertIsNotNone(self.answered(added))
        self.assertIsNone(self.answered(dropped))

    def test_with_nobody_there_it_starts_as_usual(self):
        program = self.serve(threads=0)
        self.assertEqual(program.stop(), 0)
        again = self.succeed(program, self.config(program.addresses[0], 0))
        wait_until(again.serves, 10, "it serves")
        self.assertIn("nobody to take over from", again.output())

    def test_without_the_flag_a_second_one_is_refused(self):
        program = self.serve(threads=0)
        second = self.succeed(program, arguments=())
        self.assertEqual(second.process.wait(10), 1)
        self.assertIn("another program listens there", program.output())
        self.assertIsNotNone(self.answered(program.addresses[0]))

    def test_when_the_new_one_cannot_start_the_old_one_goes_on(self):
        program = self.serve()
        address = program.addresses[0]
        blocker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(blocker.close)
        blocker.bind(("127.0.0.1", 0))
        host, port = blocker.getsockname()
        failing = self.succeed(program, f'[server]\nlisten = ["{address[0]}:{address[1]}", '
                                        f'"{host}:{port}"]\nthreads = 2\n{LOCAL}')
        self.assertEqual(failing.process.wait(10), 1)
        self.assertIn("Address already in use", program.output())
        self.assertIsNotNone(self.answered(address))
        self.assertTrue(program.socket.exists())
        # What comes after "release": the port of the metrics is taken.
        tcp = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(tcp.close)
        failing = self.succeed(program, self.config(address, 2) +
                               f'[metrics]\nlisten = "127.0.0.1:{tcp.getsockname()[1]}"\n')
        self.assertEqual(failing.process.wait(10), 1)
        wait_until(lambda: "this one goes on" in program.output(), 10, "the old one goes on")
        self.assertIsNotNone(self.answered(address))
        self.assertEqual(program.control("status")["pid"], program.process.pid)
        new = self.succeed(program, self.config(address, 2))
        self.check_taken_over(program, new)

    def as_nobody(self):
        """A running daemon that became nobody, with a peer under a key on the port of its server."""
        if os.geteuid() != 0:
            self.skipTest("needs root, to become somebody else")
        directory = own_directory(self.addCleanup)
        os.chmod(directory, 0o755)
        keys = directory / "ntp.keys"
        keys.write_text("10 AES128 HEX:000102030405060708090a0b0c0d0e0f\n")
        keys.chmod(0o600)
        nobody = pwd.getpwnam("nobody")
        for path in (directory, keys):
            shutil.chown(path, nobody.pw_uid, nobody.pw_gid)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]

        def config(peer=9, listen="", user="nobody", more=""):
            return (f'[server]\nlisten = ["127.0.0.1:{port}"{listen}]\nthreads = 2\n{LOCAL}'
                    f'[keys]\nfile = "{keys}"\n[sources]\nmin_sources = 1\n'
                    f'[[peer]]\naddress = "127.0.0.1"\nport = {peer}\nkey = 10\nminpoll = 0\n'
                    f'[sandbox]\nuser = "{user}"\n{more}')
        program = self.start("timepool-ntpd", config(), directory=directory)
        program.addresses = [("127.0.0.1", port)]
        return program, config, nobody.pw_uid

    def owners(self, program):
        """Users of the UDP sockets that are not connected, and of the control socket's file."""
        bound = {line.split()[9] for line in
                 pathlib.Path(f"/proc/{program.process.pid}/net/udp").read_text().splitlines()[1:]
                 if line.split()[2].endswith(":0000")}
        out = [program.socket.stat().st_uid]
        for it in pathlib.Path(f"/proc/{program.process.pid}/fd").iterdir():
            try:
                name, owner = os.readlink(it), it.stat().st_uid
            except FileNotFoundError:  # closed meanwhile: a connection that was just answered
                continue
            if name.startswith("socket:[") and name[8:-1] in bound:
                out.append(owner)
        return out

    def check_a_new_peer_has_the_port_of_the_server(self, program, config):
        program.write_config(config(peer=10))
        self.assertTrue(program.control("reload")["ok"])
        wait_until(lambda: program.control("counters")["client"]["requests"] > 0, 20,
                   f"the peer is told our time\n{program.output()}")
        self.assertEqual(program.control("counters")["client"]["send_failures"], 0)

    def test_a_start_that_fails_gives_the_sockets_back_to_the_user_of_the_old_one(self):
        program, config, nobody = self.as_nobody()
        self.assertEqual(self.owners(program), [nobody] * 3)
        blocker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(blocker.close)
        blocker.bind(("127.0.0.1", 0))
        # Before the new one has become nobody, and after that.
        tcp = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(tcp.close)
        for failing in (config(listen=f', "127.0.0.1:{blocker.getsockname()[1]}"'),
                        config(more=f'[metrics]\nlisten = "127.0.0.1:{tcp.getsockname()[1]}"\n')):
            new = self.succeed(program, failing)
            self.assertEqual(new.process.wait(10), 1)
            self.assertIn("Address already in use", program.output())
            self.assertEqual(self.owners(program), [nobody] * 3)
        self.assertIsNotNone(self.answered(program.addresses[0]))
        self.check_a_new_peer_has_the_port_of_the_server(program, config)
        program.write_config(config())
        self.check_taken_over(program, self.succeed(program, config()))

    def test_the_user_may_not_change_on_the_way(self):
        program, config, nobody = self.as_nobody()
        for user, problem in (("daemon", "belong to user 65534 and this one would be user 1"),
                              ("no-such-user", "user no-such-user: there is none"),
                              ("", "belong to user 65534 and this one would be user 0")):
            new = self.succeed(program, config(user=user))
            self.assertEqual(new.process.wait(10), 1)
            self.assertIn(problem, program.output())
            self.assertEqual(self.owners(program), [nobody] * 3)
        self.assertIsNotNone(self.answered(program.addresses[0]))
        self.check_a_new_peer_has_the_port_of_the_server(program, config)

    def conversation(self, program):
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.settimeout(30)
        connection.connect(str(program.socket))

        def say(phase, **more):
            connection.sendall(json.dumps({"command": "take-over", "phase": phase, **more}).encode()
                               + b"\n")
            data, descriptors, _, _ = socket.recv_fds(connection, 65536, 64)
            for number in descriptors:
                os.close(number)
            return json.loads(data), len(descriptors)
        return connection, say

    def test_a_new_one_that_dies_half_way_leaves_the_old_one_serving(self):
        source = self.serve(threads=0)
        host, port = source.addresses[0]
        program = self.start("timepool-ntpd", (
            '[server]\nlisten = ["127.0.0.1:0"]\nthreads = 2\n[sources]\nmin_sources = 1\n'
            f'[[sources.server]]\naddress = "{host}"\nport = {port}\niburst = true\n'
            'minpoll = -3\nmaxpoll = -3\n'))
        address = self.addresses(program)[0]
        for last in ("begin", "release", "stop"):
            connection, say = self.conversation(program)
            for phase in ("begin", "release", "stop"):
                answer, _ = say(phase)
                self.assertTrue(answer["ok"], answer)
                if phase == "release":
                    reload = program.control("reload")
                    self.assertIn("another process is taking over", reload["error"])
                if phase == last:
                    break
            if last == "stop":
                # Nobody answers now; what is asked waits.
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                    s.connect(address)
                    s.send(b"\x23" + bytes(47))
                    self.assertFalse(select.select([s], [], [], 0.3)[0])
                    connection.close()
                    self.assertTrue(select.select([s], [], [], 5)[0], "it was lost")
            connection.close()
            self.assertIsNotNone(self.answered(address), last)
            wait_until(lambda: program.control("sources")["sources"][0]["reach"] & 1, 10,
                       "its source is measured again")

    def test_phases_come_in_their_order_and_on_one_connection(self):
        program = self.serve()
        _, say = self.conversation(program)
        self.assertIn("was not begun", say("release")[0]["error"])
        answer, _ = say("begin")
        self.assertEqual(answer["pid"], program.process.pid)
        self.assertEqual(answer["descriptors"], 3)
        self.assertEqual(say("descriptors", first=0), ({"ok": True, "count": 3}, 3))
        self.assertEqual(say("descriptors", first=2), ({"ok": True, "count": 1}, 1))
        for wrong in (-1, 3, "x", None):
            self.assertIn("first", say("descriptors", first=wrong)[0]["error"])
        self.assertIn("does not come next", say("stop")[0]["error"])
        self.assertIn("does not come next", say("confirm")[0]["error"])
        _, other = self.conversation(program)
        self.assertIn("is at it already", other("begin")[0]["error"])
        self.assertIn("was not begun on this connection", other("release")[0]["error"])
        self.assertIsNotNone(self.answered(program.addresses[0]))

    def test_another_user_may_not(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to be somebody else")
        program = self.serve()
        program.directory.chmod(0o755)
        program.socket.chmod(0o666)
        code = ("import json,os,socket,sys\nos.setuid(65534)\ns=socket.socket(socket.AF_UNIX)\n"
                "s.connect(sys.argv[1])\n"
                "s.sendall(b'{\"command\":\"take-over\",\"phase\":\"begin\"}\\n')\n"
                "print(s.recv(4096).decode())")
        done = subprocess.run(["/usr/bin/python3", "-c", code, str(program.socket)],
                              capture_output=True, text=True, timeout=20)
        self.assertIn("only root and user 0 may, not user 65534", done.stdout, done.stderr)

    def test_systemd_follows_the_new_process(self):
        notify = None
        directory = None
        program = self.serve()
        directory = program.directory
        program.stop()
        notify = NotifySocket(directory)
        self.addCleanup(notify.close)
        first = self.succeed(program, self.config(program.addresses[0], 2),
                             environment={"NOTIFY_SOCKET": notify.path, "WATCHDOG_USEC": "400000"})
        wait_until(first.serves, 10, "it serves")
        second = self.succeed(first, self.config(program.addresses[0], 2))
        self.check_taken_over(first, second)
        wait_until(lambda: sum("READY" in m for m in notify.messages) == 2, 10, "both are ready")
        kinds = [m for m in notify.messages if "MAINPID" in m or "READY" in m]
        self.assertEqual(kinds[1], {"MAINPID": str(second.process.pid)})
        self.assertIn("READY", kinds[2], "only then the new one, at the socket of the old")
        self.assertFalse(any("STOPPING" in m for m in notify.messages))
        seen = len(notify.messages)
        wait_until(lambda: any("WATCHDOG" in m for m in notify.messages[seen:]), 10,
                   "the new one keeps the watchdog")
        self.assertEqual(sorted(notify.kept), ["ntp-0", "ntp-1"])

    def test_a_restart_by_systemd_loses_nothing(self):
        """The sockets are kept with systemd, which gives them to the next process in any order."""
        program = self.serve()
        address = program.addresses[0]
        program.stop()
        notify = NotifySocket(program.directory)
        self.addCleanup(notify.close)
        first = self.succeed(program, self.config(address, 2),
                             environment={"NOTIFY_SOCKET": notify.path})
        wait_until(first.serves, 10, "it serves")
        wait_until(lambda: len(notify.kept) == 2, 10, "both sockets are kept")
        load = Load(address, 3.0)
        load.start()
        time.sleep(0.5)
        self.assertEqual(first.stop(), 0)
        # As systemd does: from descriptor 3 on, named, for this process id; here the second first.
        kept = notify.kept
        give = ('import os,sys\nos.dup2(int(sys.argv[1]),103)\nos.dup2(int(sys.argv[2]),104)\n'
                'os.dup2(103,3)\nos.dup2(104,4)\nos.closerange(5,110)\n'
                'os.environ.update(LISTEN_PID=str(os.getpid()),LISTEN_FDS="2",'
                'LISTEN_FDNAMES="ntp-1:ntp-0")\nos.execv(sys.argv[3],sys.argv[3:])\n')
        second = self.succeed(
            first, self.config(address, 2), arguments=(),
            environment={"NOTIFY_SOCKET": notify.path},
            wrap=("/usr/bin/python3", "-c", give, str(kept["ntp-1"]), str(kept["ntp-0"])),
            descriptors=(kept["ntp-0"], kept["ntp-1"]))
        wait_until(second.serves, 10, f"it serves\n{second.output()}")
        load.join()
        self.assertEqual(len(load.waiting), 0, f"{len(load.waiting)} of {load.sent} are lost")
        self.assertEqual(load.invalid, 0)
        print(f"{load.sent} requests, a restart, {len(load.waiting)} lost")


if __name__ == "__main__":
    main()
