"""Hosts of a test's own on one wire: each is a network namespace with an address, and the calling test's process is one
of them."""
import pathlib

import namespaces
from namespaces import Namespace, ip

BRIDGE = "wire"


class Wire:
    """Takes the calling process off the machine's network for good."""

    def __init__(self, address):
        namespaces.enter()
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
        ip("link", "add", "name", name, "type", "veth", "peer", "name", "eth0", "netns", self.pid)
        ip("link", "set", name, "master", BRIDGE, "up")
        self.ip("link", "set", "eth0", "up")
        self.ip("address", "add", f"{address}/24", "dev", "eth0")

    def move(self, address):
        """Another address instead of the one that it has."""
        self.ip("address", "flush", "dev", "eth0")
        self.ip("address", "add", f"{address}/24", "dev", "eth0")
        self.address = address

    def mute(self, port, muted=True):
        """Nothing that its TCP port `port` says reaches anybody."""
        self.ip("rule", "add" if muted else "del", "ipproto", "tcp", "sport", str(port), "blackhole")


def resolv_conf(path, server):
    """A file for `resolv_conf` of a host."""
    path = pathlib.Path(path)
    path.write_text(f"nameserver {server}\n")
    return path
