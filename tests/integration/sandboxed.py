"""What tests of sandboxes share."""
import pathlib
import unittest

from programs import BINARY_DIR

restricted = unittest.skipIf(any(name in str(BINARY_DIR) for name in ("asan", "tsan")),
                             "a sanitizer's build is not restricted")


def statuses(pid):
    """Of each thread: the fields of its /proc status."""
    out = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        out.append(dict(line.split(":\t", 1) for line in lines if ":\t" in line))
    return out
