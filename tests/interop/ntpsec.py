"""NTPsec's ntpd for a test; it is unpacked in build/peers. It has no option for its ports and takes
them on every address, so that each side has a network of its own. It runs without CAP_SYS_TIME: it
can't touch the clock, and has no time to give but an orphan's ("tos orphan")."""
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from networks_apart import OURS, ApartTest  # noqa: E402

NTPD = pathlib.Path(os.environ.get("TIMEPOOL_SOURCE_DIR", ".")) / "build/peers/ntpsec/usr/sbin/ntpd"


@unittest.skipUnless(NTPD.exists(), "Debian package ntpsec is not there: ntpd")
class NtpsecTest(ApartTest):
    def start_ntpd(self, config, network=None, name="ntpsec"):
        """Its log, and what it measures, are in files of self.directory that `name` begins."""
        path = self.directory / f"{name}.conf"
        path.write_text(f"disable ntp\nstatsdir {self.directory}/\n"
                        f"filegen peerstats file {name}.peers type none enable\n{config}")
        return self.start_there(f"{name}.log", NTPD, "-n", "-c", path, network=network)

    def log(self, name="ntpsec"):
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def offsets(self, name="ntpsec"):
        """What ntpd measured of our server, in seconds."""
        path = self.directory / f"{name}.peers"
        lines = path.read_text().splitlines() if path.exists() else []
        return [float(line.split()[4]) for line in lines if line.split()[2] == OURS]
