"""An image whose files are deflated: the kernel makes them plain on all CPUs, and finds damage."""
import subprocess

import pytest

from support.damage import places, refusal
from support.guest import ELFPACK, Guest, build_image

pytestmark = pytest.mark.xdist_group("deflated")


@pytest.fixture(scope="module")
def deflated_image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deflated")
    text = b"".join(b"%d\n" % n for n in range(1_000_000))  # several chunks, the last one short
    (folder / "numbers").write_bytes(text)
    (folder / "zeros").write_bytes(bytes(3 << 20))
    return build_image(folder / "deflated.img", "/bin/busybox", "--http", "--compress=deflate",
                       "--file", f"{folder}/numbers:/n", "--file", f"{folder}/zeros:/z")


@pytest.mark.parametrize("firmware, cpus", [("bios", 1), ("pvh", 4)])
def test_it_serves_what_was_packed(deflated_image, tmp_path, firmware, cpus):
    with Guest(deflated_image, folder=tmp_path, firmware=firmware, cpus=cpus, memory="64M") as guest:
        guest.wait_ready()
        assert guest.request("GET", "/?tail&-n&2&/n")[2] == b"999998\n999999\n"
        digests = guest.request("GET", "/?sha256sum&/n&/z")[2].decode()
        assert digests.split() == [
            "7b8f269ab1f1ba01ea1cb69d69eb2abdd98b88311ce896f1083cc9e66112988b", "/n",
            "bbd05cf6097ac9b1f89ea29d2542c1b7b67ee46848393895f5a9e43fa1f621e5", "/z"]


def test_what_came_deflated_is_free_memory_afterwards(deflated_image, tmp_path):
    plain = tmp_path / "plain.img"
    subprocess.run([ELFPACK, "convert", deflated_image, plain, "--compress=none"], check=True,
                   capture_output=True, timeout=60)
    pages = []
    for image in (deflated_image, plain):
        with Guest(image, folder=tmp_path, firmware="pvh", memory="64M") as guest:
            guest.wait_ready()
            pages.append(guest.metrics()["elfpack_pages"])
    assert abs(pages[0] - pages[1]) < 16, "of 600 that it has, deflated"


@pytest.mark.parametrize("count, firmware, cpus", [(5, ("bios",), 1), (8, ("pvh",), 2)])
def test_damage_is_named_and_nothing_is_started(deflated_image, tmp_path, count, firmware, cpus):
    for place in places(deflated_image, count, 6, firmware):
        console = refusal(deflated_image, tmp_path, *place, cpus=cpus)
        assert "net:" not in console and "panic" not in console, place
