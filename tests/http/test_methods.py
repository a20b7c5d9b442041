"""Routes, methods and fields: what is refused, with which status, and how it is said."""
import json
import socket

import pytest

from support.http_client import call, exchange, read_head, read_to_end, sh, status_of

HOST = b"Host: h\r\n"
CLOSE = b"Connection: close\r\n"


def test_head_has_the_fields_of_get_and_no_body(address):
    for target in ("/", "/_/health", "/?echo&x"):
        got, data = call(address, target)
        head, nothing = call(address, target, "HEAD")
        assert head.status == got.status == 200 and nothing == b"" and data
        assert head.getheader("Content-Length") == got.getheader("Content-Length")


@pytest.mark.parametrize("target, methods", [
    ("/", "GET, HEAD, POST, OPTIONS"), ("/a.c", "PUT, OPTIONS"),
    ("/_/health", "GET, HEAD, OPTIONS"), ("*", "GET, HEAD, POST, PUT, OPTIONS"),
])
def test_options_is_204_and_names_the_methods(address, target, methods):
    answer, data = call(address, target, "OPTIONS")
    assert (answer.status, answer.getheader("Allow"), data) == (204, methods, b"")
    assert answer.getheader("Content-Length") is None  # RFC 9110, 8.6
    assert answer.getheader("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize("method, target, status, allow", [
    ("GET", "/nothing", 404, None), ("POST", "/nothing?true", 404, None),
    ("GET", "/_/nothing", 404, None), ("PUT", "/_/nothing", 404, None),
    ("PUT", "/?cat", 405, "GET, HEAD, POST, OPTIONS"),
    ("DELETE", "/", 405, "GET, HEAD, POST, OPTIONS"),
    ("POST", "/_/health", 405, "GET, HEAD, OPTIONS"),
    ("PUT", "/_/metrics", 405, "GET, HEAD, OPTIONS"),
])
def test_wrong_route_is_404_and_wrong_method_405_with_allow(address, method, target, status,
                                                            allow):
    answer, _ = call(address, target, method)
    assert (answer.status, answer.getheader("Allow")) == (status, allow)


