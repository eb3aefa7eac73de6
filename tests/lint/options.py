#!/usr/bin/env python3
"""Fails when a command or an option of a program is not in its manual page, or the page has an option that the program
has not. Usage: options.py ROOT BIN"""
import pathlib
import re
import subprocess
import sys

ROOT, BIN = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
PAGES = {"timepool": "timepool.1", "timepool-ntpd": "timepool-ntpd.8", "timepool-dnsd": "timepool-dnsd.8",
         "timepool-poold": "timepool-poold.8", "timepool-monitord": "timepool-monitord.8"}
OPTION = r"--[a-z][a-z-]*[a-z]"
MAX_DEPTH = 4


def help_of(program, path):
    done = subprocess.run([BIN / program, *path, "--help"], capture_output=True, text=True, timeout=20)
    return done.stdout + done.stderr


def walk(program, path=()):
    """(path, options) of every command, the program itself among them."""
    text = help_of(program, path)
    yield path, set(re.findall(OPTION, text))
    listed = re.search(r"(?ms)^Subcommands:\n(.*?)(?:\n\n|\Z)", text)
    for name in re.findall(r"(?m)^  ([a-z][a-z0-9-]*)\s", listed.group(1) if listed else ""):
        if len(path) < MAX_DEPTH:
            yield from walk(program, (*path, name))


def main():
    if not all((BIN / program).exists() for program in PAGES):
        print(f"skipped: needs the programs in {BIN} (./dev build programs)")
        return 77
    faults, everywhere = [], set()
    for program, page in PAGES.items():
        manual = (ROOT / f"docs/man/{page}.adoc").read_text()
        words = set(re.findall(r"[a-z][a-z0-9-]*", manual))
        in_manual = set(re.findall(OPTION, manual))
        known = set()
        for path, options in walk(program):
            known |= options
            command = " ".join((program, *path))
            if path and path[-1] not in words:
                faults.append(f"{page}: nothing about `{command}`")
            faults += [f"{page}: nothing about {it} of `{command}`" for it in sorted(options - in_manual - {"--help"})]
        if len(known) < 4:
            faults.append(f"{program} --help tells hardly anything: {known}")
        # Daemons' pages tell of the command line, too. What does not stand in bold is of other programs.
        everywhere |= known
        bold = set(re.findall(rf"\*({OPTION})\*", manual))
        faults += [f"{page}: {program} has no {it}" for it in sorted(bold - everywhere)]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
