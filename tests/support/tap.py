"""tap.py: a network of its own with one TAP device, for a guest whose frames the kernel of Linux
gives and takes: checksums and segmentation left to the device, loss, and frames made by hand.

The network is a namespace that the calling thread enters and leaves again; what it starts
meanwhile stays in. Nothing outside can be reached from there."""
import contextlib
import ctypes
import json
import os
import socket
import struct
import subprocess
import threading

NAME = "tap0"
HOST, GUEST = "192.0.2.1", "192.0.2.2"  # RFC 5737
CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
libc = ctypes.CDLL(None, use_errno=True)


def _checked(rc):
    if rc:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def run(*words):
    subprocess.run(words, check=True, capture_output=True, text=True)


@contextlib.contextmanager
def private_network():
    """A namespace with tap0 at HOST and a DHCP server on it."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _checked(libc.unshare(CLONE_NEWNET))
        run("ip", "link", "set", "lo", "up")
        run("ip", "tuntap", "add", NAME, "mode", "tap", "vnet_hdr")
        run("ip", "address", "add", f"{HOST}/24", "dev", NAME)
        run("ip", "link", "set", NAME, "up")
        with DhcpServer():
            yield
    finally:
        _checked(libc.setns(before, CLONE_NEWNET))
        os.close(before)


def loss(probability):
    """From now on Linux loses this part of the packets, both ways."""
    for chain in ("INPUT", "OUTPUT"):
        run("iptables", "-A", chain, "-m", "statistic", "--mode", "random", "--probability",
            str(probability), "-j", "DROP")


def mac_of_guest():
    """As Linux' ARP table has it: after a first exchange."""
    listing = subprocess.run(["ip", "-json", "neighbour", "show", GUEST], check=True,
                             capture_output=True, text=True).stdout
    return json.loads(listing)[0]["lladdr"]


def qemu_network(*properties):
    """QEMU's arguments for a guest on tap0; properties are those of virtio-net-pci."""
    return ["-netdev", f"tap,id=n,ifname={NAME},script=no,downscript=no",
            "-device", ",".join(("virtio-net-pci,netdev=n", *properties))]


class DhcpServer:
    """Gives GUEST to whoever asks (RFC 2131)."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, NAME.encode())
        self.socket.bind(("", 67))
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        while True:
            request = self.socket.recv(2048)
            if not request:
                return
            kind = request[request.index(b"\x35\x01", 240) + 2]
            offer_or_ack = {1: 2, 3: 5}.get(kind)
            if not offer_or_ack:
                continue
            address = socket.inet_aton(HOST)
            self.socket.sendto(
                struct.pack("!4B4s8x4s4s4x", 2, 1, 6, 0, request[4:8], socket.inet_aton(GUEST),
                            address) + request[28:44] + bytes(192) + b"\x63\x82\x53\x63" +
                bytes((53, 1, offer_or_ack, 54, 4)) + address +
                bytes((51, 4)) + struct.pack("!I", 3600) +
                bytes((1, 4, 255, 255, 255, 0, 3, 4)) + address + b"\xff",
                ("255.255.255.255", 68))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        # An empty datagram from ourselves ends the thread.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, NAME.encode())
            end.sendto(b"", (HOST, 67))
        self.thread.join(2)
        self.socket.close()


class Wire:
    """Whole frames on tap0, as the kernel of Linux sees them: a segment that the guest left to
    the device to cut is one frame."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
        self.socket.bind((NAME, 0))
        self.socket.settimeout(0)

    def longest_from_guest(self):
        """Bytes of the longest frame that has come from the guest since the last call."""
        longest = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                frame, (_, _, direction, _, _) = self.socket.recvfrom(1 << 17)
                if direction != socket.PACKET_OUTGOING:
                    longest = max(longest, len(frame))
        return longest

    def send(self, frame):
        self.socket.send(frame)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
