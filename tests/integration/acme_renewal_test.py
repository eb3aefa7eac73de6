"""When a certificate is renewed: renewal information (RFC 9773), profiles, lifetimes, against a small
authority of our own. Ids A as in the project's checklist of ACME."""
import datetime

import acme_ca
import acme_case
import programs
from acme_case import DAY

setUpModule = acme_case.set_up


class Renewal(acme_case.AcmeTest):
    def test_A6_the_authoritys_window_is_kept_and_the_replaced_certificate_named(self):
        self.at.window = acme_ca.window(3 * DAY, 4 * DAY, "https://ca.test/why")
        tool = self.tool()
        tool.obtain()
        answer = tool.step_until(lambda it: it["step"] == "wait")
        renewal = answer["state"]["renewal"]
        window = self.at.window["suggestedWindow"]
        self.assertEqual((renewal["start"], renewal["end"]), (window["start"], window["end"]))
        self.assertTrue(window["start"] <= renewal["renew_at"] <= window["end"])
        self.assertIn("https://ca.test/why", tool.output())
        identity = answer["state"]["certificate"]["id"]
        self.assertIn("/renewal/" + identity, self.at.paths())
        # Renewal information is asked for without a signature (4.1).
        asked = next(it for it in self.at.requests if it[0] == "/renewal/" + identity)
        self.assertEqual(asked[1], {})
        tool.tell("clock", 4 * 86400)
        # What it says when the time has come is asked first, since six hours are over.
        answer = tool.step_until(lambda it: it["obtained"] == 2)
        self.assertEqual(answer["cause"], "window")
        self.assertEqual(self.at.payloads("/order")[-1]["replaces"], identity)
        self.assertNotIn("replaces", self.at.payloads("/order")[0])
        self.assertNotEqual(answer["state"]["certificate"]["id"], identity)

    def test_A6_a_window_in_the_past_renews_at_once(self):
        tool = self.tool()
        tool.obtain()
        self.at.window = acme_ca.window(-2 * DAY, -DAY)
        answer = tool.step_until(lambda it: it["obtained"] == 2)
        self.assertEqual(answer["cause"], "window")
        # The next one's window is not known: it is not renewed again and again.
        self.at.window = None
        tool.step_until(lambda it: it["wait"] > 100)
        self.assertEqual(tool.tell("report")["obtained"], 2)

    def test_A6_alreadyReplaced_is_no_obstacle(self):
        tool = self.tool()
        first = tool.obtain()["state"]["certificate"]["id"]
        self.at.replaced.add(first)
        tool.tell("request")
        tool.obtain()
        orders = self.at.payloads("/order")
        self.assertEqual([it.get("replaces") for it in orders], [None, first, None])

    def test_A6_rubbish_and_reversed_windows_leave_the_lifetime_in_force(self):
        for window in ("<html>", acme_ca.window(2 * DAY, DAY), {"suggestedWindow": 7}):
            self.at.window = window
            tool = self.tool(name=f"tool{len(self.at.orders)}")
            tool.obtain()
            answer = tool.step_until(lambda it: it["step"] == "wait")
            self.assertNotIn("renewal", answer["state"])
            self.assertEqual((answer["cause"], answer["failed"]), ("lifetime", 0))
            # Six hours until it is asked again, whatever the Retry-After of rubbish was.
            self.assertEqual(answer["at"], answer["state"]["ask_again"])
            tool.close()

    def test_A6_without_renewal_information_nothing_is_asked_or_replaced(self):
        self.at.renewal_info = False
        tool = self.tool()
        tool.obtain()
        tool.step_until(lambda it: it["step"] == "wait")
        tool.tell("request")
        tool.obtain()
        self.assertNotIn("renewal", "".join(self.at.paths()))
        self.assertNotIn("replaces", self.at.payloads("/order")[-1])

    def test_A7_A8_a_short_profile_is_renewed_at_half_of_its_life(self):
        self.at.meta["profiles"] = {"shortlived": "six days"}
        self.at.lives["shortlived"] = datetime.timedelta(hours=160)
        tool = self.tool(authorities=[self.at.settings(profile="shortlived")])
        certificate = tool.obtain()["state"]["certificate"]
        self.assertEqual(certificate["profile"], "shortlived")
        self.assertEqual(self.at.payloads("/order")[0]["profile"], "shortlived")
        begin, renewal = (acme_case.seconds(certificate[it]) for it in ("not_before", "renew_at"))
        share = (renewal - begin) / 3600 / 160
        self.assertTrue(0.44 < share <= 0.5, share)
        tool.tell("clock", 81 * 3600)
        self.assertEqual(tool.step_until(lambda it: it["step"] == "obtain")["cause"], "lifetime")

    def test_A8_a_profile_that_is_gone_is_left_out_or_fatal(self):
        tool = self.tool(authorities=[self.at.settings(profile="old")])
        self.assertNotIn("profile", tool.obtain()["state"]["certificate"])
        tool.close()
        strict = self.tool("strict",
                           authorities=[self.at.settings(profile="old", profile_required=True)])
        self.fails(strict, "profile")

    def test_A10_its_last_tenth_is_an_alarm(self):
        tool = self.tool()
        tool.obtain()
        self.at.answers = [("/order", 403, {}, "{}")] * 3
        tool.tell("clock", 85 * 86400)
        tool.step_until(lambda it: it["failed"] > 0)
        answer = tool.step_until(lambda it: it["step"] == "wait")
        self.assertTrue(answer["expiring"])
        self.assertIn("and there is no other", tool.output())


if __name__ == "__main__":
    programs.main()
