"""The queue before the jobs: full, too old, drained. Each test has a front of its own. A job that
is to be in the way sleeps for longer than any test takes, and ends when its client leaves."""
import http.client
import json
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from support import prometheus
from support.guest import free_port
from support.http_client import call, read_to_end, sh, status_of


def gauge(address, name):
    _, text = call(address, "/_/metrics")
    return prometheus.parse(text.decode())[name][1][()]


def wait_for(address, name, value):
    deadline = time.monotonic() + 10
    while gauge(address, name) != value:
        assert time.monotonic() < deadline, f"{name} is not {value}"
        time.sleep(0.01)


def begin(address, target, name="x"):
    """Sends a request and does not wait for its answer."""
    client = socket.create_connection(address, timeout=30)
    client.sendall(f"GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                   f"X-Request-Id: {name}\r\n\r\n".encode())
    return client


# So that nothing ends by itself, however slow the machine.
PATIENT = ("limit.wall_ms=100000", "limit.queue_age_ms=100000")


def occupy(address):
    """A job that is in the way until this connection is closed."""
    client = begin(address, "/?sleep&1000")
    wait_for(address, "elfpack_jobs_running", 1)
    return client


def test_full_queue_is_429_with_retry_after_and_ready_says_so(front_with):
    address = front_with("limit.concurrency=1", "limit.queue=1", *PATIENT).address
    assert call(address, "/_/ready")[0].status == 200
    running = occupy(address)
    waiting = begin(address, "/?echo&queued")
    wait_for(address, "elfpack_queue_length", 1)
    for target, method, body in (("/?true", "GET", None), ("/?cat", "POST", b"x"),
                                 ("/_/ready", "GET", None)):
        answer, _ = call(address, target, method, body)
        assert answer.status == 429 and int(answer.getheader("Retry-After")) > 0
    for route in ("/_/health", "/_/info", "/_/metrics", "/"):
        assert call(address, route)[0].status == 200, "never behind jobs"
    running.close()
    assert read_to_end(waiting).endswith(b"\r\n\r\nqueued\n")
    assert call(address, "/_/ready")[0].status == 200


def test_too_long_in_the_queue_is_503_with_retry_after(front_with):
    address = front_with("limit.concurrency=1", "limit.queue_age_ms=300",
                         "limit.wall_ms=100000").address
    running = occupy(address)
    begun = time.monotonic()
    answer, _ = call(address, "/?true")
    assert answer.status == 503 and int(answer.getheader("Retry-After")) > 0
    assert time.monotonic() - begun > 0.25
    assert gauge(address, "elfpack_jobs_running") == 1, "it did not wait for the job"
    running.close()


def test_queue_is_served_in_order(front_with):
    admin = free_port()
    address = front_with("limit.concurrency=1", *PATIENT, f"admin={admin}").address
    watched = address[0], admin
    running = begin(address, "/?sleep&1000")
    wait_for(watched, "elfpack_jobs_running", 1)
    clients = []
    for i in range(5):
        clients.append(begin(address, f"/?echo&{i}", name=f"queued-{i}"))
        wait_for(watched, "elfpack_queue_length", i + 1)
    running.close()
    for client in clients:
        assert status_of(read_to_end(client)) == 200
    log = [json.loads(line)["id"] for line in call(watched, "/_/log")[1].splitlines()]
    assert [name for name in log if name.startswith("queued")] == [f"queued-{i}" for i in range(5)]


def test_client_that_leaves_the_queue_frees_its_place(front_with):
    address = front_with("limit.concurrency=1", "limit.queue=1", *PATIENT).address
    running = occupy(address)
    begin(address, "/?true").close()
    wait_for(address, "elfpack_queue_length", 0)
    waiting = begin(address, "/?echo&mine")
    wait_for(address, "elfpack_queue_length", 1)
    running.close()
    assert read_to_end(waiting).endswith(b"mine\n")


def test_slow_reader_holds_no_job(front_with):
    address = front_with("limit.concurrency=1").address
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(address)
    slow.sendall(b"GET /?dd&if=/dev/zero&bs=1M&count=15 HTTP/1.1\r\nHost: h\r\n\r\n")
    assert slow.recv(12) == b"HTTP/1.1 200"
    assert call(address, "/?echo&next")[1] == b"next\n"
    slow.close()


def test_sigterm_drains_running_and_queued_jobs_then_exits(front_with):
    front = front_with("limit.concurrency=1")
    running = begin(front.address, "/?sh&-c&sleep+4;+echo+done")
    wait_for(front.address, "elfpack_jobs_running", 1)
    waiting = begin(front.address, "/?echo&queued")
    wait_for(front.address, "elfpack_queue_length", 1)
    idle = http.client.HTTPConnection(*front.address, timeout=10)
    idle.request("GET", "/_/health")
    idle.getresponse().read()
    front.process.send_signal(signal.SIGTERM)
    assert idle.sock.recv(1) == b"", "an idle connection is closed at once"
    ready, _ = call(front.address, "/_/ready")
    assert ready.status == 503 and int(ready.getheader("Retry-After")) > 0
    refused, _ = call(front.address, "/?true")
    assert refused.status == 503 and int(refused.getheader("Retry-After")) > 0
    assert call(front.address, "/_/health")[0].status == 200
    answer = read_to_end(running)
    assert answer.endswith(b"\r\n\r\ndone\n") and b"\r\nConnection: close\r\n" in answer
    assert read_to_end(waiting).endswith(b"\r\n\r\nqueued\n")
    assert front.process.wait(timeout=10) == 0


def test_idle_front_ends_at_once_on_sigterm(front_with):
    front = front_with()
    call(front.address, "/?true")
    begun = time.monotonic()
    assert front.stop() == 0
    assert time.monotonic() - begun < 5, "the least that draining gives to requests"


def test_too_many_connections_make_room_by_closing_the_idlest(front_with):
    address = front_with("limit.connections=8").address
    held = [socket.create_connection(address, timeout=10) for _ in range(8)]
    assert call(address, "/_/health")[0].status == 200
    held[0].settimeout(5)
    assert held[0].recv(1) == b""
    for client in held:
        client.close()


def test_requests_at_once_beyond_the_queue_all_get_an_answer(front_with):
    address = front_with("limit.concurrency=2", "limit.queue=4").address
    gate = threading.Barrier(20)

    def one(i):
        gate.wait()
        answer, data = call(address, sh(f"sleep 0.2; echo {i}"))
        assert answer.status in (200, 429)
        assert answer.status == 429 or data == b"%d\n" % i
        return answer.status
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(one, range(20)))
    assert statuses.count(200) >= 6
