"""timepool-ntpd and chronyd measure each other on loopback.

chronyd is started with -x, so that it never touches the clock, without a command port, and as an
ordinary process that ends with the test. It is found by TIMEPOOL_CHRONYD, in build/peers or in PATH.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from programs import ProgramTest, die_with_parent, free_port, main, wait_until  # noqa: E402

SOURCE_DIR = pathlib.Path(os.environ.get("TIMEPOOL_SOURCE_DIR", "."))


def find(name, variable, folder):
    for path in (os.environ.get(variable),
                 SOURCE_DIR / "build/peers/chrony/usr" / folder / name,
                 shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")):
        if path and os.access(path, os.X_OK):
            return str(path)
    return None


CHRONYD = find("chronyd", "TIMEPOOL_CHRONYD", "sbin")
CHRONYC = find("chronyc", "TIMEPOOL_CHRONYC", "bin")


class Chronyd:
    """`prefix`: a command that executes it."""

    def __init__(self, config, prefix=()):
        # chronyc's socket: only its owner may enter the directory.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="chrony-"))
        self.socket = self.directory / "chronyd.sock"
        path = self.directory / "chrony.conf"
        path.write_text(f"{config}\ncmdport 0\nbindcmdaddress {self.socket}\n"
                        f"pidfile {self.directory}/pid\n")
        self.log = open(self.directory / "log", "wb")
        user = ["-u", "root"] if os.geteuid() == 0 else ["-U"]
        self.process = subprocess.Popen([*prefix, CHRONYD, "-x", "-d", *user, "-f", path],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        preexec_fn=die_with_parent)

    def output(self):
        return (self.directory / "log").read_text(errors="replace")

    def ask(self, *command):
        """chronyc's answer as a list of lines of fields; empty while there is none."""
        if self.process.poll() is not None:
            raise AssertionError(f"chronyd ended:\n{self.output()}")
        done = subprocess.run([CHRONYC, "-h", self.socket, "-n", "-c", *command],
                              capture_output=True, text=True, timeout=20)
        return [line.split(",") for line in done.stdout.splitlines()] if done.returncode == 0 else []

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


