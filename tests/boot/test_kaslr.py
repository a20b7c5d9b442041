"""The kernel and its map of memory are somewhere else at each start, but for a debugger."""
import re

import pytest

from support import monitor
from support.guest import Guest

pytestmark = pytest.mark.xdist_group("busybox_image")

# shim/arch/x86_64/address_map.h
KERNEL_LINKED = range(0xffffffff80100000, 0xffffffff80800000)
KERNEL_MOVED = range(0xffffffffc0000000, 0xffffffffff800000)
DIRECT_MAP = range(0xffff800000000000, 0xffffd00000000000)
MEMORY = 256 << 20


def places(image, folder, firmware, *extra):
    """(where the first processor's IDT is, which is the kernel's own; where the second one's GDT
    is, which is memory in the direct map)."""
    path = folder / "monitor"
    path.unlink(missing_ok=True)
    with Guest(image, folder=folder, firmware=firmware, cpus=2,
               extra=(*monitor.arguments(path), *extra)) as guest:
        guest.wait_ready()
        with monitor.monitor(path) as qemu:
            first, second = qemu.ask("info registers -a").split("CPU#1")
    return (int(re.search(r"IDT= *(\w+)", first)[1], 16),
            int(re.search(r"GDT= *(\w+)", second)[1], 16))


def test_each_start_puts_the_kernel_and_its_map_of_memory_elsewhere(busybox_image, tmp_path):
    found = [places(busybox_image, tmp_path, firmware) for firmware in ("bios", "pvh", "pvh")]
    for idt, gdt in found:
        assert idt in KERNEL_MOVED and gdt in DIRECT_MAP
    # All three the same: once in 2^32 and 2^27 times.
    assert len({idt for idt, _ in found}) > 1
    assert len({gdt // MEMORY for _, gdt in found}) > 1


@pytest.mark.parametrize("firmware, extra", [
    ("pvh", ("-append", "nokaslr")),
    ("bios", ("-fw_cfg", "name=opt/elfpack/cmdline,string=quiet nokaslr"))])
def test_with_nokaslr_it_is_where_its_symbols_say(busybox_image, tmp_path, firmware, extra):
    idt, gdt = places(busybox_image, tmp_path, firmware, *extra)
    assert idt in KERNEL_LINKED
    assert gdt in range(DIRECT_MAP.start, DIRECT_MAP.start + MEMORY)
