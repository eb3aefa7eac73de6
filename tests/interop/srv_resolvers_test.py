"""Who answers timepool-ntpd's questions about a pool's SRV records: authoritative servers from the root on (knotd has a
signed root that delegates to timepool-dnsd), the machine's resolver that /etc/resolv.conf names (unbound), or a knotd
with a zone that is right or wrong. In network and mount namespaces of the test's own: the root servers' addresses and
the file are there alone."""
import ctypes
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import own_network  # noqa: E402
from dns_messages import SOA, ask_udp  # noqa: E402
from programs import die_with_parent, main, wait_until  # noqa: E402
from signed_zones import SIGNZONE, sign  # noqa: E402
from srv_case import OwnZoneTest, SrvTest  # noqa: E402

PEERS = pathlib.Path(__file__).resolve().parents[2] / "build/peers"
UNBOUND = PEERS / "unbound/usr/sbin/unbound"
KNOTD, KEYMGR = PEERS / "knot/usr/sbin/knotd", PEERS / "knot/usr/sbin/keymgr"
CLONE_NEWNS = 0x00020000
POOL, RESOLVER = "127.0.0.53", "127.0.0.54"
# Those that libunbound knows by itself, a.root-servers.net and so on; none by IPv6 can be reached.
ROOTS = ("198.41.0.4", "199.9.14.201", "192.33.4.12", "199.7.91.13", "192.203.230.10", "192.5.5.241", "192.112.36.4",
         "198.97.190.53", "192.36.148.17", "192.58.128.30", "193.0.14.129", "199.7.83.42", "202.12.27.33")
NUMBERS = {"a": 11, "b": 12}


def setUpModule():
    own_network.enter()
    if ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:
        raise unittest.SkipTest("needs the right to make mount namespaces")
    mount("--make-rprivate", "/")
    for address in ROOTS:
        own_network.add_address(address + "/32")


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def run_peer(test, *command):
    with open(test.directory / "peer.log", "ab") as log:
        test.end_with_test(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=die_with_parent))


def answers(server, name, port=53):
    def asked():
        try:
            return ask_udp((server, port), name, SOA).answers
        except OSError:
            return False
    wait_until(asked, 20, f"{server} answers for '{name}'")


class ResolversTest(OwnZoneTest):
    def setUp(self):
        super().setUp()
        self.etc = None
        for name, number in NUMBERS.items():
            self.serve(name, number)
        self.write_zone(NUMBERS, NUMBERS)
        _, self.anchor = self.serve_zone(POOL + ":53")

    def unbound(self, *lines):
        path = self.directory / "unbound.conf"
        path.write_text("\n".join((
            "server:", f"interface: {RESOLVER}@53", "interface: 127.0.0.1@53", "do-daemonize: no", "use-syslog: no",
            'chroot: ""', 'username: ""', f'directory: "{self.directory}"', 'pidfile: ""', "do-not-query-localhost: no",
            'local-zone: "test." nodefault', *lines, "stub-zone:", 'name: "pool.test."', f"stub-addr: {POOL}",
            "remote-control:", "control-enable: no")))
        run_peer(self, UNBOUND, "-d", "-c", path)
        answers(RESOLVER, "pool.test")

    def use_resolver(self, address=RESOLVER):
        """As the machine's, in an /etc of our own. A search list would make others of names that are not absolute."""
        if not self.etc:
            self.etc = self.directory / "etc"
            shutil.copytree("/etc", self.etc, symlinks=True)
            mount("--bind", str(self.etc), "/etc")
            self.addCleanup(subprocess.run, ["umount", "/etc"], check=True)
        (self.etc / "resolv.conf").unlink(missing_ok=True)
        if address:
            (self.etc / "resolv.conf").write_text(
                f"nameserver {address}\nsearch pool.test example.test\noptions ndots:9\n")

    def follows(self, client):
        wait_until(lambda: set(self.sources(client)) == {f"{it}.m.pool.test" for it in NUMBERS}, 60,
                   f"both servers\n{client.output()}\n{(self.directory / 'peer.log').read_text()[-3000:]}")
        self.assertEqual((self.pool(client)["trust"], self.pool(client)["verdict"]), ("secure", "use"))

    def asked_by_query(self, anchor, *arguments):
        (self.directory / "query-anchor").write_text(anchor)
        status, text = self.query("--ca", str(self.authority.certificate), "--trust-anchor",
                                  str(self.directory / "query-anchor"), *arguments)
        self.assertEqual(status, 0, text)
        self.assertIn("secure: signed", text)

    @unittest.skipUnless(UNBOUND.exists(), "needs the package unbound")
    def test_the_resolver_of_resolv_conf_is_asked_and_not_believed(self):
        """It does not validate, and need not: that is done here."""
        self.unbound('module-config: "iterator"')
        self.use_resolver()
        self.follows(self.client(None, self.anchor))
        self.asked_by_query(self.anchor)
        client = self.client(None, "pool.test. IN DS 4711 13 2 " + 64 * "a" + "\n")
        wait_until(lambda: self.pool(client).get("verdict") == "bogus", 30, f"bogus\n{client.output()}")
        self.assertEqual(client.control("security")["key_establishments"], {})

    @unittest.skipUnless(UNBOUND.exists(), "needs the package unbound")
    def test_resolv_conf_is_read_again_when_the_network_is_another(self):
        self.unbound('module-config: "iterator"')
        self.use_resolver("127.0.0.99")  # where nobody is
        client = self.client(None, self.anchor)
        wait_until(lambda: self.pool(client).get("verdict") == "failed", 30, f"no answer\n{client.output()}")
        self.use_resolver()
        self.follows(client)

    @unittest.skipUnless(UNBOUND.exists(), "needs the package unbound")
    def test_without_resolv_conf_the_resolver_on_this_machine_is_asked(self):
        self.unbound('module-config: "iterator"')
        self.use_resolver(None)
        self.follows(self.client(None, self.anchor))

    @unittest.skipUnless(UNBOUND.exists(), "needs the package unbound")
    def test_a_validating_resolver_in_between_does_no_harm(self):
        (self.directory / "unbound.ds").write_text(self.anchor)
        self.unbound('module-config: "validator iterator"', f'trust-anchor-file: "{self.directory}/unbound.ds"')
        self.use_resolver()
        self.follows(self.client(None, self.anchor))

    @unittest.skipUnless(KNOTD.exists(), "needs the package knot")
    def test_full_resolution_from_a_signed_root_on(self):
        anchor = self.root_server(self.anchor)
        more = "full_resolution = true\n"
        self.follows(self.client(None, anchor, more=more))
        self.asked_by_query(anchor, "--full-resolution")

    @unittest.skipUnless(KNOTD.exists(), "needs the package knot")
    def test_full_resolution_of_a_zone_that_its_parent_does_not_sign_for(self):
        anchor = self.root_server("")
        client = self.client(None, anchor, more="full_resolution = true\n")
        wait_until(lambda: self.pool(client).get("verdict") == "insecure", 60, f"insecure\n{client.output()}")
        self.assertEqual(client.control("security")["key_establishments"], {})

    def root_server(self, ds):
        """The root with these DS of the pool's zone; its own trust anchor."""
        zone = [". 60 SOA a.root-servers.net. h.root-servers.net. 1 1800 900 604800 60"]
        for letter, address in zip("abcdefghijklm", ROOTS):
            zone += [f". 60 NS {letter}.root-servers.net.", f"{letter}.root-servers.net. 60 A {address}"]
        zone += ["pool.test. 60 NS ns1.pool.test.", f"ns1.pool.test. 60 A {POOL}", ds]
        (self.directory / "root.zone").write_text("\n".join(zone) + "\n")
        config = self.directory / "knot.conf"
        config.write_text(f'''server:
  rundir: {self.directory}
  listen: [{", ".join(it + "@53" for it in ROOTS)}]
database:
  storage: {self.directory}
policy:
  - id: ours
    algorithm: ecdsap256sha256
    single-type-signing: on
zone:
  - domain: .
    file: {self.directory}/root.zone
    zonefile-sync: -1
    dnssec-signing: on
    dnssec-policy: ours
''')
        run_peer(self, KNOTD, "-c", config)
        answers(ROOTS[0], "")
        done = subprocess.run([KEYMGR, "-c", config, ".", "ds"], check=True, capture_output=True, text=True, timeout=20)
        return done.stdout


