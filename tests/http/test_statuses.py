"""Every cause of every status: CAUSES has the sentence with which front says it, and a request
that is answered so, natively and by a booted image; LIMITED are those of an image whose limits are
narrow. ELSEWHERE names the tests of what takes time or a machine in need, HOSTILE those of other
hostile input. The first tests hold them against the statuses and the sentences in front's
sources."""
import json
import pathlib
import re
import resource
import socket
import tarfile
import zipfile
import zlib

import pytest

from support.guest import Guest, build_image
from support.http_client import call, exchange, read_head, read_to_end, sh, status_of
from support.native_front import NativeFront
from support.refusals import refusals, statuses
from test_archives import encrypted, entry, tar_of, zip_of

HOST = b"Host: h\r\n"
CLOSE = HOST + b"Connection: close\r\n"
CHUNKED = b"POST /?cat HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
FORM = "multipart/form-data; boundary=b"


def ask(target, method="GET", body=None, kind=None, *fields):
    """A whole request, after which the connection closes."""
    lines = [f"{method} {target} HTTP/1.1", "Host: h", "Connection: close", *fields]
    if kind:
        lines.append(f"Content-Type: {kind}")
    if body is not None:
        body = body if isinstance(body, bytes) else body.encode()
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def envelope(text):
    return ask("/_/run", "POST", text, "application/json")


def form(*parts, end="--b--\r\n"):
    return ask("/?true", "POST", "".join(parts) + end, FORM)


def part(disposition, content="", more=""):
    return f"--b\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n{content}\r\n"


def field(line):
    return b"POST /?cat HTTP/1.1\r\n" + CLOSE + line + b"\r\n\r\n"


def tar(*members, **more):
    return ask("/?true", "POST", tar_of(*members, **more), "application/x-tar")


def zipped(body):
    return ask("/?true", "POST", body, "application/zip")


def packed(body):
    return ask("/?cat", "POST", body, None, "Content-Encoding: gzip")


def gzip_of(size, level=9):
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(bytes(size)) + packer.flush()


def sparse():
    """A GNU tar of 1 MiB of which one block is there (tar's manual, "Sparse Formats")."""
    info = entry("hole", tarfile.GNUTYPE_SPARSE)
    header = bytearray(tar_of(info, end=False, form=tarfile.GNU_FORMAT)[:512])
    header[124:136] = b"%011o\0" % 512                     # what is stored
    header[386:410] = b"%011o\0%011o\0" % (0x80000, 512)   # where, and how much
    header[483:495] = b"%011o\0" % (1 << 20)               # the file's size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return ask("/?true", "POST", bytes(header) + bytes(512 + 1024), "application/x-tar")


def zip_with_a_wrong_name():
    """Flagged as UTF-8 (APPNOTE.TXT, 4.4.4), which it is not."""
    return zip_of(("\u00e9", "1"), method=zipfile.ZIP_STORED).replace(b"\xc3\xa9", b"\xc3\x28")


GZIP = bytes.fromhex("1f8b080000000000000303000000000000000000")  # of nothing: RFC 1952

