"""guest.py: images built with the command under test, and QEMU guests that run them.

A Guest is one QEMU process that this module started, on TCG, with its network reachable on
a loopback port only. It is ended by its own process id, always.
"""
import http.client
import os
import pathlib
import re
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ELFPACK_BUILD", ROOT / "build/release"))
ELFPACK = BUILD / "bin/elfpack"
PARTS = BUILD / "libexec/elfpack"


def build_image(path, *arguments):
    """Runs `elfpack build ARGUMENTS -o PATH`; returns the path."""
    subprocess.run([ELFPACK, "build", "-o", path, *map(str, arguments)], check=True,
                   capture_output=True, text=True, timeout=120)
    return pathlib.Path(path)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


OVMF = "/usr/share/OVMF/OVMF_CODE.fd"  # without Secure Boot

# How a drive "disk" hangs on the machine, by QEMU's devices.
CONTROLLERS = {
    "virtio-blk": ("virtio-blk-pci,drive=disk,bootindex=0",),
    "virtio-scsi": ("virtio-scsi-pci", "scsi-hd,drive=disk,bootindex=0"),
    "nvme": ("nvme,drive=disk,serial=1,bootindex=0",),
    "ahci": ("ahci,id=ahci", "ide-hd,drive=disk,bus=ahci.0,bootindex=0"),
    "ide": ("ide-hd,drive=disk,bootindex=0",),
    "cdrom": ("ide-cd,drive=disk,bootindex=0",),
    "scsi-cdrom": ("virtio-scsi-pci", "scsi-cd,drive=disk,bootindex=0"),
    "usb": ("qemu-xhci", "usb-storage,drive=disk,bootindex=0"),
}


def machine_arguments(image, firmware, machine, controller="virtio-blk", disk_format="raw"):
    """QEMU's arguments that say how the image is booted."""
    if image.suffix == ".pvh":
        return ["-machine", machine, "-kernel", str(image)]
    if firmware in ("bios", "uefi"):
        words = ["-machine", machine, "-drive",
                 f"id=disk,if=none,file={image},format={disk_format},snapshot=on"]
        for device in CONTROLLERS[controller]:
            words += ["-device", device]
        if firmware == "uefi":
            words += ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}"]
        return words
    if firmware != "pvh":
        raise ValueError(firmware)
    bundle = pathlib.Path(f"{image}.bundle")
    if not bundle.exists() or bundle.stat().st_mtime < image.stat().st_mtime:
        bundle.write_bytes(bundle_bytes(image))
    return ["-machine", machine, "-kernel", str(PARTS / "shim.elf"), "-initrd", str(bundle)]


def partition(image, kind):
    """(offset, size) in bytes of the first GPT partition of a type, as hex of its bytes on disk."""
    with open(image, "rb") as f:
        f.seek(1024)
        for _ in range(128):
            entry = f.read(128)
            if entry[:16].hex() == kind:
                first = int.from_bytes(entry[32:40], "little")
                last = int.from_bytes(entry[40:48], "little")
                return first * 512, (last - first + 1) * 512
    raise ValueError(f"{image}: no such partition")


def bundle_bytes(image):
    """The bundle inside a raw image."""
    offset, size = partition(image, "e4b0a57b4f3d084a9a5ee1f9ac4b0001")
    with open(image, "rb") as f:
        f.seek(offset)
        return f.read(size)


class Guest:
    """A running image. With http=True it has a port and is ready when /_/ready says so."""

    def __init__(self, image, *, folder, firmware="bios", machine=None, memory="256M", cpus=None,
                 http=True, nic="virtio-net-pci", controller="virtio-blk", disk_format="raw",
                 bridges=(), extra=(), environment=None):
        image = pathlib.Path(image)
        if machine is None:
            machine = "q35"
        if cpus is None:
            cpus = int(os.environ.get("ELFPACK_CPUS", "1"))
        self.console_path = pathlib.Path(folder) / f"console-{time.monotonic_ns()}"
        self.port = free_port() if http else None
        command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", memory,
                   "-smp", str(cpus), "-nodefaults", "-no-user-config", "-display", "none",
                   "-no-reboot", "-serial", f"file:{self.console_path}",
                   "-device", "isa-debug-exit,iobase=0x501,iosize=2",
                   *machine_arguments(image, firmware, machine, controller,
                                      disk_format)]
        if http:
            if machine.startswith("microvm") and nic == "virtio-net-pci":
                nic = "virtio-net-device"
            for bridge in bridges:  # before what hangs on them
                command += ["-device", bridge]
            command += ["-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{self.port}-:80",
                        "-device", f"{nic},netdev=n"]
        self.started = time.monotonic()
        self.process = subprocess.Popen([*command, *extra], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env={**os.environ, **(environment or {})})

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def console(self):
        try:
            return self.console_path.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def wait_ready(self, seconds=30):
        """Waits for the first 200 of /_/ready; returns the seconds since QEMU was started. QEMU
        accepts before the guest does, and a connection made too early may hang: none is given
        more than a quarter of the time that has passed."""
        while (passed := time.monotonic() - self.started) < seconds:
            if self.process.poll() is not None:
                raise AssertionError(f"QEMU ended: {self.process.stderr.read()!r}\n"
                                     f"{self.console()}")
            try:
                status, _, _ = self.request("GET", "/_/ready",
                                            timeout=max(0.1, passed / 4))
                if status == 200:
                    return time.monotonic() - self.started
            except OSError:
                pass
            time.sleep(0.002)
        raise AssertionError(f"not ready after {seconds} s; the console:\n{self.console()}")

    def wait_console(self, text, seconds=30):
        """Waits until the console has said text."""
        while text not in self.console():
            if time.monotonic() > self.started + seconds:
                raise AssertionError(f"never said {text!r}:\n{self.console()}")
            time.sleep(0.01)

    def request(self, method, target, body=None, headers=None, timeout=30):
        """One request on a connection of its own: (status, headers, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def metrics(self):
        """/_/metrics as a dictionary of name (with labels) to number."""
        _, _, text = self.request("GET", "/_/metrics")
        pairs = re.findall(r"^([a-z_:]+(?:\{[^}]*\})?) (\S+)$", text.decode(), re.M)
        return {name: float(value) for name, value in pairs}

    def wait_exit(self, seconds=30):
        """Waits for a guest that ends by itself; returns its exit status (isa-debug-exit)."""
        status = self.process.wait(timeout=seconds)
        return status >> 1 if status & 1 else status

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
