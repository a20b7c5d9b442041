"""Slow, idle and leaving clients of a booted image, and its end: what test_slow_clients.py and
test_queue.py ask of a front on Linux, here with our own kernel below it. One boot."""
import http.client
import json
import re
import socket
import subprocess
import time

import pytest

from support import monitor
from support.guest import Guest, build_image, free_port
from support.http_client import call, read_head, read_to_end, sh, status_of

pytestmark = pytest.mark.xdist_group("image_clients")
IDLE = 1000
HEADER_MS = 4000


class LimitedGuest(Guest):
    """With a monitor and a second port for the log."""

    def __init__(self, image, folder):
        self.admin = free_port()
        self.monitor = folder / "monitor"
        super().__init__(image, folder=folder, http=False, extra=(
            *monitor.arguments(self.monitor), *self.network()))

    def network(self):
        self.main = free_port()
        return ("-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{self.main}-:80,"
                f"hostfwd=tcp:127.0.0.1:{self.admin}-:81",
                "-device", "virtio-net-pci,netdev=n")

    def press_power(self):
        with monitor.monitor(self.monitor) as qemu:
            qemu.ask("system_powerdown")


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("limited")
    image = build_image(folder / "b.img", "/bin/busybox", "--http", "--admin", "81",
                        "--http-header-ms", f"{HEADER_MS}ms", "--http-idle-ms", "25s",
                        "--http-body-ms", "4s", "--http-connections", str(IDLE + 200))
    with LimitedGuest(image, folder) as guest:
        guest.port = guest.main
        guest.wait_ready()
        yield guest


@pytest.fixture
def address(guest):
    return "127.0.0.1", guest.port


def metrics(guest):
    _, text = call(("127.0.0.1", guest.admin), "/_/metrics")
    return {name: float(value) for name, value in
            re.findall(r"^([a-z_]+) (\S+)$", text.decode(), re.M)}


def test_a_thousand_idle_connections_cost_bounded_memory_and_are_dropped(guest, address):
    before = metrics(guest)
    idle = []
    try:
        for _ in range(IDLE):  # each with a request: QEMU's own listener takes one at a time
            idle.append(socket.create_connection(address, timeout=60))
            idle[-1].sendall(b"GET /_/health HTTP/1.1\r\nHost: h\r\n\r\n")
            assert idle[-1].recv(4096).endswith(b"\r\n\r\nok\n")
        for i in range(3):
            assert call(address, f"/?echo&{i}")[1] == b"%d\n" % i
        during = metrics(guest)
        assert during["elfpack_connections"] > IDLE
        pages = before["elfpack_pages_free"] - during["elfpack_pages_free"]
        assert pages < 4 * IDLE, "16 KiB a connection"
        for client in idle:
            assert read_to_end(client) == b"", "dropped at its idle limit, without a word"
    finally:
        for client in idle:
            client.close()
    assert call(address, "/?echo&after")[1] == b"after\n"
    # What they took comes back, but for what the kernel keeps at hand for the next ones.
    assert before["elfpack_pages_free"] - metrics(guest)["elfpack_pages_free"] < 1000


def test_no_program_runs_on_the_admin_port(guest):
    for target in ("/?true", "/_/run"):
        answer, text = call(("127.0.0.1", guest.admin), target, "POST", "x")
        assert answer.status == 404 and b"no such route on the admin port" in text


