"""The image on a TAP device: what virtio-net offers there and slirp does not (checksums and
segmentation left to the device), with loss, and under frames that no friend sends."""
import hashlib
import http.client
import random
import subprocess

import pytest
from scapy.all import ARP, IP, TCP, UDP, Ether, ICMP, fragment, raw

from support import tap
from support.guest import Guest
from support.load import settled_pages

pytestmark = pytest.mark.xdist_group("tap")

SIZE = 4 << 20
FRAME_MOST = 1514
OFFLOADS_OFF = ("csum=off", "guest_csum=off", "host_tso4=off", "host_tso6=off", "host_ecn=off",
                "host_ufo=off", "guest_tso4=off", "guest_tso6=off", "guest_ecn=off",
                "guest_ufo=off")


@pytest.fixture
def network():
    with tap.private_network():
        yield


class TapGuest(Guest):
    """A guest of this network; its port 80 is reached at tap.GUEST."""

    def __init__(self, image, folder, *properties):
        super().__init__(image, folder=folder, http=False, extra=tap.qemu_network(*properties))

    def request(self, method, target, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection(tap.GUEST, 80, timeout=timeout)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def sends_and_receives(guest):
    """SIZE bytes go in and come back the same."""
    body = random.Random(1).randbytes(SIZE)
    assert guest.request("POST", "/?sha256sum", body)[2].split()[0].decode() == \
        hashlib.sha256(body).hexdigest()
    status, _, answer = guest.request("POST", "/?cat", body)
    assert (status, answer == body) == (200, True)


def test_segments_are_cut_and_checksums_made_by_the_device(busybox_image, network, tmp_path):
    with TapGuest(busybox_image, tmp_path) as guest, tap.Wire() as wire:
        guest.wait_ready()
        sends_and_receives(guest)
        assert wire.longest_from_guest() > 4 * FRAME_MOST


def test_without_offloads_the_kernel_does_both(busybox_image, network, tmp_path):
    with TapGuest(busybox_image, tmp_path, *OFFLOADS_OFF) as guest, tap.Wire() as wire:
        guest.wait_ready()
        sends_and_receives(guest)
        assert wire.longest_from_guest() == FRAME_MOST


@pytest.mark.parametrize("properties", [(), OFFLOADS_OFF], ids=["offloads", "none"])
def test_nothing_is_lost_where_packets_are(busybox_image, network, tmp_path, properties):
    with TapGuest(busybox_image, tmp_path, *properties) as guest:
        guest.wait_ready()
        tap.loss(0.03)
        sends_and_receives(guest)


def test_it_answers_pings(busybox_image, network, tmp_path):
    with TapGuest(busybox_image, tmp_path) as guest:
        guest.wait_ready()
        for size in (0, 56, 1472):
            subprocess.run(["/bin/busybox", "ping", "-c", "1", "-s", str(size), tap.GUEST],
                           check=True, capture_output=True, timeout=20)


def hostile_frames(mac):
    """Frames with everything wrong that scapy can get wrong, and cut anywhere."""
    rng = random.Random(2)
    ether = Ether(dst=mac)
    ip = IP(src=tap.HOST, dst=tap.GUEST)
    yield from (raw(ether / f) for f in fragment(ip / ICMP() / bytes(4000)))
    yield raw(ether / IP(src=tap.HOST, dst=tap.GUEST, ihl=15) / bytes(3))
    yield raw(ether / IP(src=tap.GUEST, dst=tap.GUEST) / TCP(sport=80, dport=80, flags="S"))
    yield raw(ether / ARP(op=2, psrc=tap.GUEST, pdst=tap.GUEST, hwsrc="02:00:00:00:00:01"))
    yield raw(ether / ip / UDP(sport=67, dport=68) / bytes(300))
    good = [raw(ether / ip / TCP(sport=9999, dport=80, flags=flags, options=options))
            for flags in ("S", "A", "F", "R", "SF", "SR", "", "FPU", "SFRPAU")
            for options in ([], [("MSS", 1)], [("MSS", 0)], [("WScale", 255)],
                            [("Timestamp", (1, 0))], [(254, b"x" * 30)])]
    yield from good
    for frame in good:
        yield frame[:rng.randrange(14, len(frame))]
        broken = bytearray(frame)
        for _ in range(3):
            broken[rng.randrange(12, len(broken))] = rng.randrange(256)
        yield bytes(broken)


def test_hostile_frames_and_a_flood_of_syns_do_not_end_service(busybox_image, network, tmp_path):
    with TapGuest(busybox_image, tmp_path) as guest, tap.Wire() as wire:
        guest.wait_ready()
        mac = tap.mac_of_guest()
        sends_and_receives(guest)
        pages = settled_pages(guest)
        for frame in hostile_frames(mac):
            wire.send(frame)
        assert guest.request("GET", "/?echo&hostile")[2] == b"hostile\n"
        rng = random.Random(3)
        syn = Ether(dst=mac) / IP(dst=tap.GUEST) / TCP(dport=80, flags="S")
        for n in range(5000):
            syn[IP].src = f"192.0.2.{rng.randrange(3, 255)}"
            syn[TCP].sport = rng.randrange(1024, 65536)
            wire.send(raw(syn))
            if n % 1000 == 0:
                assert guest.request("GET", "/?echo&flood")[2] == b"flood\n"
        assert guest.request("GET", "/?echo&flood")[2] == b"flood\n"
        sends_and_receives(guest)
        assert settled_pages(guest) == pages