@unittest.skipUnless(KNOTD.exists() and SIGNZONE, "needs the packages knot and ldnsutils")
class WrongZones(SrvTest):
    """Each by a knotd of its own, at a port of its own."""

    def knotd(self, port, text):
        directory = self.directory / f"knot{port}"
        directory.mkdir()
        (directory / "zone").write_text(text)
        (directory / "conf").write_text(
            f"server:\n  rundir: {directory}\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: {directory}\n"
            f"zone:\n  - domain: pool.test\n    file: {directory}/zone\n    zonefile-sync: -1\n")
        run_peer(self, KNOTD, "-c", directory / "conf")
        answers("127.0.0.1", "pool.test", port)

    def zones(self):
        """What is signed, with its anchor: by port, and what is to be said of it."""
        day = 86400
        good = self.records("a") + ["a.m A 127.0.0.11"]
        text, anchor = sign(self.directory, good)
        yield "use", text, anchor
        yield "insecure", text, anchor.replace("pool.test", "other.test")
        bare = "\n".join(it for it in text.splitlines() if not {"RRSIG", "NSEC", "DNSKEY"} & set(it.split()))
        yield "bogus", bare, anchor
        yield "bogus", text, sign(self.directory, good)[1]
        yield "bogus", *sign(self.directory, good, -20 * day, -10 * day)
        yield "bogus", *sign(self.directory, good, 10 * day, 20 * day)
        yield "alias", *sign(self.directory, ["_ntske._tcp CNAME other.pool.test.", *good[1:],
                                              f"other SRV 0 10 {self.ports['a']} a.m.pool.test."])
        yield "nobody", *sign(self.directory, ["_ntske._tcp SRV 0 0 0 ."])
        yield "no_record", *sign(self.directory, good[1:])
        many = [f"_ntske._tcp SRV 0 10 {self.ports['a']} another-server-of-this-pool-{i}.m.pool.test."
                for i in range(40)]
        yield "use", *sign(self.directory, many + good)
        yield "bogus", *(sign(self.directory, many + good)[0], anchor)

    def test_lc6_lc7_no_key_establishment_but_with_what_is_proved(self):
        self.serve("a", 11)
        clients = []
        for port, (verdict, text, anchor) in enumerate(self.zones(), 5400):
            self.knotd(port, text)
            clients.append((verdict, self.client(port, anchor)))
        for number, (verdict, client) in enumerate(clients):
            with self.subTest(number=number, verdict=verdict):
                wait_until(lambda: self.pool(client).get("verdict") == verdict, 30, f"{verdict}\n{client.output()}")
                if verdict == "use":
                    wait_until(lambda: client.control("security")["key_establishments"] or self.sources(client), 30,
                               f"it is followed\n{client.output()}")
        time.sleep(1)
        for number, (verdict, client) in enumerate(clients):
            with self.subTest(number=number, verdict=verdict):
                self.assertEqual(self.pool(client)["verdict"], verdict, client.output())
                if verdict != "use":
                    self.assertEqual(client.control("security")["key_establishments"], {})
                    self.assertEqual(self.sources(client), {})


if __name__ == "__main__":
    main()
