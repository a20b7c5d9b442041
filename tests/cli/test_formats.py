"""Every image format, judged by the programs that others read it with, and read back."""
import gzip
import hashlib
import json
import os
import re
import subprocess
import tarfile
import xml.etree.ElementTree as ET

import pytest

MIB = 1 << 20
FORMATS = ("raw", "qcow2", "qcow2-compressed", "vhd", "vmdk", "ova", "gce", "oci", "iso", "ami",
           "pvh", "efi", "bundle")
DISKS = tuple(f for f in FORMATS if f not in ("pvh", "efi", "bundle"))


def run(*words):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def images(elfpack, hello, tmp_path_factory):
    """One program in every format, whose raw disk has whole MiB: then the disks of all
    formats but gce, which needs GiB, are the same. A hole and bytes that do not compress are
    in it."""
    folder = tmp_path_factory.mktemp("formats")
    (folder / "noise").write_bytes(os.urandom(300_000))

    def build(name, pad, *more):
        with open(folder / "pad", "wb") as file:
            file.truncate(pad)
        result = elfpack("build", hello, "--http", "--file", f"{folder}/noise:/noise", "--file",
                         f"{folder}/pad:/pad", "-o", folder / name, *more)
        assert result.status == 0, result.text
        return folder / name

    size = build("probe", 3 * MIB, "-f", "raw").stat().st_size
    pad = 3 * MIB + -size % MIB
    made = {f: build(f"image.{f}", pad, "-f", f) for f in FORMATS}
    assert made["raw"].stat().st_size % MIB == 0
    return made


@pytest.mark.parametrize("kind", FORMATS)
def test_two_builds_on_two_paths_at_two_times_are_equal(images, elfpack, hello, kind, tmp_path):
    folder = images[kind].parent
    os.utime(folder / "noise", (1, 1))
    result = elfpack("build", hello, "--http",
                     "--file", f"{folder}/noise:/noise", "--file", f"{folder}/pad:/pad", "-f",
                     kind, "-o", tmp_path / "again", cwd="/", env={"TZ": "Asia/Tokyo"})
    assert result.status == 0, result.text
    assert (tmp_path / "again").read_bytes() == images[kind].read_bytes()


def test_suffix_chooses_the_format(elfpack, build, hello):
    for name, kind in (("a.img", "raw"), ("a.raw", "raw"), ("a.qcow2", "qcow2"), ("a.vhd", "vhd"),
                       ("a.vmdk", "vmdk"), ("a.ova", "ova"), ("a.tar.gz", "gce"),
                       ("a.oci", "oci"), ("a.elf", "pvh"), ("a.pvh", "pvh"),
                       ("a.efi", "efi"), ("a.iso", "iso"), ("a", "raw")):
        image = build(hello, name=name)
        assert json.loads(elfpack("inspect", "--json", image).out)["format"] == kind, name


@pytest.mark.parametrize("kind, driver", [
    ("qcow2", "qcow2"), ("qcow2-compressed", "qcow2"), ("vhd", "vpc"), ("vmdk", "vmdk")])
def test_qemu_reads_the_same_disk(images, kind, driver):
    assert "Images are identical" in run("qemu-img", "compare", "-f", driver, "-F", "raw",
                                         images[kind], images["raw"])
    if driver in ("qcow2", "vmdk"):
        assert "No errors were found" in run("qemu-img", "check", "-f", driver, images[kind])


def test_qcow2_holes_are_holes_and_noise_is_not_compressed(images):
    for kind in ("qcow2", "qcow2-compressed"):
        rows = json.loads(run("qemu-img", "map", "--output=json", "-f", "qcow2", images[kind]))
        assert any(row["length"] >= 2 * MIB and not row["data"] for row in rows)
    assert images["qcow2-compressed"].stat().st_size > 300_000
    checked = json.loads(run("qemu-img", "check", "--output=json", images["qcow2-compressed"]))
    assert 0 < checked["compressed-clusters"] < checked["allocated-clusters"]


def test_vhd_is_fixed_and_has_whole_mib(images):
    info = json.loads(run("qemu-img", "info", "-f", "vpc", "--output=json", images["vhd"]))
    assert info["virtual-size"] % MIB == 0
    assert images["vhd"].stat().st_size == info["virtual-size"] + 512


