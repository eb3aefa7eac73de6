"""A network namespace of the calling test's process: its loopback has all the addresses of the golden
files, so that a server and its clients have them too, and packets may be made up octet by octet."""
import contextlib
import socket

import golden_files
import namespaces
from namespaces import ip

IPV6_HEADER = 40
SERVER = ("192.0.2.123", 123)
SERVER_6 = ("2001:db8::123", 123)
ADDRESSES = ("192.0.2.123/32", "192.0.2.10/32", "192.0.2.11/32", "198.51.100.7/32",
             "198.51.101.7/32", "203.0.113.1/32", "2001:db8::123/128", "2001:db8::10/128")


def enter():
    """To be called by setUpModule()."""
    namespaces.enter()
    for address in ADDRESSES:
        add_address(address)


def add_address(address):
    ip("address", "add", address, "dev", "lo", *(["nodad"] if ":" in address else []))


def server_of(client):
    return SERVER_6 if ":" in client[0] else SERVER


def ask(client, request, wait=2.0):
    """The reply to `client`, or None. To be asked without waiting: wait=0."""
    family = socket.AF_INET6 if ":" in client[0] else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_DGRAM)) as it:
        it.bind(client)
        it.sendto(request, server_of(client))
        if wait == 0:
            return None
        it.settimeout(wait)
        try:
            return it.recv(65536)
        except TimeoutError:
            return None


def inject(source, destination, payload):
    """Sends a datagram whose source is made up, by IPv4."""
    packet = golden_files.ip_packet(source, destination, payload)
    with contextlib.closing(
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)) as it:
        it.sendto(packet, (destination[0], 0))