@pytest.mark.parametrize("first, piece", [
    (b"GET /_/health HTTP/1.1\r\n", b"X: y\r\n"),
    (b"POST /?cat HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n", b"x" * 100),
    (b"POST /?cat HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
], ids=["header", "body", "chunks"])
def test_a_client_that_never_ends_its_request_is_408(address, first, piece):
    with socket.create_connection(address, timeout=0.2) as client:
        client.sendall(first)
        for _ in range(300):
            try:
                answer = client.recv(1)
                break
            except TimeoutError:
                client.sendall(piece)
        client.settimeout(10)
        answer += read_to_end(client)
    assert status_of(answer) == 408 and b"\r\nConnection: close\r\n" in answer


@pytest.mark.parametrize("mode, path", [
    ("-H", "/_/health"), ("-B", "/?cat"), ("-X", "/_/openapi.json"), ("-R", "/_/health")],
    ids=["slow_headers", "slow_body", "slow_read", "ranges"])
def test_slowhttptest_does_not_stop_service(address, mode, path):
    """Eighty attackers, and a client of ours that is served while they are at it."""
    attack = subprocess.Popen(["slowhttptest", mode, "-u", f"http://127.0.0.1:{address[1]}{path}",
                               "-c", "80", "-r", "80", "-i", "1", "-l", "3", "-p", "2"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              start_new_session=True)
    served = 0
    try:
        while attack.poll() is None:
            assert call(address, f"/?echo&{served}", timeout=20)[1] == b"%d\n" % served
            served += 1
    finally:
        attack.kill()
        attack.wait()
    assert served > 1


def test_wrk_sees_no_error(address):
    said = subprocess.run(["wrk", "-t", "1", "-c", "8", "-d", "2s", "--timeout", "20s",
                           f"http://127.0.0.1:{address[1]}/?echo&x"],
                          capture_output=True, text=True, check=True, timeout=60).stdout
    assert int(re.search(r"(\d+) requests in", said).group(1)) > 0
    assert "Socket errors" not in said and "Non-2xx" not in said


@pytest.mark.parametrize("program", ["sleep&9", "sh&-c&while+:;do+:;done",
                                     "sh&-c&sleep+9%26+sleep+9%26+wait"])
def test_a_client_that_leaves_ends_its_job_within_100_ms(guest, address, program):
    """The log says how long the request lasted, its program included, by the guest's clock; how
    long the client stayed is said by ours, and both run at the same rate."""
    name = f"leaving-{time.monotonic_ns()}"
    with socket.create_connection(address, timeout=30) as client:
        asked = time.monotonic()
        client.sendall(b"GET /?%s&_format=stream HTTP/1.1\r\nHost: h\r\nX-Request-Id: %s\r\n\r\n"
                       % (program.encode(), name.encode()))
        read_head(client)
        stayed_ms = (time.monotonic() - asked) * 1000
    deadline = time.monotonic() + 10
    while metrics(guest)["elfpack_jobs_running"]:
        assert time.monotonic() < deadline
    begun = time.monotonic()
    metrics(guest)
    trip_ms = (time.monotonic() - begun) * 1000
    lines = [json.loads(line) for line in call(("127.0.0.1", guest.admin), "/_/log")[1].splitlines()]
    line, = [line for line in lines if line["id"] == name]
    assert line["status"] == 200 and line["wall_ms"] < stayed_ms + 100 + trip_ms


def test_the_power_button_lets_requests_end_and_refuses_new_ones(guest, address):
    """Last: the machine is off afterwards."""
    running = socket.create_connection(address, timeout=30)
    running.sendall(b"GET /?sh&-c&sleep+3;+echo+done HTTP/1.1\r\nHost: h\r\n\r\n")
    deadline = time.monotonic() + 10
    while metrics(guest)["elfpack_jobs_running"] == 0:
        assert time.monotonic() < deadline
    idle = http.client.HTTPConnection(*address, timeout=10)
    idle.request("GET", "/_/health")
    idle.getresponse().read()
    guest.press_power()
    assert idle.sock.recv(1) == b"", "an idle connection is closed at once"
    for target in ("/?true", "/_/ready"):
        answer, _ = call(address, target)
        assert answer.status == 503 and int(answer.getheader("Retry-After")) > 0
        assert answer.getheader("Connection") == "close"
    assert call(address, "/_/health")[0].status == 200
    answer = read_to_end(running)
    running.close()
    assert answer.endswith(b"\r\n\r\ndone\n") and b"\r\nConnection: close\r\n" in answer
    assert guest.process.wait(timeout=20) == 1  # (0 << 1) | 1: front ended with 0
