"""server.py: one QEMU that serves, from its start to its first answers."""
import http.client
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from support.guest import free_port  # noqa: E402


class Server:
    """path: what is asked for while it starts; good: whether a 200's body is the right one.
    Nobody boots from the network, so the card has no boot ROM, as with `elfpack run`."""

    def __init__(self, arguments, nic, memory, *, cpus=1, path="/?x",
                 good=lambda body: body == b"hello\n"):
        self.port = free_port()
        self.path, self.good = path, good
        command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", memory,
                   "-smp", str(cpus), "-nodefaults", "-no-user-config", "-display", "none",
                   "-no-reboot", *arguments, "-netdev",
                   f"user,id=n,hostfwd=tcp:127.0.0.1:{self.port}-:80", "-device",
                   f"{nic},netdev=n" + (",romfile=" if nic.endswith("-pci") else "")]
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(self, seconds, method="GET", path=None, body=None):
        """(status, body) of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request(method, path or self.path, body=body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def answers(self, seconds):
        try:
            status, body = self.ask(seconds)
            return status == 200 and self.good(body)
        except (OSError, http.client.HTTPException):
            return False

    def first_answer(self, seconds=40):
        """Seconds from QEMU's start to the first 200, or None. QEMU accepts before the guest
        does, and a connection made too early may hang: each attempt waits a tenth of the time
        that has passed, so that is the most by which the answer is late."""
        while (passed := time.monotonic() - self.started) < seconds:
            if self.process.poll() is not None:
                return None
            if self.answers(max(0.02, passed / 10)):
                return time.monotonic() - self.started
            time.sleep(0.002)
        return None

    def processor_seconds(self):
        """Of QEMU since its start: does not depend on what else the host does."""
        words = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def boot_time(make, runs, seconds=40):
    """The median of several starts; make() makes a Server."""
    times = []
    for _ in range(runs):
        with make() as server:
            times.append(server.first_answer(seconds))
    return None if None in times else statistics.median(times)
