"""C is laid out as .clang-format says, whoever wrote it."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_every_c_file_is_as_clang_format_lays_it_out():
    listing = subprocess.run(["git", "-C", ROOT, "ls-files", "*.c", "*.h"], check=True,
                             capture_output=True, text=True).stdout.split()
    done = subprocess.run(["clang-format-14", "--dry-run", "-Werror", *listing], cwd=ROOT,
                          capture_output=True, text=True)
    assert listing and done.returncode == 0, done.stderr[:4000]
