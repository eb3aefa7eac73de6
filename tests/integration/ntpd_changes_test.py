"""Sources of timepool-ntpd that come, change and go while it runs: by reload, by command, by files,
and by the hooks of DHCP clients."""
import pathlib
import subprocess

import programs
from programs import BINARY_DIR, own_directory, wait_until

HOOKS = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "dhcp"


class Sources(programs.ProgramTest):
    def sources_directory(self):
        return own_directory(self.addCleanup)

    def sources_of(self, program):
        return {source["source"]: source for source in program.control("sources")["sources"]}

    def test_sources_that_stay_keep_their_measurements_over_a_reload(self):
        server = self.start("timepool-ntpd",
                            '[server]\nlisten = ["127.0.0.1:0"]\n[server.local]\nstratum = 1\n')
        host, port = server.listening("server")
        kept = f'[[server]]\naddress = "{host}"\nport = {port}\nminpoll = -2\nmaxpoll = -2\n'
        program = self.start("timepool-ntpd", "[sources]\nmin_sources = 1\n" + kept)
        wait_until(lambda: self.sources_of(program)[host]["requests"] >= 6, 20, "requests")
        before = self.sources_of(program)[host]["requests"]
        program.write_config("[sources]\nmin_sources = 1\n"
                             + kept.replace("maxpoll = -2", "maxpoll = 1")
                             + '[[server]]\naddress = "192.0.2.77"\n')
        answer = program.control("reload")
        self.assertEqual((answer["sources_added"], answer["sources_changed"],
                          answer["sources_removed"], answer["measuring_anew"]), (1, 1, 0, False))
        self.assertGreaterEqual(self.sources_of(program)[host]["requests"], before)
        program.write_config("[sources]\nmin_sources = 1\n" + kept)
        self.assertEqual(program.control("reload")["sources_removed"], 1)
        self.assertEqual(list(self.sources_of(program)), [host])

    def test_sources_come_and_go_by_command_and_errors_are_precise(self):
        program = self.start("timepool-ntpd", "")
        def add(kind, **settings):
            return program.control("add", kind=kind, settings=settings)
        self.assertTrue(add("server", address="192.0.2.1", minpoll=5)["ok"])
        self.assertTrue(add("pool", address="pool.invalid", max_addresses=6)["ok"])
        self.assertEqual(set(self.sources_of(program)), {"192.0.2.1", "pool.invalid"})
        self.assertIn("192.0.2.1 is a source already", add("server", address="192.0.2.1")["error"])
        self.assertIn("minpoll", add("server", address="192.0.2.2", minpoll=99)["error"])
        self.assertIn('unknown key "minpol"', add("server", address="a", minpol=4)["error"])
        self.assertIn('"kind" must be', add("peer", address="a")["error"])
        # A reload leaves alone what was added by hand.
        self.assertTrue(program.control("reload")["ok"])
        self.assertEqual(len(self.sources_of(program)), 2)
        self.assertTrue(program.control("remove", source="192.0.2.1")["ok"])
        self.assertEqual(set(self.sources_of(program)), {"pool.invalid"})
        self.assertIn('no source is configured as "192.0.2.1"',
                      program.control("remove", source="192.0.2.1")["error"])
        for i in range(15):
            self.assertTrue(add("server", address=f"192.0.2.{100 + i}")["ok"])
        self.assertIn("there are 16 sources, the most there can be",
                      add("server", address="192.0.2.200")["error"])

    def test_files_in_a_directory_of_sources_are_watched(self):
        directory = self.sources_directory()
        program = self.start("timepool-ntpd", f'[sources]\ndirectories = ["{directory}"]\n')
        (directory / "dhcp-eth0.toml").write_text('[[server]]\naddress = "192.0.2.5"\n')
        wait_until(lambda: "192.0.2.5" in self.sources_of(program), 15, "the file is noticed")
        (directory / "dhcp-eth0.toml").write_text('[[server]]\naddres = "192.0.2.6"\n')
        answer = program.control("reload")
        self.assertIn('unknown key "addres"', " ".join(answer["problems"]))
        self.assertEqual(list(self.sources_of(program)), ["192.0.2.5"])
        (directory / "dhcp-eth0.toml").write_text('[[server]]\naddress = "192.0.2.7"\n')
        answer = program.control("reload")
        self.assertEqual((answer["sources_added"], answer["sources_removed"]), (1, 1))
        (directory / "dhcp-eth0.toml").unlink()
        self.assertEqual(program.control("reload")["sources_removed"], 1)


