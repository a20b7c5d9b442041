"""Where the tests find a server: ELFPACK_TEST_URL, or the native front over busybox."""
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
    def __init__(self, folder, manifest=MANIFEST):
        root = folder / "root"
        for name in ("bin", "work", "tmp"):
            (root / name).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin" / "busybox")
        (folder / "manifest").write_text(manifest)
        self.process = subprocess.Popen(
            [native_binary(), "--manifest", folder / "manifest", "--root", root,
             "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, text=True,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"})
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


@pytest.fixture(scope="session")
def base_url(tmp_path_factory):
    given = os.environ.get("ELFPACK_TEST_URL")
    if given:
        yield given.rstrip("/")
        return
    front = NativeFront(tmp_path_factory.mktemp("front"))
    yield front.url
    assert front.stop() == 0


@pytest.fixture
def address(base_url):
    parts = urllib.parse.urlsplit(base_url)
    return parts.hostname, parts.port or 80


@pytest.fixture
def front_with(tmp_path):
    """front_with("limit.queue=1", ...) starts a native front whose manifest has these lines
    too: for what needs limits of its own, or the front's own process."""
    started = []

    def start(*lines):
        folder = tmp_path / str(len(started))
        started.append(NativeFront(folder, MANIFEST + "".join(f"{line}\n" for line in lines)))
        return started[-1]
    yield start
    for front in started:
        assert front.stop() == 0
