"""What the server says about itself: health, readiness, metrics, information, usage."""
import datetime
import json
import re
import socket
import time

from support import prometheus
from support.guest import free_port
from support.http_client import call, exchange, read_head, read_to_end, sh


def families(address):
    answer, text = call(address, "/_/metrics")
    assert answer.getheader("Content-Type").startswith("text/plain; version=0.0.4")
    return prometheus.parse(text.decode())


def test_health_and_ready_answer_with_any_query(address):
    for route in ("/_/health", "/_/ready", "/_/info", "/_/metrics"):
        assert call(address, f"{route}?_x=%zz&a=b")[0].status == 200


def test_metrics_are_prometheus_text(address):
    kinds = {name: kind for name, (kind, _) in families(address).items()}
    for name in ("elfpack_requests_total", "elfpack_responses_total", "elfpack_jobs_total"):
        assert kinds[name] == "counter"
    for name in ("elfpack_jobs_running", "elfpack_queue_length", "elfpack_connections"):
        assert kinds[name] == "gauge"


def test_metrics_count_requests_answers_and_outcomes(address):
    def count(name, **labels):
        return families(address)[name][1][tuple(labels.items())]
    before = {outcome: count("elfpack_jobs_total", outcome=outcome)
              for outcome in ("exited", "signaled", "timeout")}
    refused = count("elfpack_responses_total", **{"class": "4xx"})
    call(address, "/?true")
    call(address, "/?false")
    call(address, sh("kill -9 $$"))
    call(address, "/?sleep&9&_timeout=100ms")
    assert count("elfpack_jobs_total", outcome="exited") >= before["exited"] + 2
    assert count("elfpack_jobs_total", outcome="signaled") >= before["signaled"] + 1
    assert count("elfpack_jobs_total", outcome="timeout") >= before["timeout"] + 1
    assert count("elfpack_responses_total", **{"class": "4xx"}) >= refused + 2


def test_info_names_the_program_and_its_limits(address):
    answer, data = call(address, "/_/info")
    info = json.loads(data)
    assert answer.getheader("Content-Type") == "application/json"
    assert info["program"] == "busybox" and info["version"] and info["cwd"].startswith("/")
    assert info["sandbox"] in ("linux", "shim") and info["concurrency"] >= 1
    assert info["limits"]["body_bytes"] == 32 << 20
    assert info["limits"]["wall_ms"] == 10000


def test_usage_names_the_program_and_how_to_call_it(address):
    answer, text = call(address, "/")
    assert answer.status == 200 and text.startswith(b"busybox")
    for word in (b"POST", b"PUT", b"_out=", b"/_/metrics"):
        assert word in text


def test_durations_are_histograms_of_jobs_and_requests(address):
    def count(name):
        return families(address)[name][1][("_count",)]
    names = ("elfpack_queue_seconds", "elfpack_job_seconds", "elfpack_request_seconds")
    before = [count(name) for name in names]
    call(address, "/?sleep&0.3")
    after = [count(name) for name in names]
    assert after[0] > before[0] and after[1] > before[1] and after[2] > before[2]
    samples = families(address)["elfpack_job_seconds"][1]
    assert samples["_bucket", ("le", "0.25")] < samples["_bucket", ("le", "+Inf")]


def test_log_is_nowhere_without_an_admin_port(address):
    assert call(address, "/_/log")[0].status == 404
    assert call(address, "/_/ui")[0].status == 404


def log_of(admin):
    answer, text = call(admin, "/_/log")
    assert answer.status == 200
    return [json.loads(line) for line in text.decode().splitlines()]


def test_admin_port_has_metrics_and_the_log_and_the_main_port_neither(front_with):
    port = free_port()
    address = front_with(f"admin={port}").address
    admin = (address[0], port)
    for route in ("/_/metrics", "/_/log"):
        assert call(address, route)[0].status == 404
        assert call(admin, route)[0].status == 200
    for target, method in (("/?echo", "GET"), ("/", "GET"), ("/x", "PUT"), ("/_/run", "POST")):
        assert call(admin, target, method)[0].status == 404, "no programs there"
    assert call(admin, "/_/health")[0].status == 200


def test_log_has_a_line_of_json_a_request(front_with):
    port = free_port()
    address = front_with(f"admin={port}").address
    admin = (address[0], port)
    call(address, "/?echo&secret", X_Request_Id="one")
    call(address, "/f%22?false", "PUT", b"x")
    call(address, sh("kill -9 $$"))
    call(address, "/_/nothing")
    exchange(address, b"nonsense\r\n\r\n")
    socket.create_connection(address).close()  # no request, no line
    lines = log_of(admin)
    ran, failed, killed, missing, bad = lines[:5]
    assert ran["id"] == "one" and ran["method"] == "GET" and ran["path"] == "/"
    assert ran["status"] == 200 and ran["outcome"] == "exited" and ran["exit_code"] == 0
    assert ran["client"] == "127.0.0.1" and ran["args"] == 2 and ran["peak_bytes"] > 0
    assert "secret" not in json.dumps(lines)
    assert failed["path"] == "/f%22" and failed["status"] == 422 and failed["exit_code"] == 1
    assert killed["outcome"] == "signaled" and killed["signal"] == 9
    assert missing["status"] == 404 and "outcome" not in missing
    assert bad["status"] == 400 and bad["method"] == ""
    datetime.datetime.strptime(ran["time"], "%Y-%m-%dT%H:%M:%S.%fZ")
    assert ran["wall_ms"] >= ran["exec_ms"] > 0


def test_log_keeps_the_last_lines_whole(front_with):
    port = free_port()
    address = front_with(f"admin={port}").address
    with socket.create_connection(address, timeout=30) as client:
        one = b"GET /_/%d" + b"\xff" * 100 + b" HTTP/1.1\r\nHost: h\r\n%s\r\n"
        for i in range(300):
            client.sendall(one % (i, b"Connection: close\r\n" if i == 299 else b""))
        read_to_end(client)
    lines = log_of((address[0], port))
    numbers = [int(re.match(r"/_/(\d+)", line["path"]).group(1)) for line in lines
               if line["status"] == 404]
    assert numbers == list(range(numbers[0], 300)) and 50 < len(numbers) < 200


def test_client_that_leaves_is_logged_without_a_status(front_with):
    port = free_port()
    address = front_with(f"admin={port}").address
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(b"POST /?cat HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                       b"Content-Length: 9\r\n\r\n")
        assert read_head(client).startswith(b"HTTP/1.1 100 ")
    deadline = time.monotonic() + 10
    while not (left := [line for line in log_of((address[0], port)) if line["method"] == "POST"]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert left[0]["status"] == 0


def test_console_log_says_each_request(front_with):
    front = front_with("console_log=1")
    call(front.address, "/?echo&x")
    line = json.loads(front.process.stdout.readline())
    assert line["status"] == 200 and line["path"] == "/"
    assert call(front.address, "/_/log")[0].status == 404
