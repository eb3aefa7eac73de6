"""How timepool-ntpd has its name proved: by listeners of its own, behind or beside a web server, by a
program; and certificates that others renew. Ids A and LM as in the project's checklists."""
import functools
import http.client
import http.server
import json
import os
import pathlib
import signal
import threading
import time

import acme_case
import acme_requests
import ntpd_acme_case
import programs
from acme_case import HTTP_PORT, NAME, TLS_PORT
from successors import Successor

setUpModule = acme_case.set_up
PROXIED = 8089
HOOK = """#!/bin/sh
echo "$@" >> {log}
file={root}/.well-known/acme-challenge/$4
case $1 in
  begin) mkdir -p {root}/.well-known/acme-challenge; printf %s "$5" > "$file" ;;
  *) rm -f "$file" ;;
esac
{more}
"""


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes requests on with the Host field as it came, as the manual says."""

    def do_GET(self):
        connection = http.client.HTTPConnection("127.0.0.1", PROXIED, timeout=5)
        connection.request("GET", self.path, headers={"Host": self.headers["Host"]})
        answer = connection.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        connection.close()

    def log_message(self, *_):
        pass


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def children(pid):
    return [int(it) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
            for it in (task / "children").read_text().split()]


class Modes(ntpd_acme_case.DaemonTest):
    def web_server(self, handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", HTTP_PORT), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def web_root(self):
        root = self.directory / "www"
        root.mkdir()
        self.web_server(functools.partial(Files, directory=root))
        return root

    def test_LM3_A4_the_daemon_answers_live_tokens_of_its_names_and_nothing_else(self):
        looks = []
        self.at.on_challenge = lambda: looks.append(
            acme_requests.Look(HTTP_PORT, NAME, self.at.orders["1"]["token"]))
        member = self.member()
        report = self.obtained(member)
        looks[0].check(self)
        answers = report["challenges"]["answers"]
        self.assertEqual({it: answers[it] for it in ("foreign_host", "no_host", "malformed",
                                                     "too_long", "not_found")},
                         dict(foreign_host=1, no_host=1, malformed=1, too_long=1, not_found=4))
        # Neither the token nor anything else is there afterwards.
        for path in (acme_requests.PATH + self.at.orders["1"]["token"], "/"):
            answer = acme_requests.ask(HTTP_PORT, acme_requests.get(NAME, path))
            self.assertTrue(answer.startswith(b"HTTP/1.1 404 "), answer)

    def test_LM2_A5_tls_alpn_by_name_and_protocol_only_and_no_data(self):
        self.at.http_port, self.at.tls_port = None, TLS_PORT
        looks = []
        self.at.on_challenge = lambda: looks.append(acme_requests.TlsLook(TLS_PORT, NAME))
        member = self.member(f'challenge = "tls-alpn-01"\ntls_listen = ["127.0.0.1:{TLS_PORT}"]',
                             listen=False)
        report = self.obtained(member)
        looks[0].check(self)
        self.assertGreaterEqual(report["challenges"]["handshakes"], 2)
        self.assertEqual(report["challenges"]["http"], [])
        self.shown(member)

    def test_A12_behind_a_web_server_that_passes_challenges_on(self):
        self.web_server(Proxy)
        member = self.member(f'http_listen = ["127.0.0.1:{PROXIED}"]', listen=False)
        self.obtained(member)
        self.shown(member)

    def test_A12_a_web_server_s_directory(self):
        root = self.web_root()
        member = self.member(f'webroot = "{root}"', listen=False)
        report = self.obtained(member)
        self.assertEqual((report["challenges"]["how"], report["challenges"]["http"]), ("webroot", []))
        self.shown(member)
        # Nothing is left behind.
        self.assertEqual(list((root / ".well-known/acme-challenge").iterdir()), [])

    def hook(self, root, more=""):
        path, log = self.directory / "hook", self.directory / "hook.log"
        path.write_text(HOOK.format(root=root, log=log, more=more))
        path.chmod(0o755)
        return path, log

    def test_A12_a_program_serves_challenges(self):
        root = self.web_root()
        path, log = self.hook(root)
        member = self.member(f'hook = "{path}"', listen=False)
        self.obtained(member)
        self.shown(member)
        token = self.at.orders["1"]["token"]
        lines = [it.split() for it in log.read_text().splitlines()]
        self.assertEqual([it[:4] for it in lines], [["begin", "http-01", NAME, token],
                                                    ["done", "http-01", NAME, token]])
        self.assertTrue(all(it[4].startswith(token + ".") for it in lines), lines)
        self.assertEqual(list((root / ".well-known/acme-challenge").iterdir()), [])

    def test_A12_a_program_that_fails_or_hangs_is_a_failure_that_says_so(self):
        root = self.web_root()
        for more, text in (("exit 3", "exit status 3"), ("sleep 30", "longer than hook_timeout")):
            with self.subTest(more=more):
                path, log = self.hook(root, more)
                member = self.member(f'hook = "{path}"\nhook_timeout = "1s"', listen=False,
                                     state=text.replace(" ", "_"))
                report = self.wait(member, lambda it: it["failed"] == 1, "a failure")
                failure = report["authorities"][0]["last_failure"]
                self.assertIn(text, failure["text"])
                self.assertEqual(failure["kind"], "local")
                self.assertEqual(member.stop(), 0)
                log.unlink()

    def test_A12_a_challenge_that_was_not_seen_is_told_to_the_program_as_failed(self):
        # Nobody serves what it writes.
        path, log = self.hook(self.directory)
        member = self.member(f'hook = "{path}"', listen=False)
        report = self.wait(member, lambda it: it["failed"] == 1, "a failure")
        self.assertEqual(report["authorities"][0]["last_failure"]["kind"], "challenge")
        self.assertEqual([it.split()[0] for it in log.read_text().splitlines()], ["begin", "failed"])

    def test_A12_the_program_is_told_as_failed_what_the_end_of_the_daemon_cuts_off(self):
        asked, answer = threading.Event(), threading.Event()
        self.addCleanup(answer.set)
        self.at.on_challenge = lambda: (asked.set(), answer.wait(30))
        path, log = self.hook(self.directory)
        member = self.member(f'hook = "{path}"', listen=False)
        self.assertTrue(asked.wait(20))
        # As the manager of services or a terminal does: all processes are told.
        for it in [*children(member.process.pid), member.process.pid]:
            os.kill(it, signal.SIGTERM)
        self.assertEqual(member.process.wait(10), 0)
        self.assertEqual([it.split()[0] for it in log.read_text().splitlines()], ["begin", "failed"])
        # It is no failure of the authority's.
        state = json.loads((self.directory / "state/acme/state.json").read_text())
        self.assertEqual([it.get("failures", 0) for it in state["authorities"]], [0])

    def test_A12_a_program_that_hangs_does_not_hold_up_the_end_of_the_daemon(self):
        path, log = self.hook(self.directory, "sleep 60")
        member = self.member(f'hook = "{path}"\nhook_timeout = "2s"', listen=False)
        programs.wait_until(lambda: log.exists() and log.read_text(), 20, "the program runs")
        begun = time.monotonic()
        member.signal(signal.SIGTERM)
        self.assertEqual(member.process.wait(20), 0)
        self.assertLess(time.monotonic() - begun, 10)
        self.assertEqual([it.split()[0] for it in log.read_text().splitlines()], ["begin", "failed"])

    def test_the_program_runs_without_capabilities_and_can_be_executed_beside_the_sandbox(self):
        seen = self.directory / "seen"
        path, _ = self.hook(self.web_root(), f"grep -E 'CapEff|CapPrm|NoNewPrivs' /proc/self/status > {seen}")
        self.obtained(self.member(f'hook = "{path}"', listen=False))
        self.assertEqual([it.split()[1] for it in seen.read_text().splitlines()],
                         ["0" * 16, "0" * 16, "1"])

    def test_a_hook_that_is_not_there_stops_the_start(self):
        member = self.start("timepool-ntpd", self.settings('hook = "/nowhere/hook"', listen=False),
                            wait=False)
        self.assertEqual(member.process.wait(10), 1)
        self.assertIn("[nts.acme] hook: /nowhere/hook: No such file", member.output())


class Others(ntpd_acme_case.DaemonTest):
    def server(self, chain, key):
        return self.start("timepool-ntpd", (
            f'[server]\nlisten = ["127.0.0.1:0"]\n{ntpd_acme_case.LOCAL}'
            f'[nts.server]\nlisten = ["127.0.0.1:0"]\n[[nts.server.certificate]]\n'
            f'chain = "{chain}"\nkey = "{key}"\n'))

    def test_A12_a_certificate_that_another_program_renews_is_shown_at_once(self):
        chain, key = self.at.issuer.issue("own", f"DNS:{NAME}")
        member = self.server(chain, key)
        first = self.establish(member)
        for made, used in zip(self.at.issuer.issue("next", f"DNS:{NAME}"), (chain, key)):
            os.replace(made, used)
        self.shown(member, other_than=first)

    def test_A12_links_that_lead_to_new_files_are_followed_at_once(self):
        pairs = [self.at.issuer.issue(it, f"DNS:{NAME}") for it in ("one", "two")]
        live = self.directory / "live"
        live.mkdir()
        links = [live / "chain.pem", live / "key.pem"]
        for link, file in zip(links, pairs[0]):
            link.symlink_to(file)
        member = self.server(*links)
        first = self.establish(member)
        for link, file in zip(links, pairs[1]):
            (live / "new").symlink_to(file)
            os.replace(live / "new", link)
        self.shown(member, other_than=first)

    def test_a_successor_goes_on_with_sockets_account_and_certificate(self):
        member = self.member()
        self.obtained(member)
        serial = self.shown(member)
        account = self.report(member)["authorities"][0]["account"]
        new = Successor(member)
        self.end_with_test(new.process)
        self.addCleanup(new.log.close)
        programs.wait_until(lambda: member.process.poll() is not None, 20, "the old one leaves")
        self.assertEqual(member.process.returncode, 0, member.output())
        self.assertEqual(self.establish(new), serial)
        self.assertTrue(new.control("acme-renew")["ok"])
        report = self.obtained(new)
        self.assertEqual(report["authorities"][0]["account"], account)
        self.shown(new, other_than=serial)


if __name__ == "__main__":
    programs.main()
