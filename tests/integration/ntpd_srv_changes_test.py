"""timepool-ntpd follows a pool by SRV records over restarts and with clocks that are wrong. All on
loopback; nobody touches a clock: the client only observes, servers lie by [server.test], and one client is shown
another time of day (clock_offset.c). The ids are those of docs/nts-for-pools.md."""
import pathlib
import shutil
import struct
import subprocess
import time
import unittest

from certificates import DAY, Authority
from programs import main, wait_until
from signed_zones import SIGNZONE, DnsServer, sign
from srv_case import OwnZoneTest, SrvTest

YEARS = 1000 * DAY
LIE = '[server.test]\noffset = "1000d"\n'
COMPILER = shutil.which("cc") or shutil.which("gcc")


def established(*servers):
    return sum(it.control("counters")["key_server"]["outcomes"]["established"] for it in servers)


class Changes(OwnZoneTest):
    def proven(self, client, names, what, seconds=60):
        wanted = {f"{it}.m.pool.test" for it in names}
        return wait_until(lambda: set(it := self.sources(client)) == wanted and it, seconds,
                          f"{what}\n{client.output()}")

    def test_a_restart_goes_on_with_the_same_servers_and_their_saved_keys(self):
        numbers = {it: 10 + i for i, it in enumerate("abcdef", 1)}
        servers = [self.serve(name, number) for name, number in numbers.items()]
        self.write_zone(numbers, numbers)
        port, anchor = self.serve_zone()
        state = self.directory / "state"
        state.mkdir()
        options = {"pool": 'nts = "srv"\nmax_addresses = 2', "head": f'state_directory = "{state}"\n'}
        client = self.client(port, anchor, **options)
        first = wait_until(lambda: len(it := self.sources(client)) == 2 and set(it), 40,
                           f"two servers\n{client.output()}")
        for crash in (False, True):
            wait_until((state / "nts-sessions.bin").exists, 20, "keys are saved")
            if crash:
                time.sleep(3)  # what was answered is on the disk soon
                client.process.kill()
                client.process.wait()
            else:
                client.stop()
            client = self.client(port, anchor, **options)
            again = wait_until(lambda: len(it := self.sources(client)) == 2 and set(it), 40,
                               f"two servers again\n{client.output()}")
            self.assertEqual(again, first)
            self.assertEqual(established(*servers), 2)
            self.assertEqual(client.control("security")["key_establishments"], {})

    def test_lc2_the_port_of_the_only_server_changes(self):
        old = self.serve("a", 11)
        self.write_zone("a", {"a": 11})
        port, anchor = self.serve_zone()
        client = self.client(port, anchor)
        self.proven(client, "a", "the server")
        before = self.ports["a"]
        old.stop()
        new = self.serve("a", 11)
        self.assertNotEqual(self.ports["a"], before)
        self.write_zone("a", {"a": 11})
        self.dnsd.control("reload")
        wait_until(lambda: established(new) > 0, 60, f"keys at the record's new port\n{client.output()}")
        self.proven(client, "a", "time by them")

    def test_lo3_a_name_that_a_member_brought_is_followed_in_a_zone_without_signatures(self):
        self.serve("time", 11, alternative="DNS:time.example.org")
        self.write_zone([], {}, {"_ntske._tcp": {"srv": [{"srv_weight": 1, "port": self.ports["time"],
                                                         "target": "time.example.org."}]}})
        (self.directory / "zones/example.org.json").write_text(
            '{"serial": 1, "ttl": 1, "data": {"": {"ns": ["ns1.pool.test."]}, "time": {"a": [["127.0.0.11"]]}}}')
        port, anchor = self.serve_zone()
        client = self.client(port, anchor)
        wait_until(lambda: set(self.sources(client)) == {"time.example.org"}, 40, f"the server\n{client.output()}")
        self.assertEqual((self.pool(client)["trust"], self.pool(client)["verdict"]), ("secure", "use"))

    @unittest.skipUnless(COMPILER, "no C compiler")
    def test_what_a_wrong_clock_made_bogus_is_asked_again_when_the_clock_is_set_back(self):
        """What libunbound remembers ends by the system clock: without more it would be bogus for 1000 days."""
        library, offset = self.directory / "clock_offset.so", self.directory / "offset"
        source = pathlib.Path(__file__).resolve().parent / "clock_offset.c"
        subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", library, source], check=True, timeout=60)
        offset.write_bytes(struct.pack("q", int(YEARS.total_seconds())))
        self.serve("a", 11)
        self.write_zone("a", {"a": 11})
        port, anchor = self.serve_zone()
        client = self.client(port, anchor, prefix=("env", f"LD_PRELOAD={library}", f"CLOCK_OFFSET={offset}"))
        wait_until(lambda: self.pool(client).get("verdict") == "bogus", 30, f"bogus\n{client.output()}")
        self.assertEqual(client.control("security")["key_establishments"], {})
        with open(offset, "r+b") as out:
            out.write(struct.pack("q", 0))
        self.proven(client, "a", "the server, by the right time")
        self.assertEqual(self.pool(client)["verdict"], "use")


@unittest.skipUnless(SIGNZONE, "Debian package ldnsutils is not there")
class WithoutAClock(SrvTest):
    """The servers' time is years ahead of the system's."""

    def world(self, begins, ends):
        """A pool of four, whose signatures are good from then till then; the port of its name server and its anchor."""
        self.authority = Authority(self.directory, days=3000)
        records = []
        for number, name in enumerate("abcd", 11):
            self.serve(name, number, YEARS - DAY, YEARS + 20 * DAY, more=LIE)
            records.append(f"{name}.m A 127.0.0.{number}")
        text, anchor = sign(self.directory, self.records("abcd") + records, begins.total_seconds(),
                            ends.total_seconds())
        dns = DnsServer(text)
        self.addCleanup(dns.close)
        return dns.port, anchor

    def clockless(self, port, anchor):
        return self.client(port, anchor, more="[nts.client]\nunchecked_updates = 1\n", min_sources=3)

    def test_lc6_signatures_hold_at_the_time_that_is_agreed_on(self):
        client = self.clockless(*self.world(YEARS - DAY, YEARS + 20 * DAY))

        def settled():
            pool = self.pool(client)
            return len(self.sources(client)) == 4 and pool["verdict"] == "use" and pool["dates_checked"]
        wait_until(settled, 60, f"asked again with dates\n{client.output()}")
        self.assertTrue(client.control("tracking")["synchronised"])
        self.assertAlmostEqual(client.control("tracking")["offset_s"], YEARS.total_seconds(), delta=60)
        self.assertIn("the certificate's dates are not checked", client.output())

    def test_lc6_signatures_that_do_not_hold_at_that_time_cost_their_servers(self):
        """Signed today, which the system clock would take: for a day that is long over where the servers are."""
        client = self.clockless(*self.world(-DAY, 20 * DAY))
        wait_until(lambda: self.pool(client).get("verdict") == "bogus", 60, f"bogus\n{client.output()}")
        self.assertTrue(self.pool(client)["dates_checked"])
        wait_until(lambda: not self.sources(client), 30, f"nobody is left\n{client.output()}")
        self.assertEqual({it["dropped"] for it in self.pool(client)["targets"]}, {"untrusted"})

    def test_lc6_by_default_signatures_must_hold_by_the_system_clock(self):
        client = self.client(*self.world(YEARS - DAY, YEARS + 20 * DAY))
        wait_until(lambda: self.pool(client).get("verdict") == "bogus", 30, f"bogus\n{client.output()}")
        self.assertEqual(client.control("security")["key_establishments"], {})


if __name__ == "__main__":
    main()
