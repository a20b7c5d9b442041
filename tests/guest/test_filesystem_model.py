"""The file system of a job against Linux' tmpfs: the same random calls on both, by seed, over
packed files and over none, have to give the same results and leave the same trees.

MODEL_SEEDS=N runs N seeds (the suite's are fewer), MODEL_FIRST=N from seed N."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from test_guest import HERE, compile_program
from support.guest import Guest, build_image

SEEDS = int(os.environ.get("MODEL_SEEDS", 128))
FIRST = int(os.environ.get("MODEL_FIRST", 1))
BATCH = 64    # seeds a job: each has a folder of its own
STEPS = 400   # calls a seed
WALL_MS = 120000
PROGRAM = "/tests/filesystem_model"
pytestmark = pytest.mark.xdist_group("model")


def make_tree(top):
    """What odd seeds find: files that end within, at and beyond a page, links of both kinds."""
    base = top / "r/r/r/r/r/r"
    base.mkdir(parents=True)
    if int(top.name) % 2 == 0:
        return
    (base / "a").write_bytes(bytes(range(251)) * 100)
    (base / "b/c").mkdir(parents=True)
    (base / "b/a").write_bytes(b"packed" * 2048)
    (base / "b/c/d").write_bytes(b"x")
    (base / "b/d").symlink_to("../a")
    (base / "c").symlink_to("b")
    (base / "d").mkdir()
    (base / "d/a").write_bytes(b"")
    (base / "d/a-longer-name").write_bytes(b"p" * 8192)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed")
    for number in range(BATCH):
        make_tree(folder / str(number))
    return folder


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compile_program("filesystem_model", tmp_path_factory.mktemp("model"), HERE / "model")


@pytest.fixture(scope="module")
def model_guest(program, packed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("guest")
    image = build_image(folder / "model.img", "/bin/busybox", "--http",
                        f"--http-wall-ms={WALL_MS}", "--file", f"{program}:{PROGRAM}",
                        "--dir", f"{packed}:/model")
    with Guest(image, folder=folder) as guest:
        guest.wait_ready()
        yield guest


def attributes():
    """tmpfs has user attributes from Linux 6.6 on: they are compared where it does."""
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        try:
            os.setxattr(file.fileno(), "user.x", b"")
        except OSError:
            return "none"
        return "attributes"


def native(program, packed, words):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        tree = pathlib.Path(folder) / "model"
        shutil.copytree(packed, tree, symlinks=True)
        ended = subprocess.run([program, tree, *words], capture_output=True, timeout=300,
                               start_new_session=True)
    assert ended.returncode == 0, ended
    return ended.stdout.decode(errors="replace").splitlines()


def in_image(guest, words):
    query = "&".join(["env", "-i", PROGRAM, "/model", *words, f"_timeout={WALL_MS}ms"])
    status, _, body = guest.request("GET", f"/?{query}", timeout=150,
                                    headers={"Accept": "application/json"})
    assert status == 200, body
    result = json.loads(body)
    assert result["outcome"] == "exited", (result["outcome"], guest.console()[-2000:])
    return result["stdout"]["data"].splitlines()


def first_difference(here, there):
    at = next((i for i, pair in enumerate(zip(here, there)) if pair[0] != pair[1]),
              min(len(here), len(there)))
    before = "\n".join(here[max(0, at - 12):at])
    return f"{before}\nLinux: {here[at:at + 1]}\nimage: {there[at:at + 1]}"


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, BATCH))
def test_files_are_as_on_tmpfs(first, program, packed, model_guest):
    words = [str(first), str(BATCH), str(STEPS), attributes()]
    here, there = native(program, packed, words), in_image(model_guest, words)
    assert len(here) == len(there) == BATCH
    differing = [i for i in range(BATCH) if here[i] != there[i]]
    if differing:
        words = [str(first), str(differing[0] + 1), str(STEPS), attributes(), "verbose"]
        lines = native(program, packed, words), in_image(model_guest, words)
        pytest.fail(f"{len(differing)} of {BATCH} seeds differ, the first: "
                    f"{first_difference(*lines)}")
