"""--trace: the program runs once on this machine, and what it used is packed."""
import os

import pytest


def packed(elfpack, image):
    return {line.split(" -> ")[0].split(None, 2)[2]
            for line in elfpack("inspect", "ls", image).out.decode().splitlines()}


@pytest.fixture
def traced(elfpack, tmp_path):
    """Builds a busybox image with these traces; returns its paths and what was said."""
    def call(*lines, program="/bin/busybox", options=()):
        flags = [word for line in lines for word in ("--trace", line)]
        result = elfpack("build", program, "--no-profile", "-o", "t.img", *flags, *options,
                         cwd=tmp_path)
        assert result.status == 0, result.text
        return packed(elfpack, tmp_path / "t.img"), result.text
    return call


def test_files_opened_executed_and_looked_for_are_packed(traced):
    # cat is found in PATH after other folders were tried.
    paths, said = traced("sh -c '/bin/cat /etc/hostname; test -e /etc/passwd'")
    assert "/etc/hostname" in paths and "/etc/passwd" in paths
    assert os.path.realpath("/bin/cat") in paths
    assert "/usr/lib64/ld-linux-x86-64.so.2" in paths
    assert "1 executed" in said


def test_children_and_their_children_are_followed(traced):
    paths, _ = traced("sh -c '(busybox sh -c \"/usr/bin/env /usr/bin/head -n1 /etc/group\")'")
    assert {"/usr/bin/env", "/usr/bin/head", "/etc/group"} <= paths


def test_the_interpreter_of_a_script_is_packed(traced, tmp_path):
    (tmp_path / "s").write_text("#!/usr/bin/env true\n")
    (tmp_path / "s").chmod(0o755)
    paths, _ = traced("sh -c ./s")
    assert {"/usr/bin/env", "/usr/bin/true", "/work/s"} <= paths


def test_files_of_the_current_folder_go_to_the_working_directory(traced, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").write_text("a")
    paths, _ = traced("cat in/a", "ls in", options=("--cwd", "/data"))
    assert {"/data/in", "/data/in/a"} <= paths


def test_outputs_devices_and_temporary_files_stay_out(traced, tmp_path):
    (tmp_path / "old").write_text("old")
    (tmp_path / "changed").write_text("old")
    paths, _ = traced("sh -c 'cat old; echo >new; cat new; echo >>changed; cat /proc/uptime "
                      "</dev/zero; ls /sys'")
    assert "/work/old" in paths
    assert not {"/work/new", "/work/changed", "/proc/uptime", "/dev/zero"} & paths


def test_what_exclude_names_stays_out(traced):
    paths, _ = traced("cat /etc/passwd /etc/group", options=("--exclude", "passwd"))
    assert "/etc/group" in paths and "/etc/passwd" not in paths


def test_verbose_says_what_was_added_and_why(traced):
    _, said = traced("sh -c '/usr/bin/head -n1 /etc/group'", options=("-v",))
    assert "trace: /usr/bin/head: executed by " in said
    assert "trace: /etc/group: opened by head\n" in said


def test_the_program_has_the_images_variables(traced, tmp_path):
    _, said = traced("env", options=("--env", "COLOUR=red"))
    assert "COLOUR=red\n" in said and "HOME=/\n" in said and "USER=" not in said


def test_an_end_that_is_no_success_is_told(traced):
    assert "exit status 3" in traced("sh -c 'exit 3'")[1]
    assert "ended by signal 9" in traced("sh -c 'kill -9 $$'")[1]


def test_what_the_program_leaves_behind_ends_with_it(traced):
    traced("sh -c 'sleep 1000 & exit 0'")


def test_quotes_are_those_of_a_shell(traced, elfpack, tmp_path):
    _, said = traced(r"""printf '<%s>' a\ b "c \"d\"" '' 'e\f'""")
    assert r"""<a b><c "d"><><e\f>""" in said
    result = elfpack("build", "/bin/busybox", "-o", tmp_path / "x", "--trace", "echo 'a")
    assert result.status == 1 and "--trace echo 'a: a quote is not closed" in result.text


def test_a_trace_gives_the_same_image_twice(traced, tmp_path):
    images = []
    for _ in range(2):
        traced("sh -c 'ls /etc/*.conf; /usr/bin/sort /etc/group'")
        images.append((tmp_path / "t.img").read_bytes())
    assert images[0] == images[1]
