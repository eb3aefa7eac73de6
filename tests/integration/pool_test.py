"""A whole pool, as `timepool up` runs it: what clients get while servers, DNS and manager fail."""
import collections
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

import draws
from dns_messages import A, AAAA
from pool_runner import PEBBLE, Pool, alive
from programs import BINARY_DIR, own_directory, wait_until

LIAR, DEAD = "127.10.0.200", "127.10.0.201"
STOPPED, STOPPED_PROGRAM = "127.10.0.5", "ntpd-5"
# The chance of a false alarm of the test of proportions, and the size of its sample.
ALPHA = 1e-7
QUERIES = 4000
# Answers that together have every address of the zone.
SWEEP = 300
# From the start of the pool: fourteen good checks 1.5 s apart, with room for a busy machine.
ENTER_LIMIT = 120
LEAVE_LIMIT = 20


def timing(text):
    print("timing: " + text, flush=True)


class Watcher(threading.Thread):
    """Asks the pool's names all the time and remembers every address it was ever given."""

    def __init__(self, pool):
        super().__init__(daemon=True)
        self.client = pool.client()
        self.names = [pool.ready["zone"]] + ["%d.%s" % (i, pool.ready["zone"]) for i in range(4)]
        self.seen = collections.Counter()
        self.last_seen = {}
        self.done = threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(0.02):
            answer = self.client.ask(random.choice(self.names), random.choice((A, A, A, AAAA)), 0.5)
            for address in answer.addresses if answer else ():
                self.seen[address] += 1
                self.last_seen[address] = time.monotonic()

    def stop(self):
        self.done.set()
        self.join()
        self.client.close()


