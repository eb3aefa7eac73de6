"""timepool-ntpd with reference clocks: real shared memory and a real socket, written as gpsd writes
them. The daemon only observes; units and paths are this process's own."""
import ctypes
import os
import socket
import struct
import subprocess
import threading
import time

from programs import BINARY_DIR, ProgramTest, main, own_directory, wait_until

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.shmat.restype = ctypes.c_void_p
LIBC.shmat.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
LIBC.shmdt.argtypes = (ctypes.c_void_p,)
SHM_KEY = 0x4e545030
SHM_SIZE = 96
IPC_CREAT, IPC_EXCL, IPC_RMID = 0o1000, 0o2000, 0
SOCK_MAGIC = 0x534f434b


def shm_record(count, clock_ns, receive_ns, leap=0):
    clock, receive = divmod(clock_ns, 10**9), divmod(receive_ns, 10**9)
    return struct.pack("=iiqi4xqiiiiiII", 1, count, clock[0], clock[1] // 1000, receive[0],
                       receive[1] // 1000, leap, -20, 0, 1, clock[1], receive[1])


def sock_sample(offset, pulse=0, leap=0, magic=SOCK_MAGIC, at_ns=None):
    at = divmod(at_ns or time.time_ns(), 10**9)
    return struct.pack("=qqdiiii", at[0], at[1] // 1000, offset, pulse, leap, 0, magic)


class Segment:
    """NTP's shared memory; put() writes a record as gpsd does."""

    def __init__(self, unit, mode):
        self.id = LIBC.shmget(SHM_KEY + unit, SHM_SIZE, IPC_CREAT | IPC_EXCL | mode)
        if self.id < 0:
            raise OSError(ctypes.get_errno(), "shmget")
        self.at = LIBC.shmat(self.id, None, 0)
        self.count = 0

    def put(self, offset_ns):
        now = time.time_ns()
        record = shm_record(self.count, now + offset_ns, now)
        ctypes.c_int.from_address(self.at + 48).value = 0
        ctypes.memmove(self.at, record[:48], 48)
        ctypes.memmove(self.at + 52, record[52:], len(record) - 52)
        self.count += 1
        ctypes.c_int.from_address(self.at + 4).value = self.count
        ctypes.c_int.from_address(self.at + 48).value = 1

    def close(self):
        LIBC.shmdt(self.at)
        LIBC.shmctl(self.id, IPC_RMID, None)


class Every(threading.Thread):
    """Calls back at a pace until it is stopped."""

    def __init__(self, interval, call):
        super().__init__(daemon=True)
        self.interval, self.call = interval, call
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(self.interval):
            self.call()

    def stop(self):
        self.ended.set()
        self.join()


class Refclocks(ProgramTest):
    def segment(self, number, mode=0o600):
        unit = 0x100000 + (os.getpid() % 0x10000) * 16 + number
        segment = Segment(unit, mode)
        self.addCleanup(segment.close)
        return unit, segment

    def every(self, interval, call):
        thread = Every(interval, call)
        thread.start()
        self.addCleanup(thread.stop)

    def shm(self, number, offset_ns, mode=0o600):
        unit, segment = self.segment(number, mode)
        self.every(0.05, lambda: segment.put(offset_ns))
        return unit

    @staticmethod
    def fast(unit, name, more=""):
        return (f'[[refclock]]\ndriver = "shm"\nunit = {unit}\nname = "{name}"\ndpoll = -4\n'
                f'poll = -1\ndelay = "4ms"\n{more}')

    def observe(self, clocks, min_sources=1):
        return self.start("timepool-ntpd",
                          f'clock = "observe"\n[sources]\nmin_sources = {min_sources}\n' + "".join(clocks))

    @staticmethod
    def source(program, name):
        for source in program.control("sources")["sources"]:
            if source["source"] == name:
                return source
        return None

    @staticmethod
    def looks(program, name):
        for clock in program.control("refclocks")["refclocks"]:
            if clock["name"] == name:
                return clock
        return None

    def synchronised(self, program):
        def ask():
            report = program.control("tracking")
            return report if report["synchronised"] else None
        return wait_until(ask, 20, "synchronised\n" + program.output())

    def test_shared_memory_gives_the_time(self):
        unit = self.shm(0, 250_000_000)
        program = self.observe([self.fast(unit, "GPS", 'refid = "GPS"\n')])
        tracking = self.synchronised(program)
        self.assertAlmostEqual(tracking["offset_s"], 0.25, delta=0.003)
        self.assertEqual(tracking["stratum"], 1)
        source = self.source(program, "GPS")
        self.assertEqual((source["kind"], source["symbol"], source["address"]), ("refclock", "*", None))
        self.assertEqual(source["last_reason"], "accepted")
        self.assertEqual(tracking["address"], "GPS")
        self.assertIn("GPS is selected", program.output())
        told = subprocess.run([BINARY_DIR / "bin/timepool", "ntp", "refclocks", "-v", "--socket", program.socket],
                              capture_output=True, text=True, timeout=20)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertRegex(told.stdout, r"GPS\s+-\s+\d+\s+\d+\s+0\s+accepted\s+open")
        self.assertRegex(told.stdout, r"wrong_magic\s+0")

    def test_logs_tell_of_readings_and_of_samples(self):
        unit = self.shm(0, 250_000_000)
        directory = own_directory(self.addCleanup)
        kinds = ("refclocks", "statistics", "tracking", "selection")
        program = self.observe([self.fast(unit, "GPS", 'offset = "-50ms"\n')] +
                               [f'[log]\ndirectory = "{directory}"\nbanner = 0\n'] +
                               [f"{kind} = true\n" for kind in kinds])
        self.synchronised(program)
        lines = {}
        for kind, least in zip(kinds, (30, 3, 3, 3)):
            path = directory / f"{kind}.log"
            lines[kind] = wait_until(lambda p=path, n=least: (lambda t: t if len(t) > n + 3 else None)(
                p.read_text().splitlines() if p.exists() else []), 20, f"lines in {path}")[3:]
            for line in lines[kind][:-1]:
                self.assertIn(" GPS ", line)
        rows = [line.split() for line in lines["refclocks"][:-1]]
        samples = [row for row in rows if row[-1] == "sample"]
        readings = [row for row in rows if row[-1] == "accepted"]
        self.assertGreater(len(samples), 0, rows)
        self.assertGreater(len(readings), 3 * len(samples), rows)
        for row in readings + samples:
            self.assertEqual(len(row), 10, row)
            self.assertRegex(row[1], r"^\d\d:\d\d:\d\d\.\d{6}$")
            self.assertEqual(row[4:6], ["N", "-" if row in samples else "0"])
            self.assertAlmostEqual(float(row[7]), 0.2, delta=0.003)
        for row in readings:
            self.assertAlmostEqual(float(row[6]), 0.25, delta=0.003)
        # A sample has all readings since the one before it, or all but outliers.
        self.assertGreaterEqual(int(samples[-1][3]), 4)
        self.assertEqual(samples[-1][6], "-")

    def test_b5_of_two_clocks_one_lies_and_a_third_decides(self):
        units = [self.shm(0, 0), self.shm(1, 800_000_000)]
        pair = [self.fast(unit, f"SHM{i}") for i, unit in enumerate(units)]
        two = self.observe(pair)
        for name in ("SHM0", "SHM1"):
            wait_until(lambda n=name: (self.source(two, n) or {}).get("offset_s") is not None, 20, name)
        time.sleep(1)
        self.assertFalse(two.control("tracking")["synchronised"])
        two.stop()
        three = self.observe(pair + [self.fast(self.shm(2, 0), "SHM2")])
        self.assertAlmostEqual(self.synchronised(three)["offset_s"], 0, delta=0.003)
        wait_until(lambda: self.source(three, "SHM1")["status"] == "falseticker", 20, three.output())
        self.assertIn(self.source(three, "SHM0")["symbol"], "*+-")

    def test_a_segment_that_all_may_write_is_refused_until_permitted(self):
        unit = self.shm(0, 0, mode=0o666)
        refused = self.observe([self.fast(unit, "GPS")])
        clock = wait_until(lambda: (lambda it: it if it["failure"] else None)(self.looks(refused, "GPS")), 10,
                           "a failure")
        self.assertIn("mode is 0666", clock["failure"])
        self.assertIn('permissions = "0600"', clock["failure"])
        self.assertEqual(refused.output().count("mode is 0666"), 1)
        refused.stop()
        permitted = self.observe([self.fast(unit, "GPS", 'permissions = "0666"\n')])
        self.synchronised(permitted)

    def socket_folder(self):
        return own_directory(self.addCleanup) / "gps.sock"

    def test_a_socket_gives_the_time_and_names_what_is_none(self):
        path = self.socket_folder()
        program = self.observe([f'[[refclock]]\ndriver = "sock"\npath = "{path}"\nname = "SOCK"\n'
                                'poll = -1\ndpoll = -4\ndelay = "4ms"\n'])
        wait_until(path.exists, 10, "the socket")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(out.close)
        out.connect(str(path))
        self.every(0.05, lambda: out.send(sock_sample(-0.125)))
        self.assertAlmostEqual(self.synchronised(program)["offset_s"], -0.125, delta=0.003)

        bad = {"wrong_size": b"SOCK", "wrong_magic": sock_sample(0, magic=1),
               "not_finite": sock_sample(float("nan")), "too_large": sock_sample(1e300),
               "bad_field": sock_sample(0, leap=7), "unsynchronised": sock_sample(0, leap=3),
               "stale": sock_sample(0, at_ns=time.time_ns() - 3600 * 10**9)}
        for datagram in bad.values():
            out.send(datagram)
        out.send(struct.pack("=iidiiii", *divmod(time.time_ns() // 1000, 10**6), -0.125, 0, 0, 0, SOCK_MAGIC))
        for reason in bad:
            wait_until(lambda r=reason: self.looks(program, "SOCK")["reasons"][r] == 1, 10, reason)
        self.assertAlmostEqual(program.control("tracking")["offset_s"], -0.125, delta=0.003)
        program.stop()
        self.assertFalse(path.exists())

    def test_pulses_lock_to_messages(self):
        # The messages are 10 ms late; the pulses come with each tenth of a second of true time,
        # which is 30 ms ahead of this machine's clock.
        ahead = 30_000_000
        path = self.socket_folder()
        unit = self.shm(0, ahead - 10_000_000)
        program = self.observe([
            self.fast(unit, "NMEA", "noselect = true\n"),
            f'[[refclock]]\ndriver = "sock"\npath = "{path}"\nname = "PPS"\npulses = true\nrate = 10\n'
            'lock = "NMEA"\npoll = -1\ndpoll = -4\ndelay = "1ms"\n'])
        wait_until(path.exists, 10, "the socket")
        out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(out.close)
        out.connect(str(path))

        def pulse():
            truth = time.time_ns() + ahead
            out.send(sock_sample(0.0, pulse=1, at_ns=truth // 10**8 * 10**8 - ahead))
        self.every(0.1, pulse)
        tracking = self.synchronised(program)
        self.assertAlmostEqual(tracking["offset_s"], 0.03, delta=0.0005)
        self.assertEqual(self.source(program, "PPS")["symbol"], "*")
        self.assertAlmostEqual(self.source(program, "NMEA")["offset_s"], 0.02, delta=0.003)

    def test_a_device_that_is_not_there_is_told_and_the_rest_runs(self):
        unit = self.shm(0, 0)
        program = self.observe([self.fast(unit, "GPS"),
                                '[[refclock]]\ndriver = "pps"\npath = "/nowhere/pps0"\nlock = "GPS"\n'])
        self.synchronised(program)
        self.assertIn("/nowhere/pps0", self.looks(program, "PPS0")["failure"])
        self.assertEqual(self.source(program, "PPS0")["symbol"], "?")

    def test_a_clock_that_stops_is_left(self):
        unit, segment = self.segment(0)
        writer = Every(0.05, lambda: segment.put(0))
        writer.start()
        program = self.observe([self.fast(unit, "GPS")])
        self.synchronised(program)
        writer.stop()
        wait_until(lambda: self.source(program, "GPS")["symbol"] == "?", 20, "unreachable")
        self.assertIn("GPS does not answer", program.output())


if __name__ == "__main__":
    main()
