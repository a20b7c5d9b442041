"""machines.py: every way to start an image that QEMU has: firmware, machine, controller of the
disk, format of the disk file."""
import itertools
import subprocess

from support.guest import ELFPACK

CONTROLLERS_OF = {
    "q35": ("virtio-blk", "virtio-scsi", "nvme", "ahci", "usb"),
    "pc": ("virtio-blk", "virtio-scsi", "nvme", "ahci", "ide", "usb"),
}
FORMATS = ("raw", "qcow2", "vmdk", "vpc")  # as QEMU calls them


def every_disk_boot():
    """(firmware, machine, controller, format) of all that boot from a disk."""
    for firmware, machine in itertools.product(("bios", "uefi"), CONTROLLERS_OF):
        for controller, kind in itertools.product(CONTROLLERS_OF[machine], FORMATS):
            yield firmware, machine, controller, kind


def every_kernel_boot():
    """The same for those that are handed kernel and bundle: no disk is read."""
    for machine in ("microvm", "q35", "pc"):
        yield "pvh", machine, "virtio-blk", "raw"


def convert(image, kind, compress="none"):
    """The image, which is a plain raw one, as our own writers make it for QEMU's format kind;
    returns its path."""
    if (kind, compress) == ("raw", "none"):
        return image
    path = image.with_suffix(f".{compress}.{kind}")
    name = {"vpc": "vhd"}.get(kind, kind)
    if not path.exists():
        subprocess.run([ELFPACK, "convert", "-q", "-f", name, f"--compress={compress}", image,
                        path], check=True, stdout=subprocess.DEVNULL)
    return path
