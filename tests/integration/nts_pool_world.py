"""A pool with NTS, every part of it real and on a host of its own: manager, name server on port 53, monitors, members, an
ACME authority (pebble) and a client's machine with a validating resolver (unbound)."""
import http.client
import pathlib
import subprocess
import sys
import unittest

import dns_messages as dns
import hosts
from manager_program import Manager
from pool_programs import ZONE, Monitor, NameServer, signing
from programs import BINARY_DIR, Program, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import pebble  # noqa: E402
from dns_secondaries import UNBOUND  # noqa: E402

MANAGER, NAME_SERVER, AUTHORITY, CLIENT, HERE = (f"192.0.2.{n}" for n in (2, 53, 80, 200, 254))
NXDOMAIN = 3


class Member(Program):
    """timepool-ntpd with a certificate of its own by ACME, and with a time that everybody has."""

    def __init__(self, world, name, address, challenge):
        self.world, self.label = world, name
        self.full_name = f"{name}.m.{ZONE}"
        base = world.own(name)
        self.host = world.wire.host(name, address, hosts.resolv_conf(base / "resolv.conf", NAME_SERVER))
        super().__init__("timepool-ntpd", f'''
state_directory = "{base}"
[server]
[server.local]
stratum = 1
refid = "TEST"
[nts.server]
[nts.acme]
name = "{self.full_name}"
contact = "mailto:{name}@example.org"
agree_to_terms = true
challenge = "{challenge}"
[[nts.acme.authority]]
directory = "{world.pebble.directory_url}"
ca_file = "{world.pebble.ca_file}"
''', base, prefix=self.host.prefix)

    def acme(self, command):
        """`timepool ntp acme COMMAND`: its exit status and what it says."""
        done = subprocess.run([BINARY_DIR / "bin/timepool", "ntp", "acme", command, "--socket", self.socket],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def shown_certificate(self):
        """What a client that asks for the name is shown, and whether it leads to the authority's root."""
        return subprocess.run(["openssl", "s_client", "-connect", f"{self.host.address}:4460", "-servername",
                               self.full_name, "-alpn", "ntske/1", "-CAfile", self.world.roots,
                               "-verify_hostname", self.full_name], input="", capture_output=True, text=True,
                              timeout=20).stdout

    def is_certified(self):
        try:
            return "Verify return code: 0 (ok)" in self.shown_certificate()
        except subprocess.TimeoutExpired:
            return False

    def get(self, host_field, path="/"):
        """(status, header, body) of a request to port 80."""
        connection = http.client.HTTPConnection(self.host.address, timeout=5)
        connection.putrequest("GET", path, skip_host=True)
        if host_field is not None:
            connection.putheader("Host", host_field)
        connection.endheaders()
        answer = connection.getresponse()
        out = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return out


class World:
    """Everything but members and monitors, which come one by one. `add_cleanup`: as of a test's class."""

    def __init__(self, directory, add_cleanup):
        self.directory, self.add_cleanup = directory, add_cleanup
        self.wire = hosts.Wire(HERE)
        add_cleanup(self.wire.close)
        self.manager = self.keep(self.made_manager(self.wire.host("manager", MANAGER)))
        self.dnsd = self.keep(NameServer(self.manager, directory / "dnsd", f"{NAME_SERVER}:53",
                                         signing(directory / "keys", ZONE),
                                         self.wire.host("ns1", NAME_SERVER).prefix))
        self.anchor = self.wait_for_anchor()
        self.pebble = self.keep(pebble.Pebble(self.own("pebble"), dns=f"{NAME_SERVER}:53",
                                              host=self.wire.host("authority", AUTHORITY)))
        self.roots = directory / "roots.pem"
        self.roots.write_text(self.pebble.root())
        self.client_host = self.wire.host("client", CLIENT,
                                          hosts.resolv_conf(directory / "resolv.conf", "127.0.0.1"))
        self.start_unbound()

    def own(self, name):
        """A directory."""
        path = self.directory / name
        path.mkdir(mode=0o700)
        return path

    def keep(self, program):
        self.add_cleanup(program.close)
        return program

    def start(self, name, host, directory, config, **more):
        """A program of ours."""
        return self.keep(Program(name, config, directory, prefix=host.prefix, **more))

    def made_manager(self, host):
        # A pool asks every nine minutes; this one so often that servers are fit for it within seconds.
        return Manager(
            self.directory / "manager", prefix=host.prefix, listen=f"{host.address}:8080",
            monitors='check_interval = "400ms"\nbad_interval = "400ms"\nbatch = 100', publish='min_interval = "500ms"',
            zones=f'name = "{ZONE}"\nttl = 1\n[[zones.host]]\nname = "ns1"\naddresses = ["{NAME_SERVER}"]',
            nts=f'authorities = ["{AUTHORITY_NAME}"]\ntrust = "test"\nttl = 1')

    def wait_for_anchor(self):
        """The zone's DS records, as a file."""
        records = wait_until(lambda: self.dnsd.control("keys-ds", zone=ZONE, early=True).get("ds"), 20, "a DS")
        wait_until(lambda: self.dnsd.ask(ZONE, dns.SOA).answers, 20, "the signed zone")
        path = self.directory / "anchor.ds"
        path.write_text("\n".join(records) + "\n")
        (self.directory / "anchor.delv").write_text("trust-anchors {" + "".join(
            f'{ZONE}. static-ds {" ".join(words[-4:-1])} "{words[-1]}"; '
            for words in (line.split() for line in records)) + "};\n")
        return path

    def start_monitor(self, name, address):
        """timepool-monitord, on a host that knows the time."""
        host = self.wire.host(name, address)
        return self.keep(Monitor(self.manager, name, self.directory / name, NAME_SERVER, self.roots,
                                 probe_timeout="700ms", nts_timeout="1s", prefix=host.prefix))

    def start_client(self, name, config):
        """timepool-ntpd on the client's machine, whose resolver is unbound; the clock is left alone."""
        return self.start("timepool-ntpd", self.client_host, self.own(name), f'''
clock = "observe"
{config}
[nts.srv]
trust_anchors = ["{self.anchor}"]
''')

    def start_unbound(self):
        directory = self.own("unbound")
        (directory / "unbound.conf").write_text(f'''server:
  interface: 127.0.0.1
  do-daemonize: no
  use-syslog: no
  chroot: ""
  username: ""
  directory: "{directory}"
  pidfile: ""
  module-config: "validator iterator"
  num-threads: 1
  val-log-level: 2
  trust-anchor-file: "{self.anchor}"
  local-zone: "test." nodefault
  infra-host-ttl: 1
stub-zone:
  name: "{ZONE}."
  stub-addr: {NAME_SERVER}
remote-control:
  control-enable: no
''')
        self.unbound_log = directory / "log"
        self.client_host.start(self.unbound_log, UNBOUND, "-d", "-c", directory / "unbound.conf")
        wait_until(lambda: "status: NOERROR" in self.dig(ZONE, "SOA"), 20, "unbound answers")

    def dig(self, name, kind):
        """What unbound says on the client's machine."""
        return self.client_host.run("dig", "@127.0.0.1", name, kind, "+dnssec", "+tries=1", "+time=5", check=False)

    def delv(self, name, kind):
        return subprocess.run(["delv", f"@{NAME_SERVER}", "-a", self.directory / "anchor.delv", f"+root={ZONE}", "-q",
                               name, "-t", kind], capture_output=True, text=True, timeout=20).stdout


# As CAA records call the authority; pebble does not look at them.
AUTHORITY_NAME = "ca.test"


def check_needs():
    """Raises SkipTest with what is missing."""
    if pebble.MISSING:
        raise unittest.SkipTest(pebble.MISSING)
    if not UNBOUND:
        raise unittest.SkipTest("needs the package unbound")
