"""native_front.py: front as a program of this machine, over busybox: the tests of HTTP ask it and
a booted image the same."""
import os
import pathlib
import shutil
import signal
import subprocess
import urllib.parse

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
MANIFEST = """version=1
mode=http
exec=/bin/busybox
arg=busybox
env=PATH=/bin
cwd=/work
port=80
program=busybox
"""


def native_binary():
    named = os.environ.get("ELFPACK_FRONT")
    found = [pathlib.Path(named)] if named else sorted(TREE.glob("build/*/bin/front-native"))
    if not found:
        pytest.skip("front-native is not built")
    return found[-1]


class NativeFront:
    """front over busybox in a root of its own. lines: of its manifest, in the place of those of
    the same key, or beside them; fill is given the root to put more files there."""

    def __init__(self, folder, lines=(), fill=None, **options):
        root = folder / "root"
        for name in ("bin", "work", "tmp"):
            (root / name).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin" / "busybox")
        if fill:
            fill(root)
        replaced = {line.split("=")[0] for line in lines} & {"exec", "cwd"}
        kept = [line for line in MANIFEST.splitlines() if line.split("=")[0] not in replaced]
        (folder / "manifest").write_text("".join(f"{line}\n" for line in [*kept, *lines]))
        self.process = subprocess.Popen(
            [native_binary(), "--manifest", folder / "manifest", "--root", root,
             "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, text=True,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"}, **options)
        line = self.process.stdout.readline()
        self.url = f"http://127.0.0.1:{int(line.split()[-1])}"

    @property
    def address(self):
        parts = urllib.parse.urlsplit(self.url)
        return parts.hostname, parts.port

    def stop(self):
        """SIGTERM; returns the exit status, which a leak would change."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        self.process.stdout.close()
        return status
