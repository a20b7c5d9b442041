/* uefi.h: what the image writer patches in the UEFI loader (loader/uefi).
 *
 * The loader, a PE32+ file, holds one struct uefi_binding at a multiple of 16 bytes,
 * found by its magic. It names the one bundle that the loader starts: by the digest of
 * its header, and so by those of all sections. Whoever signs the loader signs the whole
 * image. */
#ifndef ELFPACK_ABI_UEFI_H
#define ELFPACK_ABI_UEFI_H

#include "imgfmt/abi/le.h"

#define UEFI_BINDING_MAGIC "elfpack binding" /* 16 bytes with its NUL */

struct uefi_binding {
	uint8_t magic[16];
	uint8_t header_sha256[32]; /* struct bundle_header's last field */
};
_Static_assert(sizeof(struct uefi_binding) == 48, "UEFI loader ABI");

/* A unified loader carries its bundle as a PE section of this name, and starts no other.
 */
#define UEFI_BUNDLE_SECTION ".bundle" /* 8 bytes with its NUL */

#endif
