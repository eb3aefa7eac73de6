"""dig and kdig agree with our parser on answers with every type of record.

A server of the test's own answers each query of dig and kdig with a random message that our writer
made; what they print of it is compared with what our parser says of the same bytes.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from dig_agreement import Agreement, Recorder, ask  # noqa: E402
from programs import main  # noqa: E402

TYPES = ["A", "AAAA", "NS", "SOA", "CNAME", "TXT", "SRV", "PTR", "MX", "CAA", "DNSKEY", "DS", "SPF",
         "NSEC", "CDS", "RRSIG", "CDNSKEY", "HTTPS", "SVCB", "DNAME", "TYPE731"]
SEEDS = 6


class EveryType(Agreement):
    def every_type(self, tool):
        self.need(tool)
        seed = 0
        recorder = Recorder(lambda query: bytes.fromhex(
            self.codec.ask("answer", seed, query.hex())["hex"]))
        self.addCleanup(recorder.close)
        records = 0
        for rrtype in TYPES:
            for _ in range(SEEDS):
                seed += 1
                with self.subTest(tool=tool, type=rrtype, seed=seed):
                    output = ask(tool, recorder.port, "Name.Pool.test", rrtype)
                    records += self.check(tool, output, recorder.last)
        self.assertGreater(records, len(TYPES) * SEEDS)

    def test_dig_reads_every_type_as_we_do(self):
        self.every_type("dig")

    def test_kdig_reads_every_type_as_we_do(self):
        self.every_type("kdig")


if __name__ == "__main__":
    main()
