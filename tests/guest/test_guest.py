"""Small programs behave in an image as on Linux: each is run natively first, then in one booted
image, and has to print the same lines and end the same way."""
import functools
import json
import pathlib
import subprocess
import urllib.parse

import pytest

from support.guest import Guest, build_image

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = sorted(path.stem for path in HERE.glob("*.c"))
# Built against musl too: its start-up, threads and buffers use other calls than glibc's.
ALSO_MUSL = ("files", "processes", "signals", "threads")
CASES = PROGRAMS + [f"{name}.musl" for name in ALSO_MUSL]
# In a folder of their own: on one CPU `parallel` would wait for ever.
SEVERAL_CPUS = ("changing", "parallel")


def compile_program(case, folder, sources=HERE):
    name, _, musl = case.partition(".")
    compiler = "musl-gcc" if musl else "gcc"
    out = folder / case
    subprocess.run([compiler, "-static", "-O1", "-std=gnu11", "-Wall", "-Wextra",
                    "-Wno-unused-result", "-Wno-stringop-overflow", "-Wno-stringop-overread",
                    "-pthread", sources / f"{name}.c", "-o", out], check=True, timeout=60)
    return out


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    built = {case: compile_program(case, folder) for case in CASES}
    return built | {name: compile_program(name, folder, HERE / "cpus") for name in SEVERAL_CPUS}


def image_of(programs, folder):
    files = [word for case, path in programs.items()
             for word in ("--file", f"{path}:/tests/{case}")]
    return build_image(folder / "guest.img", "/bin/busybox", "--http", *files)


@pytest.fixture(scope="session")
def image(programs, tmp_path_factory):
    return image_of(programs, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session", params=[
    pytest.param(cpus, id=f"{cpus}cpu", marks=pytest.mark.xdist_group(f"guest{cpus}"))
    for cpus in (1, 2)])
def guest(request, image, tmp_path_factory):
    with Guest(image, folder=tmp_path_factory.mktemp("guest"), cpus=request.param) as booted:
        booted.wait_ready()
        booted.cpus = request.param
        yield booted


@functools.cache
def native(program):
    # In a session of its own, as every job is: the runner's may lie outside this PID namespace,
    # and then getsid says 0.
    ended = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                           env={"PATH": "/bin"}, start_new_session=True)
    return ended.stdout.decode(), ended.stderr.decode(), ended.returncode


def in_image(guest, case):
    status, _, body = guest.request("GET", f"/?env&-i&PATH%3D/bin&/tests/{case}",
                                    headers={"Accept": "application/json"}, timeout=60)
    assert status == 200, body
    result = json.loads(body)
    assert result["outcome"] in ("exited", "signaled"), (result, guest.console()[-2000:])
    code = -result["signal"] if result["signal"] else result["exit_code"]
    return result["stdout"]["data"], result["stderr"]["data"], code


@pytest.mark.parametrize("case", CASES)
def test_program_behaves_as_on_linux(case, programs, guest):
    out, err, code = native(programs[case])
    guest_out, guest_err, guest_code = in_image(guest, case)
    assert guest_out.splitlines() == out.splitlines(), guest.console()[-2000:]
    assert guest_err == err
    assert guest_code == code


def test_threads_run_on_several_cpus_at_once(programs, guest):
    if guest.cpus == 1:
        status, _, body = guest.request("GET", "/?grep&-c&processor&/proc/cpuinfo")
        assert (status, body) == (200, b"1\n")
        return
    for name in SEVERAL_CPUS:
        assert in_image(guest, name) == native(programs[name])
    _, _, body = guest.request("GET", "/?cat&/sys/devices/system/cpu/online")
    assert body == b"0-%d\n" % (guest.cpus - 1)


def test_fallocate_that_finds_no_room_takes_none_away(guest):
    script = ("fallocate -l 1099511627776 large 2>/dev/null; echo $?;"
              "head -c 1000000 /dev/zero >small; wc -c <small; wc -c <large")
    status, _, body = guest.request("GET", f"/?sh&-c&{urllib.parse.quote(script)}", timeout=60)
    # As on Linux' tmpfs.
    assert (status, body) == (200, b"1\n1000000\n0\n")


def test_no_page_is_lost(guest):
    names = [name for name in guest.metrics() if "leak" in name]
    assert names and all(guest.metrics()[name] == 0 for name in names), guest.console()[-2000:]
