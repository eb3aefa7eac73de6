"""DNS servers of the benchmarks, each on a port of its own, with the same names, 40 addresses of each family at every
name, and answers of four. What a peer can't do stands in its start_ function."""
import json
import os
import socket

import lab as laboratory

ZONE = "pool.test"
LABELS = ["", "0", "1", "2", "3", "de", "us", "jp", "br", "za", "au", "europe"]
NAMES = [("%s.%s" % (label, ZONE)).lstrip(".") for label in LABELS]
COUNTRIES = ("de", "us", "jp", "br", "za", "au")
ADDRESSES = [("192.0.2.%d" % (i + 1), "2001:db8::%x" % (i + 1), (i % 7 + 1) * 1000) for i in range(40)]
TAKEN = 4
# An answer's four addresses, a little over half of them IPv6 by size: the echo sends so much more than it got.
ANSWER_OCTETS = (2 * 4 * 16 + 4 * 28) // 3
KNOT_GEOIP = laboratory.ROOT / "build/peers/knot-module-geoip/usr/lib/x86_64-linux-gnu/knot/modules-3.2/geoip.so"
GEOIP = laboratory.ROOT / "build/geoip/geo-whois-asn-country.mmdb"


class Server:
    def __init__(self, name, child, port, load_cpu=None):
        self.name, self.child, self.port = name, child, port
        self.load_cpu = load_cpu  # where its load must come from; None is the lab's


def ready(lab, server):
    lab.wait_for_answer("dns", server.port, server.child, server.name)
    return server


def questions(lab):
    """Two A for one AAAA, and one in 17 for a name that is not there."""
    lines = []
    for i, name in enumerate(NAMES * 6):
        lines.append("%s %s" % (name, "AAAA" if i % 3 == 2 else "A"))
        if i % 16 == 15:
            lines.append("nosuch%d.%s A" % (i, name))
    return lab.write("questions.txt", "\n".join(lines) + "\n")


def zone_json():
    a = [[v4, weight] for v4, _, weight in ADDRESSES]
    aaaa = [[v6, weight] for _, v6, weight in ADDRESSES]
    labels = {}
    for label in LABELS:
        labels[label] = {"a": a, "aaaa": aaaa}
        # The numbered names too are told apart by country, as the pool's are.
        for country in COUNTRIES if label.isdigit() else ():
            labels["%s.%s" % (label, country)] = {"a": a, "aaaa": aaaa}
    labels[""]["ns"] = {"ns1.%s" % ZONE: None}
    return json.dumps({"serial": 1, "ttl": 150, "max_hosts": TAKEN, "data": labels})


def start_ours(lab, name="timepool-dnsd", more="", server="threads = 1", document=None):
    """Weights, four of forty, the client's country, its subnet with the exact scope; another zone by `document`."""
    port = laboratory.free_port(socket.SOCK_STREAM)
    directory = lab.path(name)
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, ZONE + ".json"), "w", encoding="ascii") as out:
        out.write(document or zone_json())
    geoip = '[geoip]\nfiles = ["%s"]' % GEOIP if GEOIP.exists() else ""
    config = lab.write(name + ".toml", """
[server]
listen = ["127.0.0.1:%d"]
%s
%s
[zones]
directory = "%s"
[control]
socket = "%s"
%s
""" % (port, server, geoip, directory, lab.path(name + ".sock"), more))
    child = lab.start([lab.program("timepool-dnsd"), "--config", config], name=name)
    return ready(lab, Server(name, child, port))


def start_echo(lab, name="limit-udp", octets=ANSWER_OCTETS):
    """What only sends the queries back as answers of the same sizes: `octets` longer."""
    port = laboratory.free_port()
    child = lab.start([lab.program("timepool"), "bench", "echo", "--listen", "127.0.0.1:%d" % port, "--duration", "1h",
                       "--dns-answer", str(octets)], name=name)
    return ready(lab, Server(name, child, port))


