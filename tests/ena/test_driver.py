"""The driver of Amazon's ENA against a strict model of the device: traffic in every mode, and
every way for a device to misbehave. tests/ena/traffic is the long form."""
import hashlib
import http.client
import pathlib
import random
import socket
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from model import EnaGuest  # noqa: E402
from support.load import h2load  # noqa: E402

pytestmark = pytest.mark.xdist_group("busybox_image")

BODY = random.Random(6).randbytes(1 << 20)
DIGEST = hashlib.sha256(BODY).hexdigest()


def check_traffic(guest):
    """Bytes in and out arrive whole."""
    assert guest.request("POST", "/?sha256sum", BODY)[2].decode().split()[0] == DIGEST
    assert guest.request("POST", "/?cat", BODY)[2] == BODY


def check_requests(guest, count):
    """Many requests on new connections, and none lost."""
    for i in range(count):
        assert guest.request("GET", f"/?echo&{i}")[::2] == (200, f"{i}\n".encode())


def wait_metric(guest, name, least, seconds=30):
    end = time.monotonic() + seconds
    while guest.metrics()[name] < least:
        assert time.monotonic() < end, guest.console()
        time.sleep(0.1)


@pytest.mark.parametrize("properties, said", [
    ("", "ring in device memory, 256 and 256 entries"),
    ("llq-required=on,shuffled=on", "ring in device memory, 256 and 256 entries"),
    ("no-llq=on", "ring in host memory, 256 and 256 entries"),
    ("no-llq=on,shuffled=on,depth=16", "ring in host memory, 16 and 16 entries"),
    ("no-checksum=on,old-limits=on,no-rss=on,depth=8", "ring in device memory, 8 and 8 entries"),
    ("rss-fixed=on", "RSS table: refused with status 3, 0"),
])
def test_traffic_passes_both_ways(busybox_image, tmp_path, properties, said):
    with EnaGuest(busybox_image, folder=tmp_path, properties=properties) as guest:
        guest.wait_ready()
        assert said in guest.console()
        assert "10.0.2.15/24 by DHCP" in guest.console()
        check_traffic(guest)
        check_requests(guest, 20)
        assert guest.metrics()["elfpack_net_device_resets_total"] == 0


def test_500_requests_are_answered_by_one_queue_of_32(busybox_image, tmp_path):
    """The model's table names all 32 after a reset, and a frame for another is lost."""
    with EnaGuest(busybox_image, folder=tmp_path, properties="queues=32,shuffled=on") as guest:
        guest.wait_ready()
        answers, failed = h2load(guest, 20, 500, "/?echo&hello")
        assert answers == [500, 0, 0, 0] and failed == [0, 0, 0]
        assert guest.get("receivers").bit_count() == 1
        assert guest.get("dropped") == 0


def test_sent_frames_interrupt_only_when_the_ring_was_full(busybox_image, tmp_path):
    with EnaGuest(busybox_image, folder=tmp_path) as guest:
        guest.wait_ready()
        check_requests(guest, 20)
        assert guest.get("tx-interrupts") <= 1  # the vector may be open after a reset
        assert guest.get("rx-interrupts") > 20


def test_a_full_ring_is_gone_on_with_by_interrupt(busybox_image, tmp_path):
    """Only what was sent can wake the guest: the client says nothing more. Two vectors are shared
    by both directions."""
    for properties in ("depth=8", "depth=8,queues=1"):
        with EnaGuest(busybox_image, folder=tmp_path, properties=properties) as guest:
            guest.wait_ready()
            check_traffic(guest)
            assert guest.get("tx-interrupts") > 20


@pytest.fixture
def guest(busybox_image, tmp_path):
    """A guest whose device asks for little patience, so that the tests need not have more."""
    with EnaGuest(busybox_image, folder=tmp_path,
                  properties="alive-ms=1500,transmit-ms=1500") as guest:
        guest.wait_ready()
        yield guest


