"""Hosts of a test's own on one wire: each is a network namespace with an address, and the calling test's process is one
of them. Nothing that runs on a host can touch the clock."""
import ctypes
import os
import pathlib
import shutil
import subprocess
import unittest

from namespaces import MISSING, Namespace, allowed
from programs import die_with_parent

CLONE_NEWNET = 0x40000000
BRIDGE = "wire"


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, timeout=10)


class Wire:
    """Takes the calling process off the machine's network for good."""

    def __init__(self, address):
        if not allowed():
            raise unittest.SkipTest(MISSING)
        if not shutil.which("setpriv"):
            raise unittest.SkipTest("needs setpriv (util-linux)")
        if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
            raise unittest.SkipTest(MISSING)
        ip("link", "set", "lo", "up")
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("address", "add", f"{address}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        self.hosts = []

    def host(self, name, address, resolv_conf=None):
        """`name`: up to 15 letters; `resolv_conf`: a file that its programs see as /etc/resolv.conf."""
        out = Host(name, address, resolv_conf)
        self.hosts.append(out)
        return out

    def close(self):
        for host in self.hosts:
            host.close()


class Host(Namespace):
    def __init__(self, name, address, resolv_conf):
        super().__init__(resolv_conf)
        self.name, self.address = name, address
        self.processes = []
        ip("link", "add", "name", name, "type", "veth", "peer", "name", "eth0", "netns", self.pid)
        ip("link", "set", name, "master", BRIDGE, "up")
        self.ip("link", "set", "eth0", "up")
        self.ip("address", "add", f"{address}/24", "dev", "eth0")
        # For preexec-less starts too: what is executed has no right to the clock.
        self.prefix += ("setpriv", "--bounding-set=-sys_time", "--")

    def move(self, address):
        """Another address instead of the one that it has."""
        self.ip("address", "flush", "dev", "eth0")
        self.ip("address", "add", f"{address}/24", "dev", "eth0")
        self.address = address

    def mute(self, port, muted=True):
        """Nothing that its TCP port `port` says reaches anybody."""
        self.ip("rule", "add" if muted else "del", "ipproto", "tcp", "sport", str(port), "blackhole")

    def start(self, log, *command, **environment):
        """A program of others'; what it says goes to the file `log`."""
        with open(log, "ab") as output:
            process = subprocess.Popen([*self.prefix, *map(str, command)], stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=output, env=dict(os.environ, **environment),
                                       preexec_fn=die_with_parent)
        self.processes.append(process)
        return process

    def run(self, *command, check=True):
        """What a program that ends by itself says."""
        done = subprocess.run([*self.prefix, *map(str, command)], capture_output=True, text=True, timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        super().close()


def resolv_conf(path, server):
    """A file for `resolv_conf` of a host."""
    path = pathlib.Path(path)
    path.write_text(f"nameserver {server}\n")
    return path
