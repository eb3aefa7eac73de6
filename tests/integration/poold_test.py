"""timepool-poold as a black box: killed in the middle of writes, its files, its faults."""
import datetime
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
import uuid

from manager_program import Manager, call, request
from programs import BINARY_DIR, ProgramTest, main, own_directory, wait_until

KILLS = 8
SERVERS = [f"127.0.{i // 100}.{i % 100 + 1}" for i in range(6)]


class Poold(Manager):
    def __init__(self, directory, max_size="0B"):
        super().__init__(directory, store=f'max_size = "{max_size}"', publish='min_interval = "50ms"',
                         monitors='check_interval = "100ms"\nbad_interval = "100ms"')

    def metrics(self):
        lines = request(self.url, "GET", "/metrics")[1].decode().splitlines()
        return {k: float(v) for k, v in (line.split() for line in lines if line[0] != "#")}

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Monitor(threading.Thread):
    """Reports without end; sends a batch again under its key until it is acknowledged."""

    def __init__(self, test, token):
        super().__init__(daemon=True)
        self.test, self.token, self.stopping = test, token, False
        self.acknowledged = []  # (key, body, answer)
        self.repeats = 0
        self.fault = None

    def run(self):
        try:
            while not self.stopping:
                self.round()
        except Exception as fault:  # told by the test's own thread
            self.fault = fault

    def round(self):
        try:
            status, work = call(self.test.url, "GET", "/v1/work?wait=1", token=self.token)
        except (OSError, ValueError):
            time.sleep(0.02)
            return
        if status != 200:
            raise AssertionError(f"work: {status} {work}")
        results = [{"server": item["server"], "ticket": item["ticket"], "time": now(),
                    "samples": [{"offset_s": random.uniform(-0.2, 0.2), "rtt_s": 0.01, "stratum": 2}]
                    + [{"error": "timeout"}] * 2} for item in work["work"]]
        if not results:
            return
        key, body = str(uuid.uuid4()), json.dumps({"results": results}).encode()
        while True:
            try:
                status, answer = call(self.test.url, "POST", "/v1/results", body, self.token,
                                      Idempotency_Key=key)
                break
            except (OSError, ValueError):
                self.repeats += 1
                time.sleep(0.02)
        if status != 200:
            raise AssertionError(f"results: {status} {answer}")
        self.acknowledged.append((key, body, answer))


