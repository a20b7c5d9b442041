/* uefi_system.c: the loader, bound to the bundle, where firmware looks for it (UEFI 2.10,
 * 3.5.1.1). */
#include <string.h>

#include "imgfmt/uefi_system.h"

int uefi_system_make(struct uefi_system *system, const uint8_t *loader, size_t size,
		     const struct bundle *bundle, struct diag *why)
{
	const struct bundle_header *header = (const void *)bundle->header;
	memset(system, 0, sizeof(*system));
	return uefi_app_bind(&system->app, loader, size, bundle, why) ||
			       fat_write(&system->fat, "EFI/BOOT/BOOTX64.EFI",
					 &system->app.extents, header->sha256, why)
		       ? -1
		       : 0;
}

void uefi_system_free(struct uefi_system *system)
{
	fat_free(&system->fat);
	uefi_app_free(&system->app);
}
