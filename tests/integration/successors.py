"""Processes that take the place of others, and what systemd does for them."""
import os
import pathlib
import socket
import subprocess
import threading

from programs import BINARY_DIR, Program, ProgramTest, wait_until


class NotifySocket:
    """What systemd listens at: the messages, and the descriptors that it is to keep. Read all the
    time, as systemd does: who sends to a full queue waits."""

    def __init__(self, directory):
        self.path = str(pathlib.Path(directory) / "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.messages = []
        self.kept = {}
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            data, descriptors, _, _ = socket.recv_fds(self.socket, 4096, 8)
            if data == b"END":
                return
            lines = dict(line.split("=", 1) for line in data.decode().split("\n") if line)
            self.messages.append(lines)
            if "FDSTORE" in lines:
                self.kept[lines["FDNAME"]] = descriptors[0]
            elif "FDSTOREREMOVE" in lines and lines["FDNAME"] in self.kept:
                os.close(self.kept.pop(lines["FDNAME"]))

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"END", self.path)
        self.reader.join()
        self.socket.close()
        for number in self.kept.values():
            os.close(number)


class Successor(Program):
    """A second process with the directory, and so the control socket, of a running one."""

    def __init__(self, old, config=None, arguments=("--take-over",), environment=None, wrap=(),
                 descriptors=()):
        self.name = old.name
        self.directory = old.directory
        self.socket = old.socket
        self.config = self.directory / "config.toml"
        if config is not None:
            self.write_config(config)
        self.log = open(self.directory / "log", "ab")
        merged = dict(os.environ, TIMEPOOL_DIE_WITH_PARENT="1", **(environment or {}))
        self.process = subprocess.Popen(
            [*wrap, BINARY_DIR / "bin" / old.name, "--config", self.config, *arguments],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=merged,
            pass_fds=descriptors)

    def serves(self):
        try:
            status = self.control("status")
        except OSError:
            return None
        return status if status["pid"] == self.process.pid else None


class TakeOverTest(ProgramTest):
    def succeed(self, old, config=None, **more):
        """A successor that ends with the test."""
        new = Successor(old, config, **more)
        self.addCleanup(new.log.close)
        self.end_with_test(new.process)
        return new

    def check_taken_over(self, old, new):
        wait_until(lambda: old.process.poll() is not None, 30, f"the old one leaves\n{old.output()}")
        self.assertEqual(old.process.returncode, 0, old.output())
        wait_until(new.serves, 20, f"the new one answers\n{new.output()}")
