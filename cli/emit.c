/* emit.c: planning a disk for a format, having its writer make a file of it, writing
 * that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/emit.h"
#include "imgfmt/abi/erofs.h"
#include "imgfmt/inflate.h"
#include "imgfmt/manifest.h"
#include "imgfmt/raw.h"

const struct format *emit_choose_format(const char *name, const char *output,
					struct diag *why)
{
	const struct format *format = name     ? format_by_name(name)
				      : output ? format_by_suffix(output)
					       : NULL;
	if (format || !name)
		return format ? format : format_by_name("raw");
	char known[256] = "";
	for (size_t i = 0; i < format_count; i++) {
		size_t used = strlen(known);
		snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "",
			 formats[i].name);
	}
	diag_set(why, "-f %s: unknown format", name);
	diag_hint(why, "there are %s", known);
	return NULL;
}

void emit_help_formats(void)
{
	printf("\nFormats, by -f or by the suffix of the output's name:\n");
	for (size_t i = 0; i < format_count; i++)
		printf("  %-18s %-16s %s\n", formats[i].name, formats[i].suffixes,
		       formats[i].summary);
}

int emit_choose_compress(bool *compress, const char *value, struct diag *why)
{
	*compress = !value || strcmp(value, "deflate") == 0;
	return *compress || strcmp(value, "none") == 0
		       ? 0
		       : diag_set(why, "neither deflate nor none");
}

unsigned emit_threads(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	return count < 1 ? 1 : (unsigned)count;
}

/* A section's bytes, malloc'd, with a NUL behind them; at most room. */
static char *section(const struct extents *bundle, enum bundle_kind kind, uint64_t from,
		     size_t room, size_t *size)
{
	struct bundle_header header;
	extents_read(bundle, 0, &header, sizeof(header));
	uint64_t has = le64_get(header.section[kind - 1].size);
	uint64_t at = le64_get(header.section[kind - 1].offset);
	*size = has <= from ? 0 : has - from < room ? (size_t)(has - from) : room;
	char *bytes = calloc(1, *size + 1);
	if (bytes)
		extents_read(bundle, at + from, bytes, *size);
	return bytes;
}

/* The program's name, malloc'd: the manifest has it. */
static char *program_name(const struct extents *bundle, struct diag *why)
{
	size_t size = 0;
	unsigned line = 0;
	const char *reason = "";
	char *text = section(bundle, BUNDLE_MANIFEST, 0, MANIFEST_BYTES_MAX, &size),
	     *name = NULL;
	struct manifest *manifest = malloc(sizeof(*manifest));
	if (!text || !manifest)
		diag_set(why, "out of memory");
	else if (manifest_parse(manifest, text, size, &reason, &line))
		diag_set(why, "the manifest, line %u: %s", line, reason);
	else if (!(name = strdup(manifest->program)))
		diag_set(why, "out of memory");
	free(manifest);
	free(text);
	return name;
}

/* The first chunk of a deflated file system, malloc'd; NULL: it is damaged. */
static char *first_chunk(const struct extents *bundle)
{
	struct bundle_packed head;
	size_t size = 0;
	char *bytes = section(bundle, BUNDLE_ROOTFS, 0, SIZE_MAX, &size), *chunk = NULL;
	if (bytes && size >= sizeof(head) + sizeof(le32)) {
		memcpy(&head, bytes, sizeof(head));
		uint64_t count =
			(le64_get(head.size) + BUNDLE_PACK_CHUNK - 1) / BUNDLE_PACK_CHUNK;
		uint64_t at = sizeof(head) + count * sizeof(le32);
		chunk = at < size ? calloc(1, BUNDLE_PACK_CHUNK) : NULL;
		if (chunk &&
		    inflate_bytes(INFLATE_RAW, (uint8_t *)bytes + at, size - (size_t)at,
				  (uint8_t *)chunk, BUNDLE_PACK_CHUNK) < 0)
			memcpy(chunk, bytes + at,
			       size - at < BUNDLE_PACK_CHUNK ? size - (size_t)at
							     : BUNDLE_PACK_CHUNK);
	}
	free(bytes);
	return chunk;
}

/* The time that the packed files have: SOURCE_DATE_EPOCH when the image was built. */
static uint64_t build_time(const struct extents *bundle)
{
	struct bundle_header header;
	struct erofs_super super = {0};
	size_t size = 0;
	extents_read(bundle, 0, &header, sizeof(header));
	bool packed = le32_get(header.section[BUNDLE_ROOTFS - 1].flags) != 0;
	char *bytes = packed ? first_chunk(bundle)
			     : section(bundle, BUNDLE_ROOTFS, 0,
				       EROFS_SUPER_AT + sizeof(super), &size);
	if (bytes && (packed || size == EROFS_SUPER_AT + sizeof(super)))
		memcpy(&super, bytes + EROFS_SUPER_AT, sizeof(super));
	free(bytes);
	return le64_get(super.build_time);
}

int emit_text(const char *path, const char *text, size_t size, struct diag *why)
{
	struct extents extents = {0};
	int rc = extents_add(&extents, 0, text, size)
			 ? diag_set(why, "out of memory")
			 : raw_emit(path, &extents, NULL, why);
	extents_free(&extents);
	return rc;
}

static int write_files(struct emitted *done, const char *path,
		       const struct file_plan *file, const struct tree *sources,
		       struct diag *why)
{
	char *beside = NULL;
	int rc = 0;
	if (file->beside)
		rc = asprintf(&beside, "%s.json", path) < 0
			     ? diag_set(why, "out of memory")
			     : emit_text(beside, file->beside, strlen(file->beside), why);
	done->size = file->extents.size;
	done->has_beside = beside != NULL;
	if (!rc)
		rc = raw_emit_hashed(path, &file->extents, sources, done->digest, why);
	if (rc && beside)
		unlink(beside);
	free(beside);
	return rc;
}

int emit_image(struct emitted *done, const char *path, const struct format *format,
	       const struct image_parts *parts, const struct tree *sources,
	       struct diag *why)
{
	const struct extents *bundle = &parts->bundle->extents;
	const struct bundle_header *header = (const void *)parts->bundle->header;
	struct image_parts with = *parts;
	struct layout *layout = malloc(sizeof(*layout));
	struct file_plan file = {0};
	char *name = layout ? program_name(bundle, why) : NULL;
	bool planned = false;
	int rc = name ? 0 : diag_set(why, "out of memory");
	with.disk_multiple = format->disk_multiple;
	with.format_room = format->room;
	if (!rc && format->disk_multiple)
		planned = !(rc = layout_plan(layout, &with, why));
	struct image_plan plan = {
		.disk = planned ? &layout->extents : NULL,
		.bundle = bundle,
		.uefi = parts->uefi,
		.uefi_size = parts->uefi_size,
		.identity = header->sha256,
		.name = name,
		.seconds = rc ? 0 : build_time(bundle),
		.system_at = planned ? layout->system_lba * GPT_SECTOR : 0,
		.system_size = planned ? layout->system_sectors * GPT_SECTOR : 0,
		.threads = emit_threads()};
	if (!rc)
		rc = format->write(&file, &plan, why);
	if (!rc) {
		snprintf(done->name, sizeof(done->name), "%s", name);
		rc = write_files(done, path, &file, sources, why);
	}
	file_plan_free(&file);
	if (planned)
		layout_free(layout);
	free(layout);
	free(name);
	return rc;
}
