"""A disk of a test's own that is soon full."""
import pathlib
import subprocess
import unittest


class SmallDisk:
    """Of `kib`, mounted at `path`; only a program behind `prefix` sees it. `full`: from the first moment."""

    def __init__(self, path, kib, full=False):
        for unshare in (["unshare", "-m"], ["unshare", "-Urm"]):
            if subprocess.run([*unshare, "true"], capture_output=True).returncode == 0:
                break
        else:
            raise unittest.SkipTest("needs unshare -m (package util-linux) and the right to use it")
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        begun = '{ cat /dev/zero >"$0/filler"; true; } 2>/dev/null && ' if full else ""
        self.prefix = (*unshare, "sh", "-c",
                       f'mount -t tmpfs -o size={kib}k,mode=700 tmpfs "$0" && {begun}exec "$@"', str(path))

    def seen_by(self, program):
        """Where this process sees it, too."""
        return pathlib.Path(f"/proc/{program.process.pid}/root{self.path}")


def fill(disk):
    with open(disk / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass
