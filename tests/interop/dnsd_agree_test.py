"""dig and kdig agree with our parser on every answer of timepool-dnsd.

A relay between the tools and the server keeps each reply, so that both sides read the same bytes:
the answers themselves are drawn at random.
"""
import json
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from dig_agreement import Agreement, Recorder, ask  # noqa: E402
from programs import Program, main, own_directory  # noqa: E402

ZONE = {
    "serial": 7, "ttl": 150, "max_hosts": 4, "targeting": "@ country continent",
    "data": {
        "": {"ns": ["ns1.pool.test.", "ns2.pool.test."], "mx": [{"mx": "mail.pool.test.", "preference": 10}],
             "a": [[f"10.0.0.{n}", 10 * n] for n in range(1, 10)],
             "aaaa": [[f"2001:db8::{n:x}", 10] for n in range(1, 10)],
             "txt": "it's \"quoted\" \\ and ünïcode"},
        "ns1": {"a": [["10.1.0.1"]], "aaaa": [["2001:db8:1::1"]]},
        "de": {"a": [["10.2.0.1", 100]]},
        "europe": {"a": [["10.3.0.1", 100]], "aaaa": [["2001:db8:3::1", 1]]},
        "www": {"cname": "pool.test."},
        "deep.er.name": {"a": [["10.4.0.1", 1]]},
        "_ntp._udp": {"srv": [{"srv_weight": 5, "priority": 1, "port": 123,
                               "target": "ns1.pool.test."}]},
        "big": {"txt": "x" * 700},
    },
}
NAMES = ["pool.test", "PoOl.TeSt", "www.pool.test", "ns1.pool.test", "er.name.pool.test",
         "deep.er.name.pool.test", "_ntp._udp.pool.test", "none.pool.test", "example.org", "."]
TYPES = ["A", "AAAA", "NS", "SOA", "TXT", "MX", "SRV", "HTTPS", "TYPE731"]
VARIANTS = [["+subnet=198.18.1.0/24"], ["+subnet=0.0.0.0/0"], ["+nsid"], ["+cookie"],
            ["+cookie=0011223344556677", "+nsid", "+subnet=2001:db8:1::/48"],
            ["+norec"], ["+noedns", "+nodnssec"], ["+edns=1"], ["+cdflag", "+adflag"]]


class Dnsd(Agreement):
    def setUp(self):
        super().setUp()
        zones = own_directory(self.addCleanup)
        (zones / "pool.test.json").write_text(json.dumps(ZONE))
        program = Program("timepool-dnsd", f'''[server]
listen = ["127.0.0.1:0"]
identity = "here"
[zones]
directory = "{zones}"
[geoip]
overrides = {{ "198.18.0.0/16" = "de", "2001:db8:1::/48" = "fr" }}
''')
        self.addCleanup(program.close)
        self.assertNotIn("error", program.output())
        self.upstream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.upstream.close)
        self.upstream.settimeout(10)
        self.upstream.connect(program.listening())
        self.recorder = Recorder(self.forward)
        self.addCleanup(self.recorder.close)

    def forward(self, query):
        self.upstream.send(query)
        return self.upstream.recv(65535)

    def compare(self, tool, name, rrtype, *more):
        with self.subTest(tool=tool, name=name, type=rrtype, options=more):
            output = ask(tool, self.recorder.port, name, rrtype, *more)
            return self.check(tool, output, self.recorder.last)
        return 0

    def both(self, *more, names=NAMES, types=TYPES):
        records = 0
        for tool in ("dig", "kdig"):
            self.need(tool)
            for name in names:
                for rrtype in types:
                    records += self.compare(tool, name, rrtype, *more)
        return records

    def test_names_and_types(self):
        self.assertGreater(self.both(), 100)

    def test_edns_and_flags(self):
        for more in VARIANTS:
            self.both(*more, names=["pool.test", "none.pool.test"], types=["A", "TXT"])
        self.assertLessEqual({"udp", "do", "version", "subnet", "cookie", "nsid"}, self.compared)

    def test_chaos(self):
        self.assertGreater(self.both("-c", "CH", names=["version.bind", "id.server"],
                                     types=["TXT"]), 0)

    def test_truncated_answers(self):
        for size, truncated in (("512", True), ("1232", False)):
            for tool in ("dig", "kdig"):
                self.need(tool)
                self.compare(tool, "big.pool.test", "TXT", f"+bufsize={size}")
                flags = self.codec.ask("read", self.recorder.last.hex())["flags"]
                self.assertEqual("tc" in flags, truncated, f"{tool} {size}")


if __name__ == "__main__":
    main()
