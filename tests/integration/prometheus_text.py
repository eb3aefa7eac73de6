"""A strict reader of Prometheus' text format 0.0.4: raises ValueError for all that is not in it."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|NaN|[+-]Inf")
TYPES = ("counter", "gauge", "histogram")


def parse_labels(text, line):
    labels = []
    while text:
        found = LABEL.match(text)
        if not found:
            raise ValueError(f"bad labels: {line}")
        labels.append((found.group(1), found.group(2)))
        text = text[found.end():]
        if text:
            if not text.startswith(","):
                raise ValueError(f"bad labels: {line}")
            text = text[1:]
    if len({name for name, _ in labels}) != len(labels):
        raise ValueError(f"a label twice: {line}")
    return tuple(sorted(labels))


def part_of_histogram(found, family):
    """"_bucket", "_sum" or "_count" for a line of a histogram, else ""."""
    if family["type"] != "histogram":
        return ""
    part = re.search(r"_(bucket|sum|count)$", found.group(1))
    return part.group(0) if part else ""


def parse(text):
    """{name: {"type", "help", "samples": {labels: value}}} with labels as sorted pairs."""
    if not text.endswith("\n"):
        raise ValueError("the last line does not end")
    families, current = {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, name, text_of_help = line.split(" ", 3)
            if name in families:
                raise ValueError(f"{name} comes in two places")
            if not re.fullmatch(NAME, name) or not text_of_help:
                raise ValueError(f"bad help: {line}")
            current = families[name] = {"type": None, "help": text_of_help, "samples": {}}
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if families.get(name) is not current or current["type"] or current["samples"]:
                raise ValueError(f"a type out of place: {line}")
            if kind not in TYPES or (kind == "counter") != name.endswith("_total"):
                raise ValueError(f"name and type don't fit: {line}")
            current["type"] = kind
        else:
            found = SAMPLE.fullmatch(line)
            part = part_of_histogram(found, current) if found and current else ""
            if not found or families.get(found.group(1).removesuffix(part)) is not current or not current["type"]:
                raise ValueError(f"not a sample of the family above it: {line!r}")
            labels = parse_labels(found.group(2) or "", line)
            # What is no bucket is told apart by a label of its own.
            if part in ("_sum", "_count"):
                labels = tuple(sorted(labels + (("part", part),)))
            if labels in current["samples"] or not NUMBER.fullmatch(found.group(3)):
                raise ValueError(f"twice, or not a number: {line}")
            current["samples"][labels] = float(found.group(3))
    return families
