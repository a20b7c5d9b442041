"""A bit turned anywhere in a bundle is found before what it belongs to is used, and the console
names the section. tests/boot/damage_many does it at as many places as it is told."""
import pytest

from support.damage import places, refusal

pytestmark = pytest.mark.xdist_group("busybox_image")


@pytest.mark.parametrize("count, firmware, cpus", [(10, ("bios", "pvh"), 1), (2, ("uefi",), 1),
                                                   (4, ("pvh",), 2)])
def test_a_damaged_section_is_named_and_nothing_is_started(busybox_image, tmp_path, count,
                                                           firmware, cpus):
    for place in places(busybox_image, count, 5, firmware):
        console = refusal(busybox_image, tmp_path, *place, cpus=cpus)
        assert "net:" not in console and "panic" not in console, place
