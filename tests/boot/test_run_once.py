"""Images that run their program once: its streams are the console's, its status is ours."""
import subprocess

import pytest

from support.guest import ELFPACK, build_image

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
