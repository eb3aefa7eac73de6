"""timepool-ntpd gets the certificate of its key establishment by ACME, from an authority of the
test's own. Ids A and LM as in the project's checklists."""
import http.server
import json
import os
import pathlib
import pwd
import re
import signal
import ssl
import stat
import subprocess
import threading
import time

import acme_ca
import acme_case
import ntpd_acme_case
import programs
from ntpd_acme_case import NAME, REQUEST
from small_disk import SmallDisk, fill

setUpModule = acme_case.set_up
DEAD = "https://localhost:1/dir"


class Member(ntpd_acme_case.DaemonTest):
    def test_LM2_A10_the_first_certificate_is_obtained_and_shown(self):
        member = self.member()
        report = self.obtained(member)
        self.assertEqual((report["failed"], report["fault"]), (0, None))
        serial = self.shown(member)
        file = self.directory / "state/acme/certificate.pem"
        self.assertEqual(report["certificate"]["file"], str(file))
        self.assertIn(serial, self.check_pair(file))
        for it in file.parent.iterdir():
            self.assertEqual(stat.S_IMODE(it.stat().st_mode), 0o600, it)
        self.assertEqual(stat.S_IMODE(file.parent.stat().st_mode), 0o700)

    def test_A10_until_there_is_one_connections_are_refused_and_counted(self):
        member = self.member(server="")
        self.wait(member, lambda it: it["step"] == "wait_for_clock", "it waits")
        with self.assertRaises(OSError):
            self.establish(member)
        outcomes = member.control("counters")["key_server"]["outcomes"]
        self.assertGreaterEqual(outcomes["no_certificate"], 1)
        self.assertIsNone(self.report(member)["certificate"])

    def test_A10_a_renewal_is_shown_while_sessions_go_on(self):
        member = self.member(more='deadline = "50s"\n')
        self.obtained(member)
        first = self.shown(member)
        early = self.connect(member)
        failures, seen, ended = [], [], threading.Event()

        def establish_on():
            while not ended.is_set():
                try:
                    seen.append(self.establish(member))
                except (OSError, AssertionError) as it:
                    failures.append(it)

        client = threading.Thread(target=establish_on)
        client.start()
        try:
            self.assertTrue(member.control("acme-renew")["ok"])
            self.obtained(member, 2)
            second = self.shown(member, other_than=first)
        finally:
            ended.set()
            client.join()
        # What began under the old one ends under it.
        with early:
            early.sendall(REQUEST)
            self.check_answer(early)
        self.assertEqual(failures, [])
        self.assertIn(first, seen)
        self.assertNotEqual(first, second)

    def test_A6_a_renewal_that_the_authority_wants_comes_by_itself_and_is_shown(self):
        self.at.window = acme_ca.window(-2 * acme_case.DAY, -acme_case.DAY)

        def no_more_wishes():
            if len(self.at.issued) == 1:
                self.at.window = None

        self.at.on_issue = no_more_wishes
        member = self.member()
        self.obtained(member, 2)
        file = self.directory / "state/acme/certificate.pem"
        programs.wait_until(lambda: self.shown(member) in self.check_pair(file), 10,
                            "the second one is shown")
        self.assertEqual(len(self.at.replaced), 1)

    def test_A11_nothing_is_asked_for_before_the_clock_is_plausible(self):
        # Neither sources nor [server.local]: nobody vouches for the clock.
        member = self.member(server="")
        self.wait(member, lambda it: it["step"] == "wait_for_clock", "it waits")
        self.assertEqual(self.at.requests, [])
        report = self.report(member)
        self.assertEqual((report["clock_plausible"], report["at"]), (False, None))
        # A wish changes nothing about that.
        self.assertTrue(member.control("acme-renew")["ok"])
        self.wait(member, lambda it: it["step"] == "wait_for_clock", "it still waits")
        self.assertEqual(self.at.requests, [])
        member.write_config(self.settings())
        self.assertTrue(member.control("reload")["ok"])
        self.obtained(member)
        # A clock that was right is believed on, so that a certificate can be renewed.
        member.write_config(self.settings(server=""))
        self.assertTrue(member.control("reload")["ok"])
        self.assertFalse(member.control("status")["server"]["synchronised"])
        self.assertTrue(member.control("acme-renew")["ok"])
        self.obtained(member, 2)

    def test_A11_the_system_s_clock_is_believed_where_that_is_said(self):
        self.obtained(self.member("wait_for_clock = false", server=""))

    def test_A9_an_authority_that_fails_gives_way_to_the_next(self):
        at, lost = self.at.settings(), self.at.url + "/none"
        store = self.directory / "state/acme"
        store.mkdir(mode=0o700, parents=True)
        # It failed before, but for once as often as its turn lasts.
        (store / "state.json").write_text(json.dumps(
            {"version": 1, "authorities": [{"directory": lost, "failures": 5}]}))
        authorities = "".join(ntpd_acme_case.authority_settings(it, at["ca_file"])
                              for it in (lost, at["directory"]))
        member = self.member(authorities=authorities)
        report = self.obtained(member)
        self.assertEqual(report["failed"], 1)
        self.assertEqual([it["failures"] for it in report["authorities"]], [5, 0])
        self.assertEqual(report["authorities"][0]["last_failure"]["kind"], "refused")
        self.assertEqual(report["certificate"]["authority"], at["directory"])
        self.shown(member)

    def test_A9_waits_after_failures_outlast_a_restart(self):
        self.at.issue_for = ["other.pool.test"]
        member = self.member()
        report = self.wait(member, lambda it: it["failed"] == 1, "a failure")
        known = report["authorities"][0]
        self.assertEqual((known["failures"], known["last_failure"]["kind"]), (1, "certificate"))
        member.stop()
        orders = len(self.at.orders)
        again = self.member()
        report = self.wait(again, lambda it: it["step"] == "wait", "it waits")
        self.assertEqual((report["at"], report["failed"]), (known["next_try"], 0))
        self.assertEqual(len(self.at.orders), orders)
        # A person need not wait.
        self.at.issue_for = None
        self.assertTrue(again.control("acme-renew")["ok"])
        self.assertIsNone(self.obtained(again)["authorities"][0]["last_failure"])

    def test_A2_a_restart_shows_what_there_is_and_asks_for_nothing(self):
        member = self.member()
        self.obtained(member)
        serial = self.shown(member)
        account = self.report(member)["authorities"][0]["account"]
        member.stop()
        self.at.requests.clear()
        again = self.member()
        self.assertEqual(self.establish(again), serial)
        report = self.wait(again, lambda it: it["step"] == "wait", "it waits")
        self.assertEqual((report["obtained"], report["authorities"][0]["account"]), (0, account))
        # When it should be renewed may be asked, nothing else.
        self.assertEqual([it for it in self.at.paths() if "order" in it or "account" in it], [])

    def test_A10_a_damaged_certificate_stops_no_start_and_is_replaced(self):
        member = self.member()
        self.obtained(member)
        member.stop()
        file = self.directory / "state/acme/certificate.pem"
        file.write_text(file.read_text()[:700])
        again = self.member()
        self.obtained(again)
        self.shown(again)

    def test_A10_a_full_disk_leaves_the_one_that_is_shown(self):
        disk = SmallDisk(self.directory / "disk", 64)
        member = self.member(f'store = "{disk.path}"', prefix=disk.prefix)
        self.obtained(member)
        serial = self.shown(member)
        inside = disk.seen_by(member)
        fill(inside)
        self.assertTrue(member.control("acme-renew")["ok"])
        report = self.wait(member, lambda it: it["failed"] == 1, "a failure")
        self.assertEqual(report["authorities"][0]["last_failure"]["kind"], "local")
        self.assertEqual(self.establish(member), serial)
        (inside / "filler").unlink()
        self.assertTrue(member.control("acme-renew")["ok"])
        self.obtained(member, 2)
        self.shown(member, other_than=serial)

    def test_LM1_another_name_is_taken_in_by_a_reload(self):
        member = self.member()
        self.obtained(member)
        other = "bob.m.pool.test"
        member.write_config(self.settings(name=other))
        answer = member.control("reload")
        self.assertEqual(answer["needs_restart"], [])
        report = self.obtained(member, 2)
        self.assertEqual(report["certificate"]["names"], [other])
        programs.wait_until(lambda: self.is_shown(member, other), 10, "the other name is shown")
        member.write_config(self.settings('tls_listen = ["127.0.0.1:9"]', name=other))
        self.assertIn("nts.acme", member.control("reload")["needs_restart"][0])

    def is_shown(self, member, name):
        try:
            return self.establish(member, name)
        except OSError:
            return None

    def test_LM4_the_certificate_is_chosen_by_the_name_that_is_asked_for(self):
        chain, key = self.at.issuer.issue("own", "DNS:own.example.test")
        member = self.member(
            more=f'[[nts.server.certificate]]\nchain = "{chain}"\nkey = "{key}"\n')
        own = self.establish(member, "own.example.test")
        self.obtained(member)
        programs.wait_until(lambda: self.is_shown(member, NAME), 10, "the one by ACME is shown")
        self.assertNotEqual(self.establish(member, NAME), own)
        self.assertEqual(self.establish(member, "own.example.test"), own)

    def test_the_thread_has_no_rights_and_the_log_no_errors(self):
        member = self.member()
        self.obtained(member)
        threads = {}
        for task in pathlib.Path(f"/proc/{member.process.pid}/task").iterdir():
            lines = (task / "status").read_text().splitlines()
            fields = dict(it.split(":\t", 1) for it in lines if ":\t" in it)
            threads[fields["Name"]] = fields
        self.assertIn("acme", threads)
        for name, fields in threads.items():
            self.assertEqual((int(fields["CapEff"], 16), fields["NoNewPrivs"]), (0, "1"), name)
        self.assertNotIn("error", member.output().lower())

    def test_it_works_as_another_user_who_owns_what_was_made_for_it(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to become somebody else")
        nobody = pwd.getpwnam("nobody")
        self.directory.chmod(0o755)
        settings = self.settings() + '[sandbox]\nuser = "nobody"\n'
        os.chown(self.directory / "state", nobody.pw_uid, nobody.pw_gid)
        member = self.start("timepool-ntpd", settings)
        self.obtained(member)
        self.shown(member)
        for it in (self.directory / "state/acme").rglob("*"):
            self.assertEqual(it.stat().st_uid, nobody.pw_uid, it)

    def test_libcurl_is_loaded_by_those_only_who_ask_authorities(self):
        plain = self.start("timepool-ntpd", '[server]\nlisten = ["127.0.0.1:0"]\n')
        self.assertNotIn("libcurl", pathlib.Path(f"/proc/{plain.process.pid}/maps").read_text())
        member = self.member()
        self.assertIn("libcurl", pathlib.Path(f"/proc/{member.process.pid}/maps").read_text())

    def test_metrics_tell_of_it(self):
        member = self.member()
        self.wait(member, lambda it: it["obtained"] == 1 and it["step"] == "wait", "all is done")
        text = member.control("metrics")["text"]
        documented = set(re.findall(
            r"^\| `(timepool_ntpd_acme_\w+)`",
            (pathlib.Path(os.environ.get("TIMEPOOL_SOURCE_DIR", ".")) / "docs/metrics.md").read_text(),
            re.M))
        self.assertEqual(set(re.findall(r"^# TYPE (timepool_ntpd_acme_\w+)", text, re.M)), documented)
        for line in ("timepool_ntpd_acme_certificates_obtained_total 1",
                     "timepool_ntpd_acme_failures_total 0", "timepool_ntpd_acme_expiring 0",
                     "timepool_ntpd_acme_clock_plausible 1",
                     'timepool_ntpd_acme_http_requests_total{reason="served"} 1',
                     f'timepool_ntpd_acme_failures_in_a_row{{authority="{self.at.url}/dir"}} 0'):
            self.assertIn(line, text)
        self.assertIn("timepool_ntpd_acme_certificate_remaining_seconds", text)

    def test_a_connection_that_died_since_holds_up_no_renewal(self):
        member = self.member()
        self.wait(member, lambda it: it["obtained"] == 1 and it["step"] == "wait", "all is done")
        self.at.deafen()
        time.sleep(6)
        begun = time.monotonic()
        self.assertTrue(member.control("acme-renew")["ok"])
        self.assertEqual(self.obtained(member, 2, seconds=60)["failed"], 0)
        # One request over the dead connection would take a minute.
        self.assertLess(time.monotonic() - begun, 30)

    def test_it_ends_at_once_though_an_authority_does_not_answer(self):
        asked, answer = threading.Event(), threading.Event()
        self.addCleanup(answer.set)

        def hang():
            asked.set()
            answer.wait(30)

        self.at.on_issue = hang
        member = self.member()
        self.assertTrue(asked.wait(20))
        member.signal(signal.SIGTERM)
        self.assertEqual(member.process.wait(5), 0)


class Commands(ntpd_acme_case.DaemonTest):
    def run_acme(self, member, *arguments):
        return subprocess.run([programs.BINARY_DIR / "bin/timepool", "ntp", "acme", *arguments,
                               "--socket", member.socket], capture_output=True, text=True,
                              timeout=60)

    def test_status_and_renew_show_what_there_is(self):
        member = self.member()
        self.wait(member, lambda it: it["obtained"] == 1 and it["step"] == "wait", "all is done")
        status = self.run_acme(member, "status")
        self.assertEqual(status.returncode, 0, status.stderr)
        for text in (f": {NAME}\n", "certificate.pem", self.at.url, "http-01", "waits until 20"):
            self.assertIn(text, status.stdout)
        renewed = self.run_acme(member, "renew")
        self.assertEqual(renewed.returncode, 0, renewed.stderr)
        self.assertIn("2 since the start", renewed.stdout)
        self.at.issue_for = ["other.pool.test"]
        refused = self.run_acme(member, "renew")
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"it is not for {NAME} (certificate)", refused.stdout)
        self.assertIn("shown on", refused.stderr)

    def account(self, member):
        shown = self.run_acme(member, "account", "show", "--json")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        return json.loads(shown.stdout)["accounts"][0]

    def test_A2_account_shows_it_changes_its_key_and_ends_it(self):
        member = self.member()
        self.wait(member, lambda it: it["obtained"] == 1 and it["step"] == "wait", "all is done")
        url = self.at.url + "/account/1"
        before = self.account(member)
        self.assertEqual((before["account"], before["thumbprint"]),
                         (url, acme_ca.thumbprint(self.at.accounts[url])))
        changed = self.run_acme(member, "account", "new-key")
        self.assertEqual(changed.returncode, 0, changed.stderr)
        after = self.account(member)
        self.assertEqual(after["account"], url)
        self.assertNotEqual(after["thumbprint"], before["thumbprint"])
        self.assertEqual(after["thumbprint"], acme_ca.thumbprint(self.at.accounts[url]))
        self.assertIn(after["thumbprint"], changed.stdout)
        keys = list((self.directory / "state/acme").glob("account-*"))
        self.assertEqual([(str(it), stat.S_IMODE(it.stat().st_mode)) for it in keys],
                         [(after["key_file"], 0o600)])
        # Orders go on by the same account.
        self.assertEqual(self.run_acme(member, "renew").returncode, 0)
        self.assertEqual(list(self.at.accounts), [url])
        ended = self.run_acme(member, "account", "deactivate", self.at.url + "/dir")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(self.at.ended, {url})
        self.assertIn("there is none yet", ended.stdout)
        # The certificate stays, and the next order makes another account.
        self.assertIsNotNone(self.report(member)["certificate"])
        self.assertEqual(self.run_acme(member, "renew").returncode, 0)
        self.assertEqual(self.account(member)["account"], self.at.url + "/account/2")

    def test_A2_a_change_of_the_account_that_is_refused_leaves_it(self):
        member = self.member()
        self.wait(member, lambda it: it["obtained"] == 1 and it["step"] == "wait", "all is done")
        before = self.account(member)
        problem = json.dumps({"type": acme_ca.PROBLEM + "unauthorized", "detail": "not today"})
        for path, words in (("/key-change", ["new-key"]),
                            ("/account/1", ["deactivate", self.at.url + "/dir"])):
            self.at.answers = [(path, 403, {}, problem)]
            refused = self.run_acme(member, "account", *words)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("not today", refused.stderr)
            self.assertEqual(self.account(member), before)
        unknown = self.run_acme(member, "account", "new-key", DEAD)
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("has no authority " + DEAD, unknown.stderr)
        self.assertEqual(self.run_acme(member, "account", "deactivate").returncode, 2)
        self.assertEqual(self.run_acme(member, "renew").returncode, 0)

    def test_A2_A11_the_account_is_changed_after_an_order_and_not_before_the_clock_is_right(self):
        asked, answer = threading.Event(), threading.Event()
        self.addCleanup(answer.set)
        member = self.member(server="")
        self.wait(member, lambda it: it["step"] == "wait_for_clock", "it waits")
        early = self.run_acme(member, "account", "new-key")
        self.assertEqual(early.returncode, 1)
        self.assertIn("before the clock is known to be right", early.stderr)
        self.at.on_issue = lambda: (asked.set(), answer.wait(30))
        member.write_config(self.settings())
        self.assertTrue(member.control("reload")["ok"])
        self.assertTrue(asked.wait(20))
        begun = self.run_acme(member, "account", "new-key", "--no-wait", "--json")
        self.assertEqual(begun.returncode, 0, begun.stderr)
        self.assertTrue(json.loads(begun.stdout)["changes"]["running"])
        self.assertIn("under way", self.run_acme(member, "account", "new-key").stderr)
        self.assertNotIn("/key-change", self.at.paths())
        answer.set()
        changes = programs.wait_until(lambda: self.changes(member, 1), 20, "the key is changed")
        self.assertEqual((changes["change"], changes["fault"]), ("new-key", None))
        self.assertEqual(self.report(member)["obtained"], 1)

    def changes(self, member, done):
        changes = member.control("acme-account")["changes"]
        return changes if changes["done"] >= done else None

    def test_without_acme_the_commands_say_so(self):
        plain = self.start("timepool-ntpd", '[server]\nlisten = ["127.0.0.1:0"]\n')
        done = self.run_acme(plain, "status")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no [nts.acme]", done.stderr)

    def test_A12_check_sees_what_an_authority_would_see(self):
        settings = self.settings('http_listen = ["127.0.0.1:80"]', name="localhost", listen=False)
        member = self.start("timepool-ntpd", settings)
        before = len(self.at.orders)
        good = self.run_acme(member, "check")
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.assertIn("localhost by http-01: the proof was seen", good.stdout)
        # No authority is asked for that.
        self.wait(member, lambda it: it["failed"] > 0, "the authority looks at another port")
        self.assertLessEqual(len(self.at.orders), before + 1)
        member.stop()
        elsewhere = self.start("timepool-ntpd", settings.replace(":80", ":8081"))
        bad = self.run_acme(elsewhere, "check")
        self.assertEqual(bad.returncode, 1)
        self.assertIn("port 80 be open", bad.stdout)

    def test_A12_check_looks_at_tls_too_where_it_is_set_up(self):
        settings = self.settings('challenge = ["http-01", "tls-alpn-01"]\n'
                                 'http_listen = ["127.0.0.1:80"]\ntls_listen = ["127.0.0.1:443"]',
                                 name="localhost", listen=False, server="")
        member = self.start("timepool-ntpd", settings)
        good = self.run_acme(member, "check")
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.assertIn("localhost by http-01: the proof was seen", good.stdout)
        self.assertIn("localhost by tls-alpn-01: the proof was seen (127.0.0.1:443)", good.stdout)
        member.stop()
        # A web server has the port, which knows nothing of protocols.
        chain, key = self.at.issuer.issue("web", "DNS:www.example.test")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        web = http.server.ThreadingHTTPServer(("127.0.0.1", 443), http.server.BaseHTTPRequestHandler)
        web.socket = context.wrap_socket(web.socket, server_side=True)
        threading.Thread(target=web.serve_forever, daemon=True).start()
        self.addCleanup(web.server_close)
        self.addCleanup(web.shutdown)
        behind = self.start("timepool-ntpd", settings.replace(":443", ":8443"))
        bad = self.run_acme(behind, "check", "--json")
        self.assertEqual(bad.returncode, 1, bad.stderr)
        seen = {it["challenge"]: it for it in json.loads(bad.stdout)["seen"]}
        self.assertEqual(seen["http-01"]["seen"], "proof")
        self.assertEqual((seen["tls-alpn-01"]["seen"], seen["tls-alpn-01"]["at"]),
                         ("other", "localhost:443"))
        for text in ("a certificate for www.example.test", "does not know acme-tls/1"):
            self.assertIn(text, seen["tls-alpn-01"]["text"])


if __name__ == "__main__":
    programs.main()
