"""multipart/form-data bodies, as curl, browsers and attackers send them."""
import json
import subprocess

import pytest

from support.http_client import call, sh

TYPE = "multipart/form-data; boundary=b"


def part(disposition, content=b"", more=b""):
    return (b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n" + more + b"\r\n" +
            content + b"\r\n")


def post(address, target, *parts, kind=TYPE, end=b"--b--\r\n", **fields):
    return call(address, target, "POST", b"".join(parts) + end, Content_Type=kind, **fields)


def curl(url, *arguments):
    done = subprocess.run(["curl", "-sS", *arguments, url], capture_output=True, timeout=60,
                          check=True)
    return done.stdout


def test_curl_sends_files_arguments_input_and_controls(base_url, tmp_path):
    (tmp_path / "a.c").write_bytes(b"a\0\r\n--b\r\n")
    (tmp_path / "x.h").write_text("x")
    data = curl(f"{base_url}/?sh&-c", "-F", "arg=cat src/a.c inc/x.h - $1 > a.out; cat a.out",
                "-F", "arg=sh", "-F", "arg=y.h", "-F", f"src/a.c=@{tmp_path}/a.c",
                "-F", f"inc/x.h=@{tmp_path}/x.h", "-F", "stdin=from stdin;type=text/plain",
                "-F", f"file=@{tmp_path}/x.h;filename=some/where/y.h", "-F", "_out=a.out")
    assert data == b"a\0\r\n--b\r\nxfrom stdinx"


def test_curl_escapes_of_names_are_undone(base_url, tmp_path):
    (tmp_path / "f").write_text("content")
    data = curl(f"{base_url}/?sh&-c&cat+*", "-F", f"file=@{tmp_path}/f;filename=a\"b.txt",
                "-F", "_format=json", "-F", "_out=*")
    assert json.loads(data)["files"][0]["path"] == 'a"b.txt'


@pytest.mark.parametrize("disposition, path", [
    (b'name="file"; filename="C/d/e.txt"', "e.txt"), (b"name=files; filename=plain", "plain"),
    (b'name="file"; filename="%22.txt"', '".txt'), (b'name="file"; filename="\\".txt"', '".txt'),
    (b"name=\"file\"; filename=\"x\"; filename*=UTF-8''%c3%a9.txt", "\u00e9.txt"),
    (b"name=\"file\"; filename*=utf-8'en'%e2%82%ac; filename=\"x\"", "\u20ac"),
    (b"name=\"file\"; filename=\"x\"; filename*=iso-8859-1''%e9", "x"),
    (b'NAME="sub/dir/f"', "sub/dir/f"), (b'name="sub/f"; filename="other"', "sub/f"),
])
def test_part_name_or_filename_names_the_file(address, disposition, path):
    _, data = post(address, "/?find&.&-type&f", part(disposition, b"x"),
                   part(b'name="_format"', b"json"), part(b'name="_out"', b"**"))
    files = json.loads(data)["files"]
    assert [(f["path"], f["data"]) for f in files] == [(path, "x")]


def test_query_arguments_come_before_those_of_the_form(address):
    _, data = post(address, "/?echo&1&2", part(b'name="arg"', b"3"), part(b'name="arg"', b""),
                   part(b'name="arg"', b"4=&+%20"))
    assert data == b"1 2 3  4=&+%20\n"


def test_controls_of_a_form_count(address):
    assert post(address, "/?sleep&9", part(b'name="_timeout"', b"200ms"))[0].status == 504
    assert post(address, "/?false", part(b'name="_status"', b"200"))[0].status == 200
    answer, data = post(address, "/?cat", part(b'name="_stdin"', b"f"), part(b'name="f"', b"yes"))
    assert (answer.status, data) == (200, b"yes")
    assert post(address, "/?cat&_stdin=f", part(b'name="f"', b"yes"))[1] == b"yes"


