"""load.py: many requests on a guest by h2load, watched: a guest that answers no more for a while
is told from one that is slow.

QEMU's user network listens with a backlog of one. Connections that are made at once are dropped but
for two, and tried again by the host after 1, 3, 7, ... 63 s: they are made one after the other."""
import re
import subprocess
import time

STALLED_SECONDS = 20
UNWATCHED_SECONDS = 1800
ONE_BY_ONE = ("--rate=1", "--rate-period=50ms")


class Stalled(AssertionError):
    pass


def settled_pages(guest):
    """Free pages once closed connections are forgotten: idle buffers stay for a second."""
    time.sleep(1.5)
    guest.metrics()
    time.sleep(1.5)
    return guest.metrics()["elfpack_pages_free"]


def _wait_watched(guest, process):
    """What process printed. Raises Stalled when the guest has answered nothing but our own
    questions for STALLED_SECONDS."""
    answered, since, asked = -1, time.monotonic(), 0
    while True:
        try:
            return process.communicate(timeout=2)[0]
        except subprocess.TimeoutExpired:
            now = guest.metrics()["elfpack_requests_total"]
            asked += 1
        if now - asked > answered:
            answered, since = now - asked, time.monotonic()
        elif time.monotonic() - since > STALLED_SECONDS:
            raise Stalled(f"no answer for {STALLED_SECONDS} s, {answered:.0f} before")


def h2load(guest, clients, requests, target, watched=True):
    """Answers by status class and failures by kind of so many requests over keep-alive
    connections. A guest without our metrics is not watched."""
    with subprocess.Popen(["h2load", "--h1", "-n", str(requests), "-c", str(clients), *ONE_BY_ONE,
                           f"{guest.url}{target}"], stdout=subprocess.PIPE, text=True) as process:
        try:
            text = (_wait_watched(guest, process) if watched
                    else process.communicate(timeout=UNWATCHED_SECONDS)[0])
        except BaseException:
            process.kill()
            raise
    counts = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
    failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", text)
    return [int(n) for n in counts.groups()], [int(n) for n in failed.groups()]
