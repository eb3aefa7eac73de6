"""The listeners of challenges over real sockets, while an authority looks. Ids A and LM as in the
project's checklists."""
import socket

import acme_case
import acme_requests
import programs
from acme_case import HTTP_PORT, NAME, TLS_PORT
from acme_requests import PATH

setUpModule = acme_case.set_up


class Responder(acme_case.AcmeTest):
    def test_LM3_A4_only_live_tokens_for_our_names_and_no_cookie(self):
        looks = []
        self.at.on_challenge = lambda: looks.append(
            acme_requests.Look(HTTP_PORT, NAME, self.at.orders["1"]["token"]))
        tool = self.tool()
        tool.obtain()
        looks[0].check(self)
        # Afterwards there is nothing.
        octets = acme_requests.get(NAME, PATH + self.at.orders["1"]["token"])
        self.assertTrue(acme_requests.ask(HTTP_PORT, octets).startswith(b"HTTP/1.1 404 "))

    def test_A4_silent_connections_don_t_keep_others_away(self):
        silent = []
        self.addCleanup(lambda: [it.close() for it in silent])

        def crowd():
            for _ in range(100):
                silent.append(socket.create_connection(("127.0.0.1", HTTP_PORT), 5))

        self.at.on_challenge = crowd
        self.tool().obtain()

    def test_A5_tls_alpn_by_name_and_protocol_only_and_no_data(self):
        self.at.http_port, self.at.tls_port = None, TLS_PORT
        looks = []
        self.at.on_challenge = lambda: looks.append(acme_requests.TlsLook(TLS_PORT, NAME))
        tool = self.tool(tls=[f"127.0.0.1:{TLS_PORT}"], challenges=["tls-alpn-01"])
        tool.obtain()
        looks[0].check(self)
        # Afterwards no handshake is made at all.
        self.assertFalse(
            acme_requests.handshake(TLS_PORT, "-alpn", "acme-tls/1", "-servername", NAME)[0])


if __name__ == "__main__":
    programs.main()