def test_named_or_raw_bodies_are_opaque(address):
    whole = part(b'name="arg"', b"x") + b"--b--\r\n"
    for target in ("/?cat&_in=raw", "/?cat&f&_file=f"):
        assert call(address, target, "POST", whole, Content_Type=TYPE)[1] == whole
    assert call(address, "/f?cat&f", "PUT", whole, Content_Type=TYPE)[1] == whole


def test_empty_parts_and_chosen_nothing_are_no_files(address):
    answer, data = post(address, sh("ls -A; cat"), part(b'name="file"; filename=""'),
                        part(b'name="stdin"'))
    assert (answer.status, data) == (200, b"")


def test_empty_form_brings_nothing(address):
    assert post(address, "/?echo&x")[1] == b"x\n"


def test_files_are_0644_and_boundaries_may_be_quoted(address):
    body = part(b'name="f"', b"x").replace(b"--b", b"--a b") + b"--a b--"
    _, data = call(address, "/?stat&-c&%25a&f", "POST", body,
                   Content_Type='multipart/form-data; charset=x; Boundary="a b"')
    assert data == b"644\n"


@pytest.mark.parametrize("parts, status", [
    ([part(b'name="../x"')], 400), ([part(b'name="/x"')], 400), ([part(b'name="a\\\\b"')], 400),
    ([part(b'name="f"'), part(b'name="f"')], 400),
    ([part(b'name="stdin"'), part(b'name="stdin"')], 400),
    ([part(b'name="file"')], 400), ([part(b'filename="x"')], 400),
    ([part(b'name="file"; filename=".."')], 400),
    ([part(b'name="a"; name="b"')], 400), ([part(b'name="a')], 400), ([part(b'name=')], 400),
    ([part(b'name="file"; filename*=UTF-8\'\'%ff')], 400),
    ([part(b'name="file"; filename*=UTF-8\'\'a%00')], 400),
    ([part(b'name="arg"', b"a\0b")], 400), ([part(b'name="_unknown"', b"1")], 400),
    ([part(b'name="_file"', b"f")], 400), ([part(b'name="_in"', b"raw")], 400),
    ([part(b'name="_timeout"', b"1s"), part(b'name="_timeout"', b"1s")], 400),
    ([part(b'name="_stdin"', b"none")], 400), ([part(b'name="_env"', b"novalue")], 400),
    ([part(b'name="_env"', b"A=b")], 403), ([part(b'name="_out"', b"../x")], 400),
    ([part(b'name="a"').replace(b"\r\n", b"\n")], 400),
    ([part(b'name="a"', more=b"Content-Transfer-Encoding: base64\r\n")], 400),
    ([part(b'name="a"', more=b" folded\r\n")], 400),
    ([part(b'name="a"', more=b"X: \x01\r\n")], 400),
    ([b"--b\r\nX: y\r\n\r\nabc\r\n"], 400), ([b"--b\r\n\r\nabc\r\n"], 400),
    ([b"preamble\r\n", part(b'name="a"')], 400), ([part(b'name="a"'), b"--bb\r\n"], 400),
    ([part(b'name="arg"', b"x")] * 600, 413),
    ([part(b'name="%d"' % i) for i in range(1025)], 413),
])
def test_malformed_form_is_refused_before_anything_runs(address, parts, status):
    answer, _ = post(address, "/?true", *parts, end=b"--b--\r\n")
    assert answer.status == status
    assert answer.getheader("Elfpack-Outcome") is None


def test_form_without_an_end_or_a_boundary_is_400(address):
    one = part(b'name="a"', b"x")
    for end in (b"", b"--b", b"--b-", b"--b--x", b"--b--\r\nepilogue", b"--b--\n"):
        assert post(address, "/?true", one, end=end)[0].status == 400, end
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; "
                 "boundary=" + "b" * 71, 'multipart/form-data; boundary="b ";',
                 "multipart/form-data; boundary=b; boundary=b"):
        assert post(address, "/?true", one, kind=kind)[0].status == 400, kind
    assert call(address, "/?true&_in=form", "POST", b"a=b",
                Content_Type="application/x-www-form-urlencoded")[0].status == 400