@unittest.skipUnless(CHRONYD and CHRONYC, "Debian package chrony is not there: chronyd or chronyc")
class Chrony(ProgramTest):
    def start_chronyd(self, config):
        chronyd = Chronyd(config)
        self.addCleanup(chronyd.close)
        return chronyd

    def test_our_client_measures_chronyd_within_its_bounds(self):
        port = free_port()
        chronyd = self.start_chronyd(
            f"port {port}\nbindaddress 127.0.0.1\nlocal stratum 3\nallow 127.0.0.0/8\n")
        observer = self.start("timepool-ntpd", (
            "[sources]\nmin_sources = 1\n"
            f'[[server]]\naddress = "127.0.0.1"\nport = {port}\niburst = true\n'
            "minpoll = -2\nmaxpoll = -2\n"))

        def measured():
            source = observer.control("sources")["sources"][0]
            return source if source["reach"] == 255 else None
        source = wait_until(measured, 60, f"eight answers of chronyd\n{chronyd.output()}")
        self.assertEqual(source["stratum"], 3)
        self.assertEqual(source["last_reason"], "accepted")
        # Both read the same clock: the truth is 0.
        self.assertLessEqual(abs(source["offset_s"]), source["distance_s"], source)
        self.assertLess(abs(source["offset_s"]), 0.01, source)
        tracking = observer.control("tracking")
        self.assertTrue(tracking["synchronised"])
        self.assertEqual(tracking["stratum"], 4)
        self.assertLessEqual(abs(tracking["offset_s"]), tracking["uncertainty_s"])

    def check_selected(self, threads, count):
        servers = [self.start("timepool-ntpd", (
            f'[server]\nlisten = ["127.0.0.{2 + i}:0"]\nthreads = {threads}\n'
            '[server.local]\nstratum = 1\nrefid = "GOOD"\n')) for i in range(count)]
        lines = []
        for server in servers:
            host, port = server.listening("server")
            lines.append(f"server {host} port {port} iburst minpoll -2 maxpoll -2")
        chronyd = self.start_chronyd("\n".join(["port 0", *lines, f"minsources {count}"]))

        def selected():
            # Mode and state first: ^ is a server, * the selected one, + combined with it.
            rows = chronyd.ask("sources")
            states = [row[1] for row in rows]
            good = len(rows) == count and states.count("*") == 1
            return rows if good and set(states) <= {"*", "+", "-"} else None
        rows = wait_until(selected, 90, f"chronyd selects us\n{chronyd.output()}")
        for row in rows:
            self.assertEqual(row[0], "^")
            self.assertEqual(row[3], "1", "stratum")
            self.assertLess(abs(float(row[7])), 0.01, row)
        tracking = chronyd.ask("tracking")[0]
        self.assertEqual(tracking[2], "2", "chronyd's own stratum")
        for server in servers:
            reasons = server.control("counters")["server"]["reasons"]
            self.assertEqual(reasons["answered_plain"], sum(reasons.values()))

    def test_chronyd_selects_our_server(self):
        self.check_selected(threads=0, count=1)

    def test_chronyd_selects_among_our_servers_with_workers(self):
        self.check_selected(threads=2, count=3)

    def check_interleaved(self, threads):
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["127.0.0.2:0"]\nthreads = {threads}\n[server.local]\nstratum = 1\n'))
        host, port = server.listening("server")
        chronyd = self.start_chronyd(f"port 0\nserver {host} port {port} iburst xleave minpoll -2 maxpoll -2")

        def interleaved():
            reasons = server.control("counters")["server"]["reasons"]
            return reasons if reasons["answered_interleaved"] >= 16 else None
        reasons = wait_until(interleaved, 60, f"chronyd is answered in interleaved mode\n{chronyd.output()}")
        # In the burst of the start every request is a basic one.
        self.assertLess(reasons["answered_plain"], 16, reasons)
        row = wait_until(lambda: [row for row in chronyd.ask("sources") if row[1] == "*"], 60, "chronyd selects us")[0]
        self.assertLess(abs(float(row[7])), 0.01, row)

    def test_chronyd_uses_our_servers_interleaved_mode(self):
        self.check_interleaved(threads=0)

    def test_chronyd_uses_the_interleaved_mode_of_workers(self):
        self.check_interleaved(threads=1)

    def test_chronyd_finds_the_liar(self):
        servers = [self.start("timepool-ntpd", (
            f'[server]\nlisten = ["127.0.0.{2 + i}:0"]\n[server.local]\nstratum = 1\n'
            + ('[server.test]\noffset = "400ms"\n' if i == 0 else ""))) for i in range(4)]
        lines = ["port 0"]
        for server in servers:
            host, port = server.listening("server")
            lines.append(f"server {host} port {port} iburst minpoll -2 maxpoll -2")
        chronyd = self.start_chronyd("\n".join(lines))

        def settled():
            rows = {row[2]: row for row in chronyd.ask("sources")}
            good = [row for address, row in rows.items() if address != "127.0.0.2"]
            found = len(rows) == 4 and any(row[1] == "*" for row in good)
            return rows if found and rows["127.0.0.2"][1] == "x" else None
        rows = wait_until(settled, 90, f"the liar is a falseticker\n{chronyd.output()}")
        # chronyc's offset is ours less theirs.
        self.assertAlmostEqual(abs(float(rows["127.0.0.2"][7])), 0.4, delta=0.02)

    def test_chronyd_asks_us_in_every_version(self):
        for version in (1, 2, 3, 4):
            with self.subTest(version=version):
                server = self.start("timepool-ntpd", (
                    '[server]\nlisten = ["127.0.0.1:0"]\n[server.local]\nstratum = 1\n'))
                port = server.listening("server")[1]
                chronyd = self.start_chronyd(
                    f"port 0\nserver 127.0.0.1 port {port} version {version} iburst minpoll -2 maxpoll -2")
                wait_until(lambda: any(row[1] == "*" for row in chronyd.ask("sources")), 60,
                           f"chronyd selects us\n{chronyd.output()}")
                reasons = server.control("counters")["server"]["reasons"]
                self.assertEqual(reasons["answered_plain"], sum(reasons.values()))
                self.doCleanups()

    def test_our_client_asks_chronyd_in_versions_3_and_4(self):
        port = free_port()
        chronyd = self.start_chronyd(
            f"port {port}\nbindaddress 127.0.0.1\nlocal stratum 3\nallow 127.0.0.0/8\n")
        for version in (3, 4):
            with self.subTest(version=version):
                client = self.start("timepool-ntpd", (
                    "[sources]\nmin_sources = 1\n"
                    f'[[server]]\naddress = "127.0.0.1"\nport = {port}\nversion = {version}\n'
                    "iburst = true\nminpoll = -2\nmaxpoll = -2\n"))
                row = wait_until(lambda: next(
                    (it for it in client.control("sources")["sources"] if it["reach"] == 255), None),
                    60, f"eight answers of chronyd\n{chronyd.output()}")
                self.assertEqual(row["last_reason"], "accepted")
                self.assertLess(abs(row["offset_s"]), 0.01, row)


if __name__ == "__main__":
    main()
