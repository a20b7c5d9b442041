"""The Debian package: unpacked somewhere it works, and its manual and completions say what the
command's tables of options say."""
import re
import subprocess

import pytest

from support.guest import BUILD, ELFPACK

pytestmark = pytest.mark.xdist_group("install")
COMMANDS = ("build", "run", "serve", "check", "inspect", "init", "publish")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deb")
    subprocess.run(["cpack", "-G", "DEB", "-B", folder, "--config", BUILD / "CPackConfig.cmake"],
                   cwd=BUILD, check=True, capture_output=True, timeout=300)
    package, = folder.glob("elfpack_*_amd64.deb")
    subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True)
    return folder / "root"


def long_options(command):
    text = subprocess.run([ELFPACK, command, "--help"], capture_output=True, text=True).stdout
    return re.findall(r"^ +(?:-\w, )?--([\w-]+)", text, re.M)


def test_the_unpacked_package_builds_the_same_image(root, tmp_path):
    digests = [subprocess.run([program, "build", "-q", "/bin/busybox", "--http", "-o",
                               tmp_path / "x.img"], check=True, capture_output=True).stdout
               for program in (ELFPACK, root / "usr/bin/elfpack")]
    assert digests[0] == digests[1]


def test_the_unpacked_package_has_its_templates(root, tmp_path):
    subprocess.run([root / "usr/bin/elfpack", "init", "github-actions", tmp_path], check=True,
                   capture_output=True)
    assert (tmp_path / ".github/workflows/elfpack.yml").exists()
    subprocess.run([root / "usr/bin/elfpack", "init", "aws-cloudformation", tmp_path, "-s",
                    "sha256=0"], check=True, capture_output=True)
    assert (tmp_path / "deploy").stat().st_mode & 0o111


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_in_the_manual_and_the_completions(root, command):
    options = long_options(command)
    assert "help" in options
    page = (root / f"usr/share/man/man1/elfpack-{command}.1").read_text()
    shells = {shell: (root / f"usr/share/{path}").read_text() for shell, path in (
        ("bash", "bash-completion/completions/elfpack"),
        ("zsh", "zsh/vendor-completions/_elfpack"),
        ("fish", "fish/vendor_completions.d/elfpack.fish"))}
    for option in options:
        assert re.search(rf"^\.It .*Fl -{option}( |$)", page, re.M), option
        assert re.search(rf"^\t{command}\) options='.*--{option}[ =]", shells["bash"], re.M)
        assert re.search(rf"'\*--{option}(=-?)?\[", shells["zsh"])
        assert re.search(rf"from {command}' -l {option} ", shells["fish"])


@pytest.mark.parametrize("typed, offered", [
    (["elfpack", "ins"], ["inspect"]),
    (["elfpack", "build", "--no-p"], ["--no-profile"]),
    (["elfpack", "run", "--gd"], ["--gdb="]),
    (["elfpack", "build", "file"], []),
])
def test_bash_completes(root, typed, offered):
    script = root / "usr/share/bash-completion/completions/elfpack"
    words = " ".join(f"'{word}'" for word in typed)
    done = subprocess.run(
        ["bash", "-c", f". {script}; COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; "
         "_elfpack; printf '%s\\n' \"${COMPREPLY[@]}\""], capture_output=True, text=True)
    assert done.stdout.split() == offered and not done.stderr


def test_the_package_names_the_libraries_it_needs(root):
    package, = root.parent.glob("*.deb")
    said = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True,
                          text=True).stdout
    for name in ("libc6", "libelf1", "libarchive13", "libinih1", "libssl3", "libcurl4", "libexpat1"):
        assert name in said
