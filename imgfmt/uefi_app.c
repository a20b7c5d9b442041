/* uefi_app.c: patching the UEFI loader, and adding a section to it. */
#include <stdlib.h>
#include <string.h>

#include "imgfmt/abi/pe.h"
#include "imgfmt/abi/uefi.h"
#include "imgfmt/format.h"
#include "imgfmt/uefi_app.h"

#define FILE_ALIGN   512u
#define MEMORY_ALIGN 4096u /* of sections, so that the bundle starts on a page */

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static int copy_loader(struct uefi_app *app, const uint8_t *loader, size_t size,
		       struct diag *why)
{
	memset(app, 0, sizeof(*app));
	app->loader = malloc(size + 1);
	if (!app->loader)
		return diag_set(why, "out of memory");
	memcpy(app->loader, loader, size);
	return 0;
}

int uefi_app_bind(struct uefi_app *app, const uint8_t *loader, size_t size,
		  const struct bundle *bundle, struct diag *why)
{
	const struct bundle_header *header = (const void *)bundle->header;
	struct uefi_binding *binding = NULL;
	if (copy_loader(app, loader, size, why))
		return -1;
	for (size_t at = 0; at + sizeof(*binding) <= size && !binding; at += 16)
		if (memcmp(app->loader + at, UEFI_BINDING_MAGIC, 16) == 0)
			binding = (void *)(app->loader + at);
	if (!binding)
		return diag_set(why,
				"bootx64.efi: not elfpack's UEFI loader (no binding)");
	memcpy(binding->header_sha256, header->sha256, sizeof(header->sha256));
	return extents_add(&app->extents, 0, app->loader, size)
		       ? diag_set(why, "out of memory")
		       : 0;
}

/* The PE header, NULL: the bytes are none whose optional header is whole. */
static struct pe_header *find_pe(const uint8_t *bytes, size_t size)
{
	uint64_t at =
		size < 0x40 ? size : le32_get(*(const le32 *)(bytes + PE_OFFSET_AT));
	if (at + sizeof(struct pe_header) + sizeof(struct pe_optional) > size)
		return NULL;
	struct pe_header *pe = (void *)(uintptr_t)(bytes + at);
	const struct pe_optional *optional = (const void *)(pe + 1);
	return memcmp(pe->magic, PE_MAGIC, sizeof(pe->magic)) == 0 &&
			       le16_get(optional->magic) == PE_OPTIONAL64
		       ? pe
		       : NULL;
}

/* Puts a row for bytes behind the loader into its section table; returns where they go, 0
 * when they cannot. */
static uint64_t add_section(uint8_t *loader, size_t size, uint64_t bytes)
{
	struct pe_header *pe = find_pe(loader, size);
	if (!pe)
		return 0;
	struct pe_optional *optional = (void *)(pe + 1);
	unsigned count = le16_get(pe->section_count);
	uint64_t row_at = (uint64_t)((uint8_t *)(pe + 1) - loader) +
			  le16_get(pe->optional_size) + count * sizeof(struct pe_section);
	uint64_t headers = le32_get(optional->headers_size);
	uint64_t address = round_up(le32_get(optional->image_size), MEMORY_ALIGN);
	uint64_t file_offset = round_up(size, FILE_ALIGN);
	if (le32_get(optional->section_align) != MEMORY_ALIGN || headers > size ||
	    row_at + sizeof(struct pe_section) > headers ||
	    address + bytes + file_offset > UINT32_MAX)
		return 0;
	struct pe_section *row = (void *)(loader + row_at);
	*row = (struct pe_section){.memory_size = le32_make((uint32_t)bytes),
				   .address = le32_make((uint32_t)address),
				   .file_size = le32_make((uint32_t)bytes),
				   .file_offset = le32_make((uint32_t)file_offset),
				   .characteristics = le32_make(PE_SECTION_DATA)};
	memcpy(row->name, UEFI_BUNDLE_SECTION, sizeof(row->name));
	pe->section_count = le16_make((uint16_t)(count + 1));
	optional->image_size =
		le32_make((uint32_t)(address + round_up(bytes, MEMORY_ALIGN)));
	return file_offset;
}

int uefi_app_unify(struct uefi_app *app, const uint8_t *loader, size_t size,
		   const struct extents *bundle, struct diag *why)
{
	if (copy_loader(app, loader, size, why))
		return -1;
	uint64_t offset = add_section(app->loader, size, bundle->size);
	if (!offset)
		return diag_set(why,
				"bootx64.efi: a bundle of %llu bytes cannot be added",
				(unsigned long long)bundle->size);
	return extents_add(&app->extents, 0, app->loader, size) ||
			       extents_append(&app->extents, offset, bundle)
		       ? diag_set(why, "out of memory")
		       : 0;
}

int efi_write(struct file_plan *file, const struct image_plan *plan, struct diag *why)
{
	struct uefi_app app = {0};
	int rc = plan->uefi ? uefi_app_unify(&app, plan->uefi, plan->uefi_size,
					     plan->bundle, why)
			    : diag_set(why, "bootx64.efi: missing");
	if (!rc) {
		rc = file_plan_append_all(file, &app.extents, 1, why);
		rc = file_plan_own(file, app.loader, why) || rc ? -1 : 0;
		app.loader = NULL;
	}
	uefi_app_free(&app);
	return rc;
}

bool efi_probe(const uint8_t *bytes, size_t size)
{
	return size > 2 && memcmp(bytes, "MZ", 2) == 0 && find_pe(bytes, size);
}

int efi_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why)
{
	const struct pe_header *pe = find_pe(bytes, size);
	if (!pe)
		return diag_set(why, "not a UEFI program");
	uint64_t at = (uint64_t)((const uint8_t *)(pe + 1) - bytes) +
		      le16_get(pe->optional_size);
	for (unsigned i = 0; i < le16_get(pe->section_count); i++) {
		const struct pe_section *section = (const void *)(bytes + at);
		at += sizeof(*section);
		if (at > size)
			return diag_set(why, "the UEFI program's sections are cut short");
		if (memcmp(section->name, UEFI_BUNDLE_SECTION, sizeof(section->name)) !=
		    0)
			continue;
		uint64_t offset = le32_get(section->file_offset);
		uint64_t bundle_size = le32_get(section->file_size);
		if (offset + bundle_size > size)
			return diag_set(why,
					"the bundle in the UEFI program is cut short");
		*view = (struct disk_view){
			.bytes = bytes + offset, .size = bundle_size, .is_bundle = true};
		return 0;
	}
	return diag_set(why, "a UEFI program without a bundle");
}

void uefi_app_free(struct uefi_app *app)
{
	extents_free(&app->extents);
	free(app->loader);
	app->loader = NULL;
}
