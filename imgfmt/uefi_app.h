/* uefi_app.h: the UEFI loader made one image's own. Pure. */
#ifndef ELFPACK_UEFI_APP_H
#define ELFPACK_UEFI_APP_H

#include "imgfmt/bundle.h"
#include "imgfmt/diag.h"
#include "imgfmt/extents.h"

struct uefi_app {
	uint8_t *loader;        /* a copy, patched */
	struct extents extents; /* of the whole file */
};

/* loader: bootx64.efi as built. The copy starts the given bundle and no other
 * (abi/uefi.h). Both return 0 or -1; uefi_app_free in any case. */
int uefi_app_bind(struct uefi_app *app, const uint8_t *loader, size_t size,
		  const struct bundle *bundle, struct diag *why);
/* The same, with the bundle in a section of the file: one file to sign, that needs no
 * disk. */
int uefi_app_unify(struct uefi_app *app, const uint8_t *loader, size_t size,
		   const struct extents *bundle, struct diag *why);
void uefi_app_free(struct uefi_app *app);

#endif
