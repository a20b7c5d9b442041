"""The BIOS stages: from a disk to the kernel's entry as imgfmt/abi/bootinfo.h promises it."""

import os
import random
import re
import select
import subprocess
import time

import pytest

import loader_image as image

KERNEL_SAID = re.compile(r"([0-9A-F]{8} ){5}[0-9A-F]+\n")

DRIVES = {
    "q35_ahci": ["-M", "q35", "-drive", "file={},format=raw,if=ide"],
    "i440fx_ide": ["-M", "pc", "-drive", "file={},format=raw,if=ide"],
    "virtio_blk": ["-M", "q35", "-drive", "file={},format=raw,if=virtio"],
    "virtio_behind_bridge": ["-M", "pc", "-drive", "file={},format=raw,if=none,id=d",
                             "-device", "pci-bridge,chassis_nr=1,id=b",
                             "-device", "virtio-blk-pci,drive=d,bus=b,addr=1"],
    "virtio_after_another": ["-M", "q35", "-drive", "file={},format=raw,if=none,id=d",
                             "-blockdev", "driver=null-co,node-name=n,size=67108864,read-zeroes=on",
                             "-device", "virtio-blk-pci,drive=n,addr=3",
                             "-device", "virtio-blk-pci,drive=d,addr=4,bootindex=0"],
    "virtio_not_legacy": ["-M", "q35", "-drive", "file={},format=raw,if=none,id=d",
                          "-device", "virtio-blk-pci,drive=d,disable-legacy=on"],
    "nvme": ["-M", "q35", "-drive", "file={},format=raw,if=none,id=d",
             "-device", "nvme,drive=d,serial=1"],
    "virtio_scsi": ["-M", "q35", "-drive", "file={},format=raw,if=none,id=d",
                    "-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=d"],
    "usb": ["-M", "q35", "-drive", "file={},format=raw,if=none,id=d",
            "-device", "qemu-xhci", "-device", "usb-storage,drive=d"],
}


