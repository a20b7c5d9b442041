"""Libraries of dynamic programs: the closure that ldd shows, each at its own path, found without
running anything; what is missing is named all at once."""
import json
import os
import re
import subprocess

import pytest


def compile_program(folder, name, *arguments, source="int main(void) { return 0; }"):
    (folder / f"{name}.c").write_text(source)
    subprocess.run(["gcc", "-o", name, f"{name}.c", "-L.", "-Wl,--no-as-needed", *arguments],
                   cwd=folder, check=True)


@pytest.fixture
def libraries(tmp_path):
    """libtwo.so needs libone.so."""
    (tmp_path / "lib").mkdir()
    compile_program(tmp_path, "lib/libone.so", "-shared", "-fPIC", source="int one;")
    compile_program(tmp_path, "lib/libtwo.so", "-shared", "-fPIC", "-Llib", "-lone",
                    source="int two;")
    return tmp_path


@pytest.mark.parametrize("program", ["sort", "tar", "gcc", "qemu-system-x86_64"])
def test_closure_is_what_ldd_shows(elfpack, program):
    said = subprocess.run(["ldd", f"/usr/bin/{program}"], capture_output=True, text=True).stdout
    expected = {os.path.realpath(path) for path in re.findall(r"(/\S+) \(0x", said)}
    needs = json.loads(elfpack("check", "--json", program).out)["needs"]
    assert {os.path.realpath(need["path"]) for need in needs} == expected


def test_packed_program_runs_where_nothing_else_is(build, elfpack, tmp_path):
    if os.geteuid():
        pytest.skip("chroot needs root")
    image = build("/usr/bin/sort")
    assert elfpack("inspect", "extract", image, "-o", tmp_path / "root").status == 0
    done = subprocess.run(["chroot", tmp_path / "root", "/usr/bin/sort"], input=b"b\na\n",
                          capture_output=True)
    assert done.stdout == b"a\nb\n", done.stderr


@pytest.mark.parametrize("flags", [["-Wl,--enable-new-dtags"], ["-Wl,--disable-new-dtags"]])
def test_origin_is_the_programs_own_folder(build, elfpack, libraries, flags):
    # RUNPATH is not asked for what libraries need; RPATH is.
    own = [] if "--disable" in flags[0] else ["-lone"]
    compile_program(libraries, "p", "-Llib", "-ltwo", *own, "-Wl,-rpath-link,lib",
                    "-Wl,-rpath,$ORIGIN/lib", *flags)
    image = build(libraries / "p")
    rows = {row["path"] for row in json.loads(elfpack("inspect", "ls", "--json", image).out)}
    assert {f"{libraries}/p", f"{libraries}/lib/libone.so", f"{libraries}/lib/libtwo.so"} <= rows


def test_all_that_is_missing_is_named_with_who_needs_it(elfpack, libraries, tmp_path):
    compile_program(libraries, "p", "-Llib", "-ltwo", "-lone", "-Wl,-rpath-link,lib",
                    f"-Wl,-rpath,{libraries}/lib")
    (libraries / "lib/libone.so").unlink()
    (libraries / "lib/libtwo.so").rename(libraries / "lib/libtwo.bak")
    for command in ("build", "check"):
        result = elfpack(command, "./p", cwd=libraries)
        assert result.status == 3
        assert "libtwo.so: not found (needed by ./p)" in result.text
        assert "libone.so: not found (needed by ./p)" in result.text


def test_library_of_another_machine_is_passed_over(elfpack, libraries):
    compile_program(libraries, "p", "-Llib", "-lone", f"-Wl,-rpath,{libraries}/lib")
    library = libraries / "lib/libone.so"
    data = bytearray(library.read_bytes())
    data[18] = 183  # EM_AARCH64
    library.write_bytes(data)
    result = elfpack("check", "./p", cwd=libraries)
    assert result.status == 3 and "libone.so: not found" in result.text


def test_links_on_the_way_to_a_library_are_kept(build, elfpack, libraries):
    os.rename(libraries / "lib/libone.so", libraries / "lib/libone.so.1")
    (libraries / "lib/libone.so").symlink_to("libone.so.1")
    compile_program(libraries, "p", "-Llib", "-lone", f"-Wl,-rpath,{libraries}/lib")
    image = build(libraries / "p")
    rows = {row["path"]: row for row in
            json.loads(elfpack("inspect", "ls", "--json", image).out)}
    assert rows[f"{libraries}/lib/libone.so"]["target"] == "libone.so.1"


def test_static_program_needs_nothing(elfpack, hello):
    result = elfpack("check", hello)
    assert result.status == 0 and b"static, needs nothing" in result.out
