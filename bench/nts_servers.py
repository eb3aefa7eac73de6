"""Servers of NTS for the benchmarks, ours and chronyd's with one P-256 certificate that is made for the run."""
import pathlib
import sys

import lab as laboratory
import network
import ntp_servers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/integration"))
from certificates import OPENSSL, Authority  # noqa: E402


class Certificates:
    """Of "localhost": files of the chain and the key, and of the authority (`certificate`) that signed it."""

    def __init__(self, lab):
        if OPENSSL is None:
            raise laboratory.LabError("no openssl to make certificates by (apt package openssl)")
        authority = Authority(lab.directory)
        self.certificate = authority.certificate
        self.chain, self.key = authority.issue("localhost", "DNS:localhost,IP:127.0.0.1")


def start_ours(lab, certificates, port, where=network.Loopback()):
    """Establishes keys on TCP `port`."""
    more = """
[nts.server]
listen = ["%s:%d"]
[[nts.server.certificate]]
chain = "%s"
key = "%s"
""" % (where.address, port, certificates.chain, certificates.key)
    return ntp_servers.start_ours(lab, where, more=more)


def start_chronyd(lab, program, certificates, port, where=network.Loopback()):
    # ntsprocesses 0 serves in the main process, as one thread of ours does; every prefix may ask as often as it likes.
    more = "ntsserverkey %s\nntsservercert %s\nntsport %d\nntsprocesses 0\nmaxntsconnections 200\n" % (
        certificates.key, certificates.chain, port)
    return ntp_servers.start_chronyd(lab, program, where, more=more)
