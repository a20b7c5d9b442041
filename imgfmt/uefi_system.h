/* uefi_system.h: the EFI system partition of an image: a FAT volume with its UEFI loader.
 * Pure. */
#ifndef ELFPACK_UEFI_SYSTEM_H
#define ELFPACK_UEFI_SYSTEM_H

#include "imgfmt/fat.h"
#include "imgfmt/uefi_app.h"

struct uefi_system {
	struct uefi_app app;
	struct fat fat; /* fat.extents: the partition */
};

/* loader: bootx64.efi as built. Returns 0 or -1; uefi_system_free in any case. */
int uefi_system_make(struct uefi_system *system, const uint8_t *loader, size_t size,
		     const struct bundle *bundle, struct diag *why);
void uefi_system_free(struct uefi_system *system);

#endif
