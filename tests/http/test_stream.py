"""_format=stream: output as it comes, its end told in trailers (RFC 9112, 7.1)."""
import http.client
import socket
import subprocess
import time

import pytest

from support.http_client import call, exchange, read_head, read_to_end, sh


def get(target, version="1.1", method="GET", fields=""):
    return f"{method} {target} HTTP/{version}\r\nHost: h\r\n{fields}\r\n".encode()


def stream(address, script, *controls):
    """The answer to a script: (head, body, trailers)."""
    answer = exchange(address, get(sh(script, "_format=stream", *controls),
                                   fields="Connection: close\r\n"))
    head, rest = answer.split(b"\r\n\r\n", 1)
    body = b""
    while True:
        size, rest = rest.split(b"\r\n", 1)
        if int(size, 16) == 0:
            break
        body += rest[:int(size, 16)]
        rest = rest[int(size, 16):]
        assert rest[:2] == b"\r\n"
        rest = rest[2:]
    assert rest.endswith(b"\r\n")
    lines = rest.decode().split("\r\n")
    return head, body, dict(line.split(": ") for line in lines if line)


def test_output_comes_before_the_program_has_ended(address):
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(get(sh("echo one; sleep 2; echo two", "_format=stream"),
                           fields="Connection: close\r\n"))
        head = read_head(client)
        assert b" 200 " in head and b"\r\nTransfer-Encoding: chunked\r\n" in head
        assert b"Content-Length" not in head
        first = b""
        while not first.endswith(b"one\n\r\n"):
            first += client.recv(1)
        first_at = time.monotonic()
        assert b"two\n" in read_to_end(client)
        assert time.monotonic() - first_at > 1, "of the two seconds between them"


@pytest.mark.parametrize("code", [0, 3])
def test_exit_code_is_a_trailer(address, code):
    head, body, trailers = stream(address, f"echo out; echo err >&2; exit {code}")
    assert b" 200 " in head and body == b"out\n"
    assert trailers == {"Elfpack-Outcome": "exited", "Elfpack-Exit-Code": str(code)}
    assert b"\r\nTrailer: Elfpack-Outcome, Elfpack-Exit-Code" in head


def test_long_and_empty_output_are_whole(address):
    assert stream(address, "head -c 3000000 /dev/zero")[1] == bytes(3000000)
    assert stream(address, "true")[1] == b""
    assert stream(address, "i=0; while [ $i -lt 200 ]; do echo $i; i=$((i+1)); done")[1] == \
        b"".join(b"%d\n" % i for i in range(200))


@pytest.mark.parametrize("script, control", [
    ("echo part; sleep 60", "_timeout=500ms"), ("echo part; sleep 0.1; kill -9 $$", "_cache=0"),
])
def test_killed_program_breaks_the_transfer(address, script, control):
    with pytest.raises(http.client.IncompleteRead) as broken:
        call(address, sh(script, "_format=stream", control))
    assert b"part\n" in broken.value.partial


def test_http_1_0_client_gets_plain_bytes_and_a_close(address):
    answer = exchange(address, get(sh("echo out", "_format=stream"), version="1.0",
                                   fields="Connection: keep-alive\r\n"))
    head, body = answer.split(b"\r\n\r\n", 1)
    assert body == b"out\n"
    assert b"Transfer-Encoding" not in head and b"Content-Length" not in head


def test_connection_is_kept_behind_a_stream_and_behind_its_head(address):
    client = http.client.HTTPConnection(*address, timeout=30)
    for method, body in (("GET", b"x\n"), ("HEAD", b""), ("GET", b"x\n")):
        client.request(method, "/?echo&x&_format=stream")
        assert client.getresponse().read() == body
    sock = client.sock
    assert sock is not None
    client.close()


def test_files_and_stream_exclude_each_other(address):
    assert call(address, "/?true&_format=stream&_out=a")[0].status == 400


def test_errors_before_the_start_have_their_status(address):
    assert call(address, "/?env&_format=stream&_env=A=b")[0].status == 403


def test_client_that_leaves_mid_stream_ends_the_job(address):
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(get(sh("yes", "_format=stream")))
        read_head(client)
    deadline = time.monotonic() + 3
    while b"\nelfpack_jobs_running 0\n" not in call(address, "/_/metrics")[1]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_curl_takes_the_stream_and_its_trailers(base_url):
    run = subprocess.run(["curl", "-sS", "-N", "-D-", f"{base_url}/?seq&3&_format=stream"],
                         capture_output=True, timeout=30, check=True)
    assert b"\r\n\r\n1\n2\n3\n" in run.stdout
    assert b"elfpack-exit-code: 0" in run.stdout.lower()


def test_output_beyond_its_limit_is_cut_and_said_in_a_trailer(front_with):
    address = front_with("limit.stdout_bytes=1000").address
    _, body, trailers = stream(address, "yes | head -c 5000; sleep 0.2; yes | head -c 5000")
    assert body == b"y\n" * 500
    assert trailers["Elfpack-Truncated"] == "stdout"
    assert "Elfpack-Truncated" not in stream(address, "yes | head -c 1000")[2]
