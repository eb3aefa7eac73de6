"""timepool-dnsd and timepool-monitord that belong to a manager's pool, for tests."""
import dns_messages as dns
from programs import Program, wait_until

ZONE = "pool.test"


def following(url, public_key, directory):
    """timepool-dnsd's settings for the snapshots of the manager at `url`."""
    return f'[snapshot]\nurls = ["{url}"]\npublic_keys = ["{public_key}"]\ndirectory = "{directory}"\n'


def signing(directory, zone=ZONE):
    """timepool-dnsd's settings for a signed zone; it makes `directory`, which has its keys."""
    return f'[dnssec]\ndirectory = "{directory}"\n[[dnssec.zone]]\nname = "{zone}"\n'


class NameServer(Program):
    """timepool-dnsd that has the manager's first snapshot; `more`: further settings."""

    def __init__(self, manager, directory, listen="127.0.0.1:0", more="", prefix=()):
        directory.mkdir(exist_ok=True)
        super().__init__("timepool-dnsd", f'[server]\nlisten = ["{listen}"]\n{more}' +
                         following(manager.url, manager.public_key(), directory / "kept"), directory, prefix=prefix)
        wait_until(lambda: self.control("status")["snapshot_serial"], 20, "dnsd has the snapshot")
        self.address = self.listening()

    def ask(self, name, kind=dns.A, **more):
        return dns.ask_udp(self.address, name, kind, **more)

    def addresses(self, name, **more):
        return sorted(self.ask(name, **more).addresses)

    def services(self, name=f"_ntske._tcp.{ZONE}", **more):
        """{target: (priority, weight, port)} of the SRV records in one answer."""
        return self.ask(name, dns.SRV, **more).services()

    def authorisations(self, name):
        """The values of the CAA records at a name."""
        return self.ask(name, dns.CAA).authorisations()


class Monitor(Program):
    """timepool-monitord, which the manager is told of. `resolver`: "host" or "host:port"; `roots`: the file of those
    that the manager calls "test"; the others: how long it waits."""

    def __init__(self, manager, name, directory, resolver, roots, probe_timeout="300ms", nts_timeout="2s", prefix=()):
        directory.mkdir(mode=0o700)
        token = directory / "token"
        token.write_text(manager.add_monitor(name) + "\n")
        super().__init__("timepool-monitord", f'''[manager]
url = "{manager.url}"
token_file = "{token}"
retry_min = "200ms"
retry_max = "1s"
[sanity]
mode = "none"
[probe]
spacing = "50ms"
timeout = "{probe_timeout}"
[nts]
timeout = "{nts_timeout}"
resolvers = ["{resolver}"]
[[nts.trust]]
word = "test"
file = "{roots}"
[report]
interval = "50ms"
[spool]
directory = "{directory}/spool"
''', directory, prefix=prefix)