@pytest.mark.parametrize("fault, said", [
    ("hang", "it is reset"),
    ("silent", "has not said that it is alive; it is reset"),
    ("fatal", "has a fatal error; it is reset"),
    ("bad-rx-id", "returns a buffer that it was not given; it is reset"),
    ("bad-tx-id", "completes a frame that it was not given; it is reset"),
])
def test_a_connection_outlives_a_device_that_fails(guest, fault, said):
    connection = http.client.HTTPConnection("127.0.0.1", guest.port, timeout=60)
    connection.request("GET", "/?echo&before")
    assert connection.getresponse().read() == b"before\n"
    resets = guest.metrics()["elfpack_net_device_resets_total"]
    before = guest.console().count(said)
    guest.set(**{fault: True})
    connection.request("POST", "/?sha256sum", BODY)
    assert connection.getresponse().read().decode().split()[0] == DIGEST
    connection.close()
    wait_metric(guest, "elfpack_net_device_resets_total", resets + 1)
    assert guest.console().count(said) == before + 1
    check_traffic(guest)


def test_frames_that_the_device_says_it_dropped_are_counted(busybox_image, tmp_path):
    with EnaGuest(busybox_image, folder=tmp_path) as guest:
        guest.wait_ready()
        before = guest.metrics()["elfpack_net_drops_total"]
        guest.set(hang=True)
        with socket.create_connection(("127.0.0.1", guest.port), timeout=60) as client:
            client.sendall(b"GET /?echo&late HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            begun = time.monotonic()
            while not guest.get("dropped"):
                assert time.monotonic() - begun < 30
            guest.set(hang=False)
            wait_metric(guest, "elfpack_net_drops_total", before + 1)
            assert client.makefile("rb").read().endswith(b"late\n")
        assert guest.metrics()["elfpack_net_device_resets_total"] == 0


@pytest.mark.parametrize("fault, why", [
    ("admin_hang", "no answer within 500 ms"),
    ("refusing", "refused with status 6, 0"),
])
def test_a_device_that_does_not_start_again_is_tried_until_it_does(guest, fault, why):
    said = f"not started again: host information: {why}"
    guest.set(**{fault: True}, hang=True)
    end = time.monotonic() + 30
    while said not in guest.console():
        assert time.monotonic() < end, guest.console()
        time.sleep(0.05)
    guest.set(**{fault: False})
    check_traffic(guest)


@pytest.mark.parametrize("properties, said", [
    ("reset-refused=on", "does not begin its reset within 500 ms"),
    ("refusing=on,refused=1", "transmit queue: refused with status 6, 0"),
    ("refusing=on,refused=3", "transmit completion queue: refused with status 6, 0"),
    ("refusing=on,refused=8", "attributes: refused with status 6, 0"),
    ("refusing=on,refused=9", "host information: refused with status 6, 0"),
])
def test_a_device_that_refuses_to_start_is_said(busybox_image, tmp_path, properties, said):
    with EnaGuest(busybox_image, folder=tmp_path, properties=properties) as guest:
        guest.process.wait(timeout=30)
        assert f"ena 00:02.0: network not started: {said}" in guest.console()


def test_a_device_behind_a_bridge_without_addresses_gets_them(busybox_image, tmp_path):
    """qboot, unlike SeaBIOS, neither numbers buses nor places BARs."""
    with EnaGuest(busybox_image, folder=tmp_path, firmware="pvh", nic="ena,bus=bridge0",
                  bridges=("pcie-root-port,id=bridge0,chassis=1",),
                  extra=("-bios", "/usr/share/qemu/qboot.rom")) as guest:
        guest.wait_ready()
        assert "net: ena 01:00.0: transmit ring in device memory" in guest.console()
        check_traffic(guest)


def test_a_second_device_is_left_alone(busybox_image, tmp_path):
    with EnaGuest(busybox_image, folder=tmp_path, memory="64M",
                  extra=("-device", "virtio-net-pci", "-device", "ena")) as guest:
        guest.wait_ready()
        assert guest.console().count("a second device is not used") == 2
        check_traffic(guest)


def test_16_mib_are_enough(busybox_image, tmp_path):
    with EnaGuest(busybox_image, folder=tmp_path, memory="16M") as guest:
        guest.wait_ready()
        assert "16 and 32 entries" in guest.console()
        check_requests(guest, 20)
