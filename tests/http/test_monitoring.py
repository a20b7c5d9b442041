"""What the server says about itself: health, readiness, metrics, information, usage."""
import json

from support import prometheus
from support.http_client import call, sh


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
