"""DNS over TCP and over TLS: certificates, limits, and clients that mean no good. What one client does
must not be felt by others."""
import json
import random
import resource
import shutil
import socket
import ssl
import statistics
import struct
import subprocess
import time
import unittest

import certificates
from dns_messages import ask_udp, framed, query, read_tcp
from programs import BINARY_DIR, ProgramTest, endpoint, main, own_directory, wait_until

LINGER_RESET = struct.pack("ii", 1, 0)


def raise_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count:
        raise unittest.SkipTest(f"needs {count} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


class Streams(ProgramTest):
    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        big = [[f"10.2.{i // 250}.{i % 250}", 1] for i in range(999)]
        zone = {"serial": 1, "ttl": 60, "max_hosts": 4, "data": {
            "": {"ns": ["ns1.pool.test."]}, "www": {"a": [["10.1.0.1", 1]]},
            "big": {"a": big, "max_hosts": 999}}}
        (self.directory / "pool.test.json").write_text(json.dumps(zone))

    def serve(self, more="", tls=None, **options):
        config = f'[server]\nlisten = ["127.0.0.1:0"]\n[zones]\ndirectory = "{self.directory}"\n'
        if tls is not None:
            config += '[tls]\nlisten = ["127.0.0.1:0"]\n' + tls
        program = self.start("timepool-dnsd", config + more, **options)
        status = program.control("status")
        program.address = endpoint(status["listen"][0])
        program.tls = endpoint(status["tls_listen"][0]) if tls is not None else None
        return program

    def connect(self, address, source="127.0.0.1", timeout=10):
        out = socket.create_connection(address, timeout=timeout, source_address=(source, 0))
        self.addCleanup(out.close)
        return out

    @staticmethod
    def ask(stream, name="www.pool.test", number=7):
        stream.sendall(framed(query(name, number=number)))
        return read_tcp(stream)

    @staticmethod
    def ended(program, why, transport="tcp"):
        return program.control("stats")[transport]["ended"][why]

    def wait_ended(self, program, why, count, transport="tcp"):
        wait_until(lambda: self.ended(program, why, transport) >= count, 20,
                   f"{count} end as {why}: {program.control('stats')[transport]['ended']}")


class Tcp(Streams):
    def test_answers_what_was_sent_before_a_half_close(self):
        program = self.serve()
        stream = self.connect(program.address)
        stream.sendall(b"".join(framed(query("big.pool.test", number=i)) for i in range(100)))
        stream.shutdown(socket.SHUT_WR)
        self.assertEqual([read_tcp(stream).id for _ in range(100)], list(range(100)))
        self.assertEqual(stream.recv(1), b"")
        self.wait_ended(program, "client", 1)

    def test_a_frame_in_pieces_is_a_frame(self):
        program = self.serve()
        stream = self.connect(program.address)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in framed(query("www.pool.test", number=9)):
            stream.sendall(bytes([octet]))
        self.assertEqual(read_tcp(stream).id, 9)

    def test_empty_and_senseless_frames_end_the_connection(self):
        program = self.serve()
        for frame in (b"\0\0", framed(b"short"), framed(bytes(12) + b"\xff" * 70)[:2] + b"\x80" * 82):
            stream = self.connect(program.address)
            stream.sendall(framed(query("www.pool.test")) + frame)
            self.assertEqual(read_tcp(stream).addresses, ["10.1.0.1"])
            try:
                stream.shutdown(socket.SHUT_WR)
                while stream.recv(4096):
                    pass
            except OSError:
                pass
        self.wait_ended(program, "broken", 2)
        # The longest frame, of which nothing more than its length is true.
        stream = self.connect(program.address)
        stream.sendall(b"\xff\xff" + random.Random(1).randbytes(65535))
        stream.shutdown(socket.SHUT_WR)
        try:
            while stream.recv(4096):
                pass
        except OSError:
            pass
        self.assertEqual(self.ask(self.connect(program.address)).addresses, ["10.1.0.1"])

    def test_one_that_is_cut_off_in_a_message_is_counted_as_broken(self):
        program = self.serve()
        stream = self.connect(program.address)
        stream.sendall(framed(query("www.pool.test"))[:-3])
        stream.shutdown(socket.SHUT_WR)
        self.assertEqual(stream.recv(1), b"")
        self.wait_ended(program, "broken", 1)

    def test_limits_of_a_client_and_of_a_network(self):
        program = self.serve('[tcp]\nmax_per_client = 2\nmax_per_network = 3\n')
        held = [self.connect(program.address, source)
                for source in ("127.0.1.1", "127.0.1.1", "127.0.1.2")]
        for stream in held:
            self.ask(stream)
        for source, why in (("127.0.1.1", "too_many_of_client"), ("127.0.1.3", "too_many_of_network")):
            stream = self.connect(program.address, source)
            with self.assertRaises((EOFError, ConnectionError)):
                self.ask(stream)
            self.wait_ended(program, why, 1)
        self.assertEqual(self.ask(self.connect(program.address, "127.0.2.1")).rcode, 0)

    def test_at_the_limit_the_one_that_was_idle_longest_goes(self):
        program = self.serve('[tcp]\nmax_connections = 4\n')
        held = [self.connect(program.address) for _ in range(4)]
        for stream in held:
            self.ask(stream)
        self.ask(held[0])
        fresh = self.connect(program.address)
        self.assertEqual(self.ask(fresh).addresses, ["10.1.0.1"])
        self.assertEqual(held[1].recv(1), b"", "it was idle longest")
        self.assertEqual(self.ask(held[0]).addresses, ["10.1.0.1"])
        self.wait_ended(program, "crowded_out", 1)

    def test_the_idle_time_shrinks_under_load(self):
        """RFC 7766 6.2.3: at the limit a tenth of it is left."""
        program = self.serve('[tcp]\nmax_connections = 10\nidle_timeout = "20s"\n')
        held = [self.connect(program.address) for _ in range(10)]
        for stream in held:
            self.ask(stream)
        start = time.monotonic()
        self.wait_ended(program, "idle", 1)
        self.assertLess(time.monotonic() - start, 15)
        # At half of the limit those that are left have all of their time again.
        self.assertGreaterEqual(program.control("stats")["tcp"]["connections"], 5)

    def test_slow_readers_cost_others_nothing_and_are_closed(self):
        program = self.serve('[tcp]\nidle_timeout = "2s"\nmax_per_client = 1000\n')
        wire = framed(query("big.pool.test")) * 50
        slow = []
        for _ in range(50):
            stream = self.connect(program.address)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stream.settimeout(0.05)
            try:
                for _ in range(10):
                    stream.sendall(wire)
            except OSError:
                pass
            slow.append(stream)
        self.assertEqual(self.ask(self.connect(program.address)).addresses, ["10.1.0.1"])
        self.wait_ended(program, "idle", 50)

    def test_a_flood_of_resets_is_survived(self):
        program = self.serve('[tcp]\nmax_per_client = 100\n')
        for i in range(500):
            stream = socket.create_connection(program.address)
            stream.sendall(framed(query("www.pool.test"))[:(i * 7) % 40])
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
            stream.close()
        self.assertEqual(self.ask(self.connect(program.address)).addresses, ["10.1.0.1"])
        wait_until(lambda: program.control("stats")["tcp"]["connections"] <= 1, 20, "all are gone")

    def test_without_descriptors_the_oldest_idle_one_is_closed(self):
        prlimit = shutil.which("prlimit")
        if not prlimit:
            self.skipTest("needs prlimit (package util-linux)")
        program = self.serve('[tcp]\nmax_per_client = 1000\nidle_timeout = "5m"\n',
                             prefix=(prlimit, "--nofile=400:400"))
        self.assertRegex(program.output(), r"\[tcp\] max_connections: \d+ at the most, for want of")
        held = []
        for _ in range(300):
            held.append(self.connect(program.address))
            self.assertEqual(self.ask(held[-1]).addresses, ["10.1.0.1"])
        self.assertGreater(self.ended(program, "crowded_out"), 50)
        self.assertEqual(ask_udp(program.address, "www.pool.test").addresses, ["10.1.0.1"])
        self.assertEqual(program.control("status")["program"], "timepool-dnsd")

    def test_10000_idle_connections_slow_nobody_down(self):
        raise_descriptors(10_500)
        program = self.serve('[tcp]\nmax_connections = 12000\nmax_per_client = 1000\n'
                             'max_per_network = 1000\nidle_timeout = "5m"\n')
        if "for want of descriptors" in program.output():
            self.skipTest("the daemon needs 12,000 descriptors")
        idle_rate, idle_latency = self.look(program)
        held = []
        self.addCleanup(lambda: [stream.close() for stream in held])
        ask = framed(query("www.pool.test"))
        for i in range(10_000):
            stream = socket.socket()
            stream.bind((f"127.1.{i // 500}.1", 0))
            stream.connect(program.address)
            stream.sendall(ask)
            held.append(stream)
        wait_until(lambda: program.control("stats")["tcp"]["connections"] >= 10_000, 60, "all open")
        rate, latency = self.look(program)
        print(f"UDP {idle_rate:.0f}/s and TCP {idle_latency * 1e6:.0f} us without, "
              f"{rate:.0f}/s and {latency * 1e6:.0f} us with 10,000 idle connections")
        self.assertGreater(rate, idle_rate / 2)
        self.assertLess(latency, max(4 * idle_latency, 0.02))
        self.assertEqual(program.control("stats")["tcp"]["ended"]["crowded_out"], 0)

    def look(self, program):
        """UDP answers a second, one at a time, the best of three looks since the machine has other work
        too; and the median time of a connection with one query."""
        best = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(10)
            s.connect(program.address)
            wire = query("www.pool.test")
            for _ in range(3):
                count, start = 0, time.monotonic()
                while time.monotonic() - start < 0.5:
                    s.send(wire)
                    s.recv(4096)
                    count += 1
                best = max(best, count / (time.monotonic() - start))
        times = []
        for _ in range(100):
            start = time.monotonic()
            with socket.create_connection(program.address, timeout=10) as stream:
                self.ask(stream)
            times.append(time.monotonic() - start)
        return best, statistics.median(times)


class Load(Streams):
    """`timepool bench dns-stream` counts what happened, and nothing else."""

    def load(self, target, *options):
        done = subprocess.run(
            [BINARY_DIR / "bin" / "timepool", "bench", "dns-stream", "--target", "%s:%d" % target, "--json",
             *options], capture_output=True, text=True, timeout=60, check=False)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def test_counts_connections_and_answers(self):
        program = self.serve()
        names = self.directory / "names"
        names.write_text("www.pool.test A\nnosuch.pool.test AAAA\n")
        report = self.load(program.address, "--names", str(names), "--count", "20", "--inflight", "4",
                           "--queries", "50", "--pipeline", "10")
        self.assertEqual((report["begun"], report["done"], report["failed"]), (20, 20, 0), report)
        self.assertEqual((report["answered"], report["refused"], report["invalid"]), (1000, 0, 0))
        stats = program.control("stats")["tcp"]
        self.assertEqual((stats["accepted"], stats["queries"]), (20, 1000))

    def test_a_server_that_is_away_or_answers_nothing_is_told(self):
        program = self.serve('[tcp]\nmax_per_client = 1\nidle_timeout = "1s"\n')
        held = self.connect(program.address)
        self.ask(held)
        report = self.load(program.address, "--count", "3", "--inflight", "1")
        self.assertEqual((report["done"], report["failed"], report["answered"]), (0, 3, 0))
        self.assertNotEqual(report["first_failure"], "")
        program.stop()
        report = self.load(program.address, "--count", "3")
        self.assertEqual((report["done"], report["failed"]), (0, 3))


@unittest.skipIf(certificates.OPENSSL is None, "needs openssl (package openssl)")
class Tls(Streams):
    def setUp(self):
        super().setUp()
        self.authority = certificates.Authority(self.directory)
        self.chain, self.key = self.authority.issue("dns", "DNS:dns.test")

    def certificate(self, chain=None, key=None):
        return (f'[[tls.certificate]]\nchain = "{chain or self.chain}"\nkey = "{key or self.key}"\n')

    def secure(self, program, name="dns.test", alpn=("dot",), session=None, **more):
        context = getattr(self, "context", None)
        if context is None or alpn != ("dot",):
            context = ssl.create_default_context(cafile=str(self.authority.certificate))
            if alpn:
                context.set_alpn_protocols(list(alpn))
            if alpn == ("dot",):
                self.context = context
        out = context.wrap_socket(self.connect(program.tls, **more), server_hostname=name,
                                  session=session)
        self.addCleanup(out.close)
        return out

    def test_answers_pipelined_queries_and_says_farewell(self):
        program = self.serve(tls=self.certificate())
        stream = self.secure(program)
        self.assertEqual(stream.version(), "TLSv1.3")
        self.assertEqual(stream.selected_alpn_protocol(), "dot")
        stream.sendall(b"".join(framed(query("big.pool.test", number=i)) for i in range(200)))
        self.assertEqual([read_tcp(stream).id for _ in range(200)], list(range(200)))
        self.assertEqual(self.ask(stream).addresses, ["10.1.0.1"])
        stats = program.control("stats")
        self.assertEqual(stats["tls"]["queries"], 201)
        self.assertEqual(stats["tcp"]["queries"], 0)
        self.assertEqual(stats["tls"]["handshakes"]["done"], 1)
        stream.unwrap()
        self.wait_ended(program, "client", 1, "tls")

    def test_a_client_that_offers_no_protocol_is_served_another_one_is_not(self):
        """RFC 7858 has no ALPN; who offers some must offer "dot" (RFC 7301 3.2)."""
        program = self.serve(tls=self.certificate())
        self.assertEqual(self.ask(self.secure(program, alpn=())).addresses, ["10.1.0.1"])
        with self.assertRaises(ssl.SSLError):
            self.secure(program, alpn=("h2",))
        wait_until(lambda: program.control("stats")["tls"]["handshakes"]["alpn"] == 1, 10, "counted")
        self.wait_ended(program, "tls", 1, "tls")

    def test_a_ticket_continues_an_earlier_connection(self):
        program = self.serve(tls=self.certificate() )
        first = self.secure(program)
        self.ask(first)
        again = self.secure(program, session=first.session)
        self.assertEqual(self.ask(again).addresses, ["10.1.0.1"])
        self.assertTrue(again.session_reused)
        self.assertEqual(program.control("stats")["tls"]["handshakes"]["resumed"], 1)

    def test_without_resumption_no_ticket_is_given(self):
        program = self.serve(tls="resumption = false\n" + self.certificate())
        first = self.secure(program)
        self.ask(first)
        self.assertFalse(first.session.has_ticket)

    def test_certificates_by_name_and_by_reload(self):
        other = self.authority.issue("other", "DNS:other.test")
        program = self.serve(tls=self.certificate() + self.certificate(*other))
        for name in ("dns.test", "other.test"):
            self.assertEqual(self.ask(self.secure(program, name)).addresses, ["10.1.0.1"])
        held = self.secure(program)
        new = self.authority.issue("dns", "DNS:new.test")
        self.assertEqual(new[0], self.chain)
        program.control("reload")
        self.assertEqual(self.ask(self.secure(program, "new.test")).addresses, ["10.1.0.1"])
        self.assertEqual(self.ask(held).addresses, ["10.1.0.1"], "what is open goes on")
        self.chain.write_text("rubbish")
        program.control("reload")
        self.assertEqual(self.ask(self.secure(program, "new.test")).addresses, ["10.1.0.1"])
        self.assertIn("the one before stays", program.output())
        text = program.control("metrics")["text"]
        for file, fault in ((self.chain, 1), (other[0], 0)):
            self.assertIn(f'timepool_dnsd_certificate_fault{{chain="{file}"}} {fault}', text)
            self.assertRegex(text, rf'timepool_dnsd_certificate_remaining_seconds{{chain="{file}"}} [1-9]')
        # One that never was good is refused with all else that changed.
        program.config.write_text(program.config.read_text().replace(str(other[0]), "/nowhere.pem"))
        answer = program.control("reload")
        self.assertFalse(answer["ok"])
        self.assertIn("/nowhere.pem", answer["error"])

    def test_a_start_without_a_good_certificate_says_why(self):
        self.chain.write_text("rubbish")
        config = (f'[server]\nlisten = ["127.0.0.1:0"]\n[tls]\nlisten = ["127.0.0.1:0"]\n'
                  f'{self.certificate()}')
        program = self.start("timepool-dnsd", config, wait=False)
        self.assertEqual(program.process.wait(20), 1)
        self.assertRegex(program.output(), r"\[tls\] certificate.*no certificate in PEM")

    def test_what_is_no_tls_harms_nobody(self):
        program = self.serve(tls=self.certificate())
        generator = random.Random(5)
        held = self.secure(program)
        for i in range(60):
            stream = self.connect(program.tls)
            # Rubbish, a plain query, a record that never ends, half a hello.
            stream.sendall((generator.randbytes(100), framed(query("www.pool.test")),
                            b"\x16\x03\x01\xff\xff" + bytes(40), b"\x16\x03\x01")[i % 4])
            stream.shutdown(socket.SHUT_WR)
            try:
                while stream.recv(4096):
                    pass
            except OSError:
                pass
        wait_until(lambda: program.control("stats")["tls"]["connections"] == 1, 20, "all are gone")
        self.assertEqual(self.ask(held).addresses, ["10.1.0.1"])
        stats = program.control("stats")["tls"]
        self.assertEqual(stats["accepted"], 61)
        self.assertEqual(sum(n for why, n in stats["handshakes"].items() if why != "done"), 60)

    def test_silent_ones_are_closed_and_counted_as_late(self):
        program = self.serve(tls='idle_timeout = "1s"\n' + self.certificate())
        for start in (b"", b"\x16\x03\x01"):
            stream = self.connect(program.tls)
            stream.sendall(start)
            self.assertEqual(stream.recv(1), b"")
        self.assertEqual(program.control("stats")["tls"]["handshakes"]["late"], 2)

    def test_answers_are_padded_for_who_asks(self):
        """RFC 8467 4.1: to multiples of 468 octets, and by TLS only."""
        program = self.serve(tls=self.certificate())
        padding = struct.pack("!HH", 12, 8) + bytes(8)
        opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, len(padding)) + padding
        for name in ("www.pool.test", "big.pool.test", "nosuch.pool.test"):
            wire = bytearray(query(name) + opt)
            wire[11] = 1
            secure, plain = self.secure(program), self.connect(program.address)
            for stream in (secure, plain):
                stream.sendall(framed(bytes(wire)))
            padded, short = len(read_tcp(secure).data), len(read_tcp(plain).data)
            self.assertEqual(padded % 468, 0)
            self.assertTrue(0 <= padded - short < 468 + 4, (padded, short))

    def test_keepalive_tells_the_idle_time(self):
        """RFC 7828: in tenths of a second."""
        program = self.serve(tls='idle_timeout = "7s"\n' + self.certificate())
        option = struct.pack("!HH", 11, 0)
        wire = bytearray(query("www.pool.test") + b"\0" +
                         struct.pack("!HHIH", 41, 1232, 0, len(option)) + option)
        wire[11] = 1
        for stream, tenths in ((self.secure(program), 70), (self.connect(program.address), 100)):
            stream.sendall(framed(bytes(wire)))
            self.assertIn(struct.pack("!HHH", 11, 2, tenths), read_tcp(stream).data)

    def test_the_load_of_handshakes_counts_what_the_server_did(self):
        program = self.serve(tls=self.certificate())
        done = subprocess.run(
            [BINARY_DIR / "bin" / "timepool", "bench", "dns-stream", "--target", "%s:%d" % program.tls, "--tls",
             "--queries", "0", "--count", "30", "--json"], capture_output=True, text=True, timeout=60, check=True)
        report = json.loads(done.stdout)
        self.assertEqual((report["done"], report["failed"]), (30, 0), report)
        handshakes = program.control("stats")["tls"]["handshakes"]
        self.assertEqual(handshakes["done"] + handshakes["resumed"], 30)

    def test_a_slow_reader_is_bounded(self):
        program = self.serve(tls='idle_timeout = "2s"\n' + self.certificate())
        stream = self.secure(program)
        stream.settimeout(0.3)
        sent = 0
        try:
            while sent < 32 << 20:
                sent += stream.send(framed(query("big.pool.test")) * 100)
        except OSError:
            pass
        self.assertLess(sent, 32 << 20)
        self.assertEqual(self.ask(self.secure(program)).addresses, ["10.1.0.1"])
        self.wait_ended(program, "idle", 1, "tls")


if __name__ == "__main__":
    main()
