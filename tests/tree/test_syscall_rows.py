"""Every row of syscalls.def is called by a program of tests/guest, which runs on Linux and in an
image: by the function of its name or by its number, SYS_name."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
FRONTS_OWN = 5000  # numbers from here on are no Linux calls: every test over HTTP makes them


def test_every_system_call_has_a_guest_program():
    rows = re.findall(r"^SYSCALL\((\d+), (\w+),", (ROOT / "shim/sys/syscalls.def").read_text(),
                      re.MULTILINE)
    programs = "".join(path.read_text() for path in (ROOT / "tests/guest").rglob("*.c"))
    called = set(re.findall(r"\b(\w+)\(", programs))
    called |= set(re.findall(r"\b(?:SYS_|CALL\()(\w+)", programs))
    assert rows and called
    missing = [name for number, name in rows
               if int(number) < FRONTS_OWN and name not in called]
    assert missing == []
