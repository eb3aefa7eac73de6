"""What tests of the keeper of certificates share: a small authority of their own and the keeper, in a
network namespace of the test's process."""
import datetime
import subprocess
import unittest

import acme_ca
import acme_tool
import certificates
import own_network
import programs

NAME = "alice.m.pool.test"
HTTP_PORT, TLS_PORT = 5002, 5001
DAY = datetime.timedelta(days=1)


def set_up():
    """As setUpModule()."""
    if not certificates.OPENSSL:
        raise unittest.SkipTest("needs Debian's package openssl")
    own_network.enter()


class AcmeTest(programs.DirectoryTest):
    def setUp(self):
        super().setUp()
        self.at = self.authority("first", http_port=HTTP_PORT)

    def authority(self, name, **ports):
        directory = self.directory / name
        directory.mkdir()
        out = acme_ca.TestAuthority(directory, **ports)
        self.addCleanup(out.close)
        return out

    def tool(self, name="tool", opened=True, prefix=(), **settings):
        usual = dict(authorities=[self.at.settings()], names=[NAME], terms_agreed=True,
                     http=[f"127.0.0.1:{HTTP_PORT}"])
        out = acme_tool.Tool(self.directory / name, dict(usual, **settings), prefix=prefix)
        self.addCleanup(out.close)
        if opened:
            self.assertNotIn("error", out.open())
        return out

    def fails(self, tool, kind):
        """The answer to the step that fails, which it does in this way."""
        answer = tool.step_until(lambda it: it["failed"] > 0)
        self.assertEqual(failure(answer)["kind"], kind, failure(answer))
        return answer

    def check_pair(self, path):
        """Chain and key belong together; the first certificate's end."""
        key = subprocess.run([certificates.OPENSSL, "pkey", "-in", path, "-pubout"], check=True,
                             capture_output=True, text=True).stdout
        self.assertEqual(key, x509(path, "-pubkey"))
        return x509(path, "-serial")


def failure(answer):
    return next(it["last_failure"] for it in answer["state"]["authorities"] if "last_failure" in it)


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def x509(path, *what):
    return subprocess.run([certificates.OPENSSL, "x509", "-in", path, "-noout", *what], check=True,
                          capture_output=True, text=True).stdout
