"""What benchmarks inside clknetsim share (tests/clknetsim): whom ours is measured against, and many seeds."""
import concurrent.futures
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/clknetsim"))
import simulator  # noqa: E402

# Runs at once: a simulation keeps one processor busy.
PARALLEL = 2


def peers(lab, name):
    """chronyd by version; none, and a word about it, where there is no simulator or no chronyd."""
    if simulator.simulator() is None:
        print(f"no clknetsim: the rows of {name} are left out (CLKNETSIM=<folder of a built one>)", file=sys.stderr)
        return {}
    lab.program("timepool-ntpd")
    found = {version_of(path): path for path in simulator.chronyds()}
    if not found:
        lab.peer("chrony", "chronyd", "TIMEPOOL_CHRONYD")
    return found


def version_of(path):
    text = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return "chronyd " + text.split("version", 1)[-1].split()[0]


def each(run, seeds):
    """run(seed) of each seed."""
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(run, seeds))
