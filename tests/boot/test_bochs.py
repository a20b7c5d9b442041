"""Bochs boots the image from its BIOS: a second judge of the code that runs in ring 0, stricter
than QEMU's TCG with reserved bits, faults and TLBs. It has no virtio: programs run once."""
import os
import re
import subprocess

import pytest

from support.guest import BUILD, ROOT, build_image

# Of ips: a read of COM1's status takes 50 ns of the guest's time at least, or its driver would give
# the port up that Bochs empties at 115,200 baud.
# A disk as Bochs wants it: whole cylinders.
HEADS, TRACK_SECTORS = 16, 63
CYLINDER = HEADS * TRACK_SECTORS * 512

SETTINGS = """
plugin_ctrl: unmapped=1, biosdev=1, serial=1, extfpuirq=1, speaker=0, parallel=0, gameport=0
display_library: rfb, options="timeout=0"
megs: 128
cpu: model={model}, count={cpus}, ips=20000000, reset_on_triple_fault=0
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
pci: enabled=1, chipset=i440fx
ata0-master: type=disk, path={disk}, mode=volatile, cylinders={cylinders}, heads={heads}, spt={track}
boot: disk
com1: enabled=1, mode=file, dev={console}
log: {log}
panic: action=fatal
clock: sync=none, time0=1000000000
"""
PROGRAMS = ("memory", "processes", "threads", "unix_sockets")
SCRIPT = """
for t in /tests/*; do
	env -i PATH=/bin $t >/tmp/out 2>/tmp/err </dev/null
	echo "== ${t##*/} $?"
	cat /tmp/out /tmp/err
done
echo == end
"""


def boot(image, model, folder, cpus=1, debugger="", seconds=100):
    """What COM1 said until the machine was off, why Bochs ended, and what its debugger printed for
    the commands given to it before the machine runs."""
    disk, console, log = folder / "disk.img", folder / "console", folder / "log"
    content = image.read_bytes()
    cylinders = -(-len(content) // CYLINDER)
    disk.write_bytes(content.ljust(cylinders * CYLINDER, b"\0"))
    (folder / "settings").write_text(SETTINGS.format(
        model=model, cpus=cpus, disk=disk, console=console, log=log, cylinders=cylinders, heads=HEADS,
        track=TRACK_SECTORS))
    # Debian's Bochs has its debugger in: "c" lets the machine run.
    done = subprocess.run(["bochs", "-q", "-f", folder / "settings"], timeout=seconds,
                          input=f"{debugger}c\n", capture_output=True, start_new_session=True, text=True)
    why = re.search(r">>PANIC<< (.*)", log.read_text(errors="replace"))
    return console.read_text().replace("\r\n", "\n"), why and why.group(1), done.stdout


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    for name in PROGRAMS:
        subprocess.run(["gcc", "-static", "-O1", "-std=gnu11", "-w", "-pthread", "-o",
                        folder / name, ROOT / f"tests/guest/{name}.c"], check=True)
    return folder


def native(program):
    """At the priority that programs of an image have, whatever that of the tests is."""
    done = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                          env={"PATH": "/bin"}, start_new_session=True, text=True,
                          preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, 0))
    return f"== {program.name} {done.returncode}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("cpus,names", [(1, PROGRAMS), (2, ("threads",))])
def test_programs_behave_as_on_linux(programs, cpus, names, tmp_path):
    (tmp_path / "script").write_text(SCRIPT)
    files = [word for name in names for word in ("--file", f"{programs}/{name}:/tests/{name}")]
    image = build_image(tmp_path / "bochs.img", "/bin/busybox", *files, "--file",
                        f"{tmp_path}/script:/script", "--", "sh", "/script")
    console, why, _ = boot(image, "corei7_skylake_x", tmp_path, cpus)
    assert console == "".join(native(programs / name) for name in names) + "== end\n"
    assert why == "ACPI control: soft power off"


@pytest.mark.parametrize("model", ["corei7_haswell_4770", "ryzen"])
def test_an_image_starts_and_ends_on(model, tmp_path):
    image = build_image(tmp_path / "echo.img", "/bin/busybox", "--", "echo", "hello")
    assert boot(image, model, tmp_path)[:2] == ("hello\n", "ACPI control: soft power off")


KERNEL_BASE = 0xffffffff80000000  # shim/arch/x86_64/address_map.h


def kernel_symbol(name):
    """Its physical address: the virtual one is another at each start."""
    listing = subprocess.run(["nm", BUILD / "shim/shim.elf"], check=True, capture_output=True,
                             text=True).stdout
    return next(int(line.split()[0], 16) for line in listing.splitlines()
                if line.split()[2] == name) - KERNEL_BASE


@pytest.mark.parametrize("model", ["corei7_sandy_bridge_2600k", "zambezi"])
def test_a_cpu_without_fsgsbase_is_refused_once(model, tmp_path):
    """The machine stands still then: a reset would bring it here again, for ever."""
    image = build_image(tmp_path / "echo.img", "/bin/busybox", "--", "echo", "hello")
    console, _, said = boot(image, model, tmp_path,
                            debugger=f"pb {kernel_symbol('machine_stop'):#x}\nc\nq\n")
    assert "Breakpoint 1" in said
    first, rest = console.split("\n", 1)
    assert first == ("elfpack: this CPU lacks FSGSBASE (Ivy Bridge, Zen or later), which the "
                     "kernel needs")
    # The last bytes are still in the port's FIFO.
    assert "hint: with QEMU give -cpu max or -cpu host\n".startswith(rest)


def test_x2apic_and_tsc_deadline_are_used_where_the_cpu_has_them(tmp_path):
    """QEMU's TCG has neither: this is where they run."""
    image = build_image(tmp_path / "echo.img", "/bin/busybox", "--", "echo", "hello")
    commands = (f"pb {kernel_symbol('apic_timer_use_deadline'):#x}\nc\n"
                f"xp /1bx {kernel_symbol('x2apic'):#x}\n")
    console, why, said = boot(image, "corei7_skylake_x", tmp_path, debugger=commands)
    assert (console, why) == ("hello\n", "ACPI control: soft power off")
    assert "Breakpoint 1" in said
    assert re.search(r"bogus\+ +0>:\s+0x01", said), said


@pytest.mark.parametrize("model, reads_through", [("corei7_haswell_4770", True), ("ryzen", False)])
def test_a_server_says_when_its_cpu_has_meltdown(model, reads_through, tmp_path):
    """Bochs' machine has no network that we drive: the server ends there, after it has said so."""
    image = build_image(tmp_path / "server.img", "/bin/busybox", "--http")
    console, _, _ = boot(image, model, tmp_path)
    assert console.startswith("elfpack: on this CPU a program can read other requests' data "
                              "(Meltdown)\nhint: ") == reads_through
    assert "elfpack: no network device: " in console  # the last bytes are still in the port's FIFO
