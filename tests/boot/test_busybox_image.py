"""Debian's static busybox as an image: it boots, answers, bears load, and keeps its pages."""
import socket
import subprocess
import time

import pytest

from support import monitor
from support.guest import PARTS, Guest, build_image, bundle_bytes
from support.load import h2load, settled_pages

pytestmark = pytest.mark.xdist_group("busybox_image")


def test_the_kernel_says_its_address_and_nothing_is_wrong(busybox_guest):
    console = busybox_guest.console()
    assert "net: 10.0.2.15/24 by DHCP" in console
    assert "panic" not in console and "still charged" not in console


def test_the_readme_examples_answer(busybox_guest):
    status, _, body = busybox_guest.request("GET", "/?sort&/usr/share/words")
    assert (status, body) == (200, b"apple\nfig\npear\n")
    status, _, body = busybox_guest.request("POST", "/?sort&-r", b"a\nc\nb\n")
    assert (status, body) == (200, b"c\nb\na\n")
    status, headers, _ = busybox_guest.request("GET", "/?sh&-c&exit+7")
    assert (status, headers["Elfpack-Exit-Code"]) == (422, "7")


def test_a_request_leaves_nothing_for_the_next(busybox_guest):
    write = "/?sh&-c&echo+secret+%3E+/tmp/f+%26%26+cat+/tmp/f"
    assert busybox_guest.request("GET", write)[2] == b"secret\n"
    status, _, body = busybox_guest.request("GET", "/?cat&/tmp/f")
    assert status == 422 and b"No such file" in body


@pytest.mark.parametrize("clients", [1, 8])
def test_ten_thousand_requests_have_no_error_and_keep_every_page(busybox_guest, clients):
    h2load(busybox_guest, 8, 500, "/?echo&hello")  # what is kept for reuse is made
    before = settled_pages(busybox_guest)
    statuses, failures = h2load(busybox_guest, clients, 10000, "/?echo&hello")
    assert statuses == [10000, 0, 0, 0] and failures == [0, 0, 0]
    assert settled_pages(busybox_guest) == before
    assert busybox_guest.metrics()["elfpack_pages_leaked_total"] == 0


def test_a_client_that_goes_ends_its_job(busybox_guest):
    before = busybox_guest.metrics()["elfpack_jobs_running"]
    client = socket.create_connection(("127.0.0.1", busybox_guest.port))
    client.sendall(b"GET /?sleep&9 HTTP/1.1\r\nHost: x\r\n\r\n")
    while busybox_guest.metrics()["elfpack_jobs_running"] == before:
        pass
    client.close()
    for _ in range(1000):
        if busybox_guest.metrics()["elfpack_jobs_running"] == before:
            return
    pytest.fail("the job still runs")


@pytest.mark.parametrize("firmware, machine, memory", [
    ("bios", "q35", "16M"), ("bios", "pc", "64M"), ("bios", "q35", "6G"),
    ("pvh", "q35", "16M"), ("pvh", "microvm", "16M"), ("pvh", "microvm", "1G"),
    ("bios", "q35", "8M"),
])
def test_it_serves_on(busybox_image, tmp_path, firmware, machine, memory):
    with Guest(busybox_image, folder=tmp_path, firmware=firmware, machine=machine,
               memory=memory) as guest:
        guest.wait_ready()
        assert guest.request("GET", "/?echo&hello")[::2] == (200, b"hello\n")


@pytest.mark.parametrize("nic", ["virtio-net-pci,disable-legacy=on", "virtio-net-pci",
                                 "virtio-net-pci,mrg_rxbuf=off,csum=off,guest_csum=off"])
def test_it_serves_over(busybox_image, tmp_path, nic):
    with Guest(busybox_image, folder=tmp_path, nic=nic) as guest:
        guest.wait_ready()
        assert guest.request("GET", "/?echo&hello")[2] == b"hello\n"


def test_a_device_without_message_interrupts_is_named(busybox_image, tmp_path):
    with Guest(busybox_image, folder=tmp_path, nic="virtio-net-pci,vectors=0") as guest:
        guest.wait_console("net: no network device")
        assert "has no usable MSI-X" in guest.console()


def test_without_a_network_device_it_says_so_and_ends(busybox_image, tmp_path):
    with Guest(busybox_image, folder=tmp_path, http=False) as guest:
        guest.process.wait(timeout=30)
        assert guest.process.returncode == 125 << 1 | 1  # the image cannot start
        assert guest.console().endswith("elfpack: no network device: --http needs one\n")


def test_the_power_button_drains_and_ends_the_machine(busybox_image, tmp_path):
    path = tmp_path / "monitor"
    with Guest(busybox_image, folder=tmp_path, extra=monitor.arguments(path)) as guest:
        guest.wait_ready()
        with monitor.monitor(path) as qemu:
            qemu.ask("system_powerdown")
            guest.process.wait(timeout=20)
        assert guest.process.returncode == 1  # (0 << 1) | 1: front ended with 0


def test_a_machine_without_requests_halts(busybox_image, tmp_path):
    """After a burst, for which it looks for frames instead (shim/proc/idle.h)."""
    path = tmp_path / "monitor"
    with Guest(busybox_image, folder=tmp_path, extra=monitor.arguments(path)) as guest:
        guest.wait_ready()
        for _ in range(50):
            assert guest.request("GET", "/?true")[0] == 200
        with monitor.monitor(path) as qemu:
            halted, deadline = 0, time.monotonic() + 20
            while halted < 10 and time.monotonic() < deadline:  # in a row
                halted = halted + 1 if "HLT=1" in qemu.ask("info registers") else 0
        assert halted == 10


def test_an_image_for_a_small_program_is_under_three_megabytes(tmp_path):
    source = tmp_path / "hello.c"
    source.write_text('#include <stdio.h>\nint main(void) { puts("hello"); }\n')
    subprocess.run(["gcc", "-static", "-o", tmp_path / "hello", source], check=True)
    image = build_image(tmp_path / "hello.img", tmp_path / "hello", "--http")
    assert image.stat().st_size < 3_000_000
    with Guest(image, folder=tmp_path, memory="16M") as guest:
        guest.wait_ready()
        assert guest.request("GET", "/?x")[::2] == (200, b"hello\n")


def test_a_damaged_file_system_is_refused_with_the_reason(busybox_image, tmp_path):
    bundle = bytearray(bundle_bytes(busybox_image))
    rootfs = int.from_bytes(bundle[24 + 56 * 2 + 8:][:8], "little")
    bundle[rootfs + 5000] ^= 1
    (tmp_path / "bundle").write_bytes(bundle)
    console = tmp_path / "console"
    subprocess.run(["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "128M",
                    "-nodefaults", "-display", "none", "-no-reboot", "-serial",
                    f"file:{console}", "-device", "isa-debug-exit,iobase=0x501,iosize=2",
                    "-kernel", PARTS / "shim.elf", "-initrd", tmp_path / "bundle"], timeout=30)
    assert "rootfs: section is damaged: SHA-256 mismatch" in console.read_text()


def test_a_kernel_without_a_bundle_says_so(tmp_path):
    console = tmp_path / "console"
    subprocess.run(["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "128M",
                    "-nodefaults", "-display", "none", "-no-reboot", "-serial",
                    f"file:{console}", "-device", "isa-debug-exit,iobase=0x501,iosize=2",
                    "-kernel", PARTS / "shim.elf"], timeout=30)
    assert "no bundle was loaded" in console.read_text()
