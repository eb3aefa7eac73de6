"""What an answer of the name server costs within the process, against 150 ns."""
import json
import statistics
import subprocess

import lab as laboratory

NAME = "dns-answer"
TEXT = "octets of a query to those of the reply, by weight, place and client subnet, and compiling a pool of the world"

# At most, by name of the measurement.
GOALS = {"answer_4_of_4000_subnet_warm_ns": 150, "world_compile_ms": 2000, "world_memory_mb": 100}


def measure(lab):
    program = lab.programs.parent / "bench" / "bench_dns_answer"
    if not program.exists():
        raise laboratory.LabError("%s is not built: ./dev build" % program)
    runs = []
    for _ in range(lab.runs):
        done = subprocess.run([program], capture_output=True, text=True, check=True, timeout=laboratory.RUN_LIMIT)
        runs.append(json.loads(done.stdout))
    medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    return [lab.row(NAME, "goal", name, value, GOALS.get(name, value)) for name, value in medians.items()]
