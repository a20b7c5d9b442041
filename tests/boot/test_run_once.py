"""Images that run their program once: its streams are the console's, its status is ours."""
import socket
import subprocess
import time

import pytest

from support.guest import ELFPACK, build_image, free_port

pytestmark = pytest.mark.xdist_group("run_once")


def run(image, *arguments, **options):
    return subprocess.run([ELFPACK, "run", image, *arguments], capture_output=True, text=True,
                          timeout=60, **options)


@pytest.fixture(scope="module")
def shell_image(tmp_path_factory):
    """busybox sh -c with the script from the command line of each build."""
    folder = tmp_path_factory.mktemp("run_once")

    def make(script):
        return build_image(folder / "sh.img", "/bin/busybox", "--", "sh", "-c", script)
    return make


def test_output_and_status_are_the_programs(shell_image):
    done = run(shell_image("echo out; echo $((6 * 7)); exit 3"))
    assert done.returncode == 3
    assert done.stdout.replace("\r", "").splitlines()[-2:] == ["out", "42"]


@pytest.mark.parametrize("status", [0, 1, 127, 200, 255])
def test_every_exit_status_arrives(shell_image, status):
    assert run(shell_image(f"exit {status}")).returncode == status


def test_a_signal_is_128_and_its_number(shell_image):
    assert run(shell_image("kill -SEGV $$")).returncode == 128 + 11


def test_a_program_of_this_machine_runs_without_an_image(tmp_path):
    done = run("/bin/busybox", "--", "seq", "3")
    assert done.returncode == 0
    assert done.stdout.replace("\r", "").split()[-3:] == ["1", "2", "3"]


def test_strace_names_the_calls(shell_image):
    done = run(shell_image("exit 0"), "--strace")
    assert "set_tid_address(" in done.stdout + done.stderr
    assert "exit_group(0" in done.stdout + done.stderr


@pytest.mark.parametrize("given, words, expected", [
    ("b\na\n", ["sort"], ["a", "b"]),
    ("no newline at the end", ["wc", "-w"], ["5"]),
    ("", ["wc", "-c"], ["0"]),
    ("".join(f"{n}\n" for n in range(1, 20001)), ["wc", "-l"], ["20000"]),
])
def test_standard_input_arrives_whole_and_ends(given, words, expected):
    done = run("/bin/busybox", "--", *words, input=given)
    assert done.returncode == 0
    assert done.stdout.replace("\r", "").split()[-len(expected):] == expected


@pytest.mark.parametrize("options", [
    ["--machine", "pc"], ["--machine", "microvm", "--cpus", "2"], ["--firmware", "pvh"],
    ["--firmware", "uefi"], ["--memory", "48M", "--cpus", "2"],
], ids=" ".join)
def test_a_program_runs_on_every_machine_and_firmware(options):
    done = run("/bin/busybox", *options, "--", "sh", "-c", "echo $((6 * 7))")
    assert done.returncode == 0, done.stderr
    assert done.stdout.replace("\r", "").splitlines()[-1] == "42"


def test_gdb_is_waited_for():
    """The guest does not start before the debugger lets it: GDB's remote protocol, by hand."""
    port = free_port()
    child = subprocess.Popen([ELFPACK, "run", f"--gdb={port}", "/bin/busybox", "--", "echo", "hi"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert f"target remote :{port}" in child.stderr.readline()
        deadline = time.monotonic() + 30
        while True:
            try:
                debugger = socket.create_connection(("127.0.0.1", port), timeout=30)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline and child.poll() is None
                time.sleep(0.01)
        with debugger:
            debugger.sendall(b"$?#3f")
            said = b""
            while b"$T" not in said:
                said += debugger.recv(256)
                assert said
            debugger.sendall(b"+$D#44")  # detach: go on
            assert "hi" in child.stdout.read()
        assert child.wait(timeout=30) == 0
    finally:
        child.terminate()
        child.communicate(timeout=30)
