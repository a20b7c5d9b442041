"""Fixtures for tests of the command itself: parts of the build under test, but a kernel of a few
instructions in shim's place, and programs small enough to pack a hundred times."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import small_guest  # noqa: E402
from support.guest import ELFPACK, PARTS  # noqa: E402


@pytest.fixture(scope="session")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    for name in ("mbr.bin", "stage2.bin", "bootx64.efi"):
        shutil.copy(PARTS / name, folder)
    small_guest.kernel(folder / "shim.elf", small_guest.STATUS)
    shutil.copy("/bin/busybox", folder / "front")
    return folder


@pytest.fixture(scope="session")
def hello(tmp_path_factory):
    """A static program of about 10 KiB."""
    folder = tmp_path_factory.mktemp("hello")
    (folder / "hello.c").write_text("int main(void) { return 0; }\n")
    subprocess.run(["musl-gcc", "-static", "-Os", "-s", "-o", "hello", "hello.c"], cwd=folder,
                   check=True)
    return folder / "hello"


class Result:
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def text(self):
        return self.err.decode(errors="surrogateescape")


@pytest.fixture(scope="session")
def elfpack(parts):
    """Runs the command; build and run get the parts above."""
    def call(command, *arguments, env=None, cwd=None, stdin=b"", timeout=60):
        words = [os.fsencode(a) for a in (ELFPACK, command)]
        if command in ("build", "run"):
            words += [b"--parts", os.fsencode(parts)]
        words += [os.fsencode(a) for a in arguments]
        environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
        return Result(subprocess.run(words, input=stdin, capture_output=True, cwd=cwd,
                                     env={**environment, **(env or {})}, timeout=timeout))
    return call


@pytest.fixture
def build(elfpack, tmp_path):
    """Builds an image that must succeed; returns its path."""
    def call(*arguments, name="image.img", **options):
        path = tmp_path / name
        result = elfpack("build", "-o", path, *arguments, **options)
        assert result.status == 0, result.text
        return path
    return call