CAUSES = [
    # The request's head.
    (400, "not HTTP", b"\x16\x03\x01\x02\x00\x01"),
    (400, "empty lines instead of a request", b"\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, "a line that does not end in CRLF", b"GET / HTTP/1.1\n" + HOST + b"\n"),
    (400, "malformed request line", b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, "a byte that no target may have", b"GET /#x HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, "target * without OPTIONS", b"GET * HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, "target is neither a path nor an http URL", b"GET ftp://h/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, "target with a malformed host", b"GET http://a@b/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, "malformed header field", field(b"Content-Length : 1")),
    (400, "a control character in a header field", field(b"X: a\0b")),
    (400, "a header field that must not be repeated is", field(b"Host: h")),
    (400, "malformed Host", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    (400, "no Host", b"GET / HTTP/1.1\r\n\r\n"),
    (400, "malformed Content-Length", field(b"Content-Length: +1")),
    (400, "malformed Transfer-Encoding", field(b"Transfer-Encoding: chunked, chunked")),
    (400, "Content-Length beside Transfer-Encoding",
     field(b"Content-Length: 1\r\nTransfer-Encoding: chunked")),
    (400, "Transfer-Encoding in HTTP/1.0", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (414, "the target is too long", ask("/?" + "a" * 8192)),
    (431, "too many header fields", field(b"X: y\r\n" * 99 + b"X: y")),
    (431, "the header block is too long", field(b"X: " + b"y" * 16384)),
    (417, "only 100-continue can be expected", field(b"Expect: the-best")),
    (501, "unknown method", b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n"),
    (501, "unknown transfer coding", field(b"Transfer-Encoding: gzip, chunked")),
    (505, "only HTTP/1.1 and HTTP/1.0 are spoken here", b"GET / HTTP/2.0\r\n" + HOST + b"\r\n"),
    # Chunks.
    (400, "a chunk without a size", CHUNKED + b"\r\nabc\r\n0\r\n\r\n"),
    (400, "a malformed chunk size", CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n"),
    (400, "a chunk size that overflows", CHUNKED + b"10000000000000003\r\nabc\r\n0\r\n\r\n"),
    (400, "a chunk size with too many digits", CHUNKED + b"0" * 17 + b"\r\n\r\n"),
    (400, "a chunk longer than its size", CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n"),
    (400, "CR without LF in chunked framing", CHUNKED + b"3\rabc\r\n0\r\n\r\n"),
    (400, "a control character in chunked framing", CHUNKED + b"3;a\nabc\r\n0\r\n\r\n"),
    (400, "a malformed trailer field", CHUNKED + b"0\r\nX y\r\n\r\n"),
    (400, "too many chunk extensions or trailers", CHUNKED + b"3;" + b"x" * 20000 + b"\r\nabc\r\n"),
    # Routes and methods.
    (404, "no such route; programs run at /", ask("/nothing")),
    (404, "no such route", ask("/_/nothing")),
    (405, "this route is only read", ask("/_/health", "POST", "x")),
    (405, "an envelope is posted", ask("/_/run")),
    (405, "PUT needs a file name in its path", ask("/", "PUT", "x")),
    (405, "this method is not for programs", ask("/", "DELETE")),
    (400, "a body with a method that has none", ask("/?cat", "GET", "x")),
    # The query and its controls.
    (400, "a NUL byte in the query", ask("/?a%00")),
    (400, "unknown control (write arg=... for an argument)", ask("/?_x=1")),
    (400, "a control given twice", ask("/?true&_timeout=1s&_timeout=1s")),
    (400, "a control with a value it cannot have", ask("/?true&_timeout=0s")),
    (400, "_out with a stream, which has no files", ask("/?true&_out=a&_format=stream")),
    (400, "_file with PUT, whose path names the body", ask("/a?cat&_file=b", "PUT", "x")),
    (400, "_in for a body that has a name", ask("/a?cat&_in=raw", "PUT", "x")),
    (400, "_stdin names no uploaded file", ask("/a?cat&_stdin=b", "PUT", "x")),
    (400, "_file, _in or _stdin for an envelope",
     ask("/_/run?_file=a", "POST", "{}", "application/json")),
    (403, "an environment variable that this image does not let requests set", ask("/?env&_env=A=b")),
    (413, "too many arguments", ask("/?" + "a&" * 513)),
    (413, "too many outputs", ask("/?true" + "&_out=a" * 513)),
    # Names.
    (400, "a file name with an empty component", ask("/a//b?cat", "PUT", "x")),
    (400, "a file name with a . or .. component", ask("/a/%2e./b?cat", "PUT", "x")),
    (400, "a file name with an encoded slash", ask("/a%2Fb?cat", "PUT", "x")),
    (400, "a file name with a backslash or a control character", ask("/a%5cb?cat", "PUT", "x")),
    (400, "a file name with a component over 255 bytes", ask("/" + "a" * 256 + "?cat", "PUT", "x")),
    (400, "a file name with too many components", ask("/" + "a/" * 16 + "a?cat", "PUT", "x")),
    (400, "a file name that is too long", ask("/" + "a" * 3073 + "?cat", "PUT", "x")),
    (400, "a file name that is not relative", ask("/?cat&_file=/etc/passwd", "POST", "x")),
    # The kind of body, its length and its coding.
    (413, "the body is too long", b"POST /?cat HTTP/1.1\r\n" + CLOSE + b"Content-Length: 33554433\r\n\r\n"),
    (415, "a content coding that is not supported",
     ask("/?cat", "POST", "x", None, "Content-Encoding: br")),
    (415, "an envelope is application/json", ask("/_/run", "POST", "{}", "text/plain")),
    (400, "no envelope in the body", ask("/_/run", "POST", None, "application/json")),
    (400, "a form without a valid boundary in its type", ask("/?cat", "POST", "x", "multipart/form-data")),
    (400, "malformed gzip", packed(b"plain")),
    (400, "gzip that ends too early", packed(GZIP[:-1])),
    (413, "the body is packed too well to be true", packed(gzip_of(3 << 20))),
    # Envelopes.
    (400, "JSON: an object is wanted", envelope("[]")),
    (400, "JSON: a string is wanted", envelope("{1:2}")),
    (400, "JSON: a colon is wanted", envelope('{"argv"}')),
    (400, "JSON: an unknown member", envelope('{"nope":[]}')),
    (400, "JSON: a member that comes twice", envelope('{"argv":[],"argv":[]}')),
    (400, "JSON: an array of strings is wanted", envelope('{"argv":"a"}')),
    (400, "JSON: the end of the array is wanted", envelope('{"argv":["a"')),
    (400, "JSON: the end of the object is wanted", envelope('{"argv":[]')),
    (400, "JSON: a string without an end", envelope('{"argv')),
    (400, "JSON: a malformed escape", envelope(r'{"argv":["\ud800"]}')),
    (400, "JSON: a byte that no string may have", envelope(b'{"argv":["\xff"]}')),
    (400, "JSON: more than one value", envelope("{}{}")),
    (400, "JSON: the member of a content is base64", envelope('{"stdin":{"hex":"00"}}')),
    (400, "JSON: the end of the content is wanted", envelope('{"stdin":{"base64":"","x":""}}')),
    (400, "malformed base64", envelope('{"stdin":{"base64":"AB=="}}')),
    (400, "a malformed name of a variable", envelope('{"env":{"a=b":"c"}}')),
    (400, "a variable that is given twice", envelope('{"env":{"a":"1","a":"2"}}')),
    (400, "a NUL where there must be none", envelope(r'{"argv":["a\u0000"]}')),
    (413, "too many arguments, variables or outputs", envelope(json.dumps({"argv": ["a"] * 513}))),
    # Forms.
    (400, "form: it does not begin with its boundary", form("preamble\r\n", part('name="a"'))),
    (400, "form: a malformed boundary", form(part('name="a"'), end="--bb\r\n")),
    (400, "form: a part without an end", form(part('name="a"'), end="")),
    (400, "form: a line that does not end in CRLF", form(part('name="a"').replace("\r\n", "\n", 2)
                                                         .replace("--b\n", "--b\r\n"))),
    (400, "form: a malformed field of a part", form(part('name="a"', more=" folded\r\n"))),
    (400, "form: a control character in a field", form(part('name="a"', more="X: \1\r\n"))),
    (400, "form: a malformed Content-Disposition", form(part('name="a"; name="b"'))),
    (400, "form: a part without Content-Disposition", form("--b\r\n\r\nabc\r\n")),
    (400, "form: a transfer encoding",
     form(part('name="a"', more="Content-Transfer-Encoding: base64\r\n"))),
    (400, "form: a file without a filename", form(part('name="file"'))),
    (400, "form: two parts stdin", form(part('name="stdin"'), part('name="stdin"'))),
    (400, "a control that a form cannot have", form(part('name="_file"', "f"))),
    (400, "_env is NAME=VALUE", form(part('name="_env"', "novalue"))),
    (400, "_stdin beside a part stdin",
     form(part('name="stdin"'), part('name="f"'), part('name="_stdin"', "f"))),
    (400, "two files of the same name", form(part('name="f"'), part('name="f"'))),
    (413, "too many files", form(*[part(f'name="{i}"') for i in range(1025)])),
    # Archives.
    (400, "a malformed or encrypted archive", zipped(b"PK\3\4" + bytes(500))),
    (400, "a tar without an end", tar(("a", b"1"), end=False)),
    (400, "an archive with a link", tar(entry("l", tarfile.SYMTYPE, linkname="/etc/passwd"))),
    (400, "an archive with neither a file nor a folder", tar(entry("f", tarfile.FIFOTYPE))),
    (400, "an archive with a sparse file", sparse()),
    (400, "an archive with an encrypted file", zipped(encrypted())),
    (400, "an archive with a file name that is not UTF-8", zipped(zip_with_a_wrong_name())),
    (413, "the archive is packed too well to be true",
     zipped(zip_of(("zeros", bytes(8 << 20))))),
    # What became of the program.
    (422, "the program exited with status 1", ask("/?false")),
    (422, "the program was ended by signal 9", ask(sh("kill -9 $$"))),
    (422, "_out matched no file", ask("/?true&_out=none")),
    (422, "_out matched several files, and raw returns one", ask(sh("touch a b", "_out=*"))),
    (504, "the program ran too long", ask("/?sleep&9&_timeout=100ms")),
]


# A working directory that has something in it, and is so deep that names in it can be too long.
DEEP = "/" + "/".join(["c" * 250] * 5)
LIMITS = {"header_bytes": 8192, "concurrency": 1, "queue": 1, "queue_age_ms": 1000, "unpacked_bytes": 100000,
          "files_out_bytes": 100000, "args_bytes": 1000000, "memory_bytes": 32 << 20}
LIMITED = [
    (414, "the request line is too long", b"GET /" + b"a" * 8187),
    (403, "an argument that this image does not let requests give", ask("/?echo&Xx")),
    (413, "the body is too long once unpacked", packed(gzip_of(100001, 0))),
    (413, "the files are too long", tar(("a", bytes(100001)))),
    (413, "the body does not fit into the job's memory", ask("/big?true", "PUT", bytes(1 << 20))),
    (413, "too many arguments", envelope(json.dumps({"argv": ["echo", "a" * 200000]}))),
    (400, "the body's name is that of a folder", ask("/folder?true", "PUT", "x")),
    (400, "the body's name has a file where a folder should be", ask("/file/x?true", "PUT", "x")),
    (400, "the body's name goes through a link", ask("/link/x?true", "PUT", "x")),
    (422, "the program made too many bytes of files",
     ask(sh("head -c 100001 /dev/zero > o", "_out=o"))),
]

# (status, sentence): tests of the native front, and of a booted image.
ELSEWHERE = {
    (200, ""): ("test_results.py::test_status_says_what_became_of_the_program",) * 2,
    (204, ""): ("test_methods.py::test_options_is_204_and_names_the_methods",) * 2,
    (404, "no such route on the admin port"): (
        "test_monitoring.py::test_admin_port_has_metrics_and_the_log_and_the_main_port_neither",
        "test_image_clients.py::test_no_program_runs_on_the_admin_port"),
    (408, "the header took too long"): (
        "test_slow_clients.py::test_header_that_never_ends_is_408_at_its_deadline",
        "test_image_clients.py::test_a_client_that_never_ends_its_request_is_408"),
    (408, "the body took too long"): (
        "test_slow_clients.py::test_body_that_never_ends_is_408_at_its_deadline",
        "test_image_clients.py::test_a_client_that_never_ends_its_request_is_408"),
    (413, "the archive takes too much memory to read"): (
        "test_archives.py::test_zip_whose_directory_never_ends_is_refused",) * 2,
    (429, "the queue is full"): (
        "test_queue.py::test_full_queue_is_429_with_retry_after_and_ready_says_so",
        "test_statuses.py::test_queue_of_an_image_is_429_when_full_and_503_when_old"),
    (503, "too long in the queue"): (
        "test_queue.py::test_too_long_in_the_queue_is_503_with_retry_after",
        "test_statuses.py::test_queue_of_an_image_is_429_when_full_and_503_when_old"),
    (503, "draining"): (
        "test_queue.py::test_sigterm_drains_running_and_queued_jobs_then_exits",
        "test_image_clients.py::test_the_power_button_lets_requests_end_and_refuses_new_ones"),
    (503, "out of descriptors"): (
        "test_statuses.py::test_front_without_descriptors_is_503_and_recovers", None),
    (503, "out of memory"): (
        None, "test_statuses.py::test_bodies_beyond_a_machines_memory_are_503_and_it_recovers"),
    (500, "the program could not be started"): (
        "test_statuses.py::test_program_that_cannot_be_started_is_500", None),
    (400, "the body's name is too long"): (
        None, "test_statuses.py::test_name_that_is_too_long_with_its_folder_is_400"),
    (422, "the program used up its memory"): (  # natively where jobs have a cgroup
        "../boot/test_serve_limits.py::test_program_that_fills_its_memory_is_422",
        "test_statuses.py::test_program_that_uses_up_an_images_memory_is_oom"),
}

# Hostile input beyond single refusals: where each kind is tried, natively and on an image.
HOSTILE = {
    "request smuggling": "test_framing.py::test_ambiguous_request_is_refused_and_the_connection_closed",
    "every truncation": "test_framing.py::test_request_that_ends_early_is_never_run",
    "multipart": "test_forms.py::test_malformed_form_is_refused_before_anything_runs",
    "tar: traversal, links, devices, duplicates": "test_archives.py::test_hostile_tar_is_400",
    "zip: traversal, links, encryption, duplicates": "test_archives.py::test_hostile_zip_is_400",
    "archives cut anywhere": "test_archives.py::test_archive_cut_anywhere_is_400",
    "bombs": "test_archives.py::test_bombs_are_413",
    "gzip bombs": "test_gzip.py::test_bomb_is_413",
    "an archive without end": "test_archives.py::test_zip_whose_directory_never_ends_is_refused",
    "a body without end": "test_slow_clients.py::test_body_that_never_ends_is_408_at_its_deadline",
    "lies about sizes": "test_archives.py::test_declared_sizes_are_not_believed",
    "JSON": "test_envelope.py::test_envelope_that_is_none_is_refused",
    "encodings": "test_gzip.py::test_malformed_gzip_is_400",
    "globs": "test_costly_requests.py::test_globs_that_are_long_to_match_are_an_output_limit",
    "lists": "test_costly_requests.py::test_an_envelope_of_a_hundred_thousand_of_anything_is_413",
    "names in results": "test_multipart_results.py::test_names_cannot_break_out_of_their_quotes",
    "slow clients": "test_clients.py::test_slowhttptest_does_not_stop_service",
    "slow clients of an image": "test_image_clients.py::test_slowhttptest_does_not_stop_service",
    "1,000 idle connections": "test_clients.py::test_thousand_idle_connections_cost_others_nothing",
    "1,000 idle connections of an image": "test_image_clients.py::"
        "test_a_thousand_idle_connections_cost_bounded_memory_and_are_dropped",
    "a client that leaves": "test_clients.py::test_client_that_leaves_ends_its_job_within_100_ms",
    "fork bombs": "test_hostile_programs.py::test_program_that_forks_for_ever_ends_with_all_it_made",
    "compile bombs, /proc of others":
        "../corpus/test_compile_server.py::test_a_hostile_source_costs_its_own_request",
    "#include \"/dev/zero\"":
        "../corpus/test_compile_server.py::test_an_endless_device_is_an_empty_file_as_on_the_host",
    "a client that leaves mid-compile": "../corpus/test_compile_server.py::"
        "test_a_client_that_leaves_ends_its_compilation_within_100_ms",
}


def test_each_sentence_of_the_sources_is_in_a_table():
    told = {(status, sentence) for status, sentence, _ in CAUSES + LIMITED} | set(ELSEWHERE)
    assert refusals() - told == set(), "no test shows these"
    said = {sentence for _, sentence in refusals()}
    gone = {row for row in told if row[0] not in (200, 204, 422, 504) and row[1] not in said}
    assert gone == set(), "front does not say these"


def test_each_status_of_the_sources_is_in_a_table():
    assert {status for status, _, _ in CAUSES + LIMITED} | {s for s, _ in ELSEWHERE} == statuses()


def test_each_test_that_is_named_is_there():
    here = pathlib.Path(__file__).parent
    named = {test for pair in ELSEWHERE.values() for test in pair if test}
    for test in named | set(HOSTILE.values()):
        file, function = test.split("::")
        assert re.search(rf"^def {function}\(", (here / file).read_text(), re.MULTILINE), test


def ask_for(address, status, sentence, request):
    answer = exchange(address, request)
    assert status_of(answer) == status, answer[:300]
    assert sentence.encode() in answer.split(b"\r\n\r\n", 1)[1], answer
    fields = answer.split(b"\r\n\r\n")[0]
    assert (b"\r\nAllow: " in fields) == (status == 405)
    assert (b"\r\nRetry-After: " in fields) == (status in (429, 503))
    assert b"\r\nConnection: close" in fields


def name_of(row):
    return f"{row[0]} {row[1]}"


@pytest.mark.parametrize("row", CAUSES, ids=name_of)
def test_request_is_refused_with_the_status_and_the_sentence_of_its_cause(address, row):
    ask_for(address, *row)


def fill(folder):
    (folder / "folder").mkdir(parents=True)
    (folder / "file").write_text("x")
    (folder / "link").symlink_to("folder")


@pytest.fixture(scope="module", params=[
    "native", pytest.param("image", marks=pytest.mark.xdist_group("limited_image"))])
def limited(request, tmp_path_factory):
    """(host, port) of a server with LIMITS."""
    folder = tmp_path_factory.mktemp("limited")
    if request.param == "native":
        lines = [f"limit.{key}={value}" for key, value in LIMITS.items()]
        front = NativeFront(folder, [*lines, "allow_arg=[^X].*", f"cwd={DEEP}"],
                            lambda root: fill(root / DEEP[1:]))
        yield front.address
        assert front.stop() == 0
        return
    fill(folder / "data")
    flags = [word for key, value in LIMITS.items()
             for word in (f"--http-{key.replace('_', '-')}", str(value))]
    image = build_image(folder / "b.img", "/bin/busybox", "--http", "--http-allow-arg", "[^X].*",
                        "--cwd", DEEP, "--dir", f"{folder}/data:{DEEP}", *flags)
    with Guest(image, folder=folder, memory="128M") as guest:
        guest.wait_ready()
        yield "127.0.0.1", guest.port
        assert guest.metrics()["elfpack_pages_leaked_total"] == 0


IMAGE = pytest.mark.parametrize("limited", [pytest.param(
    "image", marks=pytest.mark.xdist_group("limited_image"))], indirect=True)
NATIVE = pytest.mark.parametrize("limited", ["native"], indirect=True)


@pytest.mark.parametrize("row", LIMITED, ids=name_of)
def test_request_beyond_an_images_own_limits_is_refused(limited, row):
    ask_for(limited, *row)
    assert call(limited, "/?echo&next")[1] == b"next\n"


class Waiting:
    """A request that has been sent, and whose answer is still to be read."""

    def __init__(self, address, target):
        self.client = socket.create_connection(address, timeout=60)
        self.client.sendall(ask(target))

    def __enter__(self):
        return self.client

    def __exit__(self, *_):
        self.client.close()


@IMAGE
def test_queue_of_an_image_is_429_when_full_and_503_when_old(limited):
    with Waiting(limited, "/?sleep&9&_format=stream") as running:
        read_head(running)  # of a stream: the program runs
        with Waiting(limited, "/?echo&late") as queued:
            while call(limited, "/_/ready")[0].status == 200:
                pass
            ask_for(limited, 429, "the queue is full", ask("/?true"))
            answer = read_to_end(queued)
        assert status_of(answer) == 503 and b"too long in the queue" in answer
        assert b"\r\nRetry-After: " in answer
    assert call(limited, "/?echo&next")[1] == b"next\n"


@IMAGE
def test_name_that_is_too_long_with_its_folder_is_400(limited):
    name = "/".join(["n" * 250] * 12)
    ask_for(limited, 400, "the body's name is too long", ask(f"/{name}?true", "PUT", "x"))


@IMAGE
def test_program_that_uses_up_an_images_memory_is_oom(limited):
    answer, text = call(limited, "/?awk&BEGIN%7Bs%3D%22x%22;while(1)s%3Ds%20s%7D")
    assert (answer.status, answer.getheader("Elfpack-Outcome")) == (422, "oom")
    assert b"the program used up its memory" in text


@IMAGE
def test_bodies_beyond_a_machines_memory_are_503_and_it_recovers(limited):
    """The machine has 128 MiB, and keeps a tenth of what is free of it for bodies."""
    ask_for(limited, 503, "out of memory", ask("/?cat", "POST", bytes(24 << 20)))
    assert call(limited, "/?echo&next")[1] == b"next\n"


@pytest.mark.parametrize("request_", [ask("/?true"), ask("/f?true", "PUT", "x"),
                                      ask("/?cat", "POST", "x")], ids=["GET", "PUT", "POST"])
def test_front_without_descriptors_is_503_and_recovers(tmp_path, request_):
    """One more connection is held in the middle of its request, until there is no job for lack of
    the descriptors that it takes."""
    front = NativeFront(tmp_path, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_NOFILE, (64, 64)))
    held = []
    while status_of(exchange(front.address, request_)) == 200:
        held.append(socket.create_connection(front.address, timeout=30))
        held[-1].sendall(b"POST /?cat HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                         b"Content-Length: 2\r\n\r\n")
        assert read_head(held[-1]).startswith(b"HTTP/1.1 100 ")
    ask_for(front.address, 503, "out of descriptors", request_)
    for client in held:
        client.close()
    assert status_of(exchange(front.address, request_)) == 200
    assert front.stop() == 0


def test_program_that_cannot_be_started_is_500(front_with):
    front = front_with("exec=/bin/none")
    ask_for(front.address, 500, "the program could not be started: No such file", ask("/?true"))
    assert call(front.address, "/_/health")[0].status == 200
