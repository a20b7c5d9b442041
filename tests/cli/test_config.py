"""Configuration files: everything that a flag can say, an INI file can, and flags win."""
import pytest


def printed(elfpack, *arguments, **options):
    result = elfpack("build", "--print-config", *arguments, **options)
    assert result.status == 0, result.text
    return result.out.decode()


def digest(elfpack, *arguments, **options):
    result = elfpack("build", "-q", *arguments, **options)
    assert result.status == 0, result.text
    return result.out


def test_the_printed_configuration_reads_back_to_the_same_image(elfpack, hello, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x").write_text("x")
    said = ("--http=8080", "--file", f"{hello}:/bin/other", "--dir", f"{tmp_path}/data:/d",
            "--env", "A= b ", "--env", "C=; d", "--env", "LONG=" + "x" * 3000, "--exclude", "*~",
            "--cwd", "/w", "--http-wall-ms", "3s", "--memory", "64M", hello, "--", "",
            " two ", 'quoted"\\', "tab\tand\nline")
    first = digest(elfpack, "-o", tmp_path / "1.img", *said)
    path = tmp_path / "elfpack.conf"
    path.write_text(printed(elfpack, "-o", tmp_path / "2.img", *said))
    assert digest(elfpack, "-c", path) == first
    assert (tmp_path / "2.img").read_bytes() == (tmp_path / "1.img").read_bytes()
    assert printed(elfpack, "-c", path) == path.read_text()


def test_a_profiles_image_reads_back_too(elfpack, tmp_path):
    first = digest(elfpack, "/bin/busybox", "--http", "-o", tmp_path / "1.img")
    path = tmp_path / "b.conf"
    path.write_text(printed(elfpack, "/bin/busybox", "--http", "-o", tmp_path / "2.img"))
    assert "profile = busybox\n" in path.read_text()
    assert digest(elfpack, "-c", path) == first


def test_flags_win_over_the_file(elfpack, hello, tmp_path):
    path = tmp_path / "x.conf"
    path.write_text(f"program = /no/such\narg = from-file\nserve = 99\nhttp-wall-ms = 1s\n"
                    "profile = none\nenv = A=file\nenv = B=file\n")
    text = printed(elfpack, "-c", path, hello, "--http=81", "--no-profile", "--env", "A=flag",
                   "--http-wall-ms", "2s", "--", "from-line")
    assert f"program = {hello}\n" in text and "arg = from-line\n" in text
    assert "from-file" not in text and "serve" not in text
    assert "http = 81\n" in text and "http-wall-ms = 2000\n" in text
    assert "env = A=flag\nenv = B=file\n" in text and "no-profile = yes\n" in text


def test_one_file_serves_build_and_run(elfpack, tmp_path):
    path = tmp_path / "x.conf"
    path.write_text("output = x.img\n[build]\nhttp =\njson = no\n[run]\nmemory = 1M\n")
    assert "http = 80\n" in printed(elfpack, "-c", path, "/bin/busybox")
    result = elfpack("run", "-c", path, "/bin/busybox")
    assert result.status == 2
    assert f"{path}:6: memory = 1M: not a size of at least 8M" in result.text


def test_indented_lines_are_further_values(elfpack, hello, tmp_path):
    path = tmp_path / "x.conf"
    path.write_text("; a comment\nenv = A=1\n  B=2 ; no comment\n")
    assert "env = A=1\nenv = B=2 ; no comment\n" in printed(elfpack, "-c", path, hello)


@pytest.mark.parametrize("text, said", [
    ("colour = red\n", "1: colour: unknown key"),
    ("\n\n[build]\ncpus = 2\n", "4: cpus: unknown key"),
    ("[other]\nport = 2\n", "2: [other]: there are [build], [run] and [serve]"),
    ("http = many\n", "1: http = many: not a port"),
    ("http-wall-ms = soon\n", "1: http-wall-ms = soon: not a number (ms)"),
    ("json = maybe\n", "1: json = maybe: neither yes nor no"),
    ("config = other.conf\n", "1: config: an option of command lines only"),
    ("cwd = \"/a\n", "1: no closing quote"),
    ("cwd = \"/\\q\"\n", "1: \\q: not an escape"),
    ("http = 80\n\nserve = 81\n", "3: serve = 81: --http and --serve exclude each other"),
    ("http\n", "1: neither [SECTION] nor NAME = VALUE"),
    ("[build\n", "1: neither [SECTION] nor NAME = VALUE"),
])
def test_mistakes_are_told_with_file_and_line(elfpack, hello, tmp_path, text, said):
    path = tmp_path / "wrong.conf"
    path.write_text(text)
    result = elfpack("build", "-c", path, hello)
    assert result.status == 2
    assert f"elfpack: build: {path}:{said}" in result.text


def test_a_file_that_is_missing_or_no_text_is_refused(elfpack, hello, tmp_path):
    result = elfpack("build", "-c", tmp_path / "none", hello)
    assert result.status == 2 and "none: No such file" in result.text
    result = elfpack("build", "-c", hello, hello)
    assert result.status == 2 and "not a text" in result.text
