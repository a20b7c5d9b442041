"""`elfpack inspect diff`: sections, manifest and files of two images, in any formats."""
import hashlib
import json
import os

import pytest


@pytest.fixture(scope="module")
def two(elfpack, hello, tmp_path_factory):
    """The same program with folders that differ by one file each way, and more."""
    folder = tmp_path_factory.mktemp("diff")
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "same").write_text("same")
        (folder / name / "size").write_text("x" * (3 if name == "a" else 5000))
        (folder / name / "bytes").write_text(name)
        (folder / name / "mode").write_text("mode")
        (folder / name / "kind").symlink_to(f"to-{name}")
        (folder / name / f"only-{name}").write_text(name)
    os.chmod(folder / "b" / "mode", 0o600)
    os.chmod(folder / "a" / "mode", 0o644)
    for name, port, more in (("a", 80, ["--env", "A=1", "--env", "B=1"]),
                             ("b", 81, ["--env", "A=1", "--env", "B=\n2", "--", "arg"])):
        result = elfpack("build", hello, f"--http={port}", "--dir", f"{folder}/{name}:/d", "-o",
                         folder / f"{name}.img", *more)
        assert result.status == 0, result.text
    return folder


@pytest.fixture(scope="module")
def said(two, elfpack):
    result = elfpack("inspect", "diff", two / "a.img", two / "b.img", "--json")
    assert result.status == 1 and result.err == b""
    return {(row["kind"], row["name"]): (row["before"], row["after"])
            for row in json.loads(result.out)}


def test_files_that_differ_are_all_that_is_named(two, said):
    def content(name, text, mode=0o644):
        return {"type": "-", "mode": mode, "size": len(text),
                "sha256": hashlib.sha256(text.encode()).hexdigest()}
    files = {name: sides for (kind, name), sides in said.items() if kind == "file"}
    assert files == {
        "/d/only-a": (content("only-a", "a"), None),
        "/d/only-b": (None, content("only-b", "b")),
        "/d/bytes": (content("bytes", "a"), content("bytes", "b")),
        "/d/size": (content("size", "xxx"), content("size", "x" * 5000)),
        "/d/mode": (content("mode", "mode"), content("mode", "mode", 0o600)),
        "/d/kind": ({"type": "l", "mode": 0o777, "target": "to-a"},
                    {"type": "l", "mode": 0o777, "target": "to-b"})}


def test_keys_of_the_manifest_that_differ_have_their_values(said):
    keys = {name: sides for (kind, name), sides in said.items() if kind == "manifest"}
    assert keys.pop("port") == (["80"], ["81"])
    assert keys.pop("arg") == (["hello"], ["hello", "arg"])
    env_before, env_after = keys.pop("env")
    assert "B=1" in env_before and "B=\n2" in env_after and "A=1" in env_before
    assert keys == {}


def test_sections_that_differ_have_size_and_digest(two, said, elfpack):
    sections = {name: sides for (kind, name), sides in said.items() if kind == "section"}
    assert sorted(sections) == ["manifest", "rootfs"]
    for i, name in enumerate(("a", "b")):
        rows = json.loads(elfpack("inspect", "--json", two / f"{name}.img").out)["sections"]
        for row in rows:
            if row["name"] in sections:
                assert sections[row["name"]][i] == {k: row[k] for k in ("size", "digest")}


def test_lines_for_people_say_the_same(two, said, elfpack):
    result = elfpack("inspect", "diff", two / "a.img", two / "b.img")
    assert result.status == 1
    lines = result.out.decode().splitlines()
    assert len(lines) == len(said)
    assert "removed file /d/only-a: -0644 1 bytes, sha256 " + \
        hashlib.sha256(b"a").hexdigest() in lines
    assert "changed file /d/kind: l0777 to to-a -> l0777 to to-b" in lines
    assert "changed manifest port: 80 -> 81" in lines


@pytest.mark.parametrize("kind", ["qcow2-compressed", "efi", "pvh", "oci"])
def test_the_format_makes_no_difference(two, elfpack, kind, tmp_path):
    assert elfpack("convert", two / "a.img", tmp_path / "x", "-f", kind).status == 0
    result = elfpack("inspect", "diff", two / "a.img", tmp_path / "x")
    assert (result.status, result.out, result.err) == (0, b"", b"")
    result = elfpack("inspect", "diff", tmp_path / "x", two / "a.img", "--json")
    assert (result.status, json.loads(result.out)) == (0, [])


def test_trouble_is_not_taken_for_a_difference(two, elfpack, tmp_path):
    (tmp_path / "junk").write_text("junk")
    image = two / "a.img"
    for words, status in (((image, "nowhere"), 2), (("nowhere", image), 2), ((image,), 2),
                          ((image, tmp_path / "junk"), 3), ((tmp_path / "junk", image), 3)):
        result = elfpack("inspect", "diff", *words)
        assert result.status == status and result.out == b"" and result.text
