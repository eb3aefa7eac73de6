"""Networks for clknetsim: delays between nodes as its expressions."""


def delays(pairs, expression):
    return "".join(f"node{a}_delay{b} = {expression}\nnode{b}_delay{a} = {expression}\n" for a, b in pairs)


def path(base, jitter):
    return f"(+ {base} (* {jitter} (exponential)))"
