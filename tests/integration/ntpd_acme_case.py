"""What tests of timepool-ntpd with [nts.acme] share: the daemon beside an authority of acme_case.py,
and its key establishment as a client sees it."""
import socket
import ssl
import struct

import acme_case
import programs
from acme_case import HTTP_PORT, NAME

# RFC 8915 4: NTPv4, AES-SIV-CMAC-256, the end.
REQUEST = struct.pack("!HHHHHHHH", 0x8001, 2, 0, 0x8004, 2, 15, 0x8000, 0)
LOCAL = '[server.local]\nstratum = 1\nrefid = "TEST"\n'


def authority_settings(directory, ca_file, more=""):
    return f'[[nts.acme.authority]]\ndirectory = "{directory}"\nca_file = "{ca_file}"\n{more}'


class DaemonTest(acme_case.AcmeTest):
    def settings(self, acme="", authorities=None, server=LOCAL, more="", name=NAME, listen=True,
                 state="state"):
        """Of a member; `acme`: lines of [nts.acme]."""
        state = self.directory / state
        state.mkdir(exist_ok=True)
        if authorities is None:
            at = self.at.settings()
            authorities = authority_settings(at["directory"], at["ca_file"])
        listen = f'http_listen = ["127.0.0.1:{HTTP_PORT}"]\n' if listen else ""
        return (f'state_directory = "{state}"\n[server]\nlisten = ["127.0.0.1:0"]\n{server}'
                f'[nts.server]\nlisten = ["127.0.0.1:0"]\n{more}'
                f'[nts.acme]\nname = "{name}"\nagree_to_terms = true\n{listen}{acme}\n{authorities}')

    def member(self, *arguments, prefix=(), **settings):
        return self.start("timepool-ntpd", self.settings(*arguments, **settings), prefix=prefix)

    def report(self, member):
        out = member.control("acme")
        self.assertTrue(out["ok"], out)
        return out

    def wait(self, member, condition, what, seconds=60):
        """The first report for which condition(report)."""
        def look():
            report = self.report(member)
            return report if condition(report) else None
        try:
            return programs.wait_until(look, seconds, what)
        except AssertionError as it:
            raise AssertionError(f"{it}\n{self.report(member)}\n{member.output()}") from None

    def obtained(self, member, count=1, seconds=60):
        return self.wait(member, lambda it: it["obtained"] >= count, f"{count} certificates", seconds)

    def key_port(self, member):
        return member.listening("key_server")[1]

    def connect(self, member, name=NAME, issuer=None):
        context = ssl.create_default_context(cafile=issuer or self.at.issuer.certificate)
        context.set_alpn_protocols(["ntske/1"])
        plain = socket.create_connection(("127.0.0.1", self.key_port(member)), 10)
        return context.wrap_socket(plain, server_hostname=name)

    def establish(self, member, name=NAME, issuer=None):
        """The serial number of the certificate under which keys were established."""
        with self.connect(member, name, issuer) as it:
            serial = it.getpeercert()["serialNumber"]
            it.sendall(REQUEST)
            self.check_answer(it)
            return serial

    def check_answer(self, connection):
        answer = b""
        while part := connection.recv(65536):
            answer += part
        # Eight cookies, and no error.
        self.assertEqual(types_of(answer).count(5), 8, answer)

    def shown(self, member, other_than=None, issuer=None):
        """The serial number at key establishment, once it is another one."""
        def look():
            try:
                serial = self.establish(member, issuer=issuer)
            except OSError:
                return None
            return serial if serial != other_than else None
        return programs.wait_until(look, 30, "the certificate is shown")


def types_of(message):
    """Of the records of a key establishment (RFC 8915 4)."""
    out = []
    while message:
        kind, length = struct.unpack("!HH", message[:4])
        out.append(kind & 0x7fff)
        message = message[4 + length:]
    return out
