"""A signed zone of timepool-dnsd as zonemaster and dnsviz judge it, on port 53 of two public addresses in a network
namespace of its own: no error and no warning of what the server has a say in."""
import json
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from namespaces import MISSING, Namespace, allowed  # noqa: E402
from programs import BINARY_DIR, main, own_directory, wait_until  # noqa: E402

# Nobody's documentation or private space, which the checkers would find fault with; no packet leaves the namespace.
SERVERS = {"ns1.pool.test": "185.10.1.1", "ns2.pool.test": "31.13.2.1"}
ZONE = {
    "serial": 2026112201, "ttl": 150, "max_hosts": 4, "contact": "hostmaster.pool.test",
    "data": {
        "": {"a": [[f"185.10.5.{n}", 1000 * n] for n in range(1, 30)], "ns": {name: None for name in SERVERS}},
        **{name.split(".")[0]: {"a": [[address, 1]]} for name, address in SERVERS.items()},
        "0": {"a": [["185.10.5.1", 1000], ["185.10.5.2", 2000]]}, "us": {"a": [["185.10.5.7", 1000]]},
        "www": {"cname": "us"}, "*.w": {"a": [["185.10.5.9", 1]]},
    },
}


@unittest.skipUnless(allowed(), MISSING)
class Checkers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = own_directory(cls.addClassCleanup)
        cls.network = Namespace()
        cls.addClassCleanup(cls.network.close)
        for address in SERVERS.values():
            cls.network.ip("address", "add", address + "/32", "dev", "lo")
        # What is asked of the root and of others fails at once.
        cls.network.ip("route", "add", "unreachable", "default")
        (cls.root / "zones").mkdir()
        (cls.root / "zones/pool.test.json").write_text(json.dumps(ZONE))
        (cls.root / "dnsd.toml").write_text(f'''[server]
listen = {json.dumps([address + ":53" for address in SERVERS.values()])}
[zones]
directory = "{cls.root}/zones"
[dnssec]
directory = "{cls.root}/keys"
[[dnssec.zone]]
name = "pool.test"
[control]
socket = "{cls.root}/dnsd.sock"
''')
        cls.log = open(cls.root / "log", "wb")
        cls.addClassCleanup(cls.log.close)
        cls.server = subprocess.Popen([*cls.network.prefix, BINARY_DIR / "bin/timepool-dnsd", "--config",
                                       cls.root / "dnsd.toml"], stdout=cls.log, stderr=cls.log)
        cls.addClassCleanup(cls.server.wait)
        cls.addClassCleanup(cls.server.terminate)
        wait_until(lambda: b"ready" in (cls.root / "log").read_bytes(), 20, "the server is ready")
        # "pool.test. IN DS 23767 13 2 E5D5..."
        done = subprocess.run([BINARY_DIR / "bin/timepool", "dns", "keys", "ds", "pool.test", "--early", "--socket",
                               cls.root / "dnsd.sock"], capture_output=True, text=True, check=True, timeout=20)
        cls.ds = done.stdout.splitlines()[0].split(" DS ")[1].split()

    def inside(self, *command, **more):
        return subprocess.run([*self.network.prefix, *command], capture_output=True, text=True, timeout=100,
                              cwd=self.root, check=False, **more)

    def test_zonemaster_has_no_warning(self):
        if not shutil.which("zonemaster-cli"):
            self.skipTest("needs the package zonemaster-cli")
        servers = [word for name, address in SERVERS.items() for word in ("--ns", f"{name}/{address}")]
        done = self.inside("zonemaster-cli", "--no-ipv6", "--level", "WARNING", "--no-time", "--json", *servers,
                           "--ds", ",".join(self.ds), "pool.test")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = [message for message in json.loads(done.stdout) if message["tag"] not in ("NAMESERVER_IP_PTR_MISMATCH",
                 "NO_RESPONSE_PTR_QUERY", "NAMESERVER_IP_WITHOUT_REVERSE")]
        self.assertEqual(found, [])

    def test_dnsviz_finds_no_fault(self):
        if not shutil.which("dnsviz"):
            self.skipTest("needs the package dnsviz")
        servers = ",".join(f"{name}={address}" for name, address in SERVERS.items())
        done = self.inside("dnsviz", "probe", "-A", "-a", ".", "-x", "pool.test+:" + servers, "pool.test",
                           "us.pool.test", "www.pool.test", "any.w.pool.test", "not-there.pool.test")
        self.assertEqual(done.returncode, 0, done.stderr)
        # Everything that it found, and then what is wrong with it.
        whole = json.loads(self.inside("dnsviz", "grok", input=done.stdout).stdout)
        self.assertIn("pool.test.", whole)
        wrong = self.inside("dnsviz", "grok", "-l", "warning", input=done.stdout)
        self.assertEqual((wrong.returncode, wrong.stdout.strip()), (0, ""))


if __name__ == "__main__":
    main()
