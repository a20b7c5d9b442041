"""Profiles: what a known program's image holds beside its libraries."""
import os

PROFILE = """[profile]
match = hello hello-[0-9]*
example = a=b
[pack]
need = {folder}/needed some-package
programs = no-such-program busybox
files =
    {folder}/data
    {folder}/no*thing
exclude = *.bak
[env]
GREETING = from the profile
[limits]
wall-ms = 3s
memory-bytes = 64M
"""


def profile_of(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/one").write_text("1")
    (tmp_path / "data/one.bak").write_text("old")
    (tmp_path / "needed").write_text("needed")
    path = tmp_path / "mine.conf"
    path.write_text(PROFILE.format(folder=tmp_path))
    return path


def manifest(elfpack, image):
    text = elfpack("inspect", "cat", "--section", "manifest", image).out.decode()
    return [line.split("=", 1) for line in text.splitlines()]


def test_files_programs_limits_and_variables_come_from_the_profile(build, elfpack, hello,
                                                                   tmp_path):
    image = build(hello, "--http", "--profile", profile_of(tmp_path))
    pairs = manifest(elfpack, image)
    assert ["example", "a=b"] in pairs
    assert ["env", "GREETING=from the profile"] in pairs
    assert ["limit.wall_ms", "3000"] in pairs
    assert ["limit.memory_bytes", str(64 << 20)] in pairs
    assert elfpack("inspect", "cat", image, f"{tmp_path}/data/one").out == b"1"
    assert elfpack("inspect", "cat", image, f"{tmp_path}/needed").out == b"needed"
    assert elfpack("inspect", "cat", image, "/usr/bin/busybox").out[:4] == b"\x7fELF"
    assert elfpack("inspect", "cat", image, f"{tmp_path}/data/one.bak").status == 1


def test_flags_win_over_the_profile(build, elfpack, hello, tmp_path):
    image = build(hello, "--http", "--profile", profile_of(tmp_path), "--http-wall-ms", "5s",
                  "--env", "GREETING=mine")
    pairs = manifest(elfpack, image)
    assert ["limit.wall_ms", "5000"] in pairs
    assert ["env", "GREETING=mine"] in pairs
    assert ["env", "GREETING=from the profile"] not in pairs


def test_what_a_profile_needs_and_is_missing_is_named_with_its_package(elfpack, hello,
                                                                       tmp_path):
    path = profile_of(tmp_path)
    (tmp_path / "needed").unlink()
    result = elfpack("build", hello, "-o", tmp_path / "i.img", "--profile", path)
    assert result.status == 3
    assert f"{tmp_path}/needed: not found" in result.text
    assert "some-package" in result.text
    assert not (tmp_path / "i.img").exists()


def test_a_profile_is_found_by_the_programs_name_unless_told_not_to(build, elfpack):
    assert any(key == "example" for key, _ in
               manifest(elfpack, build("/bin/busybox", "--http")))
    assert not any(key == "example" for key, _ in
                   manifest(elfpack, build("/bin/busybox", "--http", "--no-profile")))


def test_an_unknown_profile_and_a_wrong_one_are_refused(elfpack, hello, tmp_path):
    result = elfpack("build", hello, "-o", tmp_path / "i.img", "--profile", "no-such")
    assert result.status != 0 and "no-such" in result.text
    (tmp_path / "wrong.conf").write_text("[pack]\nfile = /etc/passwd\n")
    result = elfpack("build", hello, "-o", tmp_path / "i.img", "--profile",
                     tmp_path / "wrong.conf")
    assert result.status != 0 and "wrong.conf:2: file: unknown key" in result.text


def test_a_linked_program_keeps_the_links_that_lead_to_it(build, elfpack, tmp_path):
    # /usr/bin/clang -> ../lib/llvm-14/bin/clang, /usr/bin/python3 -> python3.11
    image = build("/usr/bin/python3", "--no-profile", name="python.img")
    assert ["exec", "/usr/bin/python3"] in manifest(elfpack, image)
    out = tmp_path / "out"
    assert elfpack("inspect", "extract", "-o", out, image).status == 0
    assert os.readlink(out / "usr/bin/python3") == os.readlink("/usr/bin/python3")
    real = os.path.realpath("/usr/bin/python3")
    assert (out / real[1:]).stat().st_size == os.path.getsize(real)
