"""Two network namespaces of our own with a veth pair between them: the load on one side, the servers on
the other. They end with their processes; nothing of this machine's network is touched."""
import shutil
import subprocess

import lab as laboratory

CLIENT, SERVER = "10.77.0.1", "10.77.0.2"
# Where the load comes from: many prefixes, so that workers share it (net: one prefix, one worker).
SOURCES = "172.16.0.0/16"
MISSING = "needs unshare and nsenter (util-linux), ip (iproute2) and the right to make network namespaces"


class Namespace:
    """A network namespace that is there while its process is."""

    def __init__(self, lab):
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        lab.children.append(self.holder)
        self.holder.stdout.readline()
        self.pid = str(self.holder.pid)
        self.prefix = ["nsenter", "--target", self.pid, "--net"]
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        subprocess.run([*self.prefix, "ip", *arguments], check=True, timeout=10)


class Loopback:
    """Servers and load on 127.0.0.1, whose neighbours serve as sources; in a namespace of its own (where every
    port is free) when there is one."""
    name = "loopback"
    address = "127.0.0.1"
    server_prefix = ()
    load_prefix = ()
    load_options = ("--sources", "127.16.0.0/12")

    def __init__(self, lab=None):
        if lab is not None and allowed():
            self.load_prefix = self.server_prefix = tuple(Namespace(lab).prefix)


class Veth:
    name = "veth"
    address = SERVER
    load_options = ("--sources", SOURCES, "--allow-private")

    def __init__(self, lab):
        client, server = Namespace(lab), Namespace(lab)
        client.ip("link", "add", "name", "vc", "type", "veth", "peer", "name", "vs", "netns", server.pid)
        for side, device, address in ((client, "vc", CLIENT), (server, "vs", SERVER)):
            side.ip("address", "add", address + "/24", "dev", device)
            side.ip("link", "set", device, "up")
        client.ip("route", "add", "local", SOURCES, "dev", "lo")
        server.ip("route", "add", SOURCES, "via", CLIENT)
        self.load_prefix = tuple(client.prefix)
        self.server_prefix = tuple(server.prefix)
        # For timepool bench frames.
        self.frame_options = ("--device", "vc", "--server-device", "vs", "--server-process", server.pid,
                              "--sources", SOURCES)


def allowed():
    tools = all(shutil.which(tool) for tool in ("unshare", "nsenter", "ip"))
    probe = ["unshare", "-n", "ip", "link", "add", "name", "one", "type", "veth", "peer", "name", "two"]
    return tools and subprocess.run(probe, capture_output=True, check=False).returncode == 0


def veth(lab):
    """The pair, or None after saying what is missing."""
    if allowed():
        return Veth(lab)
    laboratory.say("no veth pair: its rows are left out (%s)" % MISSING)
    return None
