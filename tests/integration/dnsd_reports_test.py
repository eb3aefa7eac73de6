"""timepool-dnsd tells timepool-poold how often it handed out each server: once each, also when the
manager is away, answers get lost, or the name server is ended in between."""
import http.server
import json
import subprocess
import threading

import manager_program
from dns_messages import ask_udp, query, udp_socket
from programs import BINARY_DIR, free_port, main, own_directory, wait_until
from successors import TakeOverTest

TOKEN = "t" * 40
SERVERS = {"127.10.0.1": 10, "127.10.0.2": 10}


class Taker(http.server.BaseHTTPRequestHandler):
    """Takes batches as the manager does, and may lose its answers."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        test = self.server.test
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self.answer(403)
        key = self.headers["Idempotency-Key"]
        test.requests.append(key)
        known = test.taken.setdefault(key, body)
        if known != body:
            return self.answer(409)
        if test.lose > 0:
            test.lose -= 1
            self.close_connection = True
            return None
        return self.answer(200)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_GET(self):
        self.answer(404)

    def log_message(self, *_):
        pass


class Reports(TakeOverTest):
    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        (self.directory / "zones").mkdir()
        (self.directory / "zones/pool.test.json").write_text(json.dumps(
            {"serial": 1, "ttl": 60, "max_hosts": 1,
             "data": {"": {"a": [[a, w] for a, w in SERVERS.items()]}}}))
        self.token = self.directory / "token"
        self.token.touch(0o600)
        self.token.write_text(TOKEN + "\n")
        self.spool = self.directory / "spool"
        self.taken, self.requests, self.lose = {}, [], 0
        self.key = "ab" * 32
        self.port = free_port()

    def listen(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Taker)
        server.test = self
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def close():
            server.shutdown()
            server.server_close()
        self.addCleanup(close)

    def config(self, listen="127.0.0.1:0"):
        return (
            f'[server]\nlisten = ["{listen}"]\n[zones]\n'
            f'directory = "{self.directory}/zones"\n[snapshot]\n'
            f'urls = ["http://127.0.0.1:{self.port}"]\npublic_keys = ["{self.key}"]\n'
            f'[accounting]\ntoken_file = "{self.token}"\ninterval = "1s"\n'
            f'spool_file = "{self.spool}"\n')

    def serve(self):
        program = self.start("timepool-dnsd", self.config())
        program.address = program.listening()
        return program

    def ask(self, program, times):
        for _ in range(times):
            ask_udp(program.address, "pool.test")

    def told(self):
        return sum(count["count"] for body in self.taken.values()
                   for count in json.loads(body)["counts"])

    def test_every_count_is_told_once_although_answers_get_lost(self):
        self.listen()
        self.lose = 2
        program = self.serve()
        self.ask(program, 20)
        wait_until(lambda: self.told() == 20 and self.lose == 0, 20, "twenty told")
        self.ask(program, 5)
        wait_until(lambda: self.told() == 25, 20, "five more")
        self.assertGreater(len(self.requests), len(self.taken), "some were sent again")
        self.assertEqual(program.control("stats")["zones"]["pool.test."]["handed_out"], 25)
        # What was taken and not yet acknowledged would be told again.
        wait_until(lambda: program.control("status")["accounting"]["sent"] == len(self.taken), 20, "acknowledged")
        self.assertEqual(program.stop(), 0)
        self.assertFalse(self.spool.exists(), "nothing is left to tell")

    def test_counts_outlive_an_absent_manager_and_a_restart(self):
        program = self.serve()
        self.ask(program, 10)
        wait_until(lambda: program.control("status")["accounting"]["waiting"], 20, "a batch waits")
        self.ask(program, 7)
        self.assertIn("[accounting]", program.output())
        self.assertEqual(program.stop(), 0)
        self.assertEqual(self.spool.stat().st_mode & 0o777, 0o600)
        self.listen()
        program = self.serve()
        self.ask(program, 3)
        wait_until(lambda: self.told() == 20, 20, "all told")
        self.assertEqual(program.stop(), 0)

    def test_killed_it_sends_again_what_was_under_way_and_it_counts_once(self):
        self.listen()
        self.lose = 1_000_000
        program = self.serve()
        self.ask(program, 10)
        wait_until(lambda: self.requests, 20, "sent")
        program.process.kill()
        program.process.wait()
        # Ten, if none of them was asked after the first look at what there is to tell.
        under_way = self.told()
        self.assertGreater(under_way, 0)
        self.lose = 0
        program = self.serve()
        wait_until(lambda: program.control("status")["accounting"]["sent"] == 1, 20, "taken")
        self.assertEqual(self.told(), under_way)
        self.assertEqual(len(self.taken), 1)

    def run_manager(self):
        """One that knows the servers of the zone."""
        manager = manager_program.Manager(self.directory / "manager", listen=f"127.0.0.1:{self.port}",
                                          dns=f'token_file = "{self.token}"')
        self.addCleanup(manager.close)
        for server in SERVERS:
            manager.add(server)
        self.key = manager.public_key()
        return manager

    def test_processes_that_take_over_count_each_answer_once(self):
        manager = self.run_manager()
        program = self.serve()
        wait_until(lambda: program.control("status")["snapshot_serial"], 20, "a snapshot")
        listen = "%s:%d" % program.address
        stop, answered = threading.Event(), [0]

        def ask():
            with udp_socket(program.address, 20) as s:
                while not stop.is_set():
                    s.send(query("pool.test"))
                    s.recv(65536)
                    answered[0] += 1
        asking = threading.Thread(target=ask)
        asking.start()
        old = program
        for _ in range(3):
            new = self.succeed(old, self.config(listen=listen))
            self.check_taken_over(old, new)
            old = new
        stop.set()
        asking.join()
        def told():
            return manager.call("GET", "/v1/handed-out?days=2")[1]["count"]
        try:
            wait_until(lambda: told() == answered[0], 20, "all told")
        finally:
            print(f"{answered[0]} answers, {told()} told", flush=True)
        self.assertGreater(answered[0], 100)

    def test_the_manager_stores_and_shows_the_shares(self):
        manager = self.run_manager()
        program = self.serve()
        self.ask(program, 40)

        def shares():
            return manager.call("GET", "/v1/handed-out?days=1")[1]
        found = wait_until(lambda: shares()["count"] == 40 and shares(), 20, "stored")
        stats = {s["address"]: s["handed_out"] for s in program.control("stats")["servers"]}
        self.assertEqual({s["address"]: s["count"] for s in found["servers"]}, stats)
        self.assertEqual(sum(s["share"] for s in found["servers"]), 1.0)
        count = stats["127.10.0.1"]
        detail = manager.server("127.10.0.1")["handed_out"]
        self.assertEqual(detail, {"days": 7, "count": count, "share": count / 40})
        page = manager_program.request(manager.url, "GET", "/scores/127.10.0.1")[1].decode()
        self.assertIn("Share of answers", page)
        self.assertIn(f"{count / 0.4:.3f} % of 7 days", page)
        shown = subprocess.run(
            [BINARY_DIR / "bin/timepool", "pool", "server", "show", "127.10.0.1", "--url", manager.url],
            capture_output=True, text=True, timeout=20)
        self.assertIn(f"{count / 0.4:.3f} % of all", shown.stdout, shown.stderr)
        # Only with the token, and never what can't be.
        body = b'{"counts":[{"zone":"z.","address":"127.10.0.1","count":1}]}'
        tell = lambda body, token, key: manager_program.call(manager.url, "POST", "/v1/handed-out", body, token,
                                                             Idempotency_Key=key)[0]
        for token, want in ((None, 401), (manager.token, 403), (TOKEN, 200)):
            self.assertEqual(tell(body, token, "k"), want)
        for wrong in (b"[]", b'{"counts":[{"zone":"z.","address":"x","count":1}]}',
                      b'{"counts":[{"zone":"z.","address":"127.10.0.1","count":0}]}',
                      b'{"counts":[{"zone":"z.","count":1}]}', b'{"counts":1}'):
            self.assertEqual(tell(wrong, TOKEN, "w"), 400)


if __name__ == "__main__":
    main()