def master_file(lab, names=None, services=()):
    """Four fixed addresses at each name, and four SRV records at each of `services`."""
    lines = ["$ORIGIN %s." % ZONE, "$TTL 150", "@ SOA ns1 hostmaster 1 5400 5400 1209600 3600", "@ NS ns1",
             "ns1 A 127.0.0.1"]
    for name in names or NAMES:
        for v4, v6, _ in ADDRESSES[:TAKEN]:
            lines += ["%s. A %s" % (name, v4), "%s. AAAA %s" % (name, v6)]
    lines += ["%s. 60 SRV 0 1 4460 member-%d.m.%s." % (name, i, ZONE) for name in services for i in range(TAKEN)]
    return lab.write(ZONE + ".zone", "\n".join(lines) + "\n")


def start_knotd(lab, program, name="knotd", module="", modules="", names=None, services=()):
    """A static zone, or by mod-geoip: knotd chooses among sets that are there whole."""
    port = laboratory.free_port(socket.SOCK_STREAM)
    directory = lab.path(name)
    os.makedirs(directory, exist_ok=True)
    file = master_file(lab, names, services)
    config = lab.write(name + ".conf", """
server:
  rundir: %(dir)s
  listen: 127.0.0.1@%(port)d
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  edns-client-subnet: on
database:
  storage: %(dir)s
log:
  - target: stderr
    any: warning
%(modules)s
zone:
  - domain: %(zone)s
    file: %(file)s
    zonefile-sync: -1
    journal-content: none
%(module)s
""" % {"dir": directory, "port": port, "zone": ZONE, "file": file, "module": module, "modules": modules})
    # knotd puts its first worker on the first processor whatever it was started on.
    child = lab.start([program, "-c", config], cpu=lab.load_cpu, name=name)
    return ready(lab, Server(name, child, port, lab.server_cpu))


def start_knotd_geoip(lab, program, name, sets, settings):
    if not KNOT_GEOIP.exists():
        laboratory.say("no %s: its rows are left out (apt package knot-module-geoip)" % name)
        return None
    return start_knotd(lab, program, name, "    module: mod-geoip/g", """
module:
  - id: mod-geoip
    file: %s
mod-geoip:
  - id: g
    config-file: %s
    ttl: 150
%s
""" % (KNOT_GEOIP, lab.write(name + ".sets", "\n".join(sets) + "\n"), settings))


