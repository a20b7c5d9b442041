"""images.py: how fast images are read and start by each way into them, how large each format is,
and how fast it is written beside cp, pigz and qemu-img."""
import pathlib
import random
import re
import resource
import statistics
import subprocess
import sys
import time

from server import ROOT, Server, boot_time

sys.path[:0] = [str(ROOT / "tests")]

from support.damage import BUNDLE  # noqa: E402
from support.guest import ELFPACK, build_image, machine_arguments, partition  # noqa: E402
from support.machines import CONTROLLERS_OF  # noqa: E402

PATHS = [("bios", "q35", drive) for drive in ("virtio-blk", "virtio-scsi", "ahci", "nvme")]
PATHS += [("bios", "pc", "ide"), ("uefi", "q35", "virtio-blk"), ("uefi", "q35", "nvme"),
          ("pvh", "q35", ""), ("pvh", "microvm", "")]
FORMATS = ["raw", "qcow2", "qcow2-compressed", "vhd", "vmdk", "ova", "gce", "oci", "iso", "pvh",
           "efi"]


def paths(work, hello, runs):
    """Rows of (way, seconds for hello, for clang, for clang deflated) from start to the first
    200."""
    images = [(build_image(work / "hello.img", hello, "--http"), "256M"),
              (build_image(work / "clang.img", "clang", "--http"), "1024M"),
              (build_image(work / "deflated.img", "clang", "--http", "--compress=deflate"),
               "1024M")]
    for firmware, machine, drive in PATHS:
        nic = "virtio-net-device" if machine == "microvm" else "virtio-net-pci"
        times = []
        for image, memory in images:
            words = machine_arguments(image, firmware, machine, drive or "virtio-blk")
            times.append(boot_time(
                lambda: Server(words, nic, memory, cpus=2, path="/_/ready", good=bool), runs, 120))
        yield f"{firmware} {machine} {drive}", *times


NOISE_MB = 100


def load_once(image, firmware, machine, controller):
    """Seconds from the loader's first instruction to the kernel's, as the kernel took them, and
    those of a processor that QEMU took until the first answer."""
    words = machine_arguments(image, firmware, machine, controller)
    with Server(words, "virtio-net-pci", "512M", path="/_/ready", good=bool) as server:
        if server.first_answer(300) is None:
            raise SystemExit(f"bench/run: {firmware} {machine} {controller}: does not answer")
        took = server.processor_seconds()
        metrics = server.ask(10, path="/_/metrics")[1].decode()
    return int(re.search(r"^elfpack_load_nanoseconds (\d+)", metrics, re.M).group(1)) / 1e9, took


def loading(work, hello, runs):
    """Rows of (way, seconds, MB/s, processor seconds until the first answer) for an image that
    cannot be compressed. With PVH nothing is loaded, and the rest is the same."""
    noise = work / "noise"
    source = random.Random(1)
    noise.write_bytes(b"".join(source.randbytes(1_000_000) for _ in range(NOISE_MB)))
    image = build_image(work / "noise.img", hello, "--http", "--file", f"{noise}:/noise")
    size = partition(image, BUNDLE)[1]
    yield "pvh q35", None, None, min(load_once(image, "pvh", "q35", "")[1] for _ in range(runs))
    for firmware in ("bios", "uefi"):
        for machine, controller in [*(("q35", name) for name in CONTROLLERS_OF["q35"]),
                                    ("pc", "ide")]:
            got = [load_once(image, firmware, machine, controller) for _ in range(runs)]
            took = statistics.median(load for load, _ in got)
            yield (f"{firmware} {machine} {controller}", took, size / took / 1e6,
                   min(processor for _, processor in got))


def rates(size, *command, output=None):
    """MB/s of a command that takes size bytes: by the clock, and by its processor time."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with open(output or "/dev/null", "wb") as out:
        subprocess.run([str(word) for word in command], check=True, stdout=out,
                       stderr=subprocess.DEVNULL)
    took, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return size / took / 1e6, size / processor / 1e6


def on_disk(path):
    return path.stat().st_blocks * 512


def payload_of(image):
    """Bytes of the packed files."""
    text = subprocess.run([ELFPACK, "inspect", image], check=True, capture_output=True,
                          text=True).stdout
    return int(re.search(r"^files .*, (\d+) bytes", text, re.M).group(1))


def formats(work, hello):
    """Rows of (format, bytes over hello's payload, the same of clang's, rates of building clang),
    then (tool, -, -, rates) over clang's raw image."""
    raw = work / "clang.img"
    small = payload_of(build_image(work / "hello.img", hello, "--http"))
    large = payload_of(build_image(raw, "clang", "--http"))
    for name in FORMATS:
        out = pathlib.Path(work / f"image.{name}")
        sizes = []
        for program, payload in ((hello, small), ("clang", large)):
            built = rates(payload, ELFPACK, "build", program, "--http", "-f", name, "-o", out)
            sizes.append(on_disk(out) - payload)
            out.unlink()
        yield name, *sizes, *built
    for tool, command, output in (("cp", ["cp", raw, work / "copy"], None),
                                  ("pigz -1", ["pigz", "-1", "-c", raw], work / "copy"),
                                  ("qemu-img convert -c", ["qemu-img", "convert", "-c", "-O",
                                                           "qcow2", raw, work / "copy"], None)):
        yield tool, None, None, *rates(large, *command, output=output)
        (work / "copy").unlink()