class DhcpHooks(programs.ProgramTest):
    """The scripts with the environments that DHCP clients give them."""

    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        self.sources = self.directory / "sources.d"
        # Notes that it was called.
        self.calls = self.directory / "calls"
        timepool = self.directory / "timepool"
        timepool.write_text(f'#!/bin/sh\necho "$*" >> {self.calls}\n')
        timepool.chmod(0o755)
        self.environment = {
            "PATH": "/usr/bin:/bin", "TIMEPOOL_SOURCES_DIR": str(self.sources),
            "TIMEPOOL_COMMAND": str(timepool), "TIMEPOOL_DHCP": str(HOOKS / "timepool-dhcp")}

    def run_hook(self, *command, **environment):
        return subprocess.run(command, env={**self.environment, **environment}, timeout=20,
                              capture_output=True, text=True)

    def servers(self, interface):
        path = self.sources / f"dhcp-{interface}.toml"
        if not path.exists():
            return None
        return [line.split('"')[1] for line in path.read_text().splitlines()
                if line.startswith("address")]

    def reloads(self):
        return self.calls.read_text().split("\n")[:-1] if self.calls.exists() else []

    def test_dhclient_gives_and_takes_servers(self):
        hook = ("/bin/sh", "-c", f". {HOOKS}/dhclient-exit-hook")
        self.run_hook(*hook, reason="BOUND", interface="eth0",
                      new_ntp_servers="192.0.2.1 192.0.2.2")
        self.assertEqual(self.servers("eth0"), ["192.0.2.1", "192.0.2.2"])
        self.assertEqual(self.reloads(), ["ntp reload"])
        self.run_hook(*hook, reason="RENEW", interface="eth0",
                      new_ntp_servers="192.0.2.1 192.0.2.2")
        self.assertEqual(self.reloads(), ["ntp reload"])  # nothing changed
        self.run_hook(*hook, reason="PREINIT", interface="eth0")
        self.assertEqual(self.servers("eth0"), ["192.0.2.1", "192.0.2.2"])
        self.run_hook(*hook, reason="EXPIRE", interface="eth0")
        self.assertIsNone(self.servers("eth0"))
        self.assertEqual(self.reloads(), ["ntp reload"] * 2)

    def test_networkmanager_gives_both_families(self):
        hook = str(HOOKS / "networkmanager-dispatcher")
        self.run_hook(hook, "wlan0", "up", DHCP4_NTP_SERVERS="192.0.2.9",
                      DHCP6_DHCP6_NTP_SERVERS="2001:db8::7b")
        self.assertEqual(self.servers("wlan0"), ["192.0.2.9", "2001:db8::7b"])
        self.run_hook(hook, "wlan0", "down")
        self.assertIsNone(self.servers("wlan0"))

    def test_networkd_keeps_them_in_its_lease(self):
        leases = self.directory / "leases"
        leases.mkdir()
        (leases / "3").write_text("ADDRESS=198.51.100.7\nNTP=192.0.2.3 192.0.2.4\n")
        hook = str(HOOKS / "networkd-dispatcher")
        more = {"TIMEPOOL_NETIF": str(leases), "TIMEPOOL_IFINDEX": "3", "IFACE": "enp1s0"}
        self.run_hook(hook, STATE="routable", **more)
        self.assertEqual(self.servers("enp1s0"), ["192.0.2.3", "192.0.2.4"])
        self.run_hook(hook, STATE="off", **more)
        self.assertIsNone(self.servers("enp1s0"))

    def test_nothing_but_addresses_is_taken(self):
        hook = str(HOOKS / "timepool-dhcp")
        bad = ["evil.example", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1..2.3", ":::1",
               "1::2::3", "a b", '1.2.3.4"', "$(id)", "1.2.3.4\naddress = x", "-n", "", "fe80::1%3"]
        self.run_hook(hook, "eth0", *bad, "192.0.2.1")
        self.assertEqual(self.servers("eth0"), ["192.0.2.1"])
        self.run_hook(hook, "eth0", *bad)
        self.assertIsNone(self.servers("eth0"))
        self.run_hook(hook, "eth0", *[f"192.0.2.{i}" for i in range(1, 30)])
        self.assertEqual(len(self.servers("eth0")), 8)
        for name in ("../etc/x", "a/b", "a b", "x" * 16, "$(id)", ".x"):
            self.assertEqual(self.run_hook(hook, name, "192.0.2.1").returncode, 2, name)

    def test_the_daemon_takes_what_the_hook_wrote(self):
        program = self.start("timepool-ntpd",
                             f'[sources]\ndirectories = ["{self.sources}"]\n')
        timepool = self.directory / "timepool"
        timepool.write_text(f'#!/bin/sh\nexec {BINARY_DIR.resolve()}/bin/timepool "$@" '
                            f'--socket {program.socket}\n')
        self.run_hook(str(HOOKS / "timepool-dhcp"), "eth0", "192.0.2.44")
        wait_until(lambda: [s["source"] for s in program.control("sources")["sources"]]
                   == ["192.0.2.44"], 3, "the source is there at once")


if __name__ == "__main__":
    programs.main()
