"""Keys of timepool-dnsd as other people's tools see them: ldns' DS of our DNSKEY is our DS, and OpenSSL reads our
key files and finds the same public keys in them."""
import base64
import json
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "integration"))
from programs import BINARY_DIR, ProgramTest, main, own_directory  # noqa: E402


class DnssecKeys(ProgramTest):
    def serve(self, algorithm, keys):
        root = own_directory(self.addCleanup)
        (root / "zones").mkdir()
        zone = {"serial": 1, "data": {"": {"ns": ["ns1.pool.test."], "a": [["10.0.0.1", 10]]}}}
        (root / "zones/pool.test.json").write_text(json.dumps(zone))
        program = self.start("timepool-dnsd", (
            f'[server]\nlisten = ["127.0.0.1:0"]\n[zones]\ndirectory = "{root}/zones"\n'
            f'[dnssec]\ndirectory = "{root}/keys"\n[[dnssec.zone]]\nname = "pool.test"\n'
            f'algorithm = "{algorithm}"\nkeys = "{keys}"\n'))
        return program, root

    def keys_of(self, root):
        """(tag, role, algorithm, public key) of each line "key" of the state."""
        for line in (root / "keys/pool.test.state").read_text().splitlines():
            words = line.split()
            if words[0] == "key":
                yield int(words[1]), words[2], int(words[3]), words[4]

    @unittest.skipUnless(shutil.which("ldns-key2ds"), "needs the package ldnsutils")
    def test_ldns_makes_the_same_ds(self):
        for algorithm in ("ecdsa-p256", "ed25519"):
            for kinds in ("csk", "ksk-zsk"):
                with self.subTest(algorithm=algorithm, keys=kinds):
                    program, root = self.serve(algorithm, kinds)
                    tag, _, number, public = next(k for k in self.keys_of(root) if k[1] != "zsk")
                    record = root / "dnskey"
                    record.write_text(f"pool.test. 3600 IN DNSKEY 257 3 {number} {public}\n")
                    theirs = subprocess.run(["ldns-key2ds", "-n", "-2", record], check=True, text=True,
                                            capture_output=True).stdout.split()
                    ours = subprocess.run([BINARY_DIR / "bin/timepool", "dns", "keys", "ds", "pool.test", "--early",
                                           "--socket", program.socket], check=True, text=True,
                                          capture_output=True).stdout.split()
                    self.assertEqual([x.lower() for x in theirs[theirs.index("DS"):]],
                                     [x.lower() for x in ours[ours.index("DS"):]])
                    self.assertEqual(int(ours[3]), tag)

    def test_openssl_reads_the_key_files(self):
        for algorithm in ("ecdsa-p256", "ed25519"):
            with self.subTest(algorithm=algorithm):
                _, root = self.serve(algorithm, "ksk-zsk")
                files = sorted((root / "keys").glob("*.pem"))
                self.assertEqual(len(files), 2)
                for tag, _, number, public in self.keys_of(root):
                    path = root / f"keys/pool.test+{number:03}+{tag:05}.pem"
                    der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True,
                                         capture_output=True).stdout
                    self.assertTrue(der.endswith(base64.b64decode(public)))


if __name__ == "__main__":
    main()
