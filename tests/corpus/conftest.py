"""The clang image that several modules ask: booted, and served without a machine."""
import subprocess

import pytest

from support.guest import ELFPACK, Guest, build_image


@pytest.fixture(scope="session")
def clang_image(tmp_path_factory):
    # The profile's times are for real CPUs; everything else is as it comes.
    folder = tmp_path_factory.mktemp("compile_server")
    image = build_image(folder / "clang.img", "clang", "--http", "--http-wall-ms", "300s",
                        "--http-queue-age-ms", "300s")
    yield image
    image.unlink()
    for bundle in folder.glob("*.bundle"):
        bundle.unlink()


@pytest.fixture(scope="session")
def clang_guest(clang_image):
    with Guest(clang_image, folder=clang_image.parent, firmware="pvh",
               memory="1024M") as guest:
        guest.wait_ready(240)
        yield guest


@pytest.fixture(scope="session")
def clang_served(clang_image):
    served = subprocess.Popen([ELFPACK, "serve", clang_image], stdout=subprocess.PIPE, text=True,
                              start_new_session=True)
    ready, url = served.stdout.readline().split()
    assert ready == "ready"
    yield url.rstrip("/")
    served.terminate()
    assert served.wait(timeout=60) == 0
    served.stdout.close()
