#!/usr/bin/python3
"""Runs the benchmarks: each file bench/bench_NAME.py measures one thing against its peers.

usage: run.py [NAME...] [--json] [--bin DIR] [--runs N] [--seconds S]

A benchmark is a module with NAME (what ./dev bench takes), TEXT (one line) and measure(lab), which
gives rows made by lab.row(). Rows have exactly the keys bench, peer, unit, ours, theirs, ratio, runs;
with --json they are one array on standard output, else a table. A peer that is not installed leaves
its row out and is named on standard error.
"""
import argparse
import importlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import lab as laboratory  # noqa: E402


def benchmarks():
    names = sorted(path.stem for path in HERE.glob("bench_*.py"))
    modules = [importlib.import_module(name) for name in names]
    return {module.NAME: module for module in modules}


def is_of(name, wanted):
    """"ntp" is all of "ntp", "ntp-modes", ..."""
    return name == wanted or name.startswith(wanted + "-")


def parse_arguments(known):
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measure our programs and their peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(known))
    parser.add_argument("--json", action="store_true", help="one JSON array instead of a table")
    parser.add_argument("--bin", default=str(HERE.parent / "build/release/bin"), help="where our programs are")
    parser.add_argument("--runs", type=int, default=5, help="of each side, taken in turn (default 5)")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each run (default 1.5)")
    arguments = parser.parse_args()
    unknown = [wanted for wanted in arguments.names if not any(is_of(name, wanted) for name in known)]
    if unknown:
        parser.error("no benchmark %s: there are %s" % (", ".join(unknown), ", ".join(known)))
    arguments.names = [name for name in known if any(is_of(name, wanted) for wanted in arguments.names)]
    if not 1 <= arguments.runs <= 100 or not 0.1 <= arguments.seconds <= 60:
        parser.error("--runs must be 1 to 100 and --seconds 0.1 to 60")
    return arguments


def print_table(rows):
    print("%-12s %-12s %-36s %12s %12s %7s %5s" % ("bench", "peer", "unit", "ours", "theirs", "ratio", "runs"))
    for row in rows:
        print("%(bench)-12s %(peer)-12s %(unit)-36s %(ours)12.0f %(theirs)12.0f %(ratio)7.2f %(runs)5d" % row)


def main():
    known = benchmarks()
    arguments = parse_arguments(known)
    rows = []
    failed = False
    for name in arguments.names or known:
        with laboratory.Lab(arguments.bin, arguments.runs, arguments.seconds) as lab:
            print("%s: %s" % (name, known[name].TEXT), file=sys.stderr)
            try:
                rows += known[name].measure(lab)
            except laboratory.LabError as error:
                failed = True
                print("%s: %s" % (name, error), file=sys.stderr)
    if arguments.json:
        print(json.dumps(rows, indent=1))
    else:
        print_table(rows)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
