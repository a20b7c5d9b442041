"""`elfpack build clang --http`, with no further flag, as a compile server: one image, booted
once. The judge is the same clang on the host: the executables are equal, byte for byte, and
what they print is compared."""
import concurrent.futures
import json
import shutil
import socket
import subprocess
import time

import pytest

from corpus.compiled_programs import PROGRAMS
from support.compile_both import compile_here, compile_there
from support.worked_examples import COMPILING, check

pytestmark = [pytest.mark.xdist_group("compile_server"),
              pytest.mark.skipif(not shutil.which("clang"), reason="clang is not installed")]

SECONDS = 240  # for one request, on an emulated CPU beside other tests

HELLO = b"""#include <stdio.h>
#include <math.h>
int main(int argc, char **argv)
{
	printf("hello %d %s %.6f\\n", argc, argv[1], sqrt(argc));
	return argc;
}
"""
CONTAINERS = b"""#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
int main(int argc, char **argv)
{
	std::map<std::string, int> lengths;
	for (int i = 1; i < argc; i++)
		lengths[argv[i]] = i;
	try {
		lengths.at("missing");
	} catch (const std::out_of_range &) {
		std::cout << "thrown and caught\\n";
	}
	for (const auto &[word, place] : lengths)
		std::cout << word << ' ' << place << '\\n';
}
"""
CPP = ["--driver-mode=g++", "-std=c++17"]


@pytest.fixture(scope="module")
def guest(clang_guest):
    return clang_guest


@pytest.mark.parametrize("example", COMPILING, ids=lambda e: e.command)
@pytest.mark.parametrize("where", ["image", "served"])
def test_worked_example_of_http_md(request, tmp_path, where, example):
    address = request.getfixturevalue("clang_guest").url if where == "image" else \
        request.getfixturevalue("clang_served")
    check(example, address, tmp_path, SECONDS)


def query(arguments, *controls):
    def quote(word):
        return word.replace("%", "%25").replace("+", "%2B").replace("&", "%26")
    return "/?" + "&".join([*map(quote, arguments), *controls])


@pytest.fixture
def compile_both(guest, tmp_path):
    """Compiles in the image and on the host; returns both outputs."""
    def call(name, source, arguments, out="a.out"):
        target = query([name, *arguments, "-o", out], f"_out={out}")
        status, _, made = guest.request("PUT", target.replace("/?", f"/{name}?"), source,
                                        timeout=SECONDS)
        assert status == 200, made.decode(errors="replace")
        (tmp_path / name).write_bytes(source)
        subprocess.run(["clang", name, *arguments, "-o", out], cwd=tmp_path, check=True,
                       timeout=SECONDS)
        return made, (tmp_path / out).read_bytes()
    return call


def run(folder, program, *arguments):
    path = folder / "program"
    path.write_bytes(program)
    path.chmod(0o755)
    done = subprocess.run([path, *arguments], capture_output=True, timeout=SECONDS)
    return done.returncode, done.stdout


@pytest.mark.parametrize("name, source, arguments", [
    ("hello.c", HELLO, ["-O2", "-lm"]),
    ("hello.c", HELLO, ["-g", "-fdebug-compilation-dir=.", "-lm", "-fuse-ld=lld"]),
    ("hello.c", HELLO, ["-O3", "-static", "-lm"]),
    ("c.cc", CONTAINERS, [*CPP, "-O1"]),
    ("c.cc", CONTAINERS, [*CPP, "-O2", "-static"]),
], ids=["C", "C-debug-lld", "C-static", "C++", "C++-static"])
def test_executables_equal_the_hosts_and_run_there(compile_both, tmp_path, name, source,
                                                   arguments):
    made, native = compile_both(name, source, arguments)
    assert run(tmp_path, made, "pear", "fig") == run(tmp_path, native, "pear", "fig")
    assert made == native


@pytest.mark.parametrize("name, arguments, out", [
    ("hello.c", ["-c", "-O2"], "hello.o"),
    ("hello.c", ["-S", "-O2"], "hello.s"),
    ("hello.c", ["-E"], "hello.i"),
    ("hello.c", ["-c", "-emit-llvm"], "hello.bc"),
])
def test_every_stage_gives_what_the_host_gives(compile_both, name, arguments, out):
    made, native = compile_both(name, HELLO, arguments, out)
    assert made == native


def test_assembler_source_is_assembled(compile_both):
    source = b".globl answer\nanswer: mov $42, %eax\nret\n"
    made, native = compile_both("answer.s", source, ["-c"], "answer.o")
    assert made == native