def run(path, options, memory="64", until=KERNEL_SAID, seconds=30):
    """Boots; returns what COM1 said when it matches until or the time is over."""
    command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", memory,
               "-display", "none", "-nodefaults", "-vga", "none", "-no-reboot",
               "-serial", "stdio", "-monitor", "none",
               "-device", "isa-debug-exit,iobase=0xf4"]
    command += [word.format(path) for word in options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    said, end = "", time.monotonic() + seconds
    try:
        while time.monotonic() < end and not re.search(until, said):
            if select.select([process.stdout], [], [], 0.2)[0]:
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    break
                said = (said + data.decode("latin-1")).replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
    return said


def handover(said):
    match = KERNEL_SAID.search(said)
    assert match, f"the kernel did not run: {said!r}"
    return image.Handover(match.group(0))


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    return image.kernel_elf(tmp_path_factory.mktemp("kernel"))


@pytest.fixture(scope="module")
def content(kernel):
    return image.bundle(kernel, rootfs=random.Random(1).randbytes(2_500_000))


@pytest.fixture
def boot(tmp_path):
    def start(data, options=DRIVES["q35_ahci"], **more):
        path = tmp_path / "disk.img"
        path.write_bytes(data)
        return run(path, options, **more)
    return start


def check(got, content):
    """All that bootinfo.h promises."""
    assert got.magic == 0x49425045
    assert got.firmware == 1
    assert got.bundle_size == len(content)
    assert got.bundle % 4096 == 0
    assert got.sum == image.bundle_sum(content)
    assert got.flags & 0x200 == 0, "interrupts are off"
    assert got.cr0 & 0x80000001 == 1, "protected mode, no paging"
    assert got.bss_left == 0, "memory behind the file's bytes is zero"
    assert got.cmdline == 0
    assert got.tsc != 0
    ram = [(base, base + size) for base, size, kind in got.regions if kind == 1]
    end = got.bundle + got.bundle_size
    assert any(low <= got.bundle and end <= high for low, high in ram)
    assert end <= 1 << 32
    assert got.bundle >= image.KERNEL_BSS + image.KERNEL_BSS_BYTES
    for base, size, kind in got.regions:
        assert kind == 1 or base >= end or base + size <= got.bundle
    assert 0xE0000 <= got.rsdp < 0x100000 or 0x80000 <= got.rsdp < 0xA0000


@pytest.mark.parametrize("drive", DRIVES)
def test_kernel_gets_the_bundle_whole_from(drive, boot, content):
    got = handover(boot(image.disk(content), DRIVES[drive]))
    check(got, content)


@pytest.mark.parametrize("drive, others", [("virtio_blk", 0), ("virtio_behind_bridge", 0),
                                           ("virtio_after_another", 1)])
def test_the_virtio_disk_booted_from_is_reset_and_others_stay_the_bioss(drive, others, boot, content,
                                                                        tmp_path):
    """By QEMU's trace of the status that a driver writes: virtio 1.2, 2.1."""
    trace = tmp_path / "trace"
    handover(boot(image.disk(content),
                  [*DRIVES[drive], "-trace", "virtio_set_status", "-D", str(trace)]))
    last = dict(re.findall(r"virtio_set_status vdev (\S+) val (\d+)", trace.read_text()))
    assert sorted(last.values()) == ["0", *others * ["15"]]


@pytest.mark.parametrize("memory", ["8", "16", "3G", "6G"])
def test_bundle_is_placed_in_ram_of(memory, boot, content):
    got = handover(boot(image.disk(content), memory=memory))
    check(got, content)
    total = sum(size for base, size, kind in got.regions if kind == 1)
    wanted = int(memory.replace("G", "")) << (30 if "G" in memory else 20)
    assert wanted - (1 << 20) < total <= wanted


def test_boots_as_second_drive(tmp_path, content):
    other, path = tmp_path / "other.img", tmp_path / "disk.img"
    other.write_bytes(b"\0" * (1 << 20))
    path.write_bytes(image.disk(content))
    said = run(path, ["-M", "pc", "-drive", f"file={other},format=raw,if=ide,index=0",
                      "-drive", "file={},format=raw,if=none,id=d",
                      "-device", "ide-hd,drive=d,bus=ide.1,unit=0,bootindex=0"])
    check(handover(said), content)


def test_boots_when_a_chain_loader_gives_another_drive_number(tmp_path, content):
    """DL is the drive; here a boot sector on the first drive loads ours from the second."""
    first, path = tmp_path / "first.img", tmp_path / "disk.img"
    (tmp_path / "chain.s").write_text("""
	.code16
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0x7000, %sp
	cld
	mov $0x7c00, %si
	mov $0x6000, %di
	mov $256, %cx
	rep movsw
	ljmp $0, $1f
1:	mov $0x0201, %ax
	mov $0x7c00, %bx
	mov $1, %cx
	mov $0x0081, %dx
	int $0x13
	mov $0x81, %dl
	ljmp $0x7c0, $0
	.org 510
	.word 0xaa55
""")
    subprocess.run(["as", "--32", "-o", "chain.o", "chain.s"], cwd=tmp_path, check=True)
    subprocess.run(["ld", "-m", "elf_i386", "--oformat", "binary", "-Ttext", "0x6000",
                    "-e", "0x6000", "-o", "first.img", "chain.o"], cwd=tmp_path, check=True)
    with open(first, "ab") as f:
        f.truncate(1 << 20)
    path.write_bytes(image.disk(content))
    said = run(path, ["-M", "pc", "-drive", f"file={first},format=raw,if=ide,index=0",
                      "-drive", "file={},format=raw,if=ide,index=1"])
    check(handover(said), content)


def test_entry_note_may_have_eight_bytes(boot, tmp_path):
    content = image.bundle(image.kernel_elf(tmp_path, note_words=2))
    check(handover(boot(image.disk(content))), content)


def test_large_bundle_is_loaded_whole(boot, kernel):
    content = image.bundle(kernel, rootfs=random.Random(2).randbytes(150 << 20))
    got = handover(boot(image.disk(content), DRIVES["virtio_blk"], memory="256", seconds=60))
    check(got, content)


MESSAGE = re.compile(r"elfpack: .*\n")


def flipped(data, at, bit=1):
    out = bytearray(data)
    out[at] ^= bit
    return bytes(out)


@pytest.mark.parametrize("where", [0, 4096, 50_000, 104_000])
def test_flipped_bit_in_shim_is_refused(where, boot, content, kernel):
    data = flipped(content, 4096 + where, 0x10)
    assert where < len(kernel)
    said = boot(image.disk(data), until=MESSAGE)
    assert said == "elfpack: section shim is damaged: SHA-256 mismatch\n"


@pytest.mark.parametrize("at", [12, 17, 30, 60, 300, 471, 480])
def test_flipped_bit_in_header_is_refused(at, boot, content):
    said = boot(image.disk(flipped(content, at)), until=MESSAGE)
    assert re.fullmatch(r"elfpack: bundle at sector 6144: .+\n", said)


def test_flipped_bit_in_rootfs_is_left_to_the_kernel(boot, content):
    data = flipped(content, len(content) - 100_000)
    check(handover(boot(image.disk(data))), data)


def test_foreign_partition_is_refused(boot, content):
    foreign = random.Random(3).randbytes(len(content))
    said = boot(image.disk(foreign), until=MESSAGE)
    assert re.fullmatch(r"elfpack: bundle at sector 6144: .+\n", said)


def test_bundle_of_another_version_is_refused(boot, kernel):
    said = boot(image.disk(image.bundle(kernel, version=1)), until=MESSAGE)
    assert re.fullmatch(r"elfpack: bundle at sector 6144: .*version.*\n", said)


@pytest.mark.parametrize("drive", ["q35_ahci", "i440fx_ide", "virtio_blk"])
def test_truncated_disk_is_named(drive, boot, content):
    data = image.disk(content)[:image.BUNDLE_LBA * 512 + 1_000_000 // 512 * 512]
    said = boot(data, DRIVES[drive], until=MESSAGE)
    assert re.fullmatch(r"elfpack: disk read error [0-9a-f]+ at sector \d+ .*\n", said)


def test_missing_stage_2_is_named(boot, content):
    data = bytearray(image.disk(content))
    data[34 * 512:66 * 512] = bytes(32 * 512)
    said = boot(bytes(data), until=MESSAGE)
    assert said == "elfpack: stage 2 is not in its place\n"


def test_read_error_inside_stage_2_is_named(boot, content):
    drive = ("driver=raw,if=virtio,file.driver=blkdebug,file.image.driver=file,"
             "file.image.filename={},file.inject-error.0.event=read_aio,"
             "file.inject-error.0.sector=40")
    said = boot(image.disk(content), ["-M", "q35", "-drive", drive], until=MESSAGE)
    assert said == "elfpack: disk read error in stage 2\n"


def test_too_little_memory_is_named(boot, kernel):
    content = image.bundle(kernel, rootfs=bytes(20 << 20))
    said = boot(image.disk(content), memory="16", until=MESSAGE)
    assert re.fullmatch(r"elfpack: the bundle of \d+ KiB does not fit in memory\n", said)


def test_kernel_that_would_lie_on_the_bundle_is_refused(boot, tmp_path):
    shim = image.kernel_elf(tmp_path, bss=12 << 20)
    content = image.bundle(shim, rootfs=bytes(2 << 20))
    said = boot(image.disk(content), memory="16", until=MESSAGE)
    assert re.fullmatch(r"elfpack: the kernel and the bundle .* do not fit .*\n", said)
