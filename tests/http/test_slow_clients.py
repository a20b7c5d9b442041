"""Clients that take their time: each wait has an end. Each test has a front of its own."""
import socket
import time

import pytest

from support import prometheus
from support.http_client import call, read_to_end, status_of

POST = b"POST /?cat HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"


def answer_to(front, first, piece=b"", every=0.05, seconds=20):
    """Sends first, then piece again and again until there is an answer: (answer, seconds)."""
    begun = time.monotonic()
    with socket.create_connection(front.address) as client:
        client.sendall(first)
        client.settimeout(every)
        while time.monotonic() - begun < seconds:
            try:
                first_bytes = client.recv(1)
                client.settimeout(10)
                return first_bytes + read_to_end(client), time.monotonic() - begun
            except TimeoutError:
                client.sendall(piece)
    raise AssertionError("no answer")


def test_header_that_never_ends_is_408_at_its_deadline(front_with):
    answer, seconds = answer_to(front_with("limit.header_ms=400"),
                                b"GET /_/health HTTP/1.1\r\n", b"X: y\r\n")
    assert status_of(answer) == 408 and b"\r\nConnection: close\r\n" in answer
    assert 0.35 < seconds < 3


@pytest.mark.parametrize("framing, piece", [
    (b"Content-Length: 1000000\r\n\r\n", b"x" * 100),
    (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    (b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
])
def test_body_that_never_ends_is_408_at_its_deadline(front_with, framing, piece):
    answer, seconds = answer_to(front_with("limit.body_ms=400"), POST + framing, piece)
    assert status_of(answer) == 408 and b"\r\nConnection: close\r\n" in answer
    assert 0.35 < seconds < 3


def test_body_below_the_floor_rate_is_408_and_one_above_it_is_served(front_with):
    front = front_with("limit.floor_rate=2000")
    slow, seconds = answer_to(front, POST + b"Content-Length: 100000\r\n\r\n", b"x", 0.2)
    assert status_of(slow) == 408 and 4.5 < seconds < 9
    size = b"%d" % (500 * 70)
    begun = time.monotonic()
    with socket.create_connection(front.address, timeout=10) as client:
        client.sendall(POST + b"Content-Length: " + size + b"\r\n\r\n")
        for _ in range(70):  # 5,000 bytes a second for seven seconds
            client.sendall(b"x" * 500)
            time.sleep(0.1)
        assert status_of(read_to_end(client)) == 200
    assert time.monotonic() - begun > 6.5


def test_answer_that_nobody_reads_ends_as_an_idle_connection_does(front_with):
    front = front_with("limit.idle_ms=1000")
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(front.address)
        client.sendall(b"GET /?dd&if=/dev/zero&bs=1M&count=15 HTTP/1.1\r\nHost: h\r\n\r\n")
        begun = time.monotonic()
        while time.monotonic() - begun < 10:
            time.sleep(0.1)
            _, text = call(front.address, "/_/metrics")
            if prometheus.parse(text.decode())["elfpack_connections"][1][()] == 1:
                return
    raise AssertionError("it is still open")


def test_connection_without_a_request_is_closed_without_a_word(front_with):
    front = front_with("limit.idle_ms=300")
    for first in (b"", b"GET /_/health HTTP/1.1\r\nHost: h\r\n\r\n"):
        with socket.create_connection(front.address, timeout=10) as client:
            client.sendall(first)
            begun = time.monotonic()
            answer = read_to_end(client)
            assert 0.25 < time.monotonic() - begun < 3
            assert answer.count(b"HTTP/1.1") == bool(first)


def test_many_slow_clients_do_not_slow_others(front_with):
    front = front_with()
    slow = [socket.create_connection(front.address) for _ in range(200)]
    for client in slow:
        client.sendall(b"POST /?cat HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nx")
    with socket.create_connection(front.address, timeout=10) as client:
        begun = time.monotonic()
        client.sendall(b"GET /?echo&x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert read_to_end(client).endswith(b"\r\n\r\nx\n")
        assert time.monotonic() - begun < 2
    for client in slow:
        client.close()
