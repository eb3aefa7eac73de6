"""What authorities and clocks do wrong, against a small authority of our own. Ids A as in the project's
checklist of ACME."""
import json
import pathlib
import time

import acme_ca
import acme_case
import programs
from acme_case import DAY

setUpModule = acme_case.set_up


class Faults(acme_case.AcmeTest):
    def test_A1_says_who_asks_and_trusts_the_configured_authorities_only(self):
        tool = self.tool()
        tool.obtain()
        self.assertEqual({it[3]["User-Agent"] for it in self.at.requests}, {"timepool-test"})
        tool.close()
        known = len(self.at.requests)
        other = self.tool("other", authorities=[dict(directory=self.at.url + "/dir")])
        self.fails(other, "unreachable")
        self.assertEqual(len(self.at.requests), known)

    def test_A9_a_rate_limit_is_heeded_over_a_restart(self):
        limited = json.dumps({"type": acme_ca.PROBLEM + "rateLimited", "detail": "too many"})
        self.at.answers = [("/order", 429, {"Retry-After": "7200"}, limited)]
        tool = self.tool()
        self.fails(tool, "rate_limited")
        tool.close()
        asked = len(self.at.requests)
        again = self.tool()
        again.tell("request")
        answer = again.tell("step")
        self.assertEqual(answer["step"], "wait")
        left = acme_case.seconds(answer["at"]) - time.time()
        self.assertTrue(7100 < left <= 7201, left)
        self.assertEqual(len(self.at.requests), asked)
        again.tell("clock", 7201)
        again.step_until(lambda it: it["obtained"] == 1)

    def test_A9_rubbish_at_each_step_leaves_the_old_certificate(self):
        tool = self.tool()
        tool.obtain()
        path = pathlib.Path(tool.settings["path"]) / "certificate.pem"
        before = path.read_bytes()
        for i, step in enumerate(("/dir", "/order", "/authz", "/finalize", "/cert")):
            self.at.answers = [(step, 200, {}, "<html>sorry</html>")]
            tool.tell("request")
            answer = tool.step_until(lambda it, i=i: it["failed"] > i)
            self.assertEqual(acme_case.failure(answer)["kind"], "rubbish", step)
            self.assertEqual(path.read_bytes(), before)
        self.at.answers = []
        tool.tell("request")
        tool.obtain()
        self.assertNotEqual(path.read_bytes(), before)

    def test_A3_an_order_in_processing_for_ever_is_given_up(self):
        self.at.processing = 1_000_000
        tool = self.tool(processing_limit=3)
        self.fails(tool, "stuck")
        self.at.processing = 2
        tool.tell("request")
        tool.step_until(lambda it: it["obtained"] == 1)

    def test_A9_what_cannot_be_seen_one_way_is_tried_the_other(self):
        self.at.tls_port = acme_case.TLS_PORT
        # HTTP is not served.
        tool = self.tool(http=[], tls=[f"127.0.0.1:{acme_case.TLS_PORT}"])
        self.fails(tool, "challenge")
        tool.tell("request")
        tool.step_until(lambda it: it["obtained"] == 1)
        self.assertIn("tls-alpn-01", "".join(self.at.paths()))

    def test_A10_a_certificate_that_is_not_as_asked_is_not_installed(self):
        tool = self.tool()
        tool.obtain()
        path = pathlib.Path(tool.settings["path"]) / "certificate.pem"
        before = path.read_bytes()
        faults = [dict(issue_for=["other.example"]), dict(begins=2 * DAY), dict(begins=-100 * DAY)]
        for i, fault in enumerate(faults):
            for name, value in fault.items():
                setattr(self.at, name, value)
            tool.tell("request")
            answer = tool.step_until(lambda it, i=i: it["failed"] > i)
            self.assertEqual(acme_case.failure(answer)["kind"], "certificate", fault)
            self.assertEqual(path.read_bytes(), before)
            self.at.issue_for = None
        # That of another key.
        self.at.begins = -DAY
        self.at.answers = [("/cert", 200, {}, self.at.issued[0])]
        tool.tell("request")
        answer = tool.step_until(lambda it: it["failed"] > 3)
        self.assertEqual(acme_case.failure(answer)["kind"], "certificate")
        self.assertEqual(path.read_bytes(), before)

    def test_A11_before_the_clock_is_plausible_nobody_is_asked(self):
        tool = self.tool()
        tool.tell("plausible", 0)
        for _ in range(3):
            self.assertEqual(tool.tell("step")["step"], "wait_for_clock")
        self.assertEqual(self.at.requests, [])
        tool.tell("plausible", 1)
        tool.obtain()

    def test_A2_a_damaged_state_is_set_aside_and_the_account_found_again(self):
        tool = self.tool()
        tool.obtain()
        tool.close()
        state = pathlib.Path(tool.settings["path"]) / "state.json"
        state.write_text("{ rubbish")
        again = self.tool()
        self.assertTrue(state.with_name("state.json.bad").exists())
        # The certificate is known by its own file.
        again.step_until(lambda it: it["wait"] > 100)
        self.assertEqual(again.tell("report")["obtained"], 0)
        again.tell("request")
        again.obtain()
        self.assertEqual(len(self.at.accounts), 1)


if __name__ == "__main__":
    programs.main()
