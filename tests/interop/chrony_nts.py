"""chronyd as server of Network Time Security on loopback, for tests of our clients."""
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from chrony_test import Chronyd  # noqa: E402
from certificates import AuthorityTest  # noqa: E402
from programs import free_port, wait_until  # noqa: E402

NAMES = "DNS:localhost,IP:127.0.0.1"


def answers(port, address="127.0.0.1"):
    try:
        socket.create_connection((address, port), timeout=1).close()
        return True
    except OSError:
        return False


class ChronyNtsTest(AuthorityTest):
    def start_chronyd(self, chain, key, more="", address="127.0.0.1", key_port=None, ntp_port=None):
        """The program, its port for keys and that for NTP."""
        key_port = key_port or free_port()
        ntp_port = ntp_port or free_port()
        chronyd = Chronyd(f"port {ntp_port}\nbindaddress {address}\nallow\nlocal stratum 3\n"
                          f"ntsserverkey {key}\nntsservercert {chain}\nntsport {key_port}\n"
                          f"ntsprocesses 0\n{more}\n")
        self.addCleanup(chronyd.close)
        wait_until(lambda: answers(key_port, address), 20, f"chronyd listens\n{chronyd.output()}")
        return chronyd, key_port, ntp_port
