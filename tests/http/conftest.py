"""Where the tests find a server: the native front over busybox, then a booted image of the
same; or ELFPACK_TEST_URL alone."""
import os
import urllib.parse

import pytest

from support.native_front import NativeFront

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
        started.append(NativeFront(folder, lines))
        return started[-1]
    yield start
    for front in started:
        assert front.stop() == 0
