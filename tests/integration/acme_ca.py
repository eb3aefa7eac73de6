"""A small authority of ACME for tests: HTTPS on loopback, in threads of the test. It proves names by
HTTP-01 or TLS-ALPN-01 at ports of the test's own and has what pebble of Debian 12 lacks: renewal
information, profiles, short lives, alreadyReplaced; and any answer may be replaced by another."""
import base64
import ctypes
import datetime
import hashlib
import http.client
import http.server
import json
import socket
import ssl
import struct
import subprocess
import threading

import certificates

UTC = datetime.timezone.utc
SO_ATTACH_FILTER = 26
PROBLEM = "urn:ietf:params:acme:error:"


def thumbprint(key):
    """RFC 7638, of an EC key as JWK."""
    canonical = json.dumps({it: key[it] for it in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    return b64(hashlib.sha256(canonical.encode()).digest())


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


# P-256 (FIPS 186-5, SEC 2 2.4.2): a program for each signature would take longer. Points are Jacobian,
# (x, y, z) for (x/z^2, y/z^3), so that nothing is divided by; None is the point at infinity.
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
BASE = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
        0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5, 1)


def double(a):
    if a is None:
        return None
    x, y, z = a
    squared, slope = y * y % P, 3 * (x - z * z) * (x + z * z) % P
    beta = x * squared % P
    out = (slope * slope - 8 * beta) % P
    return out, (slope * (4 * beta - out) - 8 * squared * squared) % P, 2 * y * z % P


def add(a, b):
    if a is None or b is None:
        return a or b
    (x, y, z), (x2, y2, z2) = a, b
    u, s = x * z2 * z2 % P, y * z2 * z2 * z2 % P
    across, up = (x2 * z * z - u) % P, (y2 * z * z * z - s) % P
    if across == 0:
        return double(a) if up == 0 else None
    square = across * across % P
    cube, u = across * square % P, u * square % P
    out = (up * up - cube - 2 * u) % P
    return out, (up * (u - out) - s * cube) % P, z * z2 * across % P


def multiply_both(count, a, count2, b):
    """count * a + count2 * b"""
    both, out = add(a, b), None
    for bit in reversed(range(256)):
        out = double(out)
        which = (count >> bit & 1) + 2 * (count2 >> bit & 1)
        if which:
            out = add(out, (a, b, both)[which - 1])
    return out


def signature_holds(key, signed, signature):
    """ES256 by SEC 1 4.1.4."""
    r, s = (int.from_bytes(it, "big") for it in (signature[:32], signature[32:]))
    if len(signature) != 64 or not 0 < r < ORDER or not 0 < s < ORDER:
        return False
    point = (*(int.from_bytes(unb64(key[it]), "big") for it in "xy"), 1)
    digest = int.from_bytes(hashlib.sha256(signed).digest(), "big")
    inverse = pow(s, -1, ORDER)
    out = multiply_both(digest * inverse % ORDER, BASE, r * inverse % ORDER, point)
    return out is not None and out[0] * pow(out[2], -2, P) % P % ORDER == r


class Refusal(Exception):
    def __init__(self, status, kind, detail, **headers):
        super().__init__(detail)
        self.status, self.kind, self.detail, self.headers = status, kind, detail, headers


class TestAuthority:
    """Settings are attributes, to be changed at any time."""

    def __init__(self, directory, http_port=None, tls_port=None):
        self.directory = directory
        self.issuer = Issuer(directory)
        self.http_port, self.tls_port = http_port, tls_port
        self.meta = {}
        self.renewal_info = True
        # Of all certificates: an object, or raw text; and its Retry-After.
        self.window = None
        self.window_retry_after = "21600"
        self.life = datetime.timedelta(days=90)
        self.lives = {}       # by profile
        self.processing = 0   # how often an order is still not issued
        self.issue_for = None  # other names than those asked for
        self.begins = -datetime.timedelta(hours=1)
        # Called when a challenge is to be looked at, and before a certificate is issued.
        self.on_challenge = lambda: None
        self.on_issue = lambda: None
        # [(path's beginning, status, headers, body)]: each is used once.
        self.answers = []
        self.requests = []    # (path, protected header, payload, HTTP header fields)
        self.replaced = set()
        self.issued = []      # PEM chains
        self.accounts, self.orders, self.nonces = {}, {}, set()
        self.ended = set()    # URLs of accounts that are deactivated
        self.connections = set()
        self.lock = threading.RLock()
        chain, key = self.issuer.issue("ca", "DNS:localhost,IP:127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                authority.connections.add(self.connection)

            def finish(self):
                authority.connections.discard(self.connection)
                super().finish()

            def handle_any(self):
                authority.handle(self)
            do_GET = do_HEAD = do_POST = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def deafen(self):
        """From now on nothing reaches the connections that there are, as when a client's address was
        taken away: no acknowledgement, no reset."""
        nothing = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))  # BPF_RET | BPF_K, 0
        program = struct.pack("HL", 1, ctypes.addressof(nothing))
        for it in list(self.connections):
            it.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    def settings(self, **more):
        """As acme_tool's settings have an authority."""
        return dict(directory=self.url + "/dir", ca_file=str(self.issuer.certificate), **more)

    def paths(self):
        return [it[0] for it in self.requests]

    def payloads(self, path):
        return [it[2] for it in self.requests if it[0] == path]

    # What a request gets.

    def handle(self, request):
        length = int(request.headers.get("Content-Length", 0))
        body = request.rfile.read(length)
        try:
            with self.lock:
                status, headers, answer = self.answer(request, body)
        except Refusal as it:
            status, headers = it.status, dict(it.headers)
            answer = json.dumps({"type": PROBLEM + it.kind, "detail": it.detail})
            headers.setdefault("Content-Type", "application/problem+json")
        octets = answer.encode()
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        if request.path != "/dir":
            request.send_header("Replay-Nonce", self.new_nonce())
        request.send_header("Content-Length", str(len(octets)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(octets)

    def new_nonce(self):
        with self.lock:
            nonce = f"nonce{len(self.nonces)}x{len(self.requests)}"
            self.nonces.add(nonce)
            return nonce

    def answer(self, request, body):
        path = request.path
        header, payload = {}, None
        if request.command == "POST":
            header, payload = self.verify(request, body)
        self.requests.append((path, header, payload, dict(request.headers)))
        for i, (start, status, headers, text) in enumerate(self.answers):
            if path.startswith(start):
                del self.answers[i]
                return status, headers, text
        if path == "/dir":
            return 200, {}, json.dumps(self.directory_object())
        if path == "/nonce":
            return 200, {}, ""
        if path == "/account":
            return self.account(header, payload)
        if path == "/key-change":
            return self.change_key(header, payload)
        if path in (it[len(self.url):] for it in self.accounts):
            return self.end_account(header, payload)
        if path == "/order":
            return self.new_order(payload)
        kind, _, name = path[1:].partition("/")
        if kind == "renewal":
            return self.renewal(name)
        if kind not in ("order", "authz", "challenge", "finalize", "cert"):
            raise Refusal(404, "malformed", "no such thing")
        return getattr(self, kind)(name, payload)

    def verify(self, request, body):
        """RFC 8555 6.2: the form, the nonce, the URL and the signature."""
        if request.headers["Content-Type"] != "application/jose+json":
            raise Refusal(415, "malformed", "the type of the content")
        whole = json.loads(body)
        header = json.loads(unb64(whole["protected"]))
        if header["nonce"] not in self.nonces:
            raise Refusal(400, "badNonce", "an unknown nonce")
        self.nonces.remove(header["nonce"])
        if header["url"] != self.url + request.path or header["alg"] != "ES256":
            raise Refusal(400, "malformed", "another URL or algorithm")
        if "kid" in header and header["kid"] not in self.accounts:
            raise Refusal(400, "accountDoesNotExist", "no such account")
        if header.get("kid") in self.ended:
            raise Refusal(401, "unauthorized", "the account is deactivated")
        key = header.get("jwk") or self.accounts[header["kid"]]
        signed = (whole["protected"] + "." + whole["payload"]).encode()
        if not signature_holds(key, signed, unb64(whole["signature"])):
            raise Refusal(403, "unauthorized", "the signature does not hold")
        payload = unb64(whole["payload"])
        return header, json.loads(payload) if payload else ""

    def directory_object(self):
        out = {"newNonce": "/nonce", "newAccount": "/account", "newOrder": "/order",
               "keyChange": "/key-change"}
        if self.renewal_info:
            out["renewalInfo"] = "/renewal"
        return dict({name: self.url + path for name, path in out.items()}, meta=self.meta)

    def account(self, header, payload):
        for url, key in self.accounts.items():
            if key == header["jwk"] and url in self.ended:
                raise Refusal(401, "unauthorized", "the account is deactivated")
            if key == header["jwk"]:
                return 200, {"Location": url}, '{"status":"valid"}'
        if payload.get("onlyReturnExisting"):
            raise Refusal(400, "accountDoesNotExist", "no such account")
        url = f"{self.url}/account/{len(self.accounts) + 1}"
        self.accounts[url] = header["jwk"]
        return 201, {"Location": url}, '{"status":"valid"}'

    def change_key(self, header, whole):
        """RFC 8555 7.3.5: the new key signs what the old one is and whose."""
        inner, claim = (json.loads(unb64(whole[it])) for it in ("protected", "payload"))
        signed = (whole["protected"] + "." + whole["payload"]).encode()
        if inner["url"] != header["url"] or claim["account"] != header["kid"] or \
                claim["oldKey"] != self.accounts[header["kid"]] or \
                not signature_holds(inner["jwk"], signed, unb64(whole["signature"])):
            raise Refusal(400, "malformed", "the change of the key does not hold")
        self.accounts[header["kid"]] = inner["jwk"]
        return 200, {}, '{"status":"valid"}'

    def end_account(self, header, payload):
        if header["kid"] != header["url"] or payload != {"status": "deactivated"}:
            raise Refusal(403, "unauthorized", "another's account, or another wish")
        self.ended.add(header["kid"])
        return 200, {}, '{"status":"deactivated"}'

    def new_order(self, payload):
        profile = payload.get("profile")
        if profile is not None and profile not in self.meta.get("profiles", {}):
            raise Refusal(400, "invalidProfile", "no such profile")
        replaces = payload.get("replaces")
        if replaces in self.replaced:
            raise Refusal(409, "alreadyReplaced", "another order replaced it")
        name = str(len(self.orders) + 1)
        self.orders[name] = dict(identifiers=payload["identifiers"], status="pending",
                                 profile=profile, replaces=replaces, processing=self.processing,
                                 token=b64(hashlib.sha256(name.encode()).digest()), proved=set())
        status, headers, body = self.order(name, "")
        return 201, dict(headers, Location=f"{self.url}/order/{name}"), body

    def order(self, name, _):
        order = self.orders[name]
        if order["status"] == "processing":
            order["processing"] -= 1
            if order["processing"] < 0:
                self.issue(name)
        out = dict(status=order["status"], identifiers=order["identifiers"],
                   authorizations=[f"{self.url}/authz/{name}/{i}"
                                   for i in range(len(order["identifiers"]))],
                   finalize=f"{self.url}/finalize/{name}")
        if order["status"] == "valid":
            out["certificate"] = f"{self.url}/cert/{name}"
        return 200, {}, json.dumps(out)

    def authz(self, name, _):
        name, index = name.split("/")
        order = self.orders[name]
        kinds = [kind for kind, port in (("http-01", self.http_port), ("tls-alpn-01", self.tls_port))
                 if port]
        challenges = [dict(type=kind, token=order["token"], status="pending",
                           url=f"{self.url}/challenge/{name}/{index}/{kind}") for kind in kinds]
        for it in challenges:
            if order.get("error"):
                it["error"] = dict(type=PROBLEM + "connection", detail=order["error"])
        status = "invalid" if order.get("error") else \
            "valid" if index in order["proved"] else "pending"
        return 200, {}, json.dumps(dict(status=status, challenges=challenges,
                                        identifier=order["identifiers"][int(index)]))

    def challenge(self, name, payload):
        name, index, kind = name.split("/")
        order = self.orders[name]
        if payload != {}:
            raise Refusal(400, "malformed", "an empty object is wanted")
        self.on_challenge()
        proof = order["token"] + "." + thumbprint(self.accounts[self.requests[-1][1]["kid"]])
        value = order["identifiers"][int(index)]["value"]
        try:
            (self.see_http if kind == "http-01" else self.see_tls)(value, order["token"], proof)
            order["proved"].add(index)
        except (AssertionError, IndexError, OSError, http.client.HTTPException) as it:
            order["error"] = str(it) or "not as it must be"
        if len(order["proved"]) == len(order["identifiers"]):
            order["status"] = "ready"
        return 200, {}, json.dumps(dict(type=kind, status="processing"))

    def see_http(self, name, token, proof):
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=5)
        connection.request("GET", "/.well-known/acme-challenge/" + token,
                           headers={"Host": f"{name}:{self.http_port}"})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        assert (answer.status, body) == (200, proof), f"{answer.status} {body}"

    def see_tls(self, name, _, proof):
        out = subprocess.run([certificates.OPENSSL, "s_client", "-connect",
                              f"127.0.0.1:{self.tls_port}", "-servername", name, "-alpn",
                              "acme-tls/1"], input="", capture_output=True, text=True, timeout=10)
        text = subprocess.run([certificates.OPENSSL, "x509", "-noout", "-text"], input=out.stdout,
                              capture_output=True, text=True).stdout
        assert f"DNS:{name}" in text and "1.3.6.1.5.5.7.1.31: critical" in text, text
        begin, end = (f"-----{it} CERTIFICATE-----\n" for it in ("BEGIN", "END"))
        der = base64.b64decode(out.stdout.split(begin)[1].split(end)[0])
        assert b"\x04\x20" + hashlib.sha256(proof.encode()).digest() in der, "another digest"

    def finalize(self, name, payload):
        order = self.orders[name]
        if order["status"] != "ready":
            raise Refusal(403, "orderNotReady", "it is " + order["status"])
        order["csr"] = unb64(payload["csr"])
        order["status"] = "processing"
        return self.order(name, "")

    def issue(self, name):
        order = self.orders[name]
        self.on_issue()
        names = self.issue_for or [it["value"] for it in order["identifiers"]]
        life = self.lives.get(order["profile"], self.life)
        order["chain"] = self.issuer.issue_for_request(order["csr"], names, self.begins, life)
        order["status"] = "valid"
        self.issued.append(order["chain"])
        if order["replaces"]:
            self.replaced.add(order["replaces"])

    def cert(self, name, _):
        return 200, {"Content-Type": "application/pem-certificate-chain"}, self.orders[name]["chain"]

    def renewal(self, name):
        window = self.window
        if window is None:
            raise Refusal(404, "malformed", f"no certificate {name}")
        headers = {"Retry-After": self.window_retry_after} if self.window_retry_after else {}
        return 200, headers, window if isinstance(window, str) else json.dumps(window)


def window(start, end, explanation=None):
    """As renewal information has it; timedeltas from now."""
    now = datetime.datetime.now(UTC)
    text = [(now + it).strftime("%Y-%m-%dT%H:%M:%SZ") for it in (start, end)]
    out = {"suggestedWindow": {"start": text[0], "end": text[1]}}
    return dict(out, explanationURL=explanation) if explanation else out


class Issuer(certificates.Authority):
    def __init__(self, directory):
        super().__init__(directory, "test authority of ACME", days=3650)
        self.count = 0

    def issue_for_request(self, csr, names, begins, life):
        self.count += 1
        request, chain, extensions = (self.directory / f"issued{self.count}.{kind}"
                                      for kind in ("csr", "pem", "ext"))
        request.write_bytes(csr)
        extensions.write_text("authorityKeyIdentifier=keyid\nbasicConstraints=CA:FALSE\n"
                              "subjectAltName=" + ",".join(f"DNS:{name}" for name in names) + "\n")
        start = datetime.datetime.now(UTC) + begins
        certificates.openssl("ca", "-batch", "-notext", "-config", self.config, "-cert",
                             self.certificate, "-keyfile", self.key, "-inform", "DER", "-in", request,
                             "-out", chain, "-extfile", extensions, "-subj", f"/CN={names[0]}",
                             "-startdate", certificates.when(start), "-enddate",
                             certificates.when(start + life))
        return chain.read_text() + self.certificate.read_text()
