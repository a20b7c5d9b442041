"""What `elfpack build` promises of its output: the same bytes for the same inputs, a file whole
or not at all, an image that other programs find right."""
import hashlib
import os
import pty
import re
import signal
import subprocess
import time

from support.guest import ELFPACK


def test_partition_table_is_without_fault_to_sgdisk(build, hello):
    image = build(hello)
    said = subprocess.run(["/usr/sbin/sgdisk", "-v", image], capture_output=True, text=True)
    assert said.returncode == 0
    assert "No problems found" in said.stdout
    for word in ("Warning", "Caution", "Problem", "Error"):
        assert word not in said.stdout + said.stderr


def test_same_inputs_give_the_same_bytes(build, hello, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for i in range(20):
        (folder / f"f{i}").write_text(str(i))
    first = build(hello, "--http", "--dir", f"{folder}:/data", name="1.img").read_bytes()
    moved = tmp_path / "moved"
    moved.mkdir()
    for i in reversed(range(20)):  # another order on disk, other times
        (moved / f"f{i}").write_text(str(i))
        os.utime(moved / f"f{i}", (i, i))
    second = build(hello, "--http", "--dir", f"{moved}:/data", name="2.img", cwd="/",
                   env={"TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": "/nowhere"}).read_bytes()
    assert first == second


def test_digest_printed_is_the_files(elfpack, hello, tmp_path):
    result = elfpack("build", hello, "-o", tmp_path / "x.img")
    digest = hashlib.sha256((tmp_path / "x.img").read_bytes()).hexdigest()
    assert result.out.decode() == digest + "\n"
    quiet = elfpack("build", "-q", hello, "-o", tmp_path / "x.img")
    assert quiet.out == result.out and quiet.err == b""


def test_source_date_epoch_is_the_files_time(build, elfpack, hello, tmp_path):
    image = build(hello, env={"SOURCE_DATE_EPOCH": "1700000000"})
    rootfs = elfpack("inspect", "cat", "--section", "rootfs", image).out
    (tmp_path / "rootfs").write_bytes(rootfs)
    said = subprocess.run(["dump.erofs", "-s", tmp_path / "rootfs"], capture_output=True,
                          text=True, env={**os.environ, "TZ": "UTC"}).stdout
    assert "Filesystem created:                           Tue Nov 14 22:13:20 2023" in said


def test_source_date_epoch_that_is_no_number_is_an_error(elfpack, hello, tmp_path):
    result = elfpack("build", hello, "-o", tmp_path / "x.img",
                     env={"SOURCE_DATE_EPOCH": "yesterday"})
    assert result.status == 1
    assert "SOURCE_DATE_EPOCH" in result.text and "yesterday" in result.text


def test_sparse_parts_take_no_space(build, hello, tmp_path):
    with open(tmp_path / "zeros", "wb") as file:
        file.truncate(64 << 20)
    image = build(hello, "--file", f"{tmp_path}/zeros:/zeros")
    assert image.stat().st_size > 64 << 20
    assert image.stat().st_blocks * 512 < 4 << 20


def test_interrupted_build_leaves_nothing(elfpack, hello, parts, tmp_path):
    with open(tmp_path / "big", "wb") as file:
        for i in range(96):
            file.write(os.urandom(1 << 20))
    out = tmp_path / "out"
    out.mkdir()
    (out / "x.img").write_text("what was there before")
    for delay in (0.02, 0.1, 0.3, 0.6, 0.9):
        child = subprocess.Popen([ELFPACK, "build", "--parts", parts, hello, "--file",
                                  f"{tmp_path}/big:/big", "-o", out / "x.img"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        child.send_signal(signal.SIGINT)
        if child.wait(timeout=60) == 0:
            break  # it was faster than the signal
        assert os.listdir(out) == ["x.img"]
        assert (out / "x.img").read_text() == "what was there before"


def test_failed_write_leaves_the_old_file(elfpack, hello, tmp_path):
    result = elfpack("build", hello, "-o", tmp_path / "missing" / "x.img")
    assert result.status == 1
    assert "missing/x.img: No such file or directory" in result.text
    assert os.listdir(tmp_path) == []


def test_a_file_that_changes_while_it_is_packed_is_told(elfpack, hello, tmp_path):
    """The program that --trace runs changes a file that was taken before."""
    data = tmp_path / "data"
    data.write_bytes(bytes(1 << 20))
    (tmp_path / "x.img").write_text("what was there before")
    result = elfpack("build", "/bin/busybox", "--file", f"{data}:/data", "--trace",
                     f"sh -c 'echo x >>{data}'", "-o", tmp_path / "x.img")
    assert result.status == 1
    assert f"{data}: changed while it was packed" in result.text
    assert sorted(os.listdir(tmp_path)) == ["data", "x.img"]
    assert (tmp_path / "x.img").read_text() == "what was there before"


def on_a_terminal(parts, arguments, folder, **environment):
    """What the command writes to a terminal, while its results go elsewhere."""
    leader, follower = pty.openpty()
    child = subprocess.Popen([ELFPACK, "build", "--parts", parts, "/bin/busybox", "-o", "x.img",
                              "--no-profile", *arguments], stdout=subprocess.DEVNULL,
                             stderr=follower, cwd=folder,
                             env={**os.environ, "TERM": "xterm", **environment})
    os.close(follower)
    said = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:  # the last one has closed it
            break
        if not piece:
            break
        said += piece
    os.close(leader)
    assert child.wait(timeout=60) == 0
    return said


def test_a_terminal_sees_a_bar_when_it_takes_more_than_a_second(elfpack, parts, tmp_path):
    with open(tmp_path / "data", "wb") as file:
        file.write(os.urandom(4 << 20))
    slow = ["--trace", "sleep 1.2", "--file", f"{tmp_path}/data:/data"]
    said = on_a_terminal(parts, slow, tmp_path, NO_COLOR="")
    assert re.search(rb"\r\x1b\[32m#*\.*\x1b\[0m \d+ of \d+ MB, \d+ MB/s, \d+ s left", said)
    assert b"packed " in said and b"wrote x.img: raw, " in said
    plain = on_a_terminal(parts, slow, tmp_path, NO_COLOR="1")
    assert re.search(rb"\r#*\.* \d+ of \d+ MB", plain) and b"\x1b" not in plain
    assert on_a_terminal(parts, [*slow[2:], "-q"], tmp_path) == b""


def test_without_a_terminal_each_step_is_a_line(elfpack, hello, tmp_path):
    result = elfpack("build", hello, "--trace", "", "-o", tmp_path / "x.img")
    steps = [line.split()[0] for line in result.text.splitlines()]
    assert steps == ["trace:", "packed", "wrote"] and "\r" not in result.text
