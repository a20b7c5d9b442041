/* pe.c: our own image's section table. The firmware has checked and loaded it. */
#include "imgfmt/abi/pe.h"
#include "shim/lib/string.h"

#include "loader/uefi/pe.h"

const uint8_t *pe_section(const uint8_t *image, uint64_t image_size, const char *name,
			  uint64_t *size)
{
	const uint8_t *at = image + le32_get(*(const le32 *)(image + PE_OFFSET_AT));
	const struct pe_header *pe = (const void *)at;
	const struct pe_section *section =
		(const void *)(at + sizeof(*pe) + le16_get(pe->optional_size));
	for (unsigned i = 0; i < le16_get(pe->section_count); i++, section++) {
		uint64_t address = le32_get(section->address);
		*size = le32_get(section->memory_size);
		if (memcmp(section->name, name, sizeof(section->name)) == 0 &&
		    address + *size <= image_size)
			return image + address;
	}
	return NULL;
}