def test_the_driver_says_the_same_of_itself(guest):
    native = subprocess.run(["clang", "--version"], capture_output=True, check=True).stdout
    assert guest.request("GET", "/?--version", timeout=SECONDS)[2] == native


def test_a_wrong_program_is_422_with_the_compilers_message(guest):
    status, headers, body = guest.request("PUT", "/bad.c?-c&bad.c&_out=bad.o",
                                          b"int main(void) { return x; }\n", timeout=SECONDS)
    assert (status, headers["Elfpack-Exit-Code"]) == (422, "1")
    assert b"bad.c:1:25: error: use of undeclared identifier 'x'" in body


@pytest.mark.parametrize("kind", ["C of several files, headers in folders", "C LTO"])
def test_a_program_that_comes_as_multipart_equals_the_hosts(guest, tmp_path, kind):
    """tests/corpus/compile_many does it for all kinds."""
    program, = (program for program in PROGRAMS if program.kind == kind)
    made = compile_there(program, guest)
    assert made == compile_here(program, tmp_path)
    assert run(tmp_path, made)[0] == 0


def test_a_program_of_several_files_comes_as_json(guest, tmp_path):
    envelope = {"argv": ["-c", "a.c", "b.c"], "out": ["*.o"],
                "files": {"a.c": "int a;", "b.c": "int b(void) { return 7; }"}}
    status, _, body = guest.request("POST", "/_/run", json.dumps(envelope),
                                    {"Content-Type": "application/json"}, timeout=SECONDS)
    answer = json.loads(body)
    assert (status, answer["outcome"], answer["exit_code"]) == (200, "exited", 0)
    assert sorted(file["path"] for file in answer["files"]) == ["a.o", "b.o"]


def test_requests_at_a_time_do_not_see_each_other(guest, tmp_path):
    def compile_one(number):
        source = b"int main(void) { return %d; }\n" % number
        return guest.request("PUT", "/same.c?same.c&_out=a.out", source, timeout=SECONDS)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(compile_one, range(4)))
    assert [status for status, _, _ in answers] == [200] * 4
    assert [run(tmp_path, body)[0] for _, _, body in answers] == [0, 1, 2, 3]


def test_an_endless_device_is_an_empty_file_as_on_the_host(compile_both):
    made, native = compile_both("zero.c", b'#include "/dev/zero"\n', ["-c"], "zero.o")
    assert made == native


ENDLESS = (b"template <int n> struct t { static const int v = t<n + 1>::v + t<n + 2>::v; };\n"
           b"int x = t<0>::v;\n")


@pytest.mark.parametrize("source, time, status", [
    (ENDLESS, "4s", 504),
    (b"char a[1L << 33] = {1};\n", "200s", 422),
    (b'#include "bad.cc"\n#include "bad.cc"\n', "200s", 422),
    (b'#include "/proc/1/environ"\n', "200s", 422),
], ids=["endless-templates", "more-than-memory", "includes-itself", "environment-of-another"])
def test_a_hostile_source_costs_its_own_request(guest, source, time, status):
    target = query(["-c", "bad.cc", "-ftemplate-depth=100000"], f"_timeout={time}",
                   "_out=bad.o")
    answer = guest.request("PUT", target.replace("/?", "/bad.cc?"), source, timeout=SECONDS)
    assert answer[0] == status
    assert guest.request("GET", "/?-dumpversion", timeout=SECONDS)[0] == 200


def test_a_client_that_leaves_ends_its_compilation_within_100_ms(guest):
    head = (f"PUT /bad.cc?-c&bad.cc&-ftemplate-depth=100000&_timeout=200s&_out=bad.o HTTP/1.1\r\n"
            f"Host: h\r\nContent-Length: {len(ENDLESS)}\r\n\r\n")
    with socket.create_connection(("127.0.0.1", guest.port), timeout=SECONDS) as client:
        client.sendall(head.encode() + ENDLESS)
        begun = time.monotonic()
        while not guest.metrics()["elfpack_jobs_running"]:
            assert time.monotonic() - begun < SECONDS
        time.sleep(1)
        assert guest.metrics()["elfpack_jobs_running"] == 1
    left, answers = time.monotonic(), 0
    while guest.metrics()["elfpack_jobs_running"]:
        answers += 1
        assert answers < 2 or time.monotonic() - left < 0.1


def test_no_page_is_lost(guest):
    assert guest.metrics()["elfpack_pages_leaked_total"] == 0
    assert "panic" not in guest.console()
