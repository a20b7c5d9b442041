/* pe.h: finding a section of a PE32+ image in memory. Pure. */
#ifndef LOADER_UEFI_PE_H
#define LOADER_UEFI_PE_H

#include <stdint.h>

/* name: 8 bytes. NULL: there is none. */
const uint8_t *pe_section(const uint8_t *image, uint64_t image_size, const char *name,
			  uint64_t *size);

#endif
