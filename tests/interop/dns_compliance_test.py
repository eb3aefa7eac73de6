"""ISC's genreport (DNS-Compliance-Testing) finds nothing to say against timepool-dnsd: RFC 8906's
checks of EDNS, header bits, opcodes and types, by UDP and TCP.

genreport is no package: GENREPORT names the program, built from ISC's sources."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from programs import ProgramTest, main  # noqa: E402

GENREPORT = os.environ.get("GENREPORT", "")
ZONE = {"serial": 1, "ttl": 60, "max_hosts": 4, "data": {
    "": {"ns": ["ns.pool.test."], "a": [[f"10.0.0.{i}", 10] for i in range(1, 9)]},
    "ns": {"a": [["127.0.0.1"]]}}}
# What a type of tests prints for each of them.
GROUPS = {"edns": ["-e"], "full": ["-f"], "types": ["-t"], "common": ["-c"]}


class Compliance(ProgramTest):
    def setUp(self):
        if not shutil.which(GENREPORT):
            self.skipTest("GENREPORT names no program: build genreport from ISC's "
                          "DNS-Compliance-Testing")
        self.zones = pathlib.Path(tempfile.mkdtemp(prefix="timepool-zones-"))
        self.addCleanup(shutil.rmtree, self.zones, ignore_errors=True)
        (self.zones / "pool.test.json").write_text(json.dumps(ZONE))

    def reports(self, port, options):
        out = subprocess.run([GENREPORT, "-P", port, *options], text=True, timeout=200,
                             input="pool.test ns.pool.test 127.0.0.1\n", capture_output=True)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn("pool.test.", out.stdout, "a report was made")
        return out.stdout

    def test_every_check_of_genreport_is_ok(self):
        program = self.start("timepool-dnsd", f'''[server]
listen = ["127.0.0.1:0"]
threads = 1
identity = "here"
[zones]
directory = "{self.zones}"
''')
        port = program.control("status")["listen"][0].rsplit(":", 1)[1]
        for group, options in GROUPS.items():
            with self.subTest(group):
                text = self.reports(port, options)
                results = [word for line in text.splitlines() for word in line.split()
                           if "=" in word]
                wrong = [word for word in results if not self.is_ok(word)]
                self.assertEqual(wrong, [], text)
                # Without a list of results the whole is told in two words.
                self.assertTrue(results or "all ok" in text, text)

    def is_ok(self, result):
        """ "edns=ok" or "do=ok,yes"; a flag that is told, but right: the version that NSID has."""
        value = result.split("=", 1)[1]
        return value.split(",")[0] == "ok"


if __name__ == "__main__":
    main()
