"""timepool-ntpd and chronyd inside clknetsim, as clients of an NTS server that moves to another address at
poll 10. What many runs of both give is in docs/benchmarks.md (./dev bench recovery)."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import moving  # noqa: E402
import simulator  # noqa: E402
from certificates import OPENSSL  # noqa: E402
from programs import BINARY_DIR, main  # noqa: E402


@unittest.skipUnless(simulator.simulator() and simulator.chronyd() and not simulator.sanitized(BINARY_DIR),
                     simulator.MISSING + ", and chronyd (apt package chrony)")
@unittest.skipUnless(OPENSSL and moving.COMPILER, "Debian packages openssl or build-essential are not there")
class MovedServer(unittest.TestCase):
    def test_it_is_found_within_20_minutes_and_by_chronyd_in_hours(self):
        with tempfile.TemporaryDirectory(prefix="moving-") as directory:
            site = moving.Site(directory)
            for seed in (1, 2):
                ours = site.seconds_without(site.timepool(BINARY_DIR), seed)
                self.assertIsNotNone(ours)
                self.assertLess(ours, 20 * 60)
            theirs = site.seconds_without(site.chronyd(), 1)
            # Eight polls in vain, before it looks the name up.
            self.assertGreater(theirs, 7 * moving.POLL)


if __name__ == "__main__":
    main()
