"""NTS for a pool from end to end: names by the manager's API, certificates by ACME through our DNS, SRV records by what
monitors find, clients that follow them, and an end for those who leave. The ids are those of docs/nts-for-pools.md."""
import pathlib
import re
import shutil
import tempfile
import time
import unittest

import dns_messages as dns
from nts_pool_world import CAA, NXDOMAIN, ZONE, World, check_needs
from programs import main, wait_until

SERVICE = f"_ntske._tcp.{ZONE}"
# A name is in DNS, or gone, within so many seconds.
LIMIT = 5
NAMES = ("alice", "bob", "carol", "dave", "erin")
# Clients of different networks.
SUBNETS = ("198.18.0.0/24", "198.19.0.0/24", "203.0.113.0/24")


def full(name):
    return f"{name}.m.{ZONE}"


def timed(condition, what, seconds=LIMIT):
    start = time.monotonic()
    value = wait_until(condition, seconds, what)
    print("timing: %s after %.2f s" % (what, time.monotonic() - start), flush=True)
    return value


class NtsPool(unittest.TestCase):
    """One pool for all: the tests run in the order of their names."""

    @classmethod
    def setUpClass(cls):
        check_needs()
        base = pathlib.Path(tempfile.mkdtemp(prefix="timepool-nts-pool-"))
        cls.addClassCleanup(shutil.rmtree, base, ignore_errors=True)
        cls.world = World(base, cls.addClassCleanup)
        cls.manager = cls.world.manager
        cls.members = {name: f"192.0.2.{11 + n}" for n, name in enumerate(NAMES)}

    def test_01_lm1_lo1_a_name_is_in_dns_within_seconds_of_its_registration(self):
        for name, address in self.members.items():
            status, answer = self.manager.call("POST", "/v1/servers", {"address": address, "owner": name})
            self.assertEqual(status, 201, answer)
        for name, address in list(self.members.items())[1:]:
            status, answer = self.manager.call("PUT", f"/v1/servers/{address}/name", {"name": name})
            self.assertEqual(status, 200, answer)
            timed(lambda: self.world.addresses(full(name)) == [address], f"{name} is in DNS")
        status, text = self.manager.cli("name", self.members["alice"], "alice")
        self.assertEqual(status, 0, text)
        timed(lambda: self.world.addresses(full("alice")), "alice, named by the command, is in DNS")
        for subnet in SUBNETS:
            self.assertEqual(self.world.addresses(full("alice"), subnet=subnet), [self.members["alice"]])
        self.assertEqual(self.world.targets(), {})

    def test_02_lo6_authorities_and_methods_are_limited(self):
        self.assertEqual(self.world.authorisations(full("alice")),
                         {"ca.test; validationmethods=http-01,tls-alpn-01", ";"})
        self.assertEqual(self.world.authorisations(f"m.{ZONE}"), {";"})

    def test_05_lo5_unbound_and_delv_validate(self):
        for name, kind in ((full("alice"), "A"), (full("alice"), "CAA"), (f"m.{ZONE}", "CAA")):
            with self.subTest(name=name, kind=kind):
                self.assertIn("; fully validated", self.world.delv(name, kind))
                self.assertRegex(self.world.dig(name, kind), r"status: NOERROR(.*\n)*;; flags:.* ad[ ;]")

    def test_12_lo4_lm1_a_member_that_leaves_has_no_name(self):
        address = self.members["erin"]
        self.assertEqual(self.manager.call("DELETE", "/v1/servers/" + address)[0], 204)
        timed(lambda: self.world.ask(full("erin")).rcode == NXDOMAIN, "the name is gone")
        self.assertIn("negative response, fully validated", self.world.delv(full("erin"), "A"))
        self.assertEqual(self.world.authorisations(f"m.{ZONE}"), {";"})


if __name__ == "__main__":
    main()
