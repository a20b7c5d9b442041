"""prometheus.py: a strict reader of the Prometheus text format, version 0.0.4.

Stricter than Prometheus itself: HELP and TYPE stand before each family's samples, once, the
samples of a family stand together, and no sample comes twice."""
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Inf|NaN)")
TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}


class Malformed(ValueError):
    pass


def _labels(text, line):
    labels = []
    while text:
        found = LABEL.match(text)
        if not found:
            raise Malformed(f"labels: {line!r}")
        labels.append(found.groups())
        text = text[found.end():]
        if text and (text[0] != "," or len(text) == 1):
            raise Malformed(f"labels: {line!r}")
        text = text[1:]
    return tuple(labels)


def _sample(line):
    name = NAME.match(line)
    if not name:
        raise Malformed(f"sample: {line!r}")
    rest = line[name.end():]
    labels = ()
    if rest.startswith("{"):
        end = rest.rindex("}")
        labels = _labels(rest[1:end], line)
        rest = rest[end + 1:]
    if not rest.startswith(" ") or not NUMBER.fullmatch(rest[1:]):
        raise Malformed(f"value: {line!r}")
    return name.group(), labels, float(rest[1:])


def _check_histogram(name, samples):
    """Buckets by rising bound, none smaller than the one before, the last one the count."""
    buckets = [(float(labels[0][1].replace("+Inf", "inf")), value)
               for (part, *labels), value in samples.items() if part == "_bucket"]
    counts = [value for _, value in buckets]
    if buckets != sorted(buckets) or not buckets or buckets[-1][0] != float("inf"):
        raise Malformed(f"{name}: buckets {buckets}")
    if counts[-1] != samples[("_count",)] or samples[("_sum",)] < 0:
        raise Malformed(f"{name}: {samples}")
    if {part for part, *_ in samples} != {"_bucket", "_count", "_sum"}:
        raise Malformed(f"{name}: {samples}")


def parse(text):
    """{family: (type, {labels: value})}; raises Malformed."""
    if not text.endswith("\n"):
        raise Malformed("the last line has no end")
    families, helped, current = {}, set(), None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, name, words = line.split(" ", 3)
            if name in helped or not NAME.fullmatch(name) or not words:
                raise Malformed(line)
            helped.add(name)
            current = None
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if name not in helped or name in families or kind not in TYPES:
                raise Malformed(line)
            families[name] = (kind, {})
            current = name
        else:
            name, labels, value = _sample(line)
            if current and families[current][0] == "histogram":
                families[current][1][name[len(current):], *labels] = value
                continue
            if name != current or labels in families[name][1]:
                raise Malformed(line)
            if families[name][0] == "counter" and (not name.endswith("_total") or value < 0):
                raise Malformed(f"not a counter: {line!r}")
            families[name][1][labels] = value
    for name, (kind, samples) in families.items():
        if kind == "histogram":
            _check_histogram(name, samples)
    return families
