"""A kernel of a few instructions that stands in for shim where `elfpack run` itself is under
test: it clears COM1, says that it listens (port 0x502), says a line, repeats what it hears until
a byte 4, and ends the machine with a status of eight bits as shim does (ports 0x502, 0x501)."""
import pathlib
import struct
import subprocess

STATUS = 200  # more than QEMU's own exit status has room for

KERNEL = """
	.code32
start:	mov $0x3fa, %dx
	mov $7, %al
	out %al, %dx
	mov $0x502, %dx
	xor %al, %al
	out %al, %dx
	mov $text, %esi
1:	lodsb
	test %al, %al
	jz 2f
	call put
	jmp 1b
2:	mov $0x3fd, %dx
3:	in %dx, %al
	test $1, %al
	jz 3b
	mov $0x3f8, %dx
	in %dx, %al
	cmp $4, %al
	je end
	call put
	jmp 2b
end:	mov $STATUS, %al
	mov $0x502, %dx
	out %al, %dx
	mov $0x501, %dx
	out %al, %dx
4:	hlt
	jmp 4b
put:	mov %al, %ah
	mov $0x3fd, %dx
5:	in %dx, %al
	test $0x20, %al
	jz 5b
	mov %ah, %al
	mov $0x3f8, %dx
	out %al, %dx
	ret
text:	.asciz "up\\r\\n"
"""


def kernel(path, status):
    """A static ELF64 at 1 MiB with the PVH notes that shim has, written to path."""
    path = pathlib.Path(path)
    source = path.with_suffix(".s")
    source.write_text(KERNEL.replace("STATUS", str(status)))
    subprocess.run(["as", "--32", "-o", "k.o", source.name], cwd=path.parent, check=True)
    subprocess.run(["ld", "-m", "elf_i386", "--oformat", "binary", "-Ttext", "0x100000", "-e",
                    "0x100000", "-o", "k.bin", "k.o"], cwd=path.parent, check=True)
    code = (path.parent / "k.bin").read_bytes()
    note = struct.pack("<III4sI", 4, 4, 18, b"Xen\0", 0x100000)
    note += struct.pack("<III8sQQ", 8, 16, 1, b"elfpack\0", 0, 0)  # imgfmt/pvh.h
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0x100000, 64, 0, 0,
                         64, 56, 2, 0, 0, 0)
    header += struct.pack("<IIQQQQQQ", 1, 7, 4096, 0x100000, 0x100000, len(code), len(code),
                          4096)
    header += struct.pack("<IIQQQQQQ", 4, 4, 4096 + len(code), 0, 0, len(note), len(note), 4)
    path.write_bytes(header.ljust(4096, b"\0") + code + note)
