"""One image starts from every firmware, on every machine and controller. Here a choice in which
each occurs; tests/boot/every_machine runs them all."""
import pytest

from support.guest import Guest
from support.machines import convert

pytestmark = pytest.mark.xdist_group("busybox_image")


@pytest.mark.parametrize("firmware, machine, controller, kind, compress", [
    ("bios", "q35", "nvme", "raw", "none"),
    ("bios", "q35", "ahci", "qcow2", "deflate"),
    ("bios", "q35", "virtio-scsi", "raw", "none"),
    ("bios", "pc", "ide", "raw", "none"),
    ("bios", "q35", "usb", "raw", "none"),
    ("pvh", "pc", None, "raw", "none"),
    ("uefi", "q35", "virtio-blk", "raw", "none"),
    ("uefi", "pc", "nvme", "vpc", "deflate"),
])
def test_an_image_answers_from(busybox_image, tmp_path, firmware, machine, controller, kind,
                               compress):
    with Guest(convert(busybox_image, kind, compress), folder=tmp_path, firmware=firmware,
               machine=machine, controller=controller, disk_format=kind) as guest:
        guest.wait_ready(60)
        assert guest.request("GET", "/?echo&hello")[::2] == (200, b"hello\n")
        metrics = guest.metrics()
        load, boot = metrics["elfpack_load_nanoseconds"], metrics["elfpack_boot_nanoseconds"]
        assert load == 0 if firmware == "pvh" else 0 < load < boot
