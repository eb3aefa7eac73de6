"""What 100,000 prefixes and a full table of clients cost the server, against none."""
NAME = "limits"
TEXT = "a look-up in the access list and a decision of the rate limiter, full tables against empty ones"

# What is measured full, and what it is held against.
PAIRS = [("access_%s_100000_ns", "access_%s_empty_ns"), ("limit_%s_full_ns", "limit_%s_one_client_ns"),
         ("limit_%s_newcomers_ns", "limit_%s_one_client_ns")]


def measure(lab):
    medians = lab.medians_of("bench_ntp_server_limits")
    rows = []
    for family in ("v4", "v6"):
        for full, empty in PAIRS:
            rows.append(lab.row(NAME, "empty", full % family, medians[full % family], medians[empty % family]))
    return rows
