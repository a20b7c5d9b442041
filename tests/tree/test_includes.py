"""The include rules of ARCHITECTURE.md: which world may see which headers."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "limits.h", "stdatomic.h"}

# What each kernel folder may include of the others; lib stands below all.
MAY_SEE = {
    "lib": {"lib", "arch", "dev"},  # the console and the random instruction stand below print, random
    "arch": {"arch", "lib", "mm", "dev", "proc", "kmain"},
    "dev": {"dev", "arch", "lib", "mm", "proc"},
    "mm": {"mm", "arch", "lib", "vfs", "proc", "vdso"},
    "net": {"net", "dev", "arch", "lib", "mm", "proc", "vfs", "sys"},
    "proc": {"proc", "vfs", "mm", "arch", "lib", "sys"},
    "vfs": {"vfs", "proc", "mm", "arch", "lib", "dev", "sys", "net"},
    "sys": {"sys", "vfs", "proc", "net", "mm", "arch", "lib", "dev", "kmain"},
    "vdso": {"vdso", "arch"},
    "kmain": {"kmain", "sys", "vfs", "proc", "net", "mm", "dev", "arch", "lib"},
}


def sources(folder, *endings):
    return sorted(p for ending in endings for p in (ROOT / folder).rglob(f"*{ending}"))


def includes(path):
    """(is system header, name) of each include; comments do not count."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    return [(kind == "<", name) for kind, name in INCLUDE.findall(text)]


def kernel_part(name):
    parts = pathlib.PurePath(name).parts
    return "kmain" if parts[1].startswith("kmain") else parts[1]


@pytest.mark.parametrize("path", sources("imgfmt/abi", ".h"), ids=lambda p: p.name)
def test_a_contract_includes_only_fixed_size_integers_and_its_like(path):
    for system, name in includes(path):
        assert name in {"stdint.h", "stddef.h"} if system else name.startswith("imgfmt/abi/")


def test_the_kernel_never_sees_a_hosted_header():
    hosted = re.compile(r"#ifndef ELFPACK_KERNEL.*?#else|#else.*?#endif", re.S)
    for path in sources("shim", ".c", ".h", ".S"):
        text = hosted.sub("", path.read_text())
        for kind, name in INCLUDE.findall(re.sub(r"/\*.*?\*/", "", text, flags=re.S)):
            if kind == "<":
                assert name in FREESTANDING, f"{path.relative_to(ROOT)} includes <{name}>"
            else:
                world = name.split("/")[0]
                assert world in {"shim", "imgfmt"}, f"{path.relative_to(ROOT)}: {name}"


def test_kernel_folders_include_only_what_stands_below_them():
    wrong = []
    for path in sources("shim", ".c", ".h", ".S"):
        part = kernel_part(path.relative_to(ROOT))
        for system, name in includes(path):
            if not system and name.startswith("shim/") and kernel_part(name) not in MAY_SEE[part]:
                wrong.append(f"{path.relative_to(ROOT)}: {name}")
    assert not wrong


def test_drivers_reach_the_network_only_through_netdev():
    for path in sources("shim/dev", ".c", ".h"):
        assert not [n for _, n in includes(path) if n.startswith("shim/net/")], path


def test_the_front_end_and_the_command_do_not_include_the_kernel():
    for folder in ("front", "cli", "imgfmt", "aws"):
        for path in sources(folder, ".c", ".h"):
            names = [n for _, n in includes(path) if n.startswith("shim/")]
            assert set(names) <= {"shim/lib/string.h"}, f"{path.relative_to(ROOT)}: {names}"


def test_aws_sees_itself_and_the_formats():
    for path in sources("aws", ".c", ".h"):
        wrong = [n for system, n in includes(path)
                 if not system and n.split("/")[0] not in {"aws", "imgfmt"}]
        assert not wrong, f"{path.relative_to(ROOT)}: {wrong}"


def test_only_the_publish_command_sees_aws():
    for folder in ("front", "imgfmt", "shim", "loader", "cli"):
        for path in sources(folder, ".c", ".h"):
            names = [n for _, n in includes(path) if n.startswith("aws/")]
            assert not names or path.name == "cmd_publish.c", f"{path.relative_to(ROOT)}: {names}"