class PoolTest(unittest.TestCase):
    """One pool for all: the tests run in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.base = own_directory(cls.addClassCleanup)
        cls.pool = Pool(cls.base / "pool", *(["--pebble", PEBBLE] if PEBBLE.exists() else []))
        cls.watcher = Watcher(cls.pool)
        cls.zone = cls.pool.ready["zone"]

    @classmethod
    def tearDownClass(cls):
        cls.watcher.stop()
        cls.pool.close()

    def good(self):
        return {a: s for a, s in self.pool.servers().items() if a not in (LIAR, DEAD)}

    def in_dns(self, address):
        server = self.pool.servers().get(address)
        return server is not None and server["in_dns"]

    def ask(self, kind=A, name=None):
        client = self.pool.client()
        self.addCleanup(client.close)
        return client.ask(name or self.zone, kind)

    def sweep(self):
        """Every IPv4 address that the zone has."""
        client = self.pool.client()
        try:
            answers = [client.ask(self.zone) for _ in range(SWEEP)]
        finally:
            client.close()
        return {address for answer in answers if answer for address in answer.addresses}

    def published(self):
        """The IPv4 addresses in DNS when the manager and enough answers agree about them, else None."""
        def decided():
            return {a for a, s in self.good().items() if s["in_dns"] and ":" not in a}
        wanted = decided()
        seen = self.sweep()
        return wanted if wanted and seen == wanted and decided() == wanted else None

    def test_1_good_servers_enter_dns_and_others_do_not(self):
        start = time.monotonic()
        wait_until(lambda: (good := self.good()) and all(s["in_dns"] for s in good.values()), ENTER_LIMIT,
                   "every good server is in DNS")
        timing("all good servers in DNS %.1f s after the pool was ready" % (time.monotonic() - start))
        self.assertGreaterEqual(len(self.good()), 6)
        servers = self.pool.servers()
        for address in (LIAR, DEAD):
            self.assertFalse(servers[address]["in_dns"], servers[address])
            self.assertLess(servers[address]["score"], 10)
        self.assertAlmostEqual(servers[LIAR]["last_offset"], 0.4, delta=0.05)

    def test_2_answers_follow_netspeed_within_the_caps_on_shares(self):
        weights = draws.capped({a: s["netspeed"] for a, s in self.good().items() if ":" not in a})
        client = self.pool.client()
        self.addCleanup(client.close)
        wait_until(lambda: len(set(client.ask(self.zone).addresses)) == 4, 10, "dnsd has the last snapshot")
        wait_until(lambda: set(self.watcher.seen) >= set(weights), 10, "every good server was seen")
        time.sleep(2)  # the snapshot with the last of them
        counts, firsts = collections.Counter(), collections.Counter()
        for _ in range(QUERIES):
            answer = client.ask(self.zone)
            self.assertIsNotNone(answer)
            self.assertEqual(len(answer.addresses), 4)
            counts[frozenset(answer.addresses)] += 1
            firsts.update(answer.addresses)
        self.assertEqual(set(firsts), set(weights))
        expected = {k: p * QUERIES for k, p in draws.subset_probabilities(weights, 4).items()}
        self.assertEqual(set(counts) - set(expected), set())
        statistic, freedom = draws.chi_square(draws.merge_rare(expected, counts))
        chance = draws.p_value(statistic, freedom)
        timing("%d answers: chi-square %.1f at %d degrees of freedom, p = %.4f (alpha %g)" %
               (QUERIES, statistic, freedom, chance, ALPHA))
        self.assertGreater(chance, ALPHA, counts)

    def test_3_dig_and_kdig_agree(self):
        good = set(self.good())
        countries = sorted({s["country"] for s in self.good().values()})
        address, port = self.pool.dns_address
        compared = 0
        for name in [self.zone] + ["%d.%s" % (i, self.zone) for i in range(4)] + \
                ["%s.%s" % (c, self.zone) for c in countries]:
            for kind, number in (("A", A), ("AAAA", AAAA)):
                ours = self.ask(number, name)
                answers = []
                for tool in ("dig", "kdig"):
                    out = subprocess.run([tool, "@" + address, "-p", str(port), name, kind, "+short"],
                                         capture_output=True, text=True, timeout=20, check=True)
                    answers.append(set(out.stdout.split()))
                for answer in answers:
                    self.assertEqual(len(answer), len(ours.addresses), (name, kind, answers))
                    self.assertLessEqual(answer, good, (name, kind))
                # Where every record is in the answer, all three have the same ones.
                if len(ours.addresses) < 4:
                    self.assertEqual(answers, [set(ours.addresses)] * 2, (name, kind))
                    compared += 1
        self.assertGreater(compared, 4)

    def test_4_the_client_finds_good_servers_by_name(self):
        client = wait_until(lambda: (c := self.pool.event("client")) and len(c["selected"]) >= 3 and c, 60,
                            "the client selects three sources")
        timing("the client had %d sources %.1f s after the start" % (client["sources"], client["after_s"]))
        self.assertLessEqual(set(client["selected"]), set(self.good()))

    def test_4_the_nts_client_follows_signed_records_to_members_with_certificates(self):
        if not PEBBLE.exists():
            self.skipTest("needs the package pebble (unpacked by ./dev setup)")
        event = wait_until(lambda: (e := self.pool.event("nts_client")) and len(e["selected"]) == 3 and e, ENTER_LIMIT,
                           "the NTS client selects three servers")
        timing("the NTS client had three servers %.1f s after the start" % event["after_s"])
        self.assertEqual(event["selected"], ["%s.m.%s" % (name, self.zone) for name in ("alice", "bob", "carol")])
        told = {e["name"]: e for e in self.pool.all_events("nts")}
        self.assertEqual({(e["state"], e["in_srv"]) for e in told.values()}, {("confirmed", True)})
        done = subprocess.run([BINARY_DIR / "bin/timepool", "query", "--nts-pool", self.zone, "--dns-server",
                               self.pool.ready["dns"], "--ca", self.pool.directory / "roots.pem", "--trust-anchor",
                               self.pool.directory / "anchor.ds"], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_5_a_stopped_server_leaves_dns_and_comes_back(self):
        self.assertTrue(self.in_dns(STOPPED))
        self.pool.signal(STOPPED_PROGRAM, signal.SIGSTOP)
        start = time.monotonic()
        try:
            wait_until(lambda: not self.in_dns(STOPPED), LEAVE_LIMIT, "a stopped server is out")
            # Its share of the answers is over nine tenths: two seconds without it are no chance.
            wait_until(lambda: time.monotonic() - self.watcher.last_seen.get(STOPPED, 0) > 2,
                       LEAVE_LIMIT + 2 - (time.monotonic() - start), "no answer has a stopped server")
        finally:
            self.pool.signal(STOPPED_PROGRAM, signal.SIGCONT)
        left = self.watcher.last_seen[STOPPED] - start
        timing("a server that was stopped was last in an answer after %.1f s" % left)
        self.assertLess(left, LEAVE_LIMIT)
        start = time.monotonic()
        wait_until(lambda: self.in_dns(STOPPED), ENTER_LIMIT, "a server that goes on is back")
        wait_until(lambda: self.watcher.last_seen[STOPPED] > start, 10, "answers have it again")
        timing("a server that went on was back in answers after %.1f s" % (time.monotonic() - start))

    def test_6_a_killed_manager_has_every_acknowledged_result(self):
        token = self.pool.api("/v1/monitors", {"name": "crash-test"}, self.pool.admin_token())["token"]
        acknowledged = {}
        for kill_after in (2, 5, 7):
            acknowledged.update(self.report_until_killed(token, kill_after))
            time.sleep(2.5)  # `up` takes three deaths within two seconds of a start for a fault
        self.assertGreater(len(acknowledged), 10)
        self.check_database(acknowledged)
        # The same key again: the same answer, and no second effect.
        key, (body, answer) = random.choice(list(acknowledged.items()))
        self.assertEqual(self.pool.api("/v1/results", body, token, Idempotency_Key=key), answer)
        self.check_database(acknowledged)
        timing("%d acknowledged results over 3 kills, all in the database" % len(acknowledged))

    def report_until_killed(self, token, kill_after):
        """Reports one result a batch from four threads; kills the manager in the middle.

        {key: (body, answer)} of what was acknowledged.
        """
        acknowledged, work, lock = {}, [], threading.Lock()
        while len(work) <= kill_after:
            work += self.pool.api("/v1/work?wait=5", token=token, timeout=20)["work"]

        def report():
            while True:
                with lock:
                    if not work:
                        return
                    item = work.pop()
                key = "crash-%016x" % random.getrandbits(64)
                body = json.dumps({"results": [self.result_of(item)]}).encode()
                try:
                    answer = self.pool.api("/v1/results", body, token, Idempotency_Key=key)
                except (OSError, ValueError):
                    return  # not acknowledged: it may be there or not
                if answer["accepted"] != 1:
                    continue
                with lock:
                    acknowledged[key] = (body, answer)
                    killing = len(acknowledged) == kill_after
                if killing:
                    self.pool.kill_and_await_restart("poold")

        threads = [threading.Thread(target=report) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_until(self.pool.servers, 20, "the manager answers again")
        self.assertGreaterEqual(len(acknowledged), kill_after)
        return acknowledged

    @staticmethod
    def result_of(item):
        sample = {"offset_s": 0.0, "rtt_s": 0.001, "stratum": 2, "leap": 0, "root_delay_s": 0.0,
                  "root_dispersion_s": 0.0, "precision": -20,
                  "refid": "%08x" % random.getrandbits(32)}  # what it is found by again
        if item["address"] == LIAR:
            sample["offset_s"] = 0.4
        if item["address"] == DEAD:
            sample = {"error": "timeout", "refid": sample["refid"]}
        now = time.time()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".%03dZ" % (now % 1 * 1000)
        return {"server": item["server"], "ticket": item["ticket"], "time": moment, "samples": [sample]}

    def check_database(self, acknowledged):
        with sqlite3.connect("file:%s?mode=ro" % (self.pool.directory / "pool.db"), uri=True) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            for key, (body, _) in acknowledged.items():
                refid = json.loads(body)["results"][0]["samples"][0]["refid"]
                found = database.execute("SELECT count(*) FROM samples WHERE refid = ?", (refid,)).fetchone()
                self.assertEqual(found, (1,), key)
        database.close()

    def test_7_dns_goes_on_without_a_manager(self):
        # The manager decides, then publishes, then dnsd pulls: what dnsd has is what must stay.
        before = wait_until(self.published, ENTER_LIMIT, "DNS has what the manager decided")
        self.pool.signal("poold", signal.SIGSTOP)
        try:
            start = time.monotonic()
            self.pool.kill_and_await_restart("dnsd")
            wait_until(lambda: (a := self.ask()) and a.addresses, 15, "a restarted dnsd answers")
            timing("dnsd, killed while the manager was away, answered after %.1f s" % (time.monotonic() - start))
            self.assertEqual(self.sweep(), before)
        finally:
            self.pool.signal("poold", signal.SIGCONT)

    def test_8_ctrl_c_ends_everything_and_a_second_run_goes_on(self):
        in_dns = {a for a, s in self.good().items() if s["in_dns"]}
        pids = dict(self.pool.pids)
        start = time.monotonic()
        status, summary = self.pool.stop()
        timing("Ctrl-C took %.1f s" % (time.monotonic() - start))
        self.assertEqual(status, 0, self.pool.output())
        self.assertFalse({name for name, pid in pids.items() if alive(pid)})
        self.assertEqual({s["address"] for s in summary["servers"] if s["in_dns"]}, in_dns)
        self.assertNotIn(LIAR, summary["dns"]["answers"])
        self.assertGreater(summary["dns"]["queries"], 0)
        self.assertGreaterEqual(len(summary["client"]["selected"]), 3)
        self.check_cold_dnsd(summary)
        again = Pool(self.pool.directory)
        self.addCleanup(again.close)
        servers = again.servers()
        self.assertEqual({a for a, s in servers.items() if s["in_dns"]}, in_dns)
        self.assertTrue(all(s["score"] > 10 for a, s in servers.items() if a in in_dns))
        self.assertEqual(again.stop()[0], 0)

    def check_cold_dnsd(self, summary):
        """dnsd alone, with what it has on disk: nothing else of the pool runs."""
        log = open(self.base / "dnsd.log", "ab")
        self.addCleanup(log.close)
        dnsd = subprocess.Popen([BINARY_DIR / "bin" / "timepool-dnsd", "--config", self.pool.directory / "dnsd.toml"],
                                stdout=log, stderr=log)
        try:
            answer = wait_until(lambda: (a := self.ask()) and a.addresses, 15, "dnsd serves what it kept")
            self.assertLessEqual(set(answer), {s["address"] for s in summary["servers"] if s["in_dns"]})
        finally:
            dnsd.terminate()
            dnsd.wait(10)

    def test_9_nobody_ever_got_the_liar_or_the_dead_one(self):
        self.watcher.stop()
        self.assertGreater(sum(self.watcher.seen.values()), 1000)
        self.assertEqual(self.watcher.seen[LIAR], 0)
        self.assertEqual(self.watcher.seen[DEAD], 0)
        timing("%d addresses in the watcher's answers, never the liar's or the dead one's" %
               sum(self.watcher.seen.values()))


class WithoutPebbleTest(unittest.TestCase):
    def notes(self, *options):
        done = subprocess.run([BINARY_DIR / "bin/timepool", "up", "--http", "127.0.0.1:0", "--dns", "127.0.0.1:0",
                               "--ntp-port", "0", "--json", "--exit-after", "10ms", *options], capture_output=True,
                              text=True, timeout=30, env=dict(os.environ, PATH="/nonexistent"))
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return done, [e["text"] for e in events if e["event"] == "note"]

    def test_what_is_missing_is_said(self):
        done, notes = self.notes()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(any(note.startswith("no NTS: pebble") for note in notes), notes)

    def test_nothing_is_said_where_no_nts_was_asked_for(self):
        done, notes = self.notes("--no-nts")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(any("pebble" in note for note in notes), notes)

    def test_a_pebble_that_was_given_must_be_there(self):
        done, _ = self.notes("--pebble", "/nonexistent/pebble")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--pebble /nonexistent/pebble", done.stderr)


class DrawsTest(unittest.TestCase):
    """The judge judged."""

    def test_p_values_are_those_of_the_tables(self):
        for statistic, freedom, chance in ((3.841, 1, 0.05), (36.123, 14, 0.001), (23.685, 14, 0.05), (4.66, 14, 0.99)):
            self.assertAlmostEqual(draws.p_value(statistic, freedom), chance, delta=chance * 0.01)

    def test_fair_draws_pass_and_draws_without_weights_do_not(self):
        weights = {"a": 1, "b": 2, "c": 4, "d": 4, "e": 10, "f": 20}
        generator = random.Random(7)

        def sample(by_weight):
            left, out = dict(weights), []
            for _ in range(4):
                key = generator.choices(list(left), [left[k] if by_weight else 1 for k in left])[0]
                out.append(key)
                del left[key]
            return frozenset(out)

        expected = {k: p * 2000 for k, p in draws.subset_probabilities(weights, 4).items()}
        self.assertAlmostEqual(sum(expected.values()), 2000)
        for by_weight in (True, False):
            counts = collections.Counter(sample(by_weight) for _ in range(2000))
            chance = draws.p_value(*draws.chi_square(draws.merge_rare(expected, counts)))
            self.assertEqual(chance > ALPHA, by_weight)


if __name__ == "__main__":
    for tool, package in (("dig", "bind9-dnsutils"), ("kdig", "knot-dnsutils")):
        if not shutil.which(tool):
            print("skipped: needs %s (package %s)" % (tool, package))
            sys.exit(77)
    signal.alarm(580)
    sys.exit(not unittest.main(exit=False, verbosity=2, failfast=True).result.wasSuccessful())