@pytest.mark.parametrize("name, request_, status", [
    ("target", b"GET /?" + b"a" * 8200 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    ("line without end", b"GET /" + b"a" * 20000, 414),
    ("100 fields", b"GET /_/health HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 100 + b"\r\n", 431),
    ("16 KiB of fields", b"GET /_/health HTTP/1.1\r\n" + HOST +
     b"X: " + b"y" * 16384 + b"\r\n\r\n", 431),
    ("expectation", b"POST /?cat HTTP/1.1\r\n" + HOST + b"Expect: the-best\r\n\r\n", 417),
    ("method", b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    ("method in lower case", b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    ("version", b"GET / HTTP/3.0\r\n" + HOST + b"\r\n", 505),
    ("version 1.2", b"GET / HTTP/1.2\r\n" + HOST + b"\r\n", 505),
    ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
])
def test_head_beyond_the_limits_or_the_protocol_is_refused_and_closed(address, name, request_,
                                                                      status):
    answer = exchange(address, request_)
    assert status_of(answer) == status, name
    assert b"\r\nConnection: close\r\n" in answer


def test_99_fields_and_a_long_target_are_served(address):
    answer = exchange(address, b"GET /?echo&" + b"a" * 8000 + b" HTTP/1.1\r\n" + HOST + CLOSE +
                      b"X: y\r\n" * 98 + b"\r\n")
    assert status_of(answer) == 200


@pytest.mark.parametrize("fields, status", [
    ({"Content-Encoding": "br"}, 415),
    ({"Content-Encoding": "gzip, gzip"}, 415), ({"Content-Encoding": "deflate"}, 415),
    ({"Content-Encoding": "identity"}, 200),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 200),
    ({"Content-Type": "application/json"}, 200),
])
def test_body_types_are_opaque_and_unknown_codings_415(address, fields, status):
    answer, data = call(address, "/?cat", "POST", b"a=b&c", **{
        name.replace("-", "_"): value for name, value in fields.items()})
    assert answer.status == status
    if status == 200:
        assert data == b"a=b&c"


def test_too_long_a_body_is_413_before_it_is_sent(address):
    answer = exchange(address, b"POST /?cat HTTP/1.1\r\n" + HOST +
                      b"Content-Length: 33554433\r\n\r\n")
    assert status_of(answer) == 413 and b"\r\nConnection: close\r\n" in answer


def test_chunked_body_beyond_the_limit_is_413(front_with):
    front = front_with("limit.body_bytes=1000")
    head = b"POST /?wc&-c HTTP/1.1\r\n" + HOST + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"64\r\n" + b"x" * 100 + b"\r\n"
    fits = exchange(front.address, head + chunk * 10 + b"0\r\n\r\n")
    assert status_of(fits) == 200 and fits.endswith(b"\r\n\r\n1000\n")
    assert status_of(exchange(front.address, head + chunk * 11)) == 413


def test_body_with_get_is_400_and_the_next_request_is_read(address):
    answer = exchange(address, b"GET /?cat HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc"
                      b"GET /_/health HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert status_of(answer) == 400 and answer.endswith(b"\r\n\r\nok\n")


def test_expectation_is_met_at_once(address):
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(b"POST /?cat HTTP/1.1\r\n" + HOST + CLOSE +
                       b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert read_head(client) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        answer = read_to_end(client)
    assert status_of(answer) == 200 and answer.endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize("line, status", [
    (b"POST /?_unknown=1 HTTP/1.1", 400), (b"PUT /../x?cat HTTP/1.1", 400),
    (b"POST /nothing HTTP/1.1", 404), (b"PUT / HTTP/1.1", 405),
    (b"POST /?env&_env=A=b HTTP/1.1", 403),
])
def test_refusal_comes_before_the_body_and_without_100(address, line, status):
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(line + b"\r\n" + HOST +
                       b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert status_of(read_to_end(client)) == status


def test_http_1_0_client_is_closed_unless_it_asks_to_stay(address):
    plain = exchange(address, b"GET /_/health HTTP/1.0\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in plain
    with socket.create_connection(address, timeout=10) as client:
        for _ in range(2):
            client.sendall(b"GET /_/health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert b"\r\nConnection: keep-alive\r\n" in read_head(client)
            assert client.recv(3) == b"ok\n"


@pytest.mark.parametrize("target, status, members", [
    (sh("echo why >&2; exit 3"), 422, {"outcome": "exited", "exit_code": 3, "stderr": "why\n"}),
    (sh("kill -11 $$"), 422, {"outcome": "signaled", "signal": 11}),
    ("/?sleep&9&_timeout=200ms", 504, {"outcome": "timeout"}),
    ("/?_unknown=1", 400, {}),
    ("/nothing", 404, {}),
])
def test_problem_is_told_as_rfc_9457_has_it(address, target, status, members):
    answer, data = call(address, target, Accept="application/problem+json", X_Request_Id="a.b")
    problem = json.loads(data)
    assert answer.getheader("Content-Type") == "application/problem+json"
    assert (answer.status, problem["status"], problem["type"]) == (status, status, "about:blank")
    assert problem["title"] == answer.reason and problem["detail"]
    assert problem["id"] == answer.getheader("X-Request-Id") == "a.b"
    for name, value in members.items():
        assert problem[name] == value


@pytest.mark.parametrize("sent, kept", [
    ("A.z_0-9", True), ("a" * 128, True), ("a" * 129, False), ("a b", False), ("<x>", False),
])
def test_request_id_is_echoed_only_when_it_is_plain(address, sent, kept):
    answer, _ = call(address, "/_/health", X_Request_Id=sent)
    got = answer.getheader("X-Request-Id")
    assert (got == sent) == kept and got


def test_answers_carry_a_date_and_timings(address):
    answer, _ = call(address, "/?true")
    assert answer.getheader("Date").endswith(" GMT")
    timing = answer.getheader("Server-Timing")
    assert [part.split(";")[0] for part in timing.split(", ")] == \
        ["queue", "sandbox", "exec", "collect"]
