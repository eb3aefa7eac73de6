"""timepool-ntpd as a black box: what it answers, what it counts, what it measures."""
import contextlib
import pathlib
import random
import select
import signal
import socket
import struct
import subprocess
import time

from programs import BINARY_DIR, ProgramTest, endpoint, main, wait_until

LOCAL = '[server.local]\nstratum = 1\nrefid = "TEST"\n'
TRANSMIT = bytes(range(1, 9))


def request(version=4, mode=3, length=48):
    packet = bytes([version << 3 | mode]) + bytes(39) + TRANSMIT
    return packet + bytes(length - 48)


def udp_to(address):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    out = socket.socket(family, socket.SOCK_DGRAM)
    out.connect(address)
    return out


def ask(address, packet, seconds=3.0):
    """The reply, or None after `seconds`. The socket is connected: only that address may answer."""
    with udp_to(address) as s:
        s.send(packet)
        ready, _, _ = select.select([s], [], [], seconds)
        return s.recv(4096) if ready else None


class Ntpd(ProgramTest):
    def serve(self, threads=0, listen='["127.0.0.1:0"]', more=LOCAL):
        program = self.start("timepool-ntpd",
                             f"[server]\nlisten = {listen}\nthreads = {threads}\n{more}")
        program.addresses = [endpoint(a) for a in program.control("status")["server"]["listen"]]
        return program

    def observe(self, servers, more="", min_sources=1):
        tables = "".join(
            f'[[server]]\naddress = "{host}"\nport = {port}\niburst = true\n'
            "minpoll = -3\nmaxpoll = -3\n" for host, port in servers)
        return self.start("timepool-ntpd",
                          f"[sources]\nmin_sources = {min_sources}\n{tables}{more}")

    def check_serving(self, threads):
        program = self.serve(threads)
        address = program.addresses[0]
        sent = answered = 0
        for version in (1, 2, 3, 4):
            modes = (3, 0) if version == 1 else (3,)
            for mode in modes:
                reply = ask(address, request(version, mode))
                sent += 1
                answered += 1
                self.assertIsNotNone(reply, f"version {version}, mode {mode}")
                self.assertEqual(len(reply), 48)
                self.assertEqual(reply[0], version << 3 | 4)
                self.assertEqual(reply[1], 1)
                self.assertEqual(reply[12:16], b"TEST")
                self.assertEqual(reply[24:32], TRANSMIT)
                receive, transmit = struct.unpack("!QQ", reply[32:48])
                self.assertLessEqual(receive, transmit)
                now = (time.time() + 2208988800) * 2**32
                self.assertLess(abs(transmit - now) / 2**32, 3)
        quiet = [request(4, mode) for mode in (0, 1, 2, 4, 5, 6, 7)]
        quiet += [request(version) for version in (0, 5, 6, 7)] + [b"", b"\x23", request()[:47]]
        with udp_to(address) as s:
            for packet in quiet:
                s.send(packet)
                sent += 1
            ready, _, _ = select.select([s], [], [], 0.3)
            self.assertFalse(ready, "a datagram was answered that must not be")
        junk_sent, junk_answered = self.send_junk(address)
        sent += junk_sent
        answered += junk_answered
        server = wait_until(
            lambda: (lambda c: c if c["received"] == sent else None)(
                program.control("counters")["server"]), 10, f"{sent} datagrams are counted")
        self.assertEqual(sum(server["reasons"].values()), sent)
        self.assertEqual(server["sent"], answered)
        self.assertEqual(server["refused"], 0)
        self.assertGreaterEqual(server["reasons"]["mode_control"], 1)
        self.assertGreaterEqual(server["reasons"]["mode_private"], 1)
        self.assertEqual(server["reasons"]["bad_version"] >= 4, True)
        text = program.control("metrics")["text"]
        self.assertIn('timepool_ntpd_server_datagrams_total{reason="mode_control"}', text)
        self.assertEqual(program.stop(), 0, program.output())

    def send_junk(self, address, count=400):
        """No reply is longer than its request; returns the counts of requests and replies."""
        rng = random.Random(20261121)
        answered = 0
        with udp_to(address) as s:
            for _ in range(count):
                packet = bytearray(rng.randbytes(rng.choice((0, 1, 47, 48, 52, 68, 72, 100, 600))))
                if packet and rng.random() < 0.5:
                    packet[0] = rng.choice((0x1b, 0x23, 0x0b, 0xe3, 0x26, 0x16, 0x17))
                s.send(packet)
                # What is answered comes at once; a silent one is known by the next's answer.
                s.send(request())
                while True:
                    ready, _, _ = select.select([s], [], [], 5)
                    self.assertTrue(ready, "a plain request stayed unanswered")
                    reply = s.recv(4096)
                    answered += 1
                    if reply[24:32] == TRANSMIT:
                        break
                    self.assertLessEqual(len(reply), len(packet))
                    self.assertEqual(reply[0] & 7, 4)
                    self.assertEqual(reply[24:32], packet[40:48])
        return 2 * count, answered

    def test_the_main_loop_serves(self):
        self.check_serving(0)

    def test_workers_serve(self):
        self.check_serving(2)

    def check_source_address(self, threads):
        program = self.serve(threads, listen='["0.0.0.0:0"]')
        port = program.addresses[0][1]
        for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            self.assertIsNotNone(ask((address, port), request()), address)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(request(), ("127.0.0.3", port))
            s.settimeout(3)
            self.assertEqual(s.recvfrom(100)[1], ("127.0.0.3", port))

    def test_the_main_loop_replies_from_the_address_asked(self):
        self.check_source_address(0)

    def test_workers_reply_from_the_address_asked(self):
        self.check_source_address(2)

    def test_serves_ipv6_beside_ipv4(self):
        if not socket.has_ipv6 or not pathlib.Path("/proc/net/if_inet6").exists():
            self.skipTest("no IPv6 on this machine")
        for threads in (0, 2):
            program = self.serve(threads, listen='["[::]:0", "127.0.0.1:0"]')
            (_, port6), v4 = program.addresses
            self.assertIsNotNone(ask(("::1", port6), request()))
            self.assertIsNotNone(ask(v4, request()))

    def test_without_local_it_says_that_it_is_not_synchronised(self):
        program = self.serve(more="")
        reply = ask(program.addresses[0], request())
        self.assertEqual(reply[0] >> 6, 3)
        self.assertEqual(reply[1], 0)
        self.assertEqual(reply[12:16], bytes(4))
        self.assertFalse(program.control("status")["server"]["synchronised"])

    def test_an_observer_measures_a_good_server_and_a_liar(self):
        good = self.serve(2)
        liar = self.serve(more=LOCAL + '[server.test]\noffset = "400ms"\n')
        observer = self.observe([good.addresses[0], liar.addresses[0]])

        def full_reach():
            sources = observer.control("sources")["sources"]
            return sources if all(s["reach"] == 255 for s in sources) else None
        first, second = wait_until(full_reach, 30, "both sources reach 377")
        self.assertEqual(first["reach_octal"], "377")
        for source, truth in ((first, 0.0), (second, 0.4)):
            self.assertEqual(source["last_reason"], "accepted")
            self.assertLessEqual(abs(source["offset_s"] - truth), source["distance_s"], source)
            self.assertLess(abs(source["offset_s"] - truth), 0.02, source)
            self.assertGreaterEqual(source["delay_s"], 0)
        # Two that disagree: nobody can tell who is right.
        self.assertFalse(observer.control("tracking")["synchronised"])
        counts = observer.control("counters")["client"]
        self.assertGreaterEqual(counts["reasons"]["accepted"], 16)
        self.assertEqual(counts["send_failures"], 0)
        self.assertEqual(observer.stop(), 0)

    def test_the_majority_names_the_liar(self):
        servers = [self.serve() for _ in range(3)]
        servers.append(self.serve(more=LOCAL + '[server.test]\noffset = "-400ms"\n'))
        observer = self.observe([s.addresses[0] for s in servers], min_sources=3)
        tracking = wait_until(
            lambda: (lambda t: t if t["synchronised"] and t["survivors"] == 3 else None)(
                observer.control("tracking")), 30, "three sources agree")
        self.assertLess(abs(tracking["offset_s"]), 0.02)
        self.assertEqual(tracking["stratum"], 2)
        statuses = wait_until(
            lambda: (lambda s: s if "falseticker" in s else None)(
                [s["status"] for s in observer.control("sources")["sources"]]), 10, "the liar")
        self.assertEqual(statuses[3], "falseticker")
        self.assertEqual(statuses.count("selected"), 1)

    def test_an_observer_that_serves_stays_unsynchronised(self):
        good = self.serve()
        host, port = good.addresses[0]
        both = self.start("timepool-ntpd", (
            '[server]\nlisten = ["127.0.0.1:0"]\n[sources]\nmin_sources = 1\n[[sources.server]]\n'
            f'address = "{host}"\nport = {port}\niburst = true\nminpoll = -3\nmaxpoll = -3\n'))
        wait_until(lambda: both.control("tracking")["synchronised"], 30, "the source is selected")
        address = both.listening("server")
        self.assertEqual(ask(address, request())[0] >> 6, 3)

    def test_a_client_alone_binds_no_socket(self):
        dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(dead.close)
        dead.bind(("127.0.0.1", 0))
        observer = self.observe([dead.getsockname()])
        wait_until(lambda: observer.control("counters")["client"]["requests"] > 0, 20, "a request")
        process = pathlib.Path("/proc") / str(observer.process.pid)
        inodes = set()
        for link in (process / "fd").iterdir():
            # Descriptors come and go meanwhile.
            with contextlib.suppress(FileNotFoundError):
                inodes.add(str(link.readlink()))
        for table in ("udp", "udp6"):
            for line in (process / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if f"socket:[{fields[9]}]" in inodes:
                    self.assertNotEqual(int(fields[2].rsplit(":", 1)[1], 16), 0,
                                        f"a socket that anybody may send to: {line}")

    def test_reload_takes_in_state_and_sources_and_keeps_the_old_on_error(self):
        program = self.serve(2)
        address = program.addresses[0]
        listen = f'[server]\nlisten = ["{address[0]}:0"]\nthreads = 2\n'
        program.write_config(listen + '[server.local]\nstratum = 7\nrefid = "NEW"\n')
        program.signal(signal.SIGHUP)
        wait_until(lambda: program.control("status")["server"]["stratum"] == 7, 10, "the stratum")
        reply = ask(address, request())
        self.assertEqual((reply[1], reply[12:16]), (7, b"NEW\0"))
        program.write_config("[server]\nlisten = 3\nlocale = 4\n")
        program.signal(signal.SIGHUP)
        wait_until(lambda: "did you mean" in program.output(), 10, "the error is logged")
        self.assertIn("config.toml:3:1: unknown key", program.output())
        self.assertEqual(ask(address, request())[1], 7)
        answer = program.control("reload")
        self.assertFalse(answer["ok"])
        self.assertIn("expected an array, found an integer", answer["error"])
        program.write_config(listen + '[[sources.server]]\naddress = "127.0.0.1"\n')
        answer = program.control("reload")
        self.assertTrue(answer["ok"], answer)
        self.assertEqual(answer["sources_added"], 1)
        self.assertEqual(len(program.control("sources")["sources"]), 1)

    def test_reloads_again_after_a_change_that_needs_a_restart(self):
        program = self.start("timepool-ntpd", '[[server]]\naddress = "127.0.0.1"\nport = 9')
        program.write_config('[server]\nlisten = ["127.0.0.1:0"]\n')
        for _ in range(3):
            answer = program.control("reload")
            self.assertEqual(answer["needs_restart"], ["server"], answer)

    def test_a_port_in_use_is_named_with_its_setting(self):
        for threads in (0, 2):
            first = self.serve(threads)
            host, port = first.addresses[0]
            second = self.start("timepool-ntpd",
                                f'[server]\nlisten = ["{host}:{port}"]\nthreads = {threads}\n',
                                wait=False)
            self.assertEqual(second.process.wait(10), 1)
            self.assertIn(f"[server] listen: bind UDP {host}:{port}: Address already in use",
                          second.output())

    def test_starts_again_after_sigkill_and_leaves_no_socket_after_sigterm(self):
        first = self.serve(2)
        first.signal(signal.SIGKILL)
        first.process.wait()
        self.assertTrue(first.socket.exists())
        second = self.start("timepool-ntpd", '[server]\nlisten = ["127.0.0.1:0"]\n',
                            directory=first.directory)
        self.assertEqual(second.stop(), 0)
        self.assertFalse(second.socket.exists())

    def test_command_line(self):
        program = BINARY_DIR / "bin" / "timepool-ntpd"

        def run(*arguments):
            return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=20)
        self.assertRegex(run("--version").stdout, r"^timepool-ntpd \d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)$")
        self.assertIn("--check-config", run("--help").stdout)
        self.assertEqual(run("--frobnicate").returncode, 2)
        missing = run("--config", "/nonexistent/x.toml", "--check-config")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("/nonexistent/x.toml", missing.stderr)
        self.assertIn("*max_addresses* = an integer, 0 to 16", run("--print-reference").stdout)
        server = self.serve()
        self.assertEqual(run("--config", server.config, "--check-config").returncode, 0)
        printed = run("--config", server.config, "--print-config").stdout
        server.config.write_text(printed)
        self.assertEqual(run("--config", server.config, "--print-config").stdout, printed)


if __name__ == "__main__":
    main()
