"""The rows of syscalls.def are true: each stands under the file that has its handler, and is called
by a program of tests/guest, which runs on Linux and in an image."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
FRONTS_OWN = 5000  # numbers from here on are no Linux calls: every test over HTTP makes them
DEF = (ROOT / "shim/sys/syscalls.def").read_text()


def test_every_system_call_has_a_guest_program():
    rows = re.findall(r"^SYSCALL\((\d+), (\w+),", DEF, re.MULTILINE)
    programs = "".join(path.read_text() for path in (ROOT / "tests/guest").rglob("*.c"))
    # By the function of its name or by its number, SYS_name.
    called = set(re.findall(r"\b(\w+)\(", programs))
    called |= set(re.findall(r"\b(?:SYS_|CALL\()(\w+)", programs))
    assert rows and called
    missing = [name for number, name in rows
               if int(number) < FRONTS_OWN and name not in called]
    assert missing == []


def handlers(path):
    """The calls that a file handles, also those that a macro of its own makes functions of."""
    text = path.read_text()
    found = set(re.findall(r"^long sys_(\w+)\(const struct sysargs", text, re.MULTILINE))
    for macro, forms in re.findall(r"^#define (\w+)\(name\b.*\\\n((?:.*\\\n)*)", text, re.MULTILINE):
        for name in re.findall(rf"^{macro}\((\w+)", text, re.MULTILINE):
            found |= {first + name for first in re.findall(r"long sys_(\w*)##name\(", forms)}
    return found


def test_every_system_call_stands_under_the_file_of_its_handler():
    parts = re.split(r"^/\* (\w+\.c)(?:: [^*]*)? \*/$", DEF, flags=re.MULTILINE)[1:]
    headed = {heading: set(re.findall(r"^SYSCALL\(\d+, (\w+),", rows, re.MULTILINE))
              for heading, rows in zip(parts[::2], parts[1::2])}
    assert headed == {path.name: found for path in (ROOT / "shim/sys").glob("*.c")
                      if (found := handlers(path))}
