"""`elfpack run`: the console, the exit status, ports, and that no guest is left behind."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

from support.guest import ELFPACK, free_port

from small_guest import STATUS


@pytest.mark.parametrize("options", [(), ("--firmware", "pvh"), ("--machine", "microvm"),
                                     ("--machine", "pc"), ("--strace",), ("--cpus", "2")])
def test_console_passes_through_and_the_status_keeps_eight_bits(build, elfpack, hello, options):
    result = elfpack("run", build(hello), *options, "--accel", "tcg", stdin=b"to the guest\n")
    assert result.out == b"up\nto the guest\n", result.text
    assert result.status == STATUS


def test_program_is_run_as_a_temporary_image(elfpack, hello, tmp_path):
    result = elfpack("run", hello, "--accel", "tcg", "--", "-x", cwd=tmp_path, stdin=b"hi\n")
    assert (result.out, result.status) == (b"up\nhi\n", STATUS)
    assert os.listdir(tmp_path) == []


def children(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def gone(pid, seconds=5):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if pathlib.Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_guest_ends_with_the_command(build, hello, number):
    command = subprocess.Popen([ELFPACK, "run", build(hello), "--accel", "tcg"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert command.stdout.readline() == b"up\n"
    (guest,) = children(command.pid)
    command.send_signal(number)
    status = command.wait(timeout=10)
    assert status == (-number if number == signal.SIGKILL else 128 + number)
    assert gone(guest)
    command.stdin.close()
    command.stdout.close()


@pytest.fixture
def fake_qemu(tmp_path):
    """The environment in which QEMU is fake_qemu.py."""
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy(pathlib.Path(__file__).with_name("fake_qemu.py"), folder / "qemu-system-x86_64")
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def run_until_ready(environment, *arguments):
    command = subprocess.Popen([ELFPACK, "run", *arguments], env=environment, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    line = command.stdout.readline()
    command.terminate()
    out, err = command.communicate(timeout=10)
    assert out == "", "the console goes to standard error"
    return line, err


def test_ready_is_said_when_the_image_says_it(build, hello, fake_qemu):
    line, err = run_until_ready(fake_qemu, build(hello, "--http"))
    port = re.fullmatch(r"ready http://127\.0\.0\.1:(\d+)/\n", line)[1]
    assert f"hostfwd=tcp:127.0.0.1:{port}-:80 " in err
    assert "\r" not in err


def test_port_asked_for_is_the_one_forwarded(build, hello, fake_qemu):
    port = free_port()
    line, err = run_until_ready(fake_qemu, build(hello, "--http=8080"), "-p", f"{port}:8080")
    assert line == f"ready http://127.0.0.1:{port}/\n"
    assert f"hostfwd=tcp:127.0.0.1:{port}-:8080 " in err
    assert "-accel tcg" in err or os.path.exists("/dev/kvm")


@pytest.mark.parametrize("arguments, said", [
    (("-p", "80"), "not [ADDR:]HOST:GUEST"),
    (("-p", "localhost:1:2"), "localhost is not an IPv4 address"),
    (("-p", "1:0"), "a port is a number"),
    (("--cpus", "0"), "--cpus 0"),
    (("--memory", "1M"), "at least 8M"),
    (("--net", "bridge"), "not tap=IFNAME"),
    (("--net", "tap=t", "-p", "1:2"), "exclude each other"),
    (("--machine", "pdp11"), "there are q35, pc and microvm"),
    (("--machine", "microvm", "--firmware", "bios"), "microvm boots by pvh only"),
    (("--firmware", "coreboot"), "there are bios, uefi and pvh"),
    (("--accel", "magic"), "there are kvm and tcg"),
    (("--", "argument"), "were fixed by elfpack build"),
])
def test_wrong_usage_is_status_2(build, elfpack, hello, arguments, said):
    result = elfpack("run", build(hello, "--http"), *arguments)
    assert result.status == 2
    assert said in result.text


def test_qemu_that_is_missing_is_named(build, hello, tmp_path):
    done = subprocess.run([ELFPACK, "run", build(hello), "--accel", "tcg"], capture_output=True,
                          text=True, env={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert "qemu-system-x86_64: No such file or directory" in done.stderr
    assert "hint: install QEMU" in done.stderr