class PooldTest(ProgramTest):
    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        self.url = None

    def open(self, **more):
        program = Poold(self.directory, **more)
        self.addCleanup(lambda: program.process.poll() is None and program.kill())
        self.url = program.url
        return program

    def database(self):
        out = sqlite3.connect(f"file:{self.directory}/pool.db?mode=ro", uri=True)
        self.addCleanup(out.close)
        return out

    def register(self, program, monitors):
        for address in SERVERS:
            program.add(address)
        return [program.add_monitor(f"m{i}") for i in range(monitors)]

    def test_killed_at_any_time_it_has_every_acknowledged_result_once(self):
        seed = int(os.environ.get("TIMEPOOL_SEED", time.time_ns() % 100000))
        print(f"seed {seed}", flush=True)
        chance = random.Random(seed)
        program = self.open()
        monitors = [Monitor(self, token) for token in self.register(program, 3)]
        for monitor in monitors:
            monitor.start()
        serials = []
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.2, 0.9))
            serials.append(program.metrics()["timepool_poold_snapshot_serial"])
            program.kill()
            program = self.open()
        serials.append(program.metrics()["timepool_poold_snapshot_serial"])
        for monitor in monitors:
            monitor.stopping = True
        for monitor in monitors:
            monitor.join(30)
            self.assertIsNone(monitor.fault)
        self.assertEqual(serials, sorted(serials))

        accepted = sum(a["accepted"] for m in monitors for _, _, a in m.acknowledged)
        refused = [r for m in monitors for _, _, a in m.acknowledged for r in a["rejected"]]
        self.assertGreater(accepted, 100)
        self.assertEqual(refused, [])
        self.check_stored(accepted)
        # Every batch once more: the same answer, and nothing happens. (A monitor may itself have sent
        # one again after the last kill.)
        repeated = program.metrics()["timepool_poold_batches_repeated_total"]
        for monitor in monitors:
            for key, body, answer in monitor.acknowledged:
                again = program.call("POST", "/v1/results", body, monitor.token,
                                     Idempotency_Key=key)
                self.assertEqual(again, (200, answer))
        self.check_stored(accepted)
        batches = sum(len(m.acknowledged) for m in monitors)
        self.assertEqual(program.metrics()["timepool_poold_batches_repeated_total"],
                         repeated + batches)
        print(f"{KILLS} kills, {batches} batches with {accepted} results acknowledged, "
              f"{sum(m.repeats for m in monitors)} sends without an answer", flush=True)
        self.assertEqual(program.stop(), 0)
        self.assertEqual(self.database().execute("PRAGMA integrity_check").fetchone()[0], "ok")

    def check_stored(self, accepted):
        """Each acknowledged result is there once, and every score follows from its steps."""
        database = self.database()
        count, samples = database.execute(
            "SELECT count(*), sum(samples) FROM score_log WHERE monitor_id IS NOT NULL").fetchone()
        self.assertEqual(count, accepted)
        self.assertEqual(database.execute("SELECT count(*) FROM samples").fetchone()[0], samples)
        scores = {}
        for server, monitor, step, score in database.execute(
                "SELECT server_id, monitor_id, step, score FROM score_log "
                "WHERE monitor_id IS NOT NULL ORDER BY id"):
            expected = min(scores.get((server, monitor), 0) * 0.95 + step, 20)
            self.assertAlmostEqual(score, expected, places=9)
            scores[server, monitor] = score
        pairs = database.execute("SELECT server_id, monitor_id, raw FROM pairs").fetchall()
        self.assertEqual({(s, m): raw for s, m, raw in pairs}, scores)
        database.close()

    def test_full_database_is_told_and_loses_nothing(self):
        program = self.open(max_size="400KiB")
        token = self.register(program, 1)[0]
        accepted, fault = 0, None
        for _ in range(400):
            work = program.call("GET", "/v1/work?wait=1", token=token)[1]["work"]
            results = [{"server": item["server"], "ticket": item["ticket"], "time": now(),
                        "samples": [{"error": "timeout"}] * 30} for item in work]
            status, answer = program.call("POST", "/v1/results", {"results": results}, token,
                                          Idempotency_Key=str(uuid.uuid4()))
            if status != 200:
                fault = (status, answer["error"])
                break
            accepted += answer["accepted"]
        self.assertIsNotNone(fault)
        self.assertEqual(fault[0], 503)
        self.assertEqual(fault[1]["code"], "exhausted")
        self.assertIn("no room left for the database", fault[1]["message"])
        self.check_stored(accepted)
        self.assertEqual(program.call("GET", "/healthz")[0], 200)
        program.kill()
        program = self.open()
        self.check_stored(accepted)

    def test_secrets_and_database_are_for_the_owner_only(self):
        program = self.open()
        for name in ("admin.token", "snapshot.key", "pool.db", "pool.db-wal"):
            mode = (self.directory / name).stat().st_mode & 0o777
            self.assertEqual(mode, 0o600, name)
        key = program.call("GET", "/v1/snapshot-key")[1]["public_key"]
        self.assertEqual(program.public_key(), key)
        self.assertEqual(program.stop(), 0)

    def test_sighup_takes_in_countries_and_keeps_the_old_on_error(self):
        program = self.open()
        config = program.config.read_text()

        def reloaded(text, says):
            program.write_config(config + text)
            program.signal(signal.SIGHUP)
            wait_until(lambda: says in program.output(), 10, says)

        reloaded('[geoip.overrides]\n"127.0.0.0/8" = "nz"\n', "configuration reloaded")
        answer = program.add(SERVERS[0])
        self.assertEqual(answer["country"], "nz", answer)
        reloaded('[geoip]\nfiles = ["/nonexistent.mmdb"]\n', "the configuration stays as it was")
        reloaded("[scoring]\ndecay = 0.5\n", "[scoring] changed: that needs a restart")
        answer = program.add(SERVERS[1])
        self.assertEqual(answer["country"], "", answer)

    def test_says_which_setting_cannot_be_used(self):
        program = self.open()
        port = program.url.rsplit(":", 1)[1]
        other = self.directory / "other"
        other.mkdir()
        cases = [("127.0.0.1:0\"]", f"127.0.0.1:{port}\"]", "[http] listen"),
                 ("pool.db", "missing/pool.db", "[store] path"),
                 ("admin.token", "missing/admin.token", "[admin] token_file"),
                 ("snapshot.key", "missing/snapshot.key", "[publish] key_file"),
                 ("[zones]", "[geoip]\nfiles = [\"/nowhere.mmdb\"]\n[zones]", "[geoip] files")]
        text = program.config.read_text().replace(str(self.directory), str(other))
        for old, new, setting in cases:
            with self.subTest(setting):
                self.assertIn(old, text)
                config = other / "config.toml"
                config.write_text(text.replace(old, new))
                done = subprocess.run(
                    [BINARY_DIR / "bin" / "timepool-poold", "--config", config],
                    capture_output=True, text=True, timeout=20)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(setting, done.stderr)
        second = subprocess.run(
            [BINARY_DIR / "bin" / "timepool-poold", "--config", program.config],
            capture_output=True, text=True, timeout=20)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another process has this database open", second.stderr)


if __name__ == "__main__":
    main()
