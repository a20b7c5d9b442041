"""What flags and profiles say about the HTTP interface arrives in the image's manifest."""
import pathlib
import re

import pytest

DEFINITIONS = pathlib.Path(__file__).resolve().parents[2] / "imgfmt"
KEYS = re.findall(r'^HTTP_KEY\((\w+), "([\w-]+)", (\w+)',
                  (DEFINITIONS / "http_keys.def").read_text(), re.M)
LIMITS = re.findall(r"^LIMIT\((\w+), (\w+), (\d+)", (DEFINITIONS / "limits.def").read_text(), re.M)
VALUES = {"argv": "-o 'a b' {files}", "out": "*.o", "allow_arg": "-O[0-3]", "allow_env": "A B",
          "ok_exit": "1 7", "cors": "*", "admin": "81"}


def manifest(elfpack, image):
    return elfpack("inspect", "cat", "--section", "manifest", image).out.decode().splitlines()


def test_every_key_has_a_flag_and_its_lines(build, elfpack, hello):
    flags = [word for key, flag, _ in KEYS
             for word in [f"--{flag}", *([VALUES[key]] if key in VALUES else [])]]
    lines = manifest(elfpack, build(hello, "--http", *flags))
    for line in ("argv=-o", "argv=a b", "argv={files}", "out=*.o", "allow_arg=-O[0-3]",
                 "allow_env=A", "allow_env=B", "ok_exit=1", "ok_exit=7", "cors=*", "admin=81",
                 "ui=1", "console_log=1"):
        assert line in lines
    assert {line.split("=")[0] for line in lines} >= {key for key, _, _ in KEYS}


def test_every_limit_has_a_flag_and_its_line(build, elfpack, hello):
    flags = [word for i, (key, _, _) in enumerate(LIMITS)
             for word in (f"--http-{key.replace('_', '-')}", str(1000001 + i))]
    lines = manifest(elfpack, build(hello, "--http", *flags))
    for i, (key, _, _) in enumerate(LIMITS):
        assert f"limit.{key}={1000001 + i}" in lines


def test_configuration_says_the_same_and_flags_win(elfpack, hello, tmp_path):
    flags = ["--http", "--http-argv", "-o 'a b'", "--http-argv", "{files}", "--ui",
             "--http-out", "x", "--http-cors", "*", hello]
    config = elfpack("build", "--print-config", *flags)
    path = tmp_path / "c.conf"
    path.write_bytes(config.out)
    assert elfpack("build", "-q", "-c", path, "-o", tmp_path / "2.img").out == \
        elfpack("build", "-q", *flags, "-o", tmp_path / "1.img").out
    text = elfpack("build", "--print-config", "-c", path, "--http-out", "y", "--http-out", "z").out
    assert b"http-out = y\nhttp-out = z\n" in text and b"http-out = x" not in text


def test_flag_replaces_what_the_profile_says(build, elfpack, hello, tmp_path):
    profile = tmp_path / "p.conf"
    profile.write_text("[profile]\nmatch = x\n[http]\nargv = -c\n    {files}\nout = a.o\n"
                       "ok-exit = 1\n")
    lines = manifest(elfpack, build(hello, "--http", "--profile", profile, "--http-out", "b.o"))
    assert [line for line in lines if line.startswith(("argv", "out", "ok_exit"))] == \
        ["argv=-c", "argv={files}", "out=b.o", "ok_exit=1"]


@pytest.mark.parametrize("flag, value, words", [
    ("--http-allow-arg", "(", "Unmatched"), ("--http-ok-exit", "256", "exit status"),
    ("--http-allow-env", "A=b", "variable"), ("--admin", "0", "port"),
    ("--http-argv", "'x", "quote"), ("--http-out", "", "empty"), ("--http-cors", "a b", "origin"),
])
def test_value_that_cannot_be_is_named_with_its_flag(elfpack, hello, tmp_path, flag, value, words):
    result = elfpack("build", hello, "--http", flag, value, "-o", tmp_path / "x.img")
    assert result.status == 2
    assert flag in result.text and words in result.text
