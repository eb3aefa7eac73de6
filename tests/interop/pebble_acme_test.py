"""Certificates from pebble, an ACME server that was written to find the faults of clients."""
import json
import stat
import subprocess

import pebble
from pebble import certificates, programs

import acme_tool

NAME = "alice.m.pool.test"


setUpModule = pebble.enter


class PebbleTest(programs.DirectoryTest):
    def pebble(self, **settings):
        out = pebble.Pebble(self.directory, **settings)
        self.addCleanup(out.close)
        return out

    def tool(self, at, name="tool", authority=None, opened=True, **settings):
        settings = dict(dict(authorities=[at.authority(**(authority or {}))], names=[NAME],
                             terms_agreed=True, **at.listen()), **settings)
        out = acme_tool.Tool(self.directory / name, settings)
        self.addCleanup(out.close)
        if opened:
            self.assertNotIn("error", out.open())
        return out

    def certificate(self, tool):
        return pathlib_of(tool) / "certificate.pem"

    def serial(self, tool):
        return x509(self.certificate(tool), "-serial")

    def check(self, at, tool, names=(NAME,)):
        """The certificate leads to pebble's root, has the names and its own key; all is secret."""
        path = self.certificate(tool)
        root = self.directory / "root.pem"
        root.write_text(at.root())
        subprocess.run([certificates.OPENSSL, "verify", "-CAfile", root, "-untrusted", path, path],
                       check=True, capture_output=True)
        text = x509(path, "-ext", "subjectAltName")
        for name in names:
            self.assertIn(f"DNS:{name}", text)
        key = subprocess.run([certificates.OPENSSL, "pkey", "-in", path, "-pubout"], check=True,
                             capture_output=True, text=True).stdout
        self.assertEqual(key, x509(path, "-pubkey"))
        for file in pathlib_of(tool).iterdir():
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600, file)

    def test_A4_a_certificate_by_http_01(self):
        at = self.pebble()
        tool = self.tool(at, challenges=["http-01"])
        self.assertTrue(tool.obtain()["changed"])
        self.check(at, tool)
        seen = tool.tell("challenges")
        # Pebble looks from three places at once.
        self.assertGreaterEqual(seen["served"], 3)
        self.assertEqual((seen["handshakes"], seen["not_found"], seen["foreign_host"]), (0, 0, 0))

    def test_A5_a_certificate_by_tls_alpn_01(self):
        at = self.pebble()
        tool = self.tool(at, challenges=["tls-alpn-01"])
        tool.obtain()
        self.check(at, tool)
        seen = tool.tell("challenges")
        self.assertGreaterEqual(seen["handshakes"], 3)
        self.assertEqual((seen["served"], seen["refused"]), (0, 0))

    def test_A3_several_names_in_one_certificate(self):
        at = self.pebble()
        names = [f"server{i}.m.pool.test" for i in range(5)]
        tool = self.tool(at, names=names)
        tool.obtain()
        self.check(at, tool, names)

    def test_A3_the_chain_of_the_wanted_authority_is_taken(self):
        at = self.pebble(environment=dict(PEBBLE_ALTERNATE_ROOTS="2"))
        for number in (0, 2):
            root = self.directory / f"root{number}.pem"
            root.write_text(at.root(number))
            wanted = x509(root, "-subject", "-nameopt", "multiline").split("= ")[-1].strip()
            tool = self.tool(at, name=f"tool{number}", authority=dict(preferred_chain=wanted))
            tool.obtain()
            chain = self.certificate(tool)
            subprocess.run([certificates.OPENSSL, "verify", "-CAfile", root, "-untrusted", chain,
                            chain], check=True, capture_output=True)
            tool.close()

    def test_A2_the_account_and_its_key_outlive_the_process(self):
        at = self.pebble()
        tool = self.tool(at)
        first = tool.obtain()["state"]["authorities"][0]["account"]
        serial = self.serial(tool)
        tool.close()
        again = self.tool(at)
        # What is there and good is not asked for again.
        again.step_until(lambda it: it["wait"] > 100)
        self.assertEqual(again.tell("report")["obtained"], 0)
        again.tell("request")
        self.assertEqual(again.obtain()["state"]["authorities"][0]["account"], first)
        self.assertNotEqual(self.serial(again), serial)
        # Without the state the account is found by its key.
        (pathlib_of(again) / "state.json").unlink()
        again.close()
        third = self.tool(at)
        third.tell("request")
        self.assertEqual(third.obtain()["state"]["authorities"][0]["account"], first)

    def test_A2_an_external_account_is_bound(self):
        at = self.pebble(external=True)
        without = self.tool(at, name="without")
        answer = without.step_until(lambda it: it["failed"] > 0)
        self.assertEqual(kind(answer), "external_account")
        without.close()
        wrong = self.tool(at, name="wrong", authority=dict(key_id="kid-1", secret="d3Jvbmc"))
        self.assertGreater(wrong.step_until(lambda it: it["failed"] > 0)["failed"], 0)
        wrong.close()
        tool = self.tool(at, authority=dict(key_id="kid-1", secret=pebble.MAC_KEY, mac="HS256"))
        tool.obtain()
        self.check(at, tool)

    def test_A2_the_key_of_the_account_is_changed(self):
        at = self.pebble()
        tool = self.tool(at)
        tool.obtain()
        key = next(pathlib_of(tool).glob("account-*.pem"))
        before = key.read_text()
        self.assertNotIn("error", tool.tell("change_key", at.directory_url))
        self.assertNotEqual(key.read_text(), before)
        self.assertEqual(len(list(pathlib_of(tool).glob("account-*"))), 1)
        tool.tell("request")
        tool.obtain()
        # The old one is no account's any more.
        key.write_text(before)
        tool.tell("request")
        answer = tool.step_until(lambda it: it["failed"] > 0)
        self.assertIn(kind(answer), ("account", "refused"))

    def test_A2_an_account_is_ended(self):
        at = self.pebble()
        tool = self.tool(at)
        first = tool.obtain()["state"]["authorities"][0]["account"]
        answer = tool.tell("deactivate", at.directory_url)
        self.assertNotIn("error", answer)
        self.assertNotIn("account", answer["state"]["authorities"][0])
        tool.tell("request")
        self.assertNotEqual(tool.obtain()["state"]["authorities"][0]["account"], first)

    def test_A1_half_of_all_nonces_rejected(self):
        at = self.pebble(environment=dict(PEBBLE_WFE_NONCEREJECT="50"))
        tool = self.tool(at)
        for _ in range(2):
            tool.tell("request")
            tool.obtain()
        self.check(at, tool)
        self.assertGreater(tool.output(100000).count("status 400"), 3)

    def test_A3_its_delays_are_waited_for(self):
        at = self.pebble(environment=dict(PEBBLE_VA_NOSLEEP="0", PEBBLE_VA_SLEEPTIME="3"))
        tool = self.tool(at)
        tool.obtain(seconds=120)
        self.check(at, tool)

    def test_A7_renewals_go_on_and_have_new_keys(self):
        at = self.pebble()
        tool = self.tool(at)
        serials = set()
        keys = set()
        for i in range(3):
            # Pebble's certificates last five years; two thirds of that later they are renewed.
            tool.tell("clock", i * 4 * 365 * 86400)
            if i == 0:
                tool.obtain()
                serials.add(self.serial(tool))
                keys.add(x509(self.certificate(tool), "-pubkey"))
                continue
            answer = tool.step_until(lambda it: it["step"] == "obtain")
            self.assertEqual(answer["cause"], "lifetime")
            # By this clock what pebble issued is old already where it lies beyond five years.
            if answer["failed"]:
                self.assertEqual(kind(answer), "certificate")
                break
            serials.add(self.serial(tool))
            keys.add(x509(self.certificate(tool), "-pubkey"))
        self.assertEqual((len(serials), len(keys)), (2, 2))

    def test_A9_a_name_that_cannot_be_seen_is_told_and_waited_for(self):
        at = self.pebble()
        at.set_dns("set-servfail", host=NAME)
        tool = self.tool(at)
        answer = tool.step_until(lambda it: it["failed"] > 0)
        self.assertEqual(kind(answer), "challenge")
        last = answer["state"]["authorities"][0]
        self.assertIn(NAME, last["last_failure"]["text"])
        self.assertEqual(last["failures"], 1)
        # 30 s, half to three halves of it.
        self.assertLessEqual(tool.tell("step")["wait"], 45)
        self.assertEqual(tool.tell("report")["failed"], 1)
        at.set_dns("clear-servfail", host=NAME)
        tool.tell("request")
        answer = tool.step_until(lambda it: it["obtained"] > 0)
        self.assertNotIn("failures", answer["state"]["authorities"][0])

    def test_A9_a_dead_authority_gives_way_to_the_next(self):
        at = self.pebble()
        dead = "https://localhost:1/dir"
        tool = self.tool(at, opened=False, authorities=[dict(directory=dead), at.authority()])
        # It failed before, but for once as often as its turn lasts.
        pathlib_of(tool).mkdir(mode=0o700)
        (pathlib_of(tool) / "state.json").write_text(json.dumps(
            {"version": 1, "authorities": [{"directory": dead, "failures": 5}]}))
        self.assertNotIn("error", tool.open())
        answer = tool.step_until(lambda it: it["failed"] > 0)
        self.assertEqual(kind(answer), "unreachable")
        answer = tool.step_until(lambda it: it["obtained"] > 0)
        self.assertEqual(answer["failed"], 1)
        self.assertEqual(answer["state"]["certificate"]["directory"], at.directory_url)


def pathlib_of(tool):
    return pebble.pathlib.Path(tool.settings["path"])


def x509(path, *what):
    return subprocess.run([certificates.OPENSSL, "x509", "-in", path, "-noout", *what], check=True,
                          capture_output=True, text=True).stdout


def kind(answer):
    """Of the last failure of any authority."""
    return next(it["last_failure"]["kind"] for it in answer["state"]["authorities"]
                if "last_failure" in it)


if __name__ == "__main__":
    programs.main()
