"""What becomes of a run: statuses, fields, files, JSON, limits of time, a client that goes."""
import json
import socket
import time

import pytest

from support.http_client import call, read_to_end, sh, status_of


@pytest.mark.parametrize("target, status, outcome", [
    ("/?true", 200, "exited"),
    ("/?false", 422, "exited"),
    ("/?false&_status=200", 200, "exited"),
    (sh("kill -9 $$"), 422, "signaled"),
    ("/?sleep&60&_timeout=300ms", 504, "timeout"),
])
def test_status_says_what_became_of_the_program(address, target, status, outcome):
    answer, _ = call(address, target)
    assert (answer.status, answer.getheader("Elfpack-Outcome")) == (status, outcome)


@pytest.mark.parametrize("method, target, status", [
    ("GET", "/nothing", 404), ("GET", "/_/nothing", 404), ("PUT", "/", 405),
    ("POST", "/_/health", 405), ("GET", "/?_unknown=1", 400), ("GET", "/?a%00b", 400),
    ("GET", "/?true&_timeout=0s", 400), ("GET", "/?true&_format=raw&_format=raw", 400),
    ("PUT", "/a/../b?true", 400), ("PUT", "/a%2Fb?true", 400), ("GET", "/?env&_env=A=b", 403),
    ("GET", "/?" + "a&" * 600, 413), ("GET", "/?" + "a" * 9000, 414), ("FROB", "/", 501),
])
def test_request_that_asks_for_what_is_not_there_is_refused(address, method, target, status):
    answer, _ = call(address, target, method, body=b"x" if method == "PUT" else None)
    assert answer.status == status


def test_arguments_reach_the_program_byte_for_byte(address):
    _, data = call(address, "/?printf&%5B%25s%5D&arg=&a%3Db=c&_x&x+y&%ff&arg=_z%3D1")
    assert data == b"[][a=b=c][_x][x y][\xff][_z=1]"


def test_body_is_standard_input(address):
    body = bytes(range(256)) * 4096
    answer, data = call(address, "/?cat", "POST", body)
    assert answer.status == 200 and data == body


def test_put_stores_the_body_under_its_path(address):
    assert call(address, "/d/a.txt?cat&d/a.txt", "PUT", b"text")[1] == b"text"


def test_each_request_has_a_fresh_file_system(address):
    call(address, sh("echo x > left"))
    assert call(address, sh("ls -A"))[1] == b""


def test_out_returns_one_file(address):
    assert call(address, sh("printf abc > o", "_out=o"))[1] == b"abc"
    answer, data = call(address, sh("touch p q", "_out=none"))
    assert answer.status == 422 and b"none" in data and b"p" in data
    assert call(address, sh("touch p q", "_out=*"))[0].status == 422
    assert call(address, sh("ln -s /etc/passwd l", "_out=l"))[0].status == 422


def test_json_tells_all_of_a_failed_run(address):
    answer, data = call(address, sh(r"printf 'a\377'; echo e >&2; printf z > f; exit 7", "_out=f"),
                        Accept="application/json", X_Request_Id="mine.1")
    run = json.loads(data)
    assert answer.status == 200
    assert (run["id"], run["outcome"], run["exit_code"]) == ("mine.1", "exited", 7)
    assert run["stdout"] == {"encoding": "base64", "data": "Yf8=", "bytes": 2, "truncated": False}
    assert run["stderr"]["data"] == "e\n"
    assert run["files"][0]["path"] == "f" and run["files"][0]["data"] == "z"
    assert run["files"][0]["sha256"] == (  # printf z | sha256sum
        "594e519ae499312b29433b7dd8a97ff068defcba9755b6d5d00e84c524d67b06")


def test_endless_output_is_cut_and_ends_at_the_deadline(address):
    answer, _ = call(address, "/?yes&_timeout=1s")
    assert answer.status == 504
    assert call(address, "/_/health")[0].status == 200


def test_client_that_goes_ends_its_job_at_once(address):
    def running():
        _, text = call(address, "/_/metrics")
        return int(text.split(b"\nelfpack_jobs_running ")[1].split()[0])
    client = socket.create_connection(address)
    client.sendall(b"GET /?sleep&9 HTTP/1.1\r\nHost: h\r\n\r\n")
    deadline = time.monotonic() + 5
    while running() == 0:
        assert time.monotonic() < deadline
    client.close()
    assert running() == 0 or running() == 0, "at once: the next answer may say so, or the one after"


def test_64_clients_at_once_each_get_their_own_answer(address):
    """Connected one after the other, as QEMU's listener has a backlog of one (tests/support/load.py);
    all of them ask before the first answer is read."""
    clients = [socket.create_connection(address, timeout=60) for _ in range(64)]
    for i, client in enumerate(clients):
        client.sendall(b"GET /?echo&%d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % i)
    for i, client in enumerate(clients):
        with client:
            answer = read_to_end(client)
        assert status_of(answer) == 200 and answer.endswith(b"\r\n\r\n%d\n" % i)
