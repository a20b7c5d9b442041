"""Results as multipart: read by Python's own mail parser."""
import email
import email.policy
import json

import pytest

from support.http_client import call, sh


def parts(answer, data):
    """[(name, filename, bytes)] and checks what all parts share."""
    head = f"Content-Type: {answer.getheader('Content-Type')}\r\n\r\n".encode()
    message = email.message_from_bytes(head + data, policy=email.policy.HTTP)
    assert message.is_multipart() and not message.defects
    found = []
    for part in message.iter_parts():
        name = part["Content-Disposition"].params["name"]
        found.append((name, part.get_filename(), part.get_payload(decode=True)))
    return found


SCRIPT = r"printf 'o\r\n--x'; printf 'e\377' >&2; printf 'f\0\r\n' > f; mkdir d; echo g > d/g; exit "


@pytest.mark.parametrize("code, status", [(0, 200), (3, 422)])
def test_parts_are_meta_streams_and_files_whatever_the_exit(address, code, status):
    answer, data = call(address, sh(SCRIPT + str(code), "_format=multipart", "_out=**"))
    assert answer.status == status
    assert answer.getheader("Content-Type").startswith("multipart/form-data; boundary=")
    (_, _, meta), *rest = parts(answer, data)
    meta = json.loads(meta)
    assert (meta["outcome"], meta["exit_code"]) == ("exited", code)
    assert meta["stdout"] == {"bytes": 6, "truncated": False}
    assert sorted(rest, key=str) == sorted([
        ("stdout", None, b"o\r\n--x"), ("stderr", None, b"e\xff"),
        ("file", "f", b"f\0\r\n"), ("file", "d/g", b"g\n")], key=str)
    assert {f["path"]: f["size"] for f in meta["files"]} == {"f": 4, "d/g": 2}


@pytest.mark.parametrize("accept, kind", [
    ("multipart/form-data", "multipart/form-data"), ("multipart/mixed", "multipart/mixed"),
    ("multipart/mixed, multipart/form-data", "multipart/form-data"),
    ("multipart/mixed, application/json", "application/json"),
    ("multipart/mixed;q=0", "application/octet-stream"),
])
def test_accept_chooses_the_kind(address, accept, kind):
    answer, _ = call(address, "/?echo&x", Accept=accept)
    assert answer.status == 200 and answer.getheader("Content-Type").startswith(kind)


def test_statuses_are_those_of_raw(address):
    assert call(address, "/?sleep&9&_timeout=100ms&_format=multipart")[0].status == 504
    assert call(address, "/?false&_status=200&_format=multipart")[0].status == 200
    answer, data = call(address, "/?true&_out=none&_format=multipart")
    assert answer.status == 422
    assert json.loads(parts(answer, data)[0][2])["unmatched"] == "none"


def test_names_cannot_break_out_of_their_quotes(address):
    name = 'a"\r\nX: y%'
    script = "printf x > \"$(printf 'a\\042\\015\\012X: y%%')\""
    answer, data = call(address, sh(script, "_format=multipart", "_out=*"))
    meta = json.loads(parts(answer, data)[0][2])
    assert answer.status == 200 and meta["files"][0]["path"] == name
    assert b'filename="a%22%0D%0AX: y%"\r\n' in data
