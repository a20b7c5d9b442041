"""Fixtures that the tests of booted images share. A guest is booted once a worker and
serves every test that asks for it; tests of one guest run in one worker (xdist_group)."""
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support.guest import Guest, build_image  # noqa: E402

# A suite that was started in the background may ignore these, and so would every program that it
# starts here and compares with one in an image.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def busybox_image(tmp_path_factory):
    """Debian's static busybox behind HTTP, with a few files of its own."""
    folder = tmp_path_factory.mktemp("busybox")
    (folder / "words").write_text("pear\napple\nfig\n")
    return build_image(folder / "busybox.img", "/bin/busybox", "--http", "--file",
                       f"{folder}/words:/usr/share/words")


@pytest.fixture(scope="session")
def busybox_guest(busybox_image, tmp_path_factory):
    with Guest(busybox_image, folder=tmp_path_factory.mktemp("guest")) as guest:
        guest.wait_ready()
        yield guest
