"""Where the tests find a server: the native front over busybox, then a booted image of the
same; or ELFPACK_TEST_URL alone."""
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


GIVEN_URL = os.environ.get("ELFPACK_TEST_URL")
SERVERS = ["given"] if GIVEN_URL else [
    "native", pytest.param("image", marks=pytest.mark.xdist_group("busybox_image"))]


@pytest.fixture(scope="session", params=SERVERS)
def base_url(request, tmp_path_factory):
    if request.param == "given":
        yield GIVEN_URL.rstrip("/")
    elif request.param == "image":
        yield request.getfixturevalue("busybox_guest").url
    else:
        front = NativeFront(tmp_path_factory.mktemp("front"))
        yield front.url
        assert front.stop() == 0


def pytest_collection_modifyitems(config, items):
    """A test that starts a front of its own has nothing to ask the image for."""
    def is_wanted(item):
        return "front_with" not in item.fixturenames or \
            getattr(item, "callspec", None) is None or \
            item.callspec.params.get("base_url") != "image"
    dropped = [item for item in items if not is_wanted(item)]
    items[:] = [item for item in items if is_wanted(item)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)


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
