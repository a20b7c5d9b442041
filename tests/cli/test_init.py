"""`elfpack init`: values from the command line and from images, and that nothing is overwritten."""
import json
import os
import subprocess

import pytest

from support.guest import ELFPACK

NAMES = ["aws-cloudformation", "aws-terraform", "github-actions", "gitlab-ci", "kubevirt",
         "libvirt", "systemd"]
SHA256 = "0123456789abcdef" * 4


@pytest.fixture
def init(elfpack, tmp_path):
    """init(WORD...): the command's result, started in tmp_path."""
    return lambda *words: elfpack("init", *words, cwd=tmp_path)


def files_below(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_templates_are_listed_without_a_name(init):
    said = init().out.decode()
    assert [line.split()[0] for line in said.splitlines() if line.startswith("  ")] == NAMES
    assert init("--help").status == 0


@pytest.mark.parametrize("name", NAMES)
def test_every_template_is_written(init, tmp_path, name):
    has_digest = name.startswith("aws-")
    result = init(name, "new/folder", *(["--set", f"sha256={SHA256}"] if has_digest else []))
    assert result.status == 0, result.text
    written = [f"new/folder/{path}" for path in files_below(tmp_path / "new/folder")]
    assert sorted(result.out.decode().splitlines()) == written != []
    text = "".join((tmp_path / path).read_text() for path in written)
    assert (SHA256 in text) == has_digest


def test_folder_is_this_one_unless_said(init, tmp_path):
    assert init("libvirt", "-q").err == b""
    assert files_below(tmp_path) == ["elfpack.xml"]


def test_values_are_set_and_name_files(init, tmp_path):
    assert init("systemd", "-s", "name=compiler", "--set", "memory_mib=1024").status == 0
    unit = (tmp_path / "compiler.service").read_text()
    assert " -m 1024 " in unit and "Description=compiler," in unit


def test_values_are_listed(init, tmp_path):
    said = init("aws-terraform", "--values").out.decode()
    assert "[must be said]" in said and "[eu-west-1]" in said
    assert files_below(tmp_path) == []


def test_image_gives_its_values(init, build, tmp_path):
    image = build("/bin/busybox", "--no-profile", "--http=8080", name="Busy_Box.img")
    said = json.loads(subprocess.run([ELFPACK, "inspect", "--json", image], check=True,
                                     capture_output=True).stdout)
    assert init("aws-terraform", "t", "--image", image).status == 0
    values = (tmp_path / "t/terraform.tfvars").read_text()
    assert f'"{said["sha256"]}"' in values and "image_port    = 8080" in values
    assert '"busybox"' in values
    # What is said wins.
    assert init("aws-terraform", "u", "--image", image, "-s", "port=81").status == 0
    assert "image_port    = 81" in (tmp_path / "u/terraform.tfvars").read_text()


def test_nothing_is_overwritten_and_nothing_left_behind(init, tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t/variables.tf").write_text("mine\n")
    result = init("aws-terraform", "t", "-s", f"sha256={SHA256}")
    assert result.status == 1 and b"variables.tf: exists already" in result.err
    assert files_below(tmp_path) == ["t/variables.tf"]
    assert (tmp_path / "t/variables.tf").read_text() == "mine\n"


def test_links_are_not_followed(init, tmp_path):
    os.symlink("/tmp/nowhere", tmp_path / "elfpack.xml")
    assert init("libvirt").status == 1


@pytest.mark.parametrize("words, said", [
    (["terraform"], "terraform: no such template"), (["../profiles"], "not a template's name"),
    ([".."], "not a template's name"), (["libvirt", "a", "b"], "b: one word too many"),
    (["aws-terraform"], "needs sha256"), (["libvirt", "-s", "colour=red"], "no such value"),
    (["libvirt", "-s", "name"], "name: not KEY=VALUE"),
    (["libvirt", "-s", "name=Big"], "Big: a name has"),
    (["libvirt", "-s", "name=" + "a" * 25], "a name has"),
    (["libvirt", "-s", "network=a<b"], "network: values have letters"),
    (["github-actions", "-s", "make=make $(id)"], "make: values have letters"),
    (["gitlab-ci", "-s", 'make=a"b'], "make: values have letters"),
    (["libvirt", "-s", "network="], "network: values have letters"),
    (["libvirt", "-s", "network=a\nb"], "network: values have letters")])
def test_wrong_usage_is_refused(init, tmp_path, words, said):
    result = init(*words)
    assert result.status == 2 and said in result.text
    assert files_below(tmp_path) == []


def test_folder_that_can_not_be_made_is_said(init, tmp_path):
    (tmp_path / "file").write_text("")
    result = init("libvirt", "file/below")
    assert result.status == 1 and "file" in result.text
    assert files_below(tmp_path) == ["file"]


def test_what_is_no_image_is_unsuitable(init, tmp_path):
    (tmp_path / "junk").write_bytes(b"x" * 4096)
    result = init("libvirt", "--image", "junk")
    assert result.status == 3 and "junk" in result.text


def test_digest_is_the_disks_in_any_format(init, build, elfpack, tmp_path):
    image = build("/bin/busybox", "--no-profile", "--http", name="image.img")
    assert elfpack("convert", image, tmp_path / "image.qcow2").status == 0
    for name in ("image.img", "image.qcow2"):
        assert init("aws-terraform", name + "d", "--image", name).status == 0
    values = [(tmp_path / f"{name}d/terraform.tfvars").read_text()
              for name in ("image.img", "image.qcow2")]
    assert values[0] == values[1]
