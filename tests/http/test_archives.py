"""tar and zip bodies and results: what GNU tar, zip and Python make is unpacked, what is hostile
costs its own request."""
import gzip
import io
import json
import struct
import subprocess
import tarfile
import zipfile

import pytest

from support.http_client import call, sh

TAR, ZIP = "application/x-tar", "application/zip"
LIST = sh("find . -type f | sort | while read f; do echo $f $(stat -c %a $f) $(cat $f); done")


def tar_of(*members, end=True, form=tarfile.PAX_FORMAT):
    """A tar; a member is (name, bytes) or a TarInfo with or without bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for member in members:
            info, data = member if isinstance(member, tuple) else (member, b"")
            if isinstance(info, str):
                info = tarfile.TarInfo(info)
                info.mode = 0o644
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        end_at = tar.offset
    return out.getvalue() if end else out.getvalue()[:end_at]


def entry(name, kind, **more):
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    return info


def zip_of(*members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def post(address, target, body, kind, **fields):
    return call(address, target, "POST", body, Content_Type=kind, **fields)


def test_tar_of_gnu_tar_is_unpacked_with_its_modes(address, tmp_path):
    (tmp_path / "src/deep").mkdir(parents=True)
    (tmp_path / "src/a.c").write_text("1")
    (tmp_path / "src/deep/run").write_text("2")
    (tmp_path / "src/deep/run").chmod(0o4755)
    (tmp_path / "src/none").write_text("3")
    (tmp_path / "src/none").chmod(0)
    (tmp_path / ("src/" + "n" * 90)).write_text("4")
    (tmp_path / "src/\u00e4").write_text("5")
    expected = (f"./src/a.c 644 1\n./src/deep/run 755 2\n./src/{'n' * 90} 644 4\n"
                "./src/none 600 3\n./src/\u00e4 644 5\n").encode()
    for form in ("ustar", "gnu", "posix"):
        for member in ("src", "."):
            body = subprocess.run(["tar", "-c", f"--format={form}", member], cwd=tmp_path,
                                  check=True, capture_output=True).stdout
            assert post(address, LIST, body, TAR)[1] == expected, (form, member)
    packed = gzip.compress(body)
    assert post(address, LIST, packed, TAR, Content_Encoding="gzip")[1] == expected
    assert post(address, LIST + "&_in=tar", body, "text/plain")[1] == expected


def test_zip_is_unpacked_stored_and_deflated(address):
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        body = zip_of(("src/a.c", "1"), ("b\u00e4", "2" * 9), ("src/", ""), method=method)
        answer, text = post(address, sh("cat src/a.c b\u00e4; ls -d src"), body, ZIP)
        assert text == b"1222222222src\n", (method, answer.status)
    windows = zip_of(("a\\b", "1"))
    assert post(address, sh("cat a/b"), windows, ZIP)[1] == b"1", "as Windows programs write"
    assert post(address, sh("cat src/a.c") + "&_in=zip", body, "x/y")[1] == b"1"


def test_empty_folders_are_made_and_members_can_be_input(address):
    body = tar_of(entry("empty/in", tarfile.DIRTYPE), ("data", b"hello"))
    assert post(address, sh("ls -d empty/in; ls -A empty/in"), body, TAR)[1] == b"empty/in\n"
    assert post(address, "/?cat&_stdin=data", body, TAR)[1] == b"hello"
    for missing in ("no", "empty/in"):
        assert post(address, f"/?cat&_stdin={missing}", body, TAR)[0].status == 400


def test_named_body_and_in_raw_are_left_packed(address):
    body = zip_of(("a", "1"))
    assert call(address, "/p.zip?cat&p.zip", "PUT", body, Content_Type=ZIP)[1] == body
    assert post(address, "/?cat&_in=raw", body, ZIP)[1] == body


BAD_TARS = {
    "traversal": tar_of(("../x", b"")),
    "inner_traversal": tar_of(("a/../../x", b"")),
    "absolute": tar_of(("/etc/x", b"")),
    "symbolic_link": tar_of(entry("l", tarfile.SYMTYPE, linkname="/etc/passwd")),
    "link_then_file_through_it": tar_of(entry("l", tarfile.SYMTYPE, linkname="/tmp"), ("l/x", b"")),
    "hard_link": tar_of(("a", b"x"), entry("l", tarfile.LNKTYPE, linkname="a")),
    "fifo": tar_of(entry("f", tarfile.FIFOTYPE)),
    "character_device": tar_of(entry("d", tarfile.CHRTYPE, devmajor=1, devminor=3)),
    "block_device": tar_of(entry("d", tarfile.BLKTYPE)),
    "duplicate": tar_of(("a", b"1"), ("a", b"2")),
    "duplicate_by_dot": tar_of(("a", b"1"), ("./a", b"2")),
    "folder_and_file": tar_of(entry("a", tarfile.DIRTYPE), ("a", b"2")),
    "file_and_folder": tar_of(("a", b"2"), entry("a", tarfile.DIRTYPE)),
    "file_below_a_file": tar_of(("a", b"2"), ("a/b", b"3")),
    "backslash": tar_of(("a\\b", b"")),
    "control_character": tar_of(("a\nb", b"")),
    "long_component": tar_of(("x" * 256, b"")),
    "too_deep": tar_of(("d/" * 16 + "x", b"")),
    "empty": b"",
    "not_a_tar": b"hello" * 1000,
    "no_end": tar_of(("a", b"1"), end=False),
    "garbage_behind": tar_of(("a", b"1")) + b"GET / HTTP/1.1\r\n" * 64,
    "broken_checksum": b"b" + tar_of(("a", b"1"))[1:],
}


@pytest.mark.parametrize("name", BAD_TARS)
def test_hostile_tar_is_400(address, name):
    answer, text = post(address, "/?true", BAD_TARS[name], TAR, Content_Length=str(len(BAD_TARS[name])))
    if name == "empty":  # no body, no archive
        assert answer.status == 200
        return
    assert answer.status == 400, (answer.status, text)
    assert call(address, "/?echo&next")[1] == b"next\n"


def test_real_sparse_file_is_400(address, tmp_path):
    subprocess.run(["truncate", "-s", "1M", "hole"], cwd=tmp_path, check=True)
    with open(tmp_path / "hole", "r+b") as hole:
        hole.seek(500000)
        hole.write(b"x")
    for form in ("--format=gnu", "--format=posix"):
        body = subprocess.run(["tar", "-cS", form, "hole"], cwd=tmp_path, check=True,
                              capture_output=True).stdout
        answer, text = post(address, "/?true", body, TAR)
        assert answer.status == 400 and b"sparse" in text


def encrypted():
    """What zip -P makes: a flag, and twelve bytes more."""
    body = bytearray(zip_of(("a", "1" * 50), method=zipfile.ZIP_STORED))
    body[6] |= 1
    at = body.index(b"PK\1\2")
    body[at + 8] |= 1
    return bytes(body)


def with_method(number):
    body = bytearray(zip_of(("a", "1" * 50)))
    body[8] = number
    at = body.index(b"PK\1\2")
    body[at + 10] = number
    return bytes(body)


def zip_link():
    info = zipfile.ZipInfo("l")
    info.create_system = 3
    info.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def doubled():
    with pytest.warns(UserWarning):
        return zip_of(("a", "1"), ("a", "2"))


BAD_ZIPS = {
    "traversal": lambda: zip_of(("../x", "1")),
    "absolute": lambda: zip_of(("/x", "1")),
    "symbolic_link": zip_link,
    "encrypted": encrypted,
    "bzip2": lambda: zip_of(("a", "1" * 50), method=zipfile.ZIP_BZIP2),
    "lzma": lambda: zip_of(("a", "1" * 50), method=zipfile.ZIP_LZMA),
    "unknown_method": lambda: with_method(77),
    "duplicate": doubled,
    "not_a_zip": lambda: b"PK\3\4" + b"\0" * 500,
    "no_directory": lambda: zip_of(("a", "1" * 50))[:-30],
    "wrong_checksum": lambda: zip_of(("a", "1" * 50), method=zipfile.ZIP_STORED).replace(
        b"1" * 50, b"1" * 49 + b"2"),
}


@pytest.mark.parametrize("name", BAD_ZIPS)
def test_hostile_zip_is_400(address, name):
    answer, text = post(address, "/?true", BAD_ZIPS[name](), ZIP)
    assert answer.status == 400, (answer.status, text)
    assert call(address, "/?echo&next")[1] == b"next\n"


def test_archive_cut_anywhere_is_400(address):
    tar = tar_of(("a", b"1" * 600), ("b", b"2"))[:4096]
    assert tar.endswith(bytes(1024))
    assert post(address, "/?cat&a", tar, TAR)[1] == b"1" * 600
    whole = zip_of(("a", "1" * 600), ("b", "2"))
    for body, kind, step in ((tar, TAR, 64), (whole, ZIP, 7)):
        for cut in range(1, min(len(body), 3584), step):
            status = post(address, "/?true", body[:cut], kind)[0].status
            assert status == 400, (kind, cut)


def bomb(size):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("zeros", "w") as member:
            for _ in range(size >> 20):
                member.write(bytes(1 << 20))
    return out.getvalue()


def test_bombs_are_413(address):
    small = bomb(8 << 20)
    assert len(small) < 20000
    answer, text = post(address, "/?true", small, ZIP)
    assert answer.status == 413 and b"packed too well" in text
    packed = gzip.compress(tar_of(("zeros", bytes(8 << 20))))
    assert post(address, "/?true", packed, TAR, Content_Encoding="gzip")[0].status == 413
    many = tar_of(*[(f"f{i}", b"") for i in range(1025)])
    answer, text = post(address, "/?true", many, TAR)
    assert answer.status == 413 and b"too many files" in text
    assert call(address, "/?echo&next")[1] == b"next\n"


def test_zip_whose_directory_never_ends_is_refused(address):
    one = zip_of(("a", ""), method=zipfile.ZIP_STORED)
    at, end = one.index(b"PK\1\2"), one.index(b"PK\5\6")
    entries = one[at:end] * 200000
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entries), at, 0)
    answer, text = post(address, "/?true", one[:at] + entries + tail, ZIP)
    assert answer.status == 413 and b"the archive takes too much memory to read" in text
    assert call(address, "/?echo&next")[1] == b"next\n"


def test_declared_sizes_are_not_believed(address):
    body = bytearray(zip_of(("a", "1" * 50), method=zipfile.ZIP_STORED))
    at = body.index(b"PK\1\2")
    for offset in (20, 24):
        struct.pack_into("<L", body, at + offset, 0xfffffff0)
    for offset in (18, 22):
        struct.pack_into("<L", body, offset, 0xfffffff0)
    assert post(address, "/?true", bytes(body), ZIP)[0].status == 400


RUN = sh("echo out; echo err >&2; printf 1 > a.o; mkdir d; printf 2 > d/b.o; chmod 755 d/b.o; exit $1", "x")


def test_tar_result_has_files_with_modes_and_the_run(address, tmp_path):
    answer, body = call(address, RUN + "&0&_out=**.o&_format=tar")
    assert answer.status == 200 and answer.getheader("Content-Type") == TAR
    subprocess.run(["tar", "x"], cwd=tmp_path, input=body, check=True)
    assert (tmp_path / "a.o").read_bytes() == b"1" and (tmp_path / "d/b.o").read_bytes() == b"2"
    assert (tmp_path / "d/b.o").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / ".elfpack/stdout").read_bytes() == b"out\n"
    assert (tmp_path / ".elfpack/stderr").read_bytes() == b"err\n"
    meta = json.loads((tmp_path / ".elfpack/meta.json").read_text())
    assert meta["exit_code"] == 0 and [f["path"] for f in meta["files"]] == ["a.o", "d/b.o"]
    assert "data" not in meta["files"][0]


def test_zip_result_is_read_by_python(address):
    answer, body = call(address, RUN + "&0&_out=**.o&_format=zip")
    assert answer.status == 200 and answer.getheader("Content-Type") == ZIP
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        assert archive.read("d/b.o") == b"2" and archive.read(".elfpack/stderr") == b"err\n"
        assert archive.getinfo("d/b.o").external_attr >> 16 & 0o777 == 0o755


@pytest.mark.parametrize("form", ["tar", "zip"])
def test_archive_of_a_failed_run_has_its_status_and_its_files(address, form):
    answer, body = call(address, RUN + f"&3&_out=a.o&_format={form}")
    assert answer.status == 422 and answer.getheader("Elfpack-Exit-Code") == "3"
    assert len(body) > 100
    answer, body = call(address, RUN + f"&0&_out=none&_format={form}")
    assert answer.status == 422
    answer, body = call(address, f"/?sleep&9&_timeout=100ms&_format={form}")
    assert answer.status == 504 and b"timeout" in body or form == "zip"


def test_programs_own_file_of_a_reserved_name_is_left_out_and_named(address):
    script = sh("mkdir .elfpack; echo mine > .elfpack/stdout; echo x > .elfpack/other; echo real")
    _, body = call(address, script + "&_out=**&_format=tar")
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        assert tar.extractfile(".elfpack/stdout").read() == b"real\n"
        assert tar.extractfile(".elfpack/other").read() == b"x\n"
        meta = json.load(tar.extractfile(".elfpack/meta.json"))
    assert meta["left_out"] == [".elfpack/stdout"]
    assert [f["path"] for f in meta["files"]] == [".elfpack/other"]


def test_same_run_gives_the_same_archive_but_for_its_meta(address):
    def members():
        _, body = call(address, RUN + "&0&_out=**.o&_format=tar", X_Request_Id="same")
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            return [(m.name, m.mtime, m.uid, tar.extractfile(m).read()) for m in tar
                    if m.name != ".elfpack/meta.json"]
    assert members() == members()
