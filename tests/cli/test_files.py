"""What goes into an image and comes out of it: judged by fsck.erofs, which unpacks the packed
file system independently, and by elfpack's own inspect."""
import io
import json
import os
import pathlib
import stat
import subprocess
import tarfile
import zipfile

import pytest


@pytest.fixture
def unpack(elfpack, tmp_path):
    """An image's files, unpacked by fsck.erofs into a folder."""
    def call(image):
        rootfs, out = tmp_path / "rootfs.erofs", tmp_path / "unpacked"
        rootfs.write_bytes(elfpack("inspect", "cat", "--section", "rootfs", image).out)
        done = subprocess.run(["fsck.erofs", f"--extract={out}", "--preserve", rootfs],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return out
    return call


def listing(folder):
    """path → (mode, contents or target), as bytes."""
    found = {}
    for at, folders, files in os.walk(os.fsencode(folder)):
        for name in folders + files:
            path = os.path.join(at, name)
            st = os.lstat(path)
            if stat.S_ISLNK(st.st_mode):
                what = os.readlink(path)
            elif stat.S_ISREG(st.st_mode):
                what = pathlib.Path(os.fsdecode(path)).read_bytes()
            else:
                what = None
            mode = 0o777 if stat.S_ISLNK(st.st_mode) else stat.S_IMODE(st.st_mode)
            found[os.path.relpath(path, os.fsencode(folder))] = (mode, what)
    return found


@pytest.fixture
def zoo(tmp_path):
    """A folder with all that a file system holds, and odd names."""
    top = tmp_path / "zoo"
    (top / "deep/er/still").mkdir(parents=True)
    for size in (0, 1, 4095, 4096, 4097, 70000):
        (top / f"size-{size}").write_bytes(b"x" * size)
    names = [b"white space", b"-dash", b"new\nline", b"\xff\xfe", "ä".encode(), b"quote\"'",
             b"back\\slash", b"per%cent", b"n" * 255, b"co:lon", b"#hash", b"*star"]
    for name in names:
        with open(os.path.join(os.fsencode(top), name), "wb") as file:
            file.write(name)
    (top / "deep/er/still/file").write_text("deep")
    (top / "link").symlink_to("deep/er")
    (top / "dangling").symlink_to("/no/such/" + "t" * 300)
    (top / "program").write_text("#!")
    (top / "program").chmod(0o4755)
    (top / "secret").write_text("s")
    (top / "secret").chmod(0o400)
    (top / "many").mkdir()
    for i in range(500):
        (top / f"many/file number {i}").write_text(str(i))
    os.link(top / "program", top / "deep/program")
    return top


def test_folder_is_unpacked_equal_by_fsck_erofs(build, hello, zoo, unpack):
    out = unpack(build(hello, "--dir", f"{zoo}:/zoo"))
    def without_setuid(files):  # fsck.erofs changes the owner last, which clears it
        return {name: (mode & 0o777, what) for name, (mode, what) in files.items()}
    assert without_setuid(listing(out / "zoo")) == without_setuid(listing(zoo))


def test_folder_is_unpacked_equal_by_inspect_extract(build, elfpack, hello, zoo, tmp_path):
    image = build(hello, "--dir", f"{zoo}:/zoo")
    result = elfpack("inspect", "extract", image, "/zoo", "-o", tmp_path / "out")
    assert result.status == 0, result.text
    assert listing(tmp_path / "out") == listing(zoo)
    assert os.stat(tmp_path / "out/program").st_ino == \
        os.stat(tmp_path / "out/deep/program").st_ino


def test_listing_names_every_file(build, elfpack, hello, zoo):
    image = build(hello, "--dir", f"{zoo}:/zoo")
    rows = json.loads(elfpack("inspect", "ls", "--json", image, "/zoo").out)
    names = {os.fsencode(row["path"]) for row in rows}
    assert names == {b"/zoo"} | {b"/zoo/" + name for name in listing(zoo)}
    links = {row["path"]: row["links"] for row in rows}
    assert links["/zoo/program"] == links["/zoo/deep/program"] == 2


def test_dump_erofs_reads_the_superblock(build, elfpack, hello, tmp_path):
    image = build(hello, "--file", f"{hello}:/a")
    (tmp_path / "r").write_bytes(elfpack("inspect", "cat", "--section", "rootfs", image).out)
    said = subprocess.run(["dump.erofs", "-s", tmp_path / "r"], capture_output=True, text=True)
    assert said.returncode == 0
    assert "Filesystem magic number:                      0xE0F5E1E2" in said.stdout


def test_program_keeps_its_path_under_usr_and_is_executable(build, unpack):
    out = unpack(build("/usr/bin/busybox"))
    assert (out / "usr/bin/busybox").read_bytes() == pathlib.Path("/bin/busybox").read_bytes()
    assert os.access(out / "usr/bin/busybox", os.X_OK)


@pytest.mark.parametrize("name", ["a b", "new\nline", "ä", "-x", "%41", "#c", "q\"", "\udcff"])
def test_file_of_an_odd_name(build, elfpack, hello, tmp_path, name):
    (tmp_path / name).write_bytes(b"odd")
    image = build(hello, "--file", tmp_path / name)
    assert elfpack("inspect", "cat", image, "/work/" + name).out == b"odd"


def test_file_goes_to_its_destination_and_later_ones_win(build, elfpack, hello, tmp_path):
    (tmp_path / "1").write_text("one")
    (tmp_path / "2").write_text("two")
    image = build(hello, "--file", f"{tmp_path}/1:/etc/x", "--file", f"{tmp_path}/2:/etc/x",
                  "--file", f"{tmp_path}/1:relative", "--cwd", "/somewhere")
    assert elfpack("inspect", "cat", image, "/etc/x").out == b"two"
    assert elfpack("inspect", "cat", image, "/somewhere/relative").out == b"one"


def make_tar(path, mode, **options):
    with tarfile.open(path, mode, **options) as tar:
        for name, kind, extra in (("d", tarfile.DIRTYPE, ""), ("d/f", tarfile.REGTYPE, ""),
                                  ("d/s", tarfile.SYMTYPE, "f"), ("d/h", tarfile.LNKTYPE, "d/f"),
                                  ("ä", tarfile.REGTYPE, ""), ("no/f", tarfile.REGTYPE, "")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mode = kind, extra, 0o750
            data = b"contents" if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_archive_is_packed(build, elfpack, hello, tmp_path, mode, kind):
    make_tar(tmp_path / "a.tar", mode, format=kind)
    image = build(hello, "--archive", f"{tmp_path}/a.tar:/x", "--exclude", "no",
                  env={"LC_ALL": "C"})
    rows = {row["path"]: row for row in
            json.loads(elfpack("inspect", "ls", "--json", image, "/x").out)}
    assert set(rows) == {"/x", "/x/d", "/x/d/f", "/x/d/s", "/x/d/h", "/x/ä"}
    assert rows["/x/d/f"]["mode"] == 0o750 and rows["/x/d/f"]["links"] == 2
    assert rows["/x/d/s"]["target"] == "f"
    assert elfpack("inspect", "cat", image, "/x/d/h").out == b"contents"


def test_zip_is_packed(build, elfpack, hello, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("d/f", "zipped" * 1000)
    image = build(hello, "--archive", f"{tmp_path}/a.zip:/x")
    assert elfpack("inspect", "cat", image, "/x/d/f").out == b"zipped" * 1000


def test_archive_cannot_leave_its_folder(elfpack, hello, tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("../../etc/passwd"))
    result = elfpack("build", hello, "-o", tmp_path / "i", "--archive", tmp_path / "a.tar")
    assert result.status == 1
    assert ".. is not allowed in the image" in result.text


def test_archive_that_is_cut_short_is_an_error(elfpack, hello, tmp_path):
    make_tar(tmp_path / "a.tar", "w:gz")
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[:len(whole) // 2])
    result = elfpack("build", hello, "-o", tmp_path / "i", "--archive", tmp_path / "a.tar")
    assert result.status == 1
    assert "a.tar: " in result.text


def test_exclude_leaves_out_by_name_and_by_path(build, hello, zoo, unpack):
    out = unpack(build(hello, "--dir", f"{zoo}:/zoo", "--exclude", "size-*", "--exclude",
                       "/zoo/deep/er"))
    names = set(listing(out / "zoo"))
    assert not any(name.startswith(b"size-") for name in names)
    assert b"deep" in names and b"deep/er" not in names and b"deep/er/still" not in names


def test_device_is_refused_with_a_way_out(elfpack, hello, tmp_path):
    (tmp_path / "d").mkdir()
    os.mkfifo(tmp_path / "d/pipe")
    result = elfpack("build", hello, "-o", tmp_path / "i", "--dir", f"{tmp_path}/d:/d")
    assert result.status == 1
    assert "d/pipe: a device, FIFO or socket cannot be packed" in result.text
    assert "hint: leave it out with --exclude" in result.text


def test_environment_and_arguments_are_in_the_manifest(build, elfpack, hello):
    image = build(hello, "--env", "A=b=c", "--env", "NEW=line\n", "--", "-x", "", "a b", "--y")
    text = elfpack("inspect", "cat", "--section", "manifest", image).out.decode()
    lines = text.splitlines()
    assert lines[0] == "version=1"
    assert [line for line in lines if line.startswith("arg=")] == \
        ["arg=hello", "arg=-x", "arg=", "arg=a b", "arg=--y"]
    assert "env=A=b=c" in lines and "env=NEW=line%0A" in lines
