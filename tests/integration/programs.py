"""Starts timepool's programs for a test and ends them with it. Python's standard library only."""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BINARY_DIR = pathlib.Path(os.environ.get("TIMEPOOL_BINARY_DIR", "build/release")).resolve()


PR_SET_PDEATHSIG = 1


def die_with_parent():
    """For preexec_fn of a program that must not outlive the test."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(condition, seconds, what):
    """The first true value of condition(), asked until `seconds` are over."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def endpoint(text):
    """(host, port) of "192.0.2.1:123" or "[2001:db8::1]:123"."""
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


def free_port(address="127.0.0.1"):
    """A port that nobody had by TCP or UDP when it was asked for."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind((address, 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]


def end(process, seconds=10):
    """The exit status after SIGTERM, or after SIGKILL when it has not ended in `seconds`."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def own_directory(add_cleanup):
    """A new directory, gone when the test or the class of tests is over whose addCleanup or addClassCleanup this is."""
    path = tempfile.mkdtemp(prefix="timepool-test-")
    add_cleanup(shutil.rmtree, path, ignore_errors=True)
    return pathlib.Path(path)


class Program:
    """A running program of ours with a configuration file and a control socket; `prefix` is a command
    that executes it."""

    def __init__(self, name, config, directory=None, wait=True, prefix=()):
        self.name = name
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="timepool-"))
        self.socket = self.directory / "control.sock"
        self.config = self.directory / "config.toml"
        self.write_config(config)
        self.log = open(self.directory / "log", "ab")
        environment = dict(os.environ, TIMEPOOL_DIE_WITH_PARENT="1")
        self.process = subprocess.Popen(
            [*prefix, BINARY_DIR / "bin" / name, "--config", self.config],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment)
        if wait:
            wait_until(self.answers, 20, f"{name} answers on its control socket\n{self.output()}")

    def write_config(self, config):
        self.config.write_text(f'{config}\n[control]\nsocket = "{self.socket}"\n')

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}:\n{self.output()}")
        try:
            return self.control("status")
        except OSError:
            return None

    def control(self, command, **more):
        """The answer to a command, whether it is ok or not."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.socket))
            connection.sendall(json.dumps({"command": command, **more}).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = connection.recv(65536)
                if not part:
                    raise OSError("no answer")
                answer += part
        return json.loads(answer)

    def listening(self, half=None):
        """(host, port) of the first that it listens at; `half` of timepool-ntpd: "server" or "key_server"."""
        status = self.control("status")
        return endpoint((status[half] if half else status)["listen"][0])

    def output(self):
        return (self.directory / "log").read_text(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """As end() says."""
        status = end(self.process)
        self.log.close()
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class ProgramTest(unittest.TestCase):
    """A test whose programs end with it."""

    def start(self, name, config, **more):
        program = Program(name, config, **more)
        self.addCleanup(program.close)
        return program

    def end_with_test(self, process):
        """A program of others', killed when the test is over."""
        def end():
            process.kill()
            process.wait()
        self.addCleanup(end)


class DirectoryTest(ProgramTest):
    """Each test has self.directory."""

    def setUp(self):
        self.directory = own_directory(self.addCleanup)

    def secret_file(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path


def main(**more):
    """Runs the calling module's tests; 77 when every one was skipped. `more`: of unittest.main()."""
    signal.alarm(280)
    result = unittest.main(exit=False, verbosity=2, **more).result
    if not result.wasSuccessful():
        sys.exit(1)
    # Of a class or a module that is skipped whole no test counts as run.
    if result.skipped and result.testsRun in (0, len(result.skipped)):
        sys.exit(77)
