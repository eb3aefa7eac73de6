"""What a daemon costs that is a client and nothing else: eight servers on loopback, memory, CPU."""
import os
import pathlib
import re
import shutil
import time

from programs import BINARY_DIR, ProgramTest, free_port, main, own_directory, wait_until

SERVERS = 8
MEMORY_LIMIT = 8_000_000
SHARE_LIMIT = 0.0005  # of one processor, at poll 6
REPORTS = ("status", "sources", "tracking", "counters", "metrics")


def why_not_measured():
    """Sanitizers, coverage and -O0 have another footprint: only the release build is judged."""
    cache = (BINARY_DIR / "CMakeCache.txt").read_text()
    def setting(name):
        return re.search(rf"^{name}:\w+=(.*)$", cache, re.M).group(1)
    if setting("CMAKE_BUILD_TYPE") not in ("Release", "RelWithDebInfo", "MinSizeRel"):
        return "not an optimised build"
    if setting("TIMEPOOL_SANITIZE") or setting("TIMEPOOL_COVERAGE") == "ON":
        return "built with sanitizers or for coverage"
    return None


def program_as_after_boot(directory):
    """The daemon as a file that the system has not read yet. What a linker has just written lies in the page cache in
    large pieces, and Linux maps the whole piece where a page of it is used: half a megabyte that nobody has who starts a
    program that was installed."""
    program = directory / "timepool-ntpd"
    shutil.copy(BINARY_DIR / "bin/timepool-ntpd", program)
    file = os.open(program, os.O_RDONLY)
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)
    return program


class ClientFootprint(ProgramTest):
    def setUp(self):
        reason = why_not_measured()
        if reason:
            self.skipTest(reason)
        self.port = free_port("127.0.8.1")
        self.addresses = [f"127.0.8.{i + 1}" for i in range(SERVERS)]
        listen = ", ".join(f'"{address}:{self.port}"' for address in self.addresses)
        directory = own_directory(self.addCleanup)
        self.program = program_as_after_boot(directory)
        self.start("timepool-ntpd", f"[server]\nlisten = [{listen}]\n[server.local]\nstratum = 2\n")

    def follow(self, poll, iburst="true"):
        sources = "".join(
            f'[[server]]\naddress = "{address}"\nport = {self.port}\niburst = {iburst}\n'
            f"minpoll = {poll}\nmaxpoll = {poll}\n" for address in self.addresses)
        client = self.start(self.program, f'clock = "observe"\n{sources}')
        client.proc = pathlib.Path("/proc") / str(client.process.pid)
        return client

    def memory(self, client):
        fields = dict(line.split(":", 1) for line in (client.proc / "status").read_text().splitlines())
        return {name: int(fields[name].split()[0]) * 1024
                for name in ("VmRSS", "VmHWM", "RssAnon", "RssFile")}

    def cpu_seconds(self, client):
        return sum(int((task / "schedstat").read_text().split()[0])
                   for task in (client.proc / "task").iterdir()) / 1e9

    def share(self, client, seconds):
        before, start = self.cpu_seconds(client), time.monotonic()
        time.sleep(seconds)
        return (self.cpu_seconds(client) - before) / (time.monotonic() - start)

    def test_a_client_of_eight_servers_stays_below_eight_megabytes(self):
        client = self.follow(-3)
        # Eight samples a second from each: the tables that a client keeps are full.
        wait_until(lambda: client.control("counters")["client"]["reasons"]["accepted"] > 70 * SERVERS,
                   60, "70 samples of each source")
        for report in REPORTS:
            answer = client.control(report)
            self.assertTrue(answer["ok"], answer)
        memory = self.memory(client)
        print(f"resident {memory}")
        self.assertLess(memory["VmRSS"], MEMORY_LIMIT, memory)
        self.assertLess(memory["VmHWM"], MEMORY_LIMIT, memory)

    def test_a_client_of_eight_servers_takes_less_than_a_2000th_of_a_processor(self):
        # Poll 0 is 64 times the packets of poll 6; what waiting costs does not scale.
        # The idle one without a burst, of which requests would follow for a minute.
        busy, idle = self.follow(0), self.follow(10, iburst="false")
        for client in (busy, idle):
            wait_until(lambda c=client: c.control("tracking")["synchronised"], 30, "synchronised")
        time.sleep(8)  # iburst is over
        idle_share = self.share(idle, 5)
        busy_share = self.share(busy, 10)
        share = idle_share + max(busy_share - idle_share, 0) / 64
        print(f"of a processor: {share:.6f} (idle {idle_share:.6f}, at poll 0 {busy_share:.6f})")
        self.assertLess(share, SHARE_LIMIT)


if __name__ == "__main__":
    main()
