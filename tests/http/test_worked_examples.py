"""The examples of the HTTP interface that need no compiler, typed into a shell: each applet as
the program of a front of its own, and as a booted image's. tests/corpus has clang's."""
import pytest

from support.guest import Guest, build_image
from support.worked_examples import SMALL, check


@pytest.mark.parametrize("example", SMALL, ids=lambda e: e.command)
def test_example_against_front_on_linux(front_with, tmp_path, example):
    check(example, front_with("arg=" + example.program.split()[1]).url, tmp_path)


@pytest.mark.parametrize("example", SMALL, ids=lambda e: e.command)
def test_example_against_a_booted_image(tmp_path, example):
    image = build_image(tmp_path / "x.img", "/bin/busybox", "--http", "--",
                        example.program.split()[1])
    with Guest(image, folder=tmp_path) as guest:
        guest.wait_ready()
        check(example, guest.url, tmp_path)
