"""A disk image with a bundle, made from the text of imgfmt/abi/*.h alone, and a kernel that
prints what the loader gave it. The judge of the BIOS loader: it shares no code with it."""

import hashlib
import os
import pathlib
import struct
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = 4096
CHUNK = 16384
STAGE2_LBA = 34
BUNDLE_LBA = 2048 + 4096  # behind 1 MiB and an ESP of 2 MiB

KERNEL_BASE = 0x100000
KERNEL_BSS = 0x200000
KERNEL_BSS_BYTES = 0x10000

# Runs in the state that bootinfo.h promises; says COM1: bootinfo in hex, a sum over the
# bundle's 32-bit words, CR0, flags, whether the memory behind its segment is zero.
KERNEL = """
	.code32
	.globl start
start:	mov $0x90000, %esp
	pushfl
	call hex32
	mov %cr0, %eax
	push %eax
	call hex32
	mov 8(%ebx), %esi
	mov 16(%ebx), %ecx
	shr $2, %ecx
	xor %edx, %edx
1:	lodsl
	rol $1, %edx
	add %eax, %edx
	loop 1b
	push %edx
	call hex32
	mov $BSS, %edi
	mov $BSS_BYTES, %ecx
	xor %eax, %eax
	repe scasb
	push %ecx
	call hex32
	push %ebx
	call hex32
	mov 48(%ebx), %ecx
	imul $24, %ecx
	add $56, %ecx
	mov %ebx, %esi
2:	push %ecx
	lodsb
	call hex8
	pop %ecx
	loop 2b
	mov $10, %al
	call put
	mov $0x10, %al
	out %al, $0xf4
3:	hlt
	jmp 3b
hex32:	mov $4, %ecx
	lea 7(%esp), %esi
	std
4:	lodsb
	push %ecx
	cld
	call hex8
	std
	pop %ecx
	loop 4b
	cld
	mov $32, %al
	call put
	ret $4
hex8:	push %eax
	shr $4, %al
	call nibble
	pop %eax
	and $15, %al
nibble:	cmp $10, %al
	sbb $0x69, %al
	das
put:	push %edx
	push %eax
	mov $0x3fd, %dx
5:	in %dx, %al
	test $0x20, %al
	jz 5b
	pop %eax
	mov $0x3f8, %dx
	out %al, %dx
	pop %edx
	ret
"""


def kernel_elf(folder, base=KERNEL_BASE, bss=KERNEL_BSS_BYTES, note_words=1):
    """A static ELF64 with its entry in the PVH note (type 18, 4 or 8 bytes)."""
    folder = pathlib.Path(folder)
    source = KERNEL.replace("BSS_BYTES", str(bss)).replace("BSS", str(KERNEL_BSS))
    (folder / "kernel.s").write_text(source)
    subprocess.run(["as", "--32", "-o", "kernel.o", "kernel.s"], cwd=folder, check=True)
    subprocess.run(["ld", "-m", "elf_i386", "--oformat", "binary", "-Ttext", hex(base),
                    "-e", "start", "-o", "kernel.bin", "kernel.o"], cwd=folder, check=True)
    # Bytes that differ everywhere, so that a segment put wrong is noticed.
    code = (folder / "kernel.bin").read_bytes()
    code += bytes((i * 7 + i // 256) & 255 for i in range(100_000 - len(code)))
    entry = struct.pack("<I" if note_words == 1 else "<Q", base)
    other = struct.pack("<III4sI", 4, 4, 99, b"GNU\0", 1)
    note = other + struct.pack("<III4s", 4, len(entry), 18, b"Xen\0") + entry
    code_at = BLOCK
    note_at = code_at + len(code)
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, base, 64, 0, 0,
                         64, 56, 3, 0, 0, 0)
    virtual = 0xFFFFFFFF80000000
    header += struct.pack("<IIQQQQQQ", 1, 7, code_at, virtual + base, base, len(code),
                          len(code), 4096)
    header += struct.pack("<IIQQQQQQ", 1, 6, 0, virtual + KERNEL_BSS, KERNEL_BSS, 0, bss, 4096)
    header += struct.pack("<IIQQQQQQ", 4, 4, note_at, 0, 0, len(note), len(note), 4)
    return header.ljust(code_at, b"\0") + code + note


def digest(data):
    """abi/bundle.h: the SHA-256 over those of the chunks."""
    chunks = (data[at:at + CHUNK] for at in range(0, len(data), CHUNK))
    return hashlib.sha256(b"".join(hashlib.sha256(c).digest() for c in chunks)).digest()


def bundle(shim, rootfs=b"", front=b"", manifest=b"version=1\nmode=run\n", version=2):
    """abi/bundle.h: header block, then each section from a block of its own."""
    offset, body, entries = BLOCK, b"", b""
    for kind, data in ((1, shim), (2, front), (3, rootfs), (4, manifest)):
        entries += struct.pack("<IIQQ", kind, 0, offset, len(data))
        entries += digest(data)
        body += data + b"\0" * (-len(data) % BLOCK)
        offset = BLOCK + len(body)
    header = struct.pack("<8sIIQ", b"ELFPACK\x1a", version, 4, offset)
    header += entries.ljust(8 * 56, b"\0")
    header += hashlib.sha256(header).digest()
    assert len(header) == 504
    return header.ljust(BLOCK, b"\0") + body


def stage(name):
    """mbr.bin or stage2.bin of the newest build."""
    folder = os.environ.get("ELFPACK_LIBEXEC")
    found = [pathlib.Path(folder) / name] if folder else list(
        ROOT.glob(f"build/*/libexec/elfpack/{name}"))
    return max(found, key=lambda path: path.stat().st_mtime).read_bytes()


def disk(content, sector=512):
    """abi/bios.h: stage 1, stage 2 with its two numbers, the bundle."""
    mbr = stage("mbr.bin")
    assert len(mbr) == 440
    # A protective partition, so that a BIOS takes it for a hard disk.
    entry = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, 0xFFFFFFFF)
    image = bytearray(mbr + b"\0" * 6 + entry + b"\0" * 48 + b"\x55\xaa")
    image = image.ljust(STAGE2_LBA * 512, b"\0")
    stage2 = bytearray(stage("stage2.bin"))
    assert len(stage2) <= 32768
    stage2[16:32] = struct.pack("<QQ", BUNDLE_LBA, len(content) // 512)
    image += stage2
    image = image.ljust(BUNDLE_LBA * 512, b"\0")
    image += content
    return bytes(image.ljust(-(-len(image) // (1 << 20)) << 20, b"\0"))


def bundle_sum(content):
    """What the kernel computes over the bundle."""
    total = 0
    for (word,) in struct.iter_unpack("<I", content):
        total = ((total << 1 | total >> 31) + word) & 0xFFFFFFFF
    return total


class Handover:
    """The kernel's line, taken apart by abi/bootinfo.h."""

    def __init__(self, line):
        flags, cr0, total, bss, info, dump = line.split()
        self.flags, self.cr0 = int(flags, 16), int(cr0, 16)
        self.sum, self.bss_left = int(total, 16), int(bss, 16)
        self.info_at = int(info, 16)
        raw = bytes.fromhex(dump)
        (self.magic, self.firmware, self.bundle, self.bundle_size, self.rsdp, self.cmdline,
         self.tsc, count, _) = struct.unpack_from("<IIQQQQQII", raw)
        self.regions = [struct.unpack_from("<QQI", raw, 56 + 24 * i) for i in range(count)]
        assert len(raw) == 56 + 24 * count