def test_ova_holds_what_its_manifest_and_descriptor_say(images, tmp_path):
    with tarfile.open(images["ova"]) as archive:
        names = archive.getnames()
        archive.extractall(tmp_path)
    assert [n.rsplit(".", 1)[1] for n in names] == ["ovf", "mf", "vmdk"]
    for line in (tmp_path / names[1]).read_text().splitlines():
        name, digest = line.removeprefix("SHA256(").split(")= ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    ovf = "{http://schemas.dmtf.org/ovf/envelope/1}"
    envelope = ET.parse(tmp_path / names[0]).getroot()
    file = envelope.find(f"{ovf}References/{ovf}File")
    assert file.get(f"{ovf}href") == names[2]
    assert int(file.get(f"{ovf}size")) == (tmp_path / names[2]).stat().st_size
    disk = envelope.find(f"{ovf}DiskSection/{ovf}Disk")
    assert int(disk.get(f"{ovf}capacity")) == images["raw"].stat().st_size
    assert "Images are identical" in run("qemu-img", "compare", "-f", "vmdk", "-F", "raw",
                                         tmp_path / names[2], images["raw"])


def test_gce_is_a_sparse_disk_of_whole_gib(images, tmp_path):
    run("gzip", "-t", images["gce"])
    with gzip.open(images["gce"]) as archive:
        header = archive.read(512)
    assert header[257:265] == b"ustar  \0" and header[156:157] == b"S"  # tar --format=oldgnu -S
    run("tar", "-C", tmp_path, "-xzf", images["gce"])
    disk = tmp_path / "disk.raw"
    assert os.listdir(tmp_path) == ["disk.raw"]
    assert disk.stat().st_size % (1 << 30) == 0
    assert disk.stat().st_blocks * 512 < 8 * MIB
    said = run("/usr/sbin/sgdisk", "-v", disk)
    assert "No problems found" in said
    # Between the first table, which says how big the disk is, and the second.
    with open(disk, "rb") as file, open(images["raw"], "rb") as raw:
        file.seek(1024)
        raw.seek(1024)
        size = images["raw"].stat().st_size - 1024 - 33 * 512
        assert file.read(size) == raw.read(size)


def test_oci_is_an_image_to_skopeo_and_umoci(images, tmp_path):
    said = json.loads(run("skopeo", "inspect", f"oci-archive:{images['oci']}"))
    assert (said["Architecture"], said["Os"], len(said["Layers"])) == ("amd64", "linux", 1)
    run("skopeo", "copy", f"oci-archive:{images['oci']}", f"dir:{tmp_path}/copied")
    (tmp_path / "layout").mkdir()
    run("tar", "-C", tmp_path / "layout", "-xf", images["oci"])
    run("umoci", "unpack", "--rootless", "--image", f"{tmp_path}/layout:latest",
        tmp_path / "out")
    disk = tmp_path / "out/rootfs/disk"
    assert os.listdir(disk) == ["disk.qcow2"]
    assert "Images are identical" in run("qemu-img", "compare", "-f", "qcow2", "-F", "raw",
                                         disk / "disk.qcow2", images["raw"])


def test_oci_disk_belongs_to_the_user_that_runs_qemu(images):
    with tarfile.open(images["oci"]) as archive:
        layer = max(archive.getmembers(), key=lambda member: member.size)
        members = tarfile.open(fileobj=archive.extractfile(layer)).getmembers()
    assert [m.name for m in members] == ["disk", "disk/disk.qcow2"]
    assert all((m.uid, m.gid) == (107, 107) for m in members)


def test_iso_is_a_cd_to_xorriso_and_isoinfo_and_a_disk_to_sgdisk(images, tmp_path):
    iso = images["iso"]
    said = run("xorriso", "-indev", iso, "-report_el_torito", "plain", "-check_media", "--",
               "-osirrox", "on", "-extract", "/", tmp_path / "files")
    for platform, mode in (("BIOS", "y   none"), ("UEFI", "y   none")):
        assert re.search(rf"El Torito boot img : +\d +{platform} +{mode} ", said)
    assert sorted(os.listdir(tmp_path / "files")) == ["BIOS.IMG", "UEFI.IMG"]
    assert "ISO 9660" in run("file", iso)
    info = run("isoinfo", "-d", "-i", iso)
    assert int(re.search(r"Volume size is: (\d+)", info)[1]) * 2048 == iso.stat().st_size
    assert "Bad" not in info and "Nsect 4" in info
    run("/usr/sbin/fsck.fat", "-n", tmp_path / "files/UEFI.IMG")
    assert "No problems found" in run("/usr/sbin/sgdisk", "-v", iso)


def test_ami_has_its_registration_beside_it(images):
    request = json.loads((images["ami"].parent / "image.ami.json").read_text())
    assert request["Architecture"] == "x86_64" and request["VirtualizationType"] == "hvm"
    assert request["EnaSupport"] is True and request["ImdsSupport"] == "v2.0"
    assert 3 <= len(request["Name"]) <= 128
    mapping = request["BlockDeviceMappings"][0]
    assert mapping["DeviceName"] == request["RootDeviceName"]
    assert mapping["Ebs"]["VolumeSize"] << 30 >= images["ami"].stat().st_size


def test_pvh_has_the_bundle_in_a_segment_of_its_own(images):
    said = run("readelf", "-lnW", images["pvh"])
    assert said.count(" LOAD ") == 2 and "elfpack" in said
    assert images["pvh"].read_bytes().endswith(images["bundle"].read_bytes())


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_converts_into_every_other(images, elfpack, parts, kind, tmp_path):
    back = elfpack("convert", "--parts", parts, images[kind], tmp_path / "back", "-f", "raw")
    assert back.status == 0, back.text
    assert (tmp_path / "back").read_bytes() == images["raw"].read_bytes()
    there = elfpack("convert", tmp_path / "back", tmp_path / "there", "-f", kind)
    assert there.status == 0, there.text
    assert (tmp_path / "there").read_bytes() == images[kind].read_bytes()
    assert there.out.decode().strip() == hashlib.sha256(images[kind].read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", FORMATS)
def test_inspect_reads_every_format(images, elfpack, kind):
    assert elfpack("inspect", "verify", images[kind]).status == 0
    assert elfpack("inspect", "ls", images[kind]).out == elfpack("inspect", "ls",
                                                                 images["raw"]).out
    noise = (images[kind].parent / "noise").read_bytes()
    assert elfpack("inspect", "cat", images[kind], "/noise").out == noise


@pytest.mark.parametrize("kind", [f for f in FORMATS if f not in ("raw", "ami", "bundle")])
def test_a_truncated_file_is_an_error_at_every_length(images, elfpack, kind, tmp_path):
    whole = images[kind].read_bytes()
    for part in range(1, 16):
        (tmp_path / "cut").write_bytes(whole[:len(whole) * part // 16])
        result = elfpack("inspect", "verify", tmp_path / "cut")
        assert result.status == 3, (part, result.text)
        assert f"{tmp_path}/cut: " in result.text


def test_a_disk_bigger_than_the_file_says_costs_nothing(images, elfpack, tmp_path):
    whole = bytearray(images["qcow2"].read_bytes())
    whole[24:32] = (1 << 62).to_bytes(8, "big")
    (tmp_path / "huge").write_bytes(whole)
    result = elfpack("inspect", tmp_path / "huge")
    assert result.status == 3 and "level 1 entries" in result.text
    whole = bytearray(images["vmdk"].read_bytes())
    whole[12:20] = whole[-1024 + 12:-1024 + 20] = (1 << 50).to_bytes(8, "little")
    (tmp_path / "huge").write_bytes(whole)
    result = elfpack("inspect", tmp_path / "huge")
    assert result.status == 3 and "too many" in result.text


def test_an_ami_is_deflated_unless_the_builder_says_otherwise(images, elfpack, tmp_path):
    """And a disk of any other format is not; what is in them is the same."""
    plain, packed = images["raw"], images["ami"]
    assert packed.stat().st_size < plain.stat().st_size - 3 * MIB  # the hole is not stored
    assert elfpack("inspect", "diff", plain, packed).status == 0
    for out, say, same in (("x.ami", "--compress=none", plain), ("x.img", "--compress", packed),
                           ("y.img", "--compress=deflate", packed)):
        for source in (plain, packed):
            result = elfpack("convert", source, tmp_path / out, say)
            assert result.status == 0, result.text
            assert (tmp_path / out).read_bytes() == same.read_bytes()
    assert elfpack("convert", plain, tmp_path / "x", "--compress=lzma").status == 2


def test_damage_of_deflated_files_is_found(images, elfpack, tmp_path):
    whole = bytearray(images["ami"].read_bytes())
    rows = json.loads(elfpack("inspect", "--json", images["ami"]).out)["sections"]
    start, = [row["offset"] for row in rows if row["name"] == "rootfs"]
    for place in (0, 7, 8, 11, 30, 5000, 100_000, 290_000):  # sizes, then streams
        damaged = bytearray(whole)
        damaged[start + place] ^= 0x40
        (tmp_path / "x").write_bytes(damaged)
        result = elfpack("inspect", "verify", tmp_path / "x")
        assert result.status == 3, place
        assert "damaged: rootfs: the SHA-256" in result.text or \
            "the packed files cannot be decompressed" in result.text or \
            "declares a disk of" in result.text, result.text


def test_convert_passes_no_damage_on(images, elfpack, tmp_path):
    whole = images["raw"].read_bytes()
    noise = (images["raw"].parent / "noise").read_bytes()
    at = whole.index(noise[:4096])
    (tmp_path / "damaged").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
    result = elfpack("convert", tmp_path / "damaged", tmp_path / "out")
    assert result.status == 3 and "rootfs is damaged" in result.text
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words, said", [
    ((), "an image and the new file are needed"), (("a",), "an image and the new file"),
    (("a", "b", "c"), "c: one word too many"), (("a", "b", "-f", "floppy"), "unknown format")])
def test_wrong_usage_of_convert_is_status_2(elfpack, words, said):
    result = elfpack("convert", *words)
    assert result.status == 2 and said in result.text


def test_help_lists_every_format(elfpack):
    for command in ("build", "convert"):
        said = elfpack(command, "--help").out.decode()
        for kind in FORMATS:
            assert f"\n  {kind} " in said
