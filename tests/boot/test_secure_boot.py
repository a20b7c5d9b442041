"""Under Secure Boot, with a key of one's own in OVMF, firmware starts what that key signed and
nothing else. Keys, signatures and variables are made by the commands of docs/secure-boot.md."""
import os
import re
import shutil
import subprocess

import pytest

from support.guest import ELFPACK, ROOT, Guest

pytestmark = pytest.mark.xdist_group("secure_boot")

FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
REFUSED, STARTED = ("failed to load", "Access Denied"), ("starting", "")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder in which the page's commands, but for QEMU's, have been run."""
    folder = tmp_path_factory.mktemp("secure_boot")
    page = (ROOT / "docs/secure-boot.md").read_text()
    blocks = [block for block in re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)
              if "qemu-system" not in block]
    subprocess.run(["bash", "-e", "-c", "".join(blocks)], cwd=folder, check=True, timeout=60,
                   env={**os.environ, "PATH": f"{ELFPACK.parent}:{os.environ['PATH']}"})
    return folder


def put_loader(disk, loader, at=65536):
    subprocess.run(["mcopy", "-o", "-i", f"{disk}@@{at}", loader, "::EFI/BOOT/BOOTX64.EFI"],
                   check=True)


def altered(signed):
    """A signed file bound to another bundle, as who wants that to be started would do it."""
    content = signed.read_bytes()
    at = content.index(b"elfpack binding\0") + 16
    assert any(content[at:at + 32])
    return content[:at] + bytes(32) + content[at + 32:]


def boot(made, folder, first, *others, **options):
    """A guest whose firmware has the key and tries the disks one after the other."""
    words = ["-global", "driver=cfi.pflash01,property=secure,value=on",
             "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE}",
             "-drive", f"if=pflash,format=raw,unit=1,snapshot=on,file={made}/vars.fd"]
    for i, disk in enumerate(others, 1):
        kind = "qcow2" if disk.suffix == ".qcow2" else "raw"
        words += ["-drive", f"id=disk{i},if=none,snapshot=on,file={disk},format={kind}",
                  "-device", f"virtio-blk-pci,drive=disk{i},bootindex={i}"]
    # "bios": the firmware is in the words above.
    return Guest(first, folder=folder, firmware="bios", machine="q35,smm=on", extra=words,
                 **options)


def verdicts(console):
    """What the firmware did with each disk."""
    return [(what, why) for what, why in re.findall(
        r"BdsDxe: (starting|failed to load) Boot\d+ .*?(Access Denied)?\r?$", console, re.M)]


def test_unsigned_and_altered_images_are_refused_and_the_signed_one_answers(made, tmp_path):
    plain, changed = tmp_path / "plain.img", tmp_path / "changed.img"
    (tmp_path / "changed.efi").write_bytes(altered(made / "signed.efi"))
    for disk, loader in ((plain, made / "loader.efi"), (changed, tmp_path / "changed.efi")):
        shutil.copy(made / "app.img", disk)
        put_loader(disk, loader)
    with boot(made, tmp_path, plain, changed, made / "app.qcow2") as guest:
        guest.wait_ready(60)
        assert guest.request("GET", "/?echo&hello")[::2] == (200, b"hello\n")
        assert verdicts(guest.console()) == [REFUSED, REFUSED, STARTED]


def test_the_image_as_one_signed_file_runs_and_an_altered_one_is_refused(made, tmp_path):
    """What is altered is the packed program's argument: the signature covers the bundle."""
    signed = bytearray((made / "signed-hello.efi").read_bytes())
    signed[signed.rindex(b"hello")] ^= 0x20
    (tmp_path / "changed.efi").write_bytes(signed)
    disks = []
    for loader in (tmp_path / "changed.efi", made / "signed-hello.efi"):
        disks.append(tmp_path / f"{loader.stem}.img")
        for command in (["mformat", "-C", "-T", "16384", "-i"], ["mmd", "-i"]):
            folders = ["::EFI", "::EFI/BOOT"] if command[0] == "mmd" else ["::"]
            subprocess.run([*command, disks[-1], *folders], check=True)
        put_loader(disks[-1], loader, at=0)
    with boot(made, tmp_path, *disks, http=False) as guest:
        assert guest.wait_exit(60) == 0
        assert verdicts(guest.console()) == [REFUSED, STARTED]
        assert guest.console().splitlines()[-1].endswith("hello")
