"""What 100,000 prefixes and a full table of clients cost the server, against none."""
import json
import statistics
import subprocess

import lab as laboratory

NAME = "limits"
TEXT = "a look-up in the access list and a decision of the rate limiter, full tables against empty ones"

# What is measured full, and what it is held against.
PAIRS = [("access_%s_100000_ns", "access_%s_empty_ns"), ("limit_%s_full_ns", "limit_%s_one_client_ns"),
         ("limit_%s_newcomers_ns", "limit_%s_one_client_ns")]


def measure(lab):
    program = lab.programs.parent / "bench" / "bench_ntp_server_limits"
    if not program.exists():
        raise laboratory.LabError("%s is not built: ./dev build" % program)
    runs = []
    for _ in range(lab.runs):
        done = subprocess.run([program], capture_output=True, text=True, check=True, timeout=laboratory.RUN_LIMIT)
        runs.append(json.loads(done.stdout))
    rows = []
    for family in ("v4", "v6"):
        for full, empty in PAIRS:
            ours = statistics.median(run[full % family] for run in runs)
            theirs = statistics.median(run[empty % family] for run in runs)
            rows.append(lab.row(NAME, "empty", full % family, ours, theirs))
    return rows
