"""Certificates for a test, made by the openssl program: an authority and servers that it signs. They
last as long as the test's directory does."""
import datetime
import pathlib
import shutil
import subprocess
import unittest

from programs import DirectoryTest

OPENSSL = shutil.which("openssl")
DAY = datetime.timedelta(days=1)
CA_CONFIG = """[ca]
default_ca = here
[here]
dir = {directory}
database = {directory}/index
new_certs_dir = {directory}
serial = {directory}/serial
default_md = sha256
policy = any
email_in_dn = no
unique_subject = no
[any]
commonName = supplied
"""


def openssl(*arguments):
    subprocess.run([OPENSSL, *map(str, arguments)], check=True, capture_output=True, timeout=60)


def when(moment):
    return moment.strftime("%Y%m%d%H%M%SZ")


class Authority:
    def __init__(self, directory, name="test authority", days=30):
        self.directory = pathlib.Path(directory)
        self.certificate = self.directory / "authority.pem"
        self.key = self.directory / "authority.key"
        self.config = self.directory / "authority.cnf"
        self.config.write_text(CA_CONFIG.format(directory=self.directory))
        (self.directory / "index").touch()
        (self.directory / "serial").write_text("1000\n")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.key, "-out", self.certificate, "-days", days, "-subj", f"/CN={name}")

    def issue(self, name, alternatives, begins=-DAY, ends=20 * DAY):
        """Chain and key files of a server; `alternatives` as "DNS:a,IP:192.0.2.1"."""
        now = datetime.datetime.now(datetime.timezone.utc)
        chain, key, request = (self.directory / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternatives}\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        openssl("ca", "-batch", "-notext", "-config", self.config, "-cert", self.certificate,
                "-keyfile", self.key, "-in", request, "-out", chain, "-extfile", extensions,
                "-startdate", when(now + begins), "-enddate", when(now + ends))
        key.chmod(0o600)
        return chain, key

    def self_signed(self, name, alternatives):
        chain, key = (self.directory / f"{name}.{kind}" for kind in ("pem", "key"))
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", chain, "-days", 20, "-subj", f"/CN={name}",
                "-addext", f"subjectAltName={alternatives}")
        key.chmod(0o600)
        return chain, key


@unittest.skipUnless(OPENSSL, "Debian package openssl is not there")
class AuthorityTest(DirectoryTest):
    """Each test has self.directory, and self.authority in it."""

    AUTHORITY_DAYS = 30

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory, days=self.AUTHORITY_DAYS)
