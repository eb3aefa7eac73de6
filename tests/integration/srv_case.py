"""What tests of pools by SRV records share: servers of key establishment with a certificate each, a client, the zone
pool.test that timepool-dnsd signs. All on loopback; nobody touches a clock."""
import json
import subprocess
import time

from certificates import DAY, AuthorityTest
from programs import BINARY_DIR, wait_until

SERVICE = "_ntske._tcp.pool.test."


class SrvTest(AuthorityTest):
    def setUp(self):
        super().setUp()
        self.ports = {}

    def serve(self, name, number, begins=-DAY, ends=20 * DAY, alternative=None, more="", port=0):
        """A server at 127.0.0.NUMBER whose certificate is for NAME.m.pool.test."""
        address = f"127.0.0.{number}"
        chain, key = self.authority.issue(name, alternative or f"DNS:{name}.m.pool.test", begins, ends)
        server = self.start("timepool-ntpd", (
            f'[server]\nlisten = ["{address}:0"]\n[server.local]\nstratum = 1\nrefid = "TEST"\n{more}'
            f'[nts.server]\nlisten = ["{address}:{port}"]\n'
            f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'))
        self.ports[name] = server.listening("key_server")[1]
        return server

    def client(self, dns_port, anchor, pool='nts = "srv"', more="", head="", min_sources=1, **program):
        """It asks the DNS server at that port, or that of the system where there is none."""
        path = self.directory / f"anchor{len(list(self.directory.glob('anchor*')))}"
        path.write_text(anchor)
        servers = f'servers = ["127.0.0.1:{dns_port}"]\n' if dns_port else ""
        return self.start("timepool-ntpd", (
            f'clock = "observe"\n{head}[sources]\nmin_sources = {min_sources}\n'
            f'[[pool]]\naddress = "pool.test"\n{pool}\nnts_ca = ["{self.authority.certificate}"]\niburst = true\n'
            f'minpoll = 0\nmaxpoll = 0\nresolve_min = "1s"\nresolve_max = "1s"\nresolve_refresh = "1s"\n'
            f'[nts.srv]\ntrust_anchors = ["{path}"]\n{servers}{more}'), **program)

    def sources(self, client):
        """Those that gave authenticated time, by name."""
        return {it["source"]: it for it in client.control("sources")["sources"] if it.get("nts", {}).get("proven")}

    def pool(self, client):
        return client.control("sources").get("pools", [{}])[0]

    def records(self, names, port=None):
        return [f"_ntske._tcp SRV 0 10 {port or self.ports[name]} {name}.m.pool.test." for name in names]

    def query(self, *arguments):
        done = subprocess.run([BINARY_DIR / "bin/timepool", "query", "--nts-pool", "pool.test", *arguments],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr


class OwnZoneTest(SrvTest):
    """The zone is that of timepool-dnsd."""

    def write_zone(self, listed, names, more=None):
        zone = {"serial": int(time.time() * 10) % 2**32, "ttl": 1, "max_hosts": 64, "data": {
            "": {"ns": ["ns1.pool.test."]},
            "_ntske._tcp": {"srv": [{"srv_weight": 10, "priority": 0, "port": self.ports[it],
                                     "target": f"{it}.m.pool.test."} for it in listed]}}}
        zone["data"] |= more or {}
        for name, number in names.items():
            zone["data"][f"{name}.m"] = {"a": [[f"127.0.0.{number}"]]}
        (self.directory / "zones").mkdir(exist_ok=True)
        path = self.directory / "zones/pool.test.json"
        fresh = self.directory / "fresh.json"
        fresh.write_text(json.dumps(zone))
        fresh.rename(path)

    def serve_zone(self, listen="127.0.0.1:0"):
        self.dnsd = self.start("timepool-dnsd", (
            f'[server]\nlisten = ["{listen}"]\n[zones]\ndirectory = "{self.directory}/zones"\n'
            f'[dnssec]\ndirectory = "{self.directory}/keys"\n[[dnssec.zone]]\nname = "pool.test"\n'))
        ds = wait_until(lambda: self.dnsd.control("keys-ds", zone="pool.test", early=True).get("ds"), 20, "a DS")
        return self.dnsd.listening()[1], "\n".join(ds) + "\n"
