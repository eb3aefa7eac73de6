"""What an answer of the name server costs within the process, against 150 ns."""
NAME = "dns-answer"
TEXT = "octets of a query to those of the reply, by weight, place and client subnet, and compiling a pool of the world"

# At most, by name of the measurement.
GOALS = {"answer_4_of_4000_subnet_warm_ns": 150, "world_compile_ms": 2000, "world_memory_mb": 100}


def measure(lab):
    medians = lab.medians_of("bench_dns_answer")
    return [lab.row(NAME, "goal", name, value, GOALS.get(name, value)) for name, value in medians.items()]