def start_knotd_weighted(lab, program):
    """mod-geoip, weighted: one of ten sets of four at each name; no countries."""
    lines = []
    for name in NAMES:
        lines.append("%s.:" % name)
        for first in range(0, len(ADDRESSES), TAKEN):
            taken = ADDRESSES[first:first + TAKEN]
            lines.append("  - weight: %d" % (sum(weight for *_, weight in taken) // 1000))
            lines.append("    A: [%s]" % ", ".join('"%s"' % v4 for v4, *_ in taken))
            lines.append("    AAAA: [%s]" % ", ".join('"%s"' % v6 for _, v6, _ in taken))
    return start_knotd_geoip(lab, program, "knotd-weighted", lines, "    mode: weighted")


def start_knotd_countries(lab, program):
    """mod-geoip, geodb: the country's four at each name; no weights. None without country data."""
    if not GEOIP.exists():
        return None
    lines = []
    for name in NAMES:
        lines.append("%s.:" % name)
        for i, country in enumerate(COUNTRIES):
            taken = ADDRESSES[i * TAKEN:(i + 1) * TAKEN]
            lines.append('  - geo: "%s"' % country.upper())
            lines.append("    A: [%s]" % ", ".join('"%s"' % v4 for v4, *_ in taken))
            lines.append("    AAAA: [%s]" % ", ".join('"%s"' % v6 for _, v6, _ in taken))
    return start_knotd_geoip(lab, program, "knotd-countries", lines,
                             "    mode: geodb\n    geodb-file: %s\n    geodb-key: [ country_code ]" % GEOIP)


def start_nsd(lab, program):
    """A static zone."""
    port = laboratory.free_port(socket.SOCK_STREAM)
    config = lab.write("nsd.conf", """
server:
    ip-address: 127.0.0.1@%(port)d
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "%(dir)s"
    pidfile: "%(dir)s/nsd.pid"
    zonelistfile: "%(dir)s/nsd.list"
    xfrdfile: "%(dir)s/nsd.xfrd"
    xfrdir: "%(dir)s"
    database: ""
    rrl-ratelimit: 0
    minimal-responses: yes
remote-control:
    control-enable: no
zone:
    name: %(zone)s
    zonefile: %(file)s
""" % {"dir": lab.directory, "port": port, "zone": ZONE, "file": master_file(lab)})
    child = lab.start([program, "-d", "-c", config], name="nsd")
    return ready(lab, Server("nsd", child, port))


def start_gdnsd(lab, program):
    """geoip over countries by networks, then multi: each address by itself by its weight, so that about four come."""
    port = laboratory.free_port(socket.SOCK_STREAM)
    directory = lab.path("gdnsd")
    os.makedirs(os.path.join(directory, "zones"), exist_ok=True)
    # One in ten of the forty has the chance 1, the others a thirteenth.
    items = {family: "\n".join("      a%d = [ %s, %d ]" % (i, row[family], 1000 if i == 0 else 77)
                               for i, row in enumerate(ADDRESSES)) for family in (0, 1)}
    lines = ["@ SOA ns1 hostmaster 1 5400 5400 1209600 900", "@ NS ns1", "ns1 A 127.0.0.1"]
    for label in LABELS:
        lines.append("%s 150 DYNA geoip!pool" % (label or "@"))
    with open(os.path.join(directory, "zones", ZONE), "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")
    with open(os.path.join(directory, "config"), "w", encoding="ascii") as out:
        out.write("""
options => { listen => [ 127.0.0.1:%(port)d ], run_dir => "%(dir)s", state_dir => "%(dir)s", udp_threads => 1,
  tcp_threads => 1, zones_default_ttl => 150, acme_challenge_ttl => 600 }
plugins => {
  weighted => { service_types => up, multi => true, up_thresh => 0.01,
    w => { addrs_v4 => {
%(v4)s
    }, addrs_v6 => {
%(v6)s
    } } }
  geoip => {
    maps => { m => { datacenters => [ one, two ], nets => { 10.0.0.0/8 => [ two, one ], 64.0.0.0/3 => [ two, one ] } } }
    resources => { pool => { map => m, dcmap => { one => %%weighted!w, two => %%weighted!w } } } }
}
""" % {"port": port, "dir": directory, "v4": items[0], "v6": items[1]})
    child = lab.start([program, "-c", directory, "start"], name="gdnsd")
    return ready(lab, Server("gdnsd", child, port))


def start_pdns(lab, program):
    """The geoip back end: four fixed addresses of the client's country."""
    port = laboratory.free_port(socket.SOCK_STREAM)
    module = laboratory.ROOT / "build/peers/pdns-backend-geoip/usr/lib/x86_64-linux-gnu/pdns/libgeoipbackend.so"
    if not module.exists() or not GEOIP.exists():
        laboratory.say("no pdns with geoip: its rows are left out (apt package pdns-backend-geoip)")
        return None
    records = []
    for place in ("default", *COUNTRIES):
        records.append("      %s.all.%s:" % (place, ZONE))
        for v4, v6, _ in ADDRESSES[:TAKEN]:
            records += ["        - a: %s" % v4, "        - aaaa: %s" % v6]
    services = ["      %s: ['%%co2.all.%s', 'default.all.%s']" % (name, ZONE, ZONE) for name in NAMES]
    zones = lab.write("pdns.yaml", "\n".join([
        "domains:", "  - domain: %s" % ZONE, "    ttl: 150", "    records:", "      %s:" % ZONE,
        "        - soa: ns1.%s hostmaster.%s 1 5400 5400 1209600 3600" % (ZONE, ZONE), "        - ns: ns1.%s" % ZONE,
        *records, "    services:", *services]) + "\n")
    child = lab.start([program, "--daemon=no", "--guardian=no", "--config-dir=%s" % lab.directory,
                       "--local-address=127.0.0.1", "--local-port=%d" % port, "--module-dir=%s" % module.parent,
                       "--load-modules=libgeoipbackend.so", "--launch=geoip", "--geoip-zones-file=%s" % zones,
                       "--geoip-database-files=mmdb:%s" % GEOIP, "--socket-dir=%s" % lab.directory,
                       "--edns-subnet-processing=yes", "--receiver-threads=1", "--distributor-threads=1",
                       "--disable-syslog=yes", "--loglevel=3", "--version-string=anonymous"], name="pdns")
    return ready(lab, Server("pdns", child, port))
