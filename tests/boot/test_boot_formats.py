"""An image boots in every format that QEMU reads, and answers."""
import subprocess

import pytest

from support.guest import ELFPACK, Guest


@pytest.mark.parametrize("suffix, machine, driver", [
    ("qcow2", "q35", "qcow2"), ("qcow2c", "q35", "qcow2"), ("vhd", "q35", "vpc"),
    ("vmdk", "pc", "vmdk"), ("ami", "q35", "raw"), ("pvh", "q35", "raw"), ("pvh", "microvm", "raw")])
def test_every_format_boots_and_answers(busybox_image, tmp_path, suffix, machine, driver):
    image = tmp_path / f"image.{suffix}"
    subprocess.run([ELFPACK, "convert", busybox_image, image], check=True, capture_output=True)
    with Guest(image, folder=tmp_path, machine=machine, disk_format=driver) as guest:
        guest.wait_ready()
        status, _, body = guest.request("GET", "/?cat&/usr/share/words")
        assert (status, body) == (200, b"pear\napple\nfig\n")


@pytest.mark.parametrize("firmware, controller", [("bios", "cdrom"), ("bios", "virtio-blk"),
                                                  ("uefi", "cdrom")])
def test_an_iso_boots_as_a_cd_and_as_a_disk(busybox_image, tmp_path, firmware, controller):
    image = tmp_path / "image.iso"
    subprocess.run([ELFPACK, "convert", busybox_image, image], check=True, capture_output=True)
    with Guest(image, folder=tmp_path, firmware=firmware, controller=controller) as guest:
        guest.wait_ready(60)
        assert guest.request("GET", "/?cat&/usr/share/words")[2] == b"pear\napple\nfig\n"


@pytest.mark.parametrize("suffix", ["gce", "oci", "pvh", "qcow2"])
def test_run_takes_every_format(tmp_path, suffix):
    image = tmp_path / f"image.{suffix}"
    subprocess.run([ELFPACK, "build", "/bin/busybox", "--no-profile", "-o", image, "--", "sh", "-c", "exit 7"],
                   check=True, capture_output=True)
    done = subprocess.run([ELFPACK, "run", image], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)
    assert done.returncode == 7, done.stderr
