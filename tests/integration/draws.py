"""What weighted draws without replacement must look like, and whether counts do."""
import itertools
import math


def subset_probabilities(weights, count):
    """The chance of each set of `count` keys, drawn one after the other by weight."""
    total = sum(weights.values())
    out = {}
    for order in itertools.permutations(weights, count):
        chance, left = 1.0, total
        for key in order:
            chance *= weights[key] / left
            left -= weights[key]
        subset = frozenset(order)
        out[subset] = out.get(subset, 0.0) + chance
    return out


def capped(weights, share=0.25):
    """The weights when no key may have more than `share` of their sum, or twice an even share if that is more."""
    limit = max(share, 2 / len(weights))
    low, high = 0.0, float(max(weights.values()))
    if high <= limit * sum(weights.values()):
        return dict(weights)
    for _ in range(200):
        middle = (low + high) / 2
        if middle <= limit * sum(min(w, middle) for w in weights.values()):
            low = middle
        else:
            high = middle
    return {key: min(weight, low) for key, weight in weights.items()}


def merge_rare(expected, observed, least=5.0):
    """Cells of an expected count below `least` become one: the test's approximation needs that."""
    cells, rare = [], [0.0, 0]
    for key, count in expected.items():
        if count < least:
            rare[0] += count
            rare[1] += observed.get(key, 0)
        else:
            cells.append((count, observed.get(key, 0)))
    if rare[0] >= least:
        cells.append(tuple(rare))
    elif rare[0] > 0 and cells:
        smallest = min(range(len(cells)), key=lambda i: cells[i][0])
        cells[smallest] = (cells[smallest][0] + rare[0], cells[smallest][1] + rare[1])
    return cells


def chi_square(cells):
    """(statistic, degrees of freedom) of (expected, observed) pairs."""
    return sum((seen - wanted) ** 2 / wanted for wanted, seen in cells), len(cells) - 1


def p_value(statistic, freedom):
    """The chance of at least this statistic: the upper regularised gamma function Q(k/2, x/2)."""
    a, x = freedom / 2, statistic / 2
    if x <= 0:
        return 1.0
    scale = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:  # series of the lower function
        term = total = 1 / a
        for n in range(1, 1000):
            term *= x / (a + n)
            total += term
            if term < total * 1e-15:
                break
        return 1 - total * scale
    # Lentz's continued fraction of the upper one.
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    out = d
    for n in range(1, 1000):
        an = -n * (n - a)
        b += 2
        d = 1 / (an * d + b or tiny)
        c = b + an / c or tiny
        delta = d * c
        out *= delta
        if abs(delta - 1) < 1e-15:
            break
    return out * scale
