"""linux_guest.py: what a user would build instead: Debian's cloud kernel, an initramfs with
busybox and lighttpd, and the program behind mod_cgi."""
import os
import pathlib
import re
import shutil
import struct
import subprocess

MODULES = ["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci",
           "virtio_mmio", "failover", "net_failover", "virtio_net"]
SERVER = ["/usr/sbin/lighttpd", "/usr/lib/lighttpd/mod_cgi.so"]

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /var/tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /modules/$module.ko; done
/bin/busybox ip link set lo up
/bin/busybox ip link set eth0 up
/bin/busybox ip addr add 10.0.2.15/24 dev eth0
/bin/busybox ip route add default via 10.0.2.2
exec /usr/sbin/lighttpd -D -f /etc/lighttpd.conf
"""

CONFIG = """server.document-root = "/www"
server.port = 80
server.modules = ("mod_cgi")
server.modules-dir = "/usr/lib/lighttpd"
server.max-keep-alive-requests = 60000
cgi.assign = ("hello" => "", ".cgi" => "")
index-file.names = ("hello")
server.errorlog = "/dev/null"
"""


def kernel_files(folder):
    """Downloads and unpacks the newest linux-image-VERSION-cloud-amd64; returns (kernel,
    {module name: path})."""
    root = folder / "linux"
    if not root.exists():
        depends = subprocess.run(["apt-cache", "depends", "linux-image-cloud-amd64"],
                                 check=True, capture_output=True, text=True).stdout
        name = re.search(r"Depends: (linux-image-\S+)", depends).group(1)
        subprocess.run(["apt-get", "download", name], cwd=folder, check=True,
                       capture_output=True)
        package = next(folder.glob("linux-image-*.deb"))
        subprocess.run(["dpkg-deb", "-x", package, root], check=True)
    kernel = next(root.glob("boot/vmlinuz-*"))
    modules = {p.name.split(".")[0].replace("-", "_"): p for p in root.rglob("*.ko*")}
    return kernel, modules


def libraries(program):
    """The shared libraries of a program of this machine, its interpreter included."""
    listing = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    return re.findall(r"(/\S+)(?= \(0x)", listing)


def add_server(root, modules):
    """The server and its start to an initramfs' folder."""
    for name in ["bin", "etc", "www", "modules"]:
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    (root / "etc/lighttpd.conf").write_text(CONFIG)
    (root / "init").write_text(INIT.format(modules=" ".join(MODULES)))
    (root / "init").chmod(0o755)
    for name in MODULES:
        if name in modules:
            shutil.copy(modules[name], root / f"modules/{name}.ko")
    for program in SERVER:
        for path in [program, *libraries(program)]:
            target = root / path.lstrip("/")
            if os.path.lexists(target):  # the folder may have brought it, perhaps as a link
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.parent.resolve().is_relative_to(root.resolve()):
                raise SystemExit(f"bench: {target} is a link out of the initramfs")
            shutil.copy(path, target)


def archive_of(root):
    """Writes the initramfs beside its folder; returns its path."""
    archive = root.with_suffix(".cpio")
    names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
    with open(archive, "wb") as out:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names, stdout=out,
                       check=True)
    return archive


# The distribution's kernel finds virtio-mmio devices by ACPI only, and cannot find out the speed
# of the TSC on a microvm.
MICROVM = "microvm,acpi=on,pit=on,pic=on,rtc=on"
MICROVM_APPEND = " tsc_early_khz=2000000 lpj=4000000 no_timer_check"


APPEND = "console=ttyS0 quiet panic=-1 mitigations=auto"


def files_with(folder, root, files):
    """(kernel, initramfs) of the guest with the files of root, which also gets the server and
    {path: text} of programs and pages."""
    kernel, modules = kernel_files(folder)
    add_server(root, modules)
    for path, text in files.items():
        (root / path).write_text(text)
        (root / path).chmod(0o755)
    return kernel, archive_of(root)


def boot_arguments_with(folder, root, files, machine):
    """QEMU's arguments for that guest."""
    kernel, archive = files_with(folder, root, files)
    append = APPEND
    if machine == "microvm":
        machine, append = MICROVM, append + MICROVM_APPEND
    return ["-machine", machine, "-kernel", str(kernel), "-initrd", str(archive),
            "-append", append]


def hello_root(folder, hello):
    """The initramfs' folder for a guest that runs hello for each request."""
    root = folder / "initramfs"
    shutil.rmtree(root, ignore_errors=True)
    (root / "www").mkdir(parents=True)
    shutil.copy(hello, root / "www/hello")
    return root


def boot_arguments(folder, hello, machine):
    """QEMU's arguments for the Linux guest that runs hello for each request."""
    folder = pathlib.Path(folder)
    return boot_arguments_with(folder, hello_root(folder, hello), {}, machine)


LOADER_CONFIG = """DEFAULT linux
PROMPT 0
TIMEOUT 0
LABEL linux
 LINUX kernel
 INITRD initrd
 APPEND {append}
"""
SECTOR = 512
FIRST_SECTOR = 2048  # of the only partition
MBR_CODE = pathlib.Path("/usr/lib/SYSLINUX/mbr.bin")


def disk_of(folder, hello):
    """A disk that a BIOS boots the same guest from: SYSLINUX on FAT, which neither waits nor asks.
    Returns its path."""
    folder = pathlib.Path(folder)
    kernel, archive = files_with(folder, hello_root(folder, hello), {})
    config = folder / "syslinux.cfg"
    config.write_text(LOADER_CONFIG.format(append=APPEND))
    volume, disk = folder / "linux.fat", folder / "linux.img"
    size = kernel.stat().st_size + archive.stat().st_size + (8 << 20)
    sectors = -(-size // (1 << 20)) * (1 << 20) // SECTOR
    volume.unlink(missing_ok=True)
    subprocess.run(["mkfs.fat", "-C", volume, "--invariant", "-h", str(FIRST_SECTOR),
                    str(sectors * SECTOR // 1024)], check=True, capture_output=True)
    for path, name in ((kernel, "kernel"), (archive, "initrd"), (config, "syslinux.cfg")):
        subprocess.run(["mcopy", "-i", volume, path, f"::/{name}"], check=True)
    subprocess.run(["syslinux", "--install", volume], check=True)
    active_fat = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x0c, b"\xfe\xff\xff",
                             FIRST_SECTOR, sectors)
    code = MBR_CODE.read_bytes().ljust(446, b"\0")
    with open(disk, "wb") as out:
        out.write(code + active_fat + bytes(48) + b"\x55\xaa")
        out.seek(FIRST_SECTOR * SECTOR)
        out.write(volume.read_bytes())
    return disk
