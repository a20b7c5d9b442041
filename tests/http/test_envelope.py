"""POST /_/run: a request and its result, both in JSON."""
import base64
import json

import pytest

from support.http_client import call, exchange, status_of


def run(address, envelope, query="", kind="application/json", **fields):
    body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
    answer, data = call(address, "/_/run" + query, "POST", body, Content_Type=kind, **fields)
    return answer, data


def test_envelope_gives_arguments_files_and_outputs(address):
    answer, data = run(address, {
        "argv": ["sh", "-c", "cat in/a; cat > o; echo é >&2; exit 3"],
        "files": {"in/a": "from a\n"}, "stdin": {"base64": base64.b64encode(b"\0\xff").decode()},
        "out": ["o", "in/*"]})
    result = json.loads(data)
    assert answer.status == 200 and answer.getheader("Content-Type") == "application/json"
    assert (result["outcome"], result["exit_code"]) == ("exited", 3)
    assert result["stdout"]["data"] == "from a\n" and result["stderr"]["data"] == "é\n"
    files = {f["path"]: f for f in result["files"]}
    assert base64.b64decode(files["o"]["data"]) == b"\0\xff"
    assert files["o"]["encoding"] == "base64" and files["in/a"]["data"] == "from a\n"


def test_text_of_any_plane_survives_both_ways(address):
    text = "".join(map(chr, range(1, 0x250))) + "\u20ac\U0001f600\\\"/"
    for ascii_only in (True, False):
        body = json.dumps({"argv": ["cat"], "stdin": text}, ensure_ascii=ascii_only).encode()
        assert json.loads(run(address, body)[1])["stdout"]["data"] == text


def test_empty_envelope_with_a_query_runs(address):
    _, data = run(address, {"argv": ["c"]}, "?echo&a+b")
    assert json.loads(data)["stdout"]["data"] == "a b c\n"


def test_raw_is_answered_when_it_is_asked_for(address):
    answer, data = run(address, {"argv": ["printf", "x"]}, "?_format=raw")
    assert (answer.status, data) == (200, b"x")
    assert run(address, {"argv": ["false"]}, "?_format=raw")[0].status == 422


def test_a_deadline_is_told_in_the_envelope(address):
    answer, data = run(address, {"argv": ["sleep", "9"]}, "?_timeout=200ms")
    assert answer.status == 200 and json.loads(data)["outcome"] == "timeout"


def test_large_stdin_and_chunked_bodies_are_read_whole(address):
    body = json.dumps({"argv": ["wc", "-c"], "stdin": "x" * 3000000})
    assert json.loads(run(address, body.encode())[1])["stdout"]["data"] == "3000000\n"
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in
                       (b'{"argv":["ec', b'ho","\\u00', b'41"]}')) + b"0\r\n\r\n"
    answer = exchange(address, b"POST /_/run HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                      b"Content-Type: application/json; charset=utf-8\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n" + chunked)
    assert status_of(answer) == 200
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["stdout"]["data"] == "A\n"


@pytest.mark.parametrize("envelope, query, kind, status", [
    (b"", "", "application/json", 400),
    (b"{", "", "application/json", 400),
    (b'{"argv":[1]}', "", "application/json", 400),
    (b'{"nope":[]}', "", "application/json", 400),
    (b'{"files":{"../x":""}}', "", "application/json", 400),
    (b'{"files":{"a":"","a/b":""},"argv":["ls"]}', "", "application/json", 400),
    (b'{"out":["/etc/passwd"]}', "", "application/json", 400),
    (b'{"env":{"LD_PRELOAD":"x"}}', "", "application/json", 403),
    (json.dumps({"argv": ["a"] * 600}).encode(), "", "application/json", 413),
    (json.dumps({"argv": ["a" * 70000] * 2}).encode(), "", "application/json", 413),
    (json.dumps({"files": {str(i): "" for i in range(1025)}}).encode(), "",
     "application/json", 413),
    (b"{}", "", "text/plain", 415),
    (b"{}", "", "application/jsonp", 415),
    (b"{}", "?_file=a", "application/json", 400),
    (b"{}", "?_stdin=a", "application/json", 400),
])
def test_envelope_that_is_none_is_refused(address, envelope, query, kind, status):
    answer, _ = run(address, envelope, query, kind)
    assert answer.status == status
    assert answer.getheader("Elfpack-Outcome") is None


def test_envelope_is_only_posted(address):
    for method in ("GET", "PUT", "HEAD"):
        answer, _ = call(address, "/_/run?true", method)
        assert (answer.status, answer.getheader("Allow")) == (405, "POST, OPTIONS")
    assert call(address, "/_/run", "OPTIONS")[0].getheader("Allow") == "POST, OPTIONS"


def test_allowed_variables_are_set_and_others_kept(front_with):
    address = front_with("allow_env=LANG", "allow_env=PATH").address
    _, data = run(address, {"argv": ["sh", "-c", "echo $LANG $PATH"], "env": {"LANG": "C.UTF-8"}})
    assert json.loads(data)["stdout"]["data"] == "C.UTF-8 /bin\n"
