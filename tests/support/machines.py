"""machines.py: every way to start an image that QEMU has: firmware, machine, controller of the
disk, format of the disk file."""
import itertools
import shutil
import subprocess

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


def convert(image, kind):
    """The image as a file of QEMU's format kind; returns its path."""
    path = image.with_suffix(f".{kind}")
    if kind == "raw":
        return image
    if not path.exists():
        part = path.with_suffix(".part")
        subprocess.run(["qemu-img", "convert", "-O", kind, image, part], check=True)
        shutil.move(part, path)
    return path
