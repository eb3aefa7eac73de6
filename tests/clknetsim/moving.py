"""A server of NTS that moves to another address, inside clknetsim: how long a client at poll 10 goes
without authenticated time from it. From that second on the name has the new address, the old one is
silent, and the new one has other keys. Another server stays where it is, and tells that the network is
well."""
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]
from certificates import Authority  # noqa: E402
from networks import CLOCK, delays, path  # noqa: E402
from simulator import Chronyd, Timepool, simulate, simulator  # noqa: E402

COMPILER = shutil.which("cc")
NAME = "server.test"
# The nodes: where the server was, where it is then, the other one, the client.
OLD, NEW, OTHER, CLIENT = 1, 2, 3, 4
OTHER_ADDRESS = f"192.168.123.{OTHER}"
POLL = 1024
# Polls are at poll 10 and their phase has nothing to do with the start by then.
MOVES_AT = 20 * POLL
# Eight polls in vain, an hour of pacing, a poll and some.
LIMIT = MOVES_AT + 15 * POLL
# Octets of an answer that says that the cookie is unknown: header and unique identifier.
NAK = 48 + 36
UP = path("1e-3", 1e-4)


class Site:
    """Certificates and the library of names in a directory."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.authority = Authority(directory)
        self.chain, self.key = self.authority.issue("server", f"DNS:{NAME}")
        self.names = self.directory / "names.so"
        subprocess.run([COMPILER, "-O1", "-Wall", "-Werror", "-shared", "-fPIC", HERE / "names.c", "-o", self.names,
                        "-ldl"], check=True, capture_output=True)

    def keyed_server(self):
        return Chronyd(f"local stratum 1\nntsserverkey {self.key}\nntsservercert {self.chain}\nntsprocesses 0\n")

    def environment(self, start, moves_at):
        return {"LD_PRELOAD": f"{self.names}:{simulator() / 'clknetsim.so'}", "MOVING_NAME": NAME,
                "MOVING_AT": str(start + moves_at)}

    def chronyd(self, program=None):
        return Chronyd(f"server {NAME} nts iburst minpoll 10 maxpoll 10\n"
                       f"server {OTHER_ADDRESS} iburst minpoll 10 maxpoll 10\n"
                       f"ntstrustedcerts {self.authority.certificate}\nlogdir /nonexistent\n", program=program)

    def timepool(self, binaries):
        polls = "iburst = true\nminpoll = 10\nmaxpoll = 10\n"
        return Timepool(binaries, CLOCK + '[sources]\nmin_sources = 1\n'
                        f'[[server]]\naddress = "{NAME}"\nnts = "require"\n'
                        f'nts_ca = ["{self.authority.certificate}"]\n{polls}'
                        f'[[server]]\naddress = "{OTHER_ADDRESS}"\n{polls}')

    def seconds_without(self, client, seed):
        """From the move to the first authentic answer of the new address; None: it never came."""
        start = int(time.time())
        # The move comes at any phase of the polls.
        moves_at = MOVES_AT + seed * 389 % POLL
        silent = f"(* -1 (equal 0.5 (min time {moves_at}) {moves_at}))"
        network = (delays([(NEW, CLIENT), (OTHER, CLIENT)], UP) + delays([(OLD, CLIENT)], f"(+ {UP} {silent})") +
                   f"node{CLIENT}_freq = (+ 1e-5 (sum (* 1e-10 (normal))))\nnode{CLIENT}_offset = 0.01\n")
        client.environment = self.environment(start, moves_at)
        run = simulate(network, [self.keyed_server(), self.keyed_server(), Chronyd("local stratum 1\n"), client],
                       LIMIT, seed, {"CLKNETSIM_START_DATE": str(start)}, packets=True)
        answers = [packet.sent for packet in run.packets
                   if packet.came_from == NEW and packet.source_port == 123 and packet.size > NAK]
        return answers[0] - moves_at if answers else None
