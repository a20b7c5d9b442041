/* bundle.h: the bundle, what an image carries: one header block and its sections.
 *
 *   byte 0       struct bundle_header, zero padded to BUNDLE_BLOCK
 *   BLOCK * k    a section; each starts on a block and is zero padded to the next
 *
 * The image builder writes it (imgfmt/bundle.c), the BIOS loader reads it from disk, QEMU
 * and Firecracker hand it over as the initrd, and shim takes it apart at boot. The loader
 * checks the digests of the header and of the shim section before it runs shim; shim
 * checks all others before it uses them.
 *
 * The file system may be deflated (BUNDLE_DEFLATED): then struct bundle_packed stands
 * where it would, and its digest stays that of the plain bytes. The kernel makes such a
 * bundle plain, in memory, before it starts anything of it (imgfmt/bundle_unpack.h).
 *
 * The digest of a section is the SHA-256 over the SHA-256s of its chunks, in their order:
 * chunks of BUNDLE_CHUNK bytes from its start, the last one what is left, none when it is
 * empty. So many chunks can be hashed at once. */
#ifndef ELFPACK_ABI_BUNDLE_H
#define ELFPACK_ABI_BUNDLE_H

#include "imgfmt/abi/le.h"

#define BUNDLE_MAGIC        "ELFPACK\x1a" /* 8 bytes, no NUL */
#define BUNDLE_VERSION      2u
#define BUNDLE_BLOCK        4096u
#define BUNDLE_CHUNK        16384u
#define BUNDLE_SECTIONS_MAX 8u

/* Sections stand in this order; each kind exactly once. */
enum bundle_kind {
	BUNDLE_SHIM = 1, /* the kernel, a static ELF64 linked at its physical address */
	BUNDLE_FRONT =
		2, /* the HTTP front end, a static ELF64; size 0 unless mode=http */
	BUNDLE_ROOTFS = 3,   /* EROFS, 4 KiB blocks, uncompressed */
	BUNDLE_MANIFEST = 4, /* text: imgfmt/manifest.h */
};

struct bundle_section {
	le32 kind;   /* enum bundle_kind */
	le32 flags;  /* 0; BUNDLE_ROOTFS: BUNDLE_DEFLATED or 0 */
	le64 offset; /* bytes from the header's first byte; a multiple of BUNDLE_BLOCK */
	le64 size;   /* bytes stored, without padding */
	uint8_t digest[32]; /* of those bytes, plain: above */
};
_Static_assert(sizeof(struct bundle_section) == 56, "bundle ABI");

#define BUNDLE_DEFLATED   1u
#define BUNDLE_PACK_CHUNK (1u << 20)

/* A deflated section: this, an le32 for each chunk of BUNDLE_PACK_CHUNK plain bytes (the
 * last one what is left) with the bytes that are stored of it, and these bytes, without
 * gaps: a raw deflate stream (RFC 1951) each; the chunk itself when it is as long;
 * nothing when it is all zeros. */
struct bundle_packed {
	le64 size; /* of the plain section */
};
_Static_assert(sizeof(struct bundle_packed) == 8, "bundle ABI");

struct bundle_header {
	uint8_t magic[8];
	le32 version;
	le32 section_count;
	le64 bundle_size; /* bytes, header and padding included; a multiple of
			     BUNDLE_BLOCK */
	struct bundle_section section[BUNDLE_SECTIONS_MAX]; /* unused ones are zero */
	uint8_t sha256[32]; /* of all bytes of this struct before this field */
};
_Static_assert(sizeof(struct bundle_header) == 504, "bundle ABI");

/* The GPT partition that holds the bundle has this type,
 * 7ba5b0e4-3d4f-4a08-9a5e-e1f9ac4b0001, here in its on-disk byte order
 * (UEFI 2.10, 5.3.3). */
#define BUNDLE_GPT_TYPE                                                                  \
	{                                                                                \
		0xe4, 0xb0, 0xa5, 0x7b, 0x4f, 0x3d, 0x08, 0x4a, 0x9a, 0x5e, 0xe1, 0xf9,  \
			0xac, 0x4b, 0x00, 0x01                                           \
	}

#endif
