"""What goes wrong, on command or by a seeded schedule. Whether a request is hit depends on the
operation, on what it is about and on how often that has been tried: not on the order in which
64 connections arrive, so that a seed means the same run after run."""
import dataclasses
import fnmatch
import hashlib
import threading

# Before: nothing has happened; after: the service has done it, and the client does not know.
KINDS = ("throttle", "error-500", "error-503", "reset-before", "reset-after", "slow", "truncate")


@dataclasses.dataclass
class Fault:
    """Hits requests of the operation (a glob) from the first-th on, `times` of them (None: for
    ever). key narrows it to what the request is about: a block's index, a name."""
    operation: str
    kind: str
    first: int = 1
    times: int = 1
    key: str = "*"
    seconds: float = 0.3    # of slow
    seen: int = 0

    def hits(self, operation, key):
        if not fnmatch.fnmatchcase(operation, self.operation) or \
                not fnmatch.fnmatchcase(key, self.key):
            return False
        self.seen += 1
        return self.seen >= self.first and \
            (self.times is None or self.seen < self.first + self.times)


@dataclasses.dataclass
class RandomFaults:
    """rate: the share of requests that are hit; most: tries of one thing that may be."""
    seed: int
    rate: float = 0.1
    kinds: tuple = KINDS
    operation: str = "*"
    most: int = 3
    seconds: float = 0.1

    def choose(self, operation, key, attempt):
        if attempt > self.most or not fnmatch.fnmatchcase(operation, self.operation):
            return None
        draw = hashlib.sha256(f"{self.seed}/{operation}/{key}/{attempt}".encode()).digest()
        if int.from_bytes(draw[:4], "big") >= self.rate * 2**32:
            return None
        return Fault(operation, self.kinds[draw[4] % len(self.kinds)], seconds=self.seconds)


class Schedule:
    def __init__(self):
        self.lock, self.rows, self.attempts = threading.Lock(), [], {}

    def add(self, row):
        for kind in getattr(row, "kinds", None) or [row.kind]:
            if kind not in KINDS:
                raise ValueError(f"{kind}: not one of {', '.join(KINDS)}")
        with self.lock:
            self.rows.append(row)

    def clear(self):
        with self.lock:
            self.rows, self.attempts = [], {}

    def choose(self, operation, key):
        with self.lock:
            attempt = self.attempts[operation, key] = self.attempts.get((operation, key), 0) + 1
            for row in self.rows:
                if isinstance(row, RandomFaults):
                    if fault := row.choose(operation, key, attempt):
                        return fault
                elif row.hits(operation, key):
                    return row
        return None
