"""Programs without a profile: traced once here, they print the same in an image."""
import subprocess

import pytest

from support.guest import ELFPACK

pytestmark = pytest.mark.xdist_group("run_once")

PERL = """use strict; use List::Util qw(sum); use POSIX qw(floor); use JSON::PP;
print JSON::PP->new->canonical->encode({sum => sum(1 .. 10), floor => floor(2.7)}), "\\n";
"""
PYTHON = """import decimal, json, subprocess
print(json.dumps({"seventh": str(decimal.Decimal(1) / 7)}))
print(subprocess.run(["/usr/bin/printf", "%05d", "42"], capture_output=True).stdout)
"""


@pytest.mark.parametrize("program, arguments", [
    ("/usr/bin/perl", ["s.pl"]),
    ("/usr/bin/python3", ["s.py"]),
    ("/usr/bin/git", ["diff", "--no-index", "--stat", "s.pl", "s.py"]),
    ("/usr/bin/convert", ["-size", "20x10", "gradient:red-blue", "-rotate", "90", "PPM:-"]),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_traced_program_prints_the_same_in_an_image(tmp_path, program, arguments):
    (tmp_path / "s.pl").write_text(PERL)
    (tmp_path / "s.py").write_text(PYTHON)
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/"}
    here = subprocess.run([program, *arguments], capture_output=True, cwd=tmp_path,
                          env=environment, timeout=60)
    there = subprocess.run([ELFPACK, "run", "--no-profile", "--trace", " ".join(arguments),
                            program, "--", *arguments], capture_output=True, cwd=tmp_path,
                           timeout=60)
    assert there.returncode == here.returncode, there.stderr
    assert there.stdout.replace(b"\r\n", b"\n").endswith(here.stdout.replace(b"\r\n", b"\n"))
    assert here.stdout
