"""Errors say what, which and why, and end with the status that cli(7) gives: 1 failed, 2 wrong
usage, 3 the image or program is unsuitable."""
import pytest

ELF_MAGIC = b"\x7fELF"
BUNDLE_MAGIC = b"ELFPACK\x1a"  # and then the version, 2


@pytest.mark.parametrize("arguments, said", [
    ((), "no program given"),
    (("",), "no program given"),
    (("a", "b"), "b: one program at a time"),
    (("--nonsense", "a"), "unknown option --nonsense"),
    (("-Z", "a"), "unknown option -Z"),
    (("--file",), "--file needs an argument"),
    (("--json=1", "a"), "--json takes no argument"),
    (("a", "--http", "--serve", "80"), "--serve 80: --http and --serve exclude each other"),
    (("a", "--http=0"), "--http 0: not a port"),
    (("a", "--serve", "65536"), "--serve 65536: not a port"),
    (("a", "--env", "novalue"), "--env novalue: not NAME=VALUE"),
    (("a", "--cwd", "relative"), "--cwd relative: not absolute"),
    (("a", "--memory", "lots"), "--memory lots: not a number"),
    (("a", "--http", "--http-wall-ms", "soon"), "--http-wall-ms soon: not a number"),
    (("a", "-f", "floppy"), "-f floppy: unknown format"),
])
def test_wrong_usage_is_status_2(elfpack, arguments, said):
    result = elfpack("build", *arguments)
    assert result.status == 2
    assert f"elfpack: build: {said}" in result.text
    assert result.out == b""


@pytest.mark.parametrize("program, said", [
    ("elfpack-no-such-program", "elfpack-no-such-program: not found in PATH"),
    ("./missing", "./missing: No such file or directory"),
    (".", ""),
])
def test_missing_program_is_status_1(elfpack, tmp_path, program, said):
    result = elfpack("build", program, cwd=tmp_path)
    assert result.status == 1
    assert said in result.text


@pytest.mark.parametrize("contents, said", [
    (b"", "not an ELF program"),
    (b"#!/bin/sh\n", "not an ELF program"),
    (ELF_MAGIC, "truncated"),
    (ELF_MAGIC + b"\1" * 60, "not a program for 64-bit x86 Linux"),
])
def test_unsuitable_program_is_status_3(elfpack, tmp_path, contents, said):
    (tmp_path / "p").write_bytes(contents)
    result = elfpack("build", "./p", cwd=tmp_path)
    assert result.status == 3
    assert f"elfpack: build: ./p: " in result.text and said in result.text


def test_truncated_program_is_refused_at_every_length(elfpack, hello, tmp_path):
    whole = hello.read_bytes()
    for size in range(0, len(whole) - 4096, 997):
        (tmp_path / "p").write_bytes(whole[:size])
        assert elfpack("build", "./p", cwd=tmp_path).status == 3


@pytest.mark.parametrize("damage, said", [
    (lambda image: image[:4096], "too short"),
    (lambda image: image[:70000], "cut short"),
    (lambda image: b"\0" * len(image), "no partition table"),
    (lambda image: image[:600] + b"\xff" + image[601:], "partition table's header is damaged"),
    (lambda image: image[:1030] + b"\xff" + image[1031:], "partition table is damaged"),
    (lambda image: image.replace(BUNDLE_MAGIC, b"elfpack\x1a"), "wrong magic"),
    (lambda image: image.replace(BUNDLE_MAGIC + b"\2", BUNDLE_MAGIC + b"\xff"),
     "header's SHA-256 is wrong"),
    (lambda image: image.replace(b"version=1", b"version=2"), "manifest is damaged"),
])
def test_damaged_image_is_status_3(build, elfpack, hello, damage, said):
    image = build(hello)
    image.write_bytes(damage(image.read_bytes()))
    for command in ("inspect", "run"):
        result = elfpack(command, image)
        assert result.status == 3
        assert f"elfpack: {command}: {image}: " in result.text and said in result.text


def test_verify_names_the_damaged_section(build, elfpack, hello):
    image = build(hello, "--http")
    whole = bytearray(image.read_bytes())
    assert elfpack("inspect", "verify", image).status == 0
    shim = whole.index(ELF_MAGIC, whole.index(BUNDLE_MAGIC + b"\2"))
    whole[shim + 100] ^= 1
    image.write_bytes(whole)
    result = elfpack("inspect", "verify", image)
    assert result.status == 3
    assert "damaged: shim: the SHA-256 is wrong" in result.text


def test_foreign_files_are_no_images(elfpack, tmp_path):
    (tmp_path / "folder").mkdir()
    assert "not a regular file" in elfpack("inspect", tmp_path / "folder").text
    assert elfpack("inspect", "/dev/null").status == 3
    assert elfpack("inspect", tmp_path / "missing").status == 1


def test_no_command_shows_the_commands(elfpack):
    result = elfpack("nonsense")
    assert result.status == 2
    for command in ("build", "run", "inspect"):
        assert command in result.text
