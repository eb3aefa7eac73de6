#!/usr/bin/env python3
"""Fails when docs/metrics.md and the programs disagree about their metrics, or when an alert or another page names a metric
that it does not have. Usage: metrics.py ROOT"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
NAME = r"timepool_[a-z]+(?:_[a-z]+)+"
# timepool-ntpd puts its names together: tests/integration/ntpd_reports_test.py compares them.
MADE_ELSEWHERE = "timepool_ntpd_"


def read(pattern):
    for path in sorted(ROOT.glob(pattern)):
        yield path.relative_to(ROOT), path.read_text()


def main():
    faults = []
    page = (ROOT / "docs/metrics.md").read_text()
    rows = re.findall(rf"(?m)^\| `({NAME})` \|", page)
    documented = set(rows)
    faults += [f"docs/metrics.md: {name} has two rows" for name in sorted(documented) if rows.count(name) > 1]
    made = set()
    for folder in ("dnsd", "web"):
        for path, text in read(f"src/{folder}/*.cc"):
            if not path.name.endswith("_test.cc"):
                made |= set(re.findall(rf'"({NAME})"', text))
    if len(made) < 50:
        faults.append(f"src: only {len(made)} metrics were found")
    theirs = {name for name in documented if not name.startswith(MADE_ELSEWHERE)}
    faults += [f"docs/metrics.md: no row for {name}" for name in sorted(made - theirs)]
    faults += [f"docs/metrics.md: nothing makes {name}" for name in sorted(theirs - made)]
    for pattern in ("packaging/prometheus/*.yml", "docs/*.md", "docs/man/*.adoc", "README.md"):
        for path, text in read(pattern):
            # Of a histogram what Prometheus makes of it; "timepool_ntpd_acme_" stands for several.
            for name in sorted(set(re.findall(rf"\b{NAME}\b(?!_|\*)", text))):
                if name not in documented and re.sub(r"_(bucket|sum|count)$", "", name) not in documented:
                    faults.append(f"{path}: docs/metrics.md has no {name}")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
