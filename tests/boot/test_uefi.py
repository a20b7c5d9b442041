"""The EFI system partition and the UEFI loader: its partition is what other programs take for
one, and what is wrong with an image is said."""
import subprocess

import pytest

from support.guest import OVMF, PARTS, Guest, build_image, partition

pytestmark = pytest.mark.xdist_group("busybox_image")

SYSTEM = "28732ac11ff8d211ba4b00a0c93ec93b"


def system_partition(image, folder):
    first, size = partition(image, SYSTEM)
    path = folder / "esp"
    with open(image, "rb") as f:
        f.seek(first)
        path.write_bytes(f.read(size))
    return path


def test_the_partition_table_is_clean(busybox_image):
    done = subprocess.run(["sgdisk", "-v", busybox_image], capture_output=True, text=True)
    assert "No problems found" in done.stdout


def test_the_system_partition_is_clean(busybox_image, tmp_path):
    esp = system_partition(busybox_image, tmp_path)
    done = subprocess.run(["fsck.fat", "-n", "-v", esp], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_loader_lies_where_firmware_looks_for_it(busybox_image, tmp_path):
    esp = system_partition(busybox_image, tmp_path)
    subprocess.run(["mcopy", "-i", esp, "::EFI/BOOT/BOOTX64.EFI", tmp_path / "out"], check=True)
    built, packed = (PARTS / "bootx64.efi").read_bytes(), (tmp_path / "out").read_bytes()
    differ = [i for i in range(len(built)) if built[i] != packed[i]]
    assert len(built) == len(packed)
    assert 0 < len(differ) <= 32 and differ[-1] - differ[0] < 32  # the bundle's digest


def test_the_same_program_gives_the_same_disk(busybox_image, tmp_path):
    (tmp_path / "words").write_text("pear\napple\nfig\n")
    again = build_image(tmp_path / "again.img", "/bin/busybox", "--http", "--file",
                        f"{tmp_path}/words:/usr/share/words")
    assert again.read_bytes() == busybox_image.read_bytes()


def test_the_loader_of_one_image_does_not_start_another(busybox_image, tmp_path):
    """Who signed a loader signed its bundle."""
    other = build_image(tmp_path / "other.img", "/bin/busybox")
    content = bytearray(other.read_bytes())
    first, size = partition(busybox_image, SYSTEM)
    assert partition(other, SYSTEM) == (first, size)
    content[first:first + size] = busybox_image.read_bytes()[first:first + size]
    other.write_bytes(content)
    with Guest(other, folder=tmp_path, firmware="uefi", http=False) as guest:
        guest.wait_console("elfpack: bundle at sector 640: belongs to another image", 60)


def test_one_file_with_the_bundle_inside_starts_without_a_disk(tmp_path):
    """What is signed and put anywhere: here OVMF gets it from QEMU."""
    program = build_image(tmp_path / "hello.efi", "/bin/busybox", "--", "echo", "hello")
    console = tmp_path / "console"
    subprocess.run(["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "256", "-M", "q35",
                    "-nodefaults", "-display", "none", "-no-reboot", "-serial", f"file:{console}",
                    "-device", "isa-debug-exit,iobase=0x501,iosize=2", "-drive",
                    f"if=pflash,format=raw,readonly=on,file={OVMF}", "-kernel", program],
                   timeout=60)
    assert console.read_text().splitlines()[-1].endswith("hello")  # behind OVMF's escapes
