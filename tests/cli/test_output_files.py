"""Where an image is written: whole or not at all, whatever stands in the way."""
import os
import subprocess

import pytest

from support.guest import ELFPACK


def build_limited(parts, hello, out, kind, *limit):
    return subprocess.run([*limit, ELFPACK, "build", "--parts", parts, hello, "--http", "-f",
                           kind, "-o", out], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("kind", ["raw", "qcow2", "qcow2-compressed", "vhd", "vmdk", "ova", "gce",
                                  "oci", "iso", "ami", "pvh", "efi"])
def test_a_full_disk_leaves_the_old_file(parts, hello, kind, tmp_path):
    out = tmp_path / "x"
    out.write_text("what was there before")
    done = build_limited(parts, hello, out, kind, "prlimit", "--fsize=1000")
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert os.listdir(tmp_path) == ["x"] and out.read_text() == "what was there before"


def test_a_full_file_system_leaves_nothing(parts, hello, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    script = ("mount -t tmpfs -o size=64k none small && "
              "\"$@\"; status=$?; ls -A small; exit $status")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", ELFPACK, "build", "--parts",
                           parts, hello, "--http", "-o", "small/x.img"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "small/x.img: No space left on device" in done.stderr and done.stdout == ""


def test_a_read_only_target_is_an_error(parts, hello, tmp_path):
    script = "mount -t tmpfs -o ro none \"$0\" && exec \"$@\""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, tmp_path, ELFPACK, "build",
                           "--parts", parts, hello, "-o", f"{tmp_path}/x.img"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "x.img: Read-only file system" in done.stderr


@pytest.mark.parametrize("command", ["build", "convert"])
def test_devices_pipes_and_folders_are_refused(elfpack, build, hello, command, tmp_path):
    image = build(hello)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for place, said in ((tmp_path / "pipe", "a pipe, not a file"),
                        (tmp_path / "folder", "a folder, not a file"),
                        ("/dev/null", "a device, not a file")):
        words = (hello, "-o", place) if command == "build" else (image, place)
        result = elfpack(command, *words)
        assert result.status == 1
        assert f"{place}: {said}" in result.text
    assert sorted(os.listdir(tmp_path)) == ["folder", image.name, "pipe"]
