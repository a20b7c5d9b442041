/* bundle_read.c: taking a bundle apart, believing nothing. */
#include "imgfmt/bundle_read.h"
#include "imgfmt/bundle_digest.h"
#include "imgfmt/sha256.h"

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

#define SECTION_COUNT ((uint32_t)BUNDLE_MANIFEST)

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

static int check_header(const struct bundle_header *header, size_t size, const char **why)
{
	uint8_t digest[SHA256_BYTES];
	if (size < BUNDLE_BLOCK)
		return refuse(why, "shorter than a bundle's header");
	if (memcmp(header->magic, BUNDLE_MAGIC, sizeof(header->magic)) != 0)
		return refuse(why, "not a bundle: wrong magic");
	sha256_of(header, offsetof(struct bundle_header, sha256), digest);
	if (memcmp(digest, header->sha256, sizeof(digest)) != 0)
		return refuse(why, "the header's SHA-256 is wrong");
	if (le32_get(header->version) != BUNDLE_VERSION)
		return refuse(why, "a bundle of another version");
	if (le32_get(header->section_count) != SECTION_COUNT)
		return refuse(why, "wrong number of sections");
	uint64_t whole = le64_get(header->bundle_size);
	if (whole % BUNDLE_BLOCK || whole < BUNDLE_BLOCK)
		return refuse(why, "the bundle's size is not whole blocks");
	if (whole > size)
		return refuse(why, "the bundle is cut short");
	return 0;
}

int bundle_open(struct bundle_view *view, const void *bytes, size_t size,
		const char **why)
{
	const struct bundle_header *header = bytes;
	memset(view, 0, sizeof(*view));
	if (check_header(header, size, why))
		return -1;
	uint64_t whole = le64_get(header->bundle_size), end = BUNDLE_BLOCK;
	for (uint32_t i = 0; i < SECTION_COUNT; i++) {
		const struct bundle_section *section = &header->section[i];
		uint64_t at = le64_get(section->offset), length = le64_get(section->size);
		uint32_t flags = le32_get(section->flags);
		if (le32_get(section->kind) != i + 1 ||
		    flags & ~(i + 1 == BUNDLE_ROOTFS ? BUNDLE_DEFLATED : 0))
			return refuse(why,
				      "a section of an unknown kind, or out of order");
		if (at % BUNDLE_BLOCK || at < end || at > whole || length > whole - at)
			return refuse(why, "a section lies outside the bundle");
		end = at + length;
		view->part[i + 1] = (struct bundle_part){
			.bytes = length ? (const uint8_t *)bytes + at : NULL,
			.size = (size_t)length,
			.digest = section->digest,
			.is_packed = flags != 0};
		view->is_packed |= flags != 0;
	}
	view->size = (size_t)whole;
	view->digest = header->sha256;
	return 0;
}

bool bundle_part_intact(const struct bundle_part *part)
{
	uint8_t digest[SHA256_BYTES];
	bundle_digest_of(part->bytes, part->size, digest);
	return memcmp(digest, part->digest, sizeof(digest)) == 0;
}

const char *bundle_kind_name(enum bundle_kind kind)
{
	switch (kind) {
	case BUNDLE_SHIM:
		return "shim";
	case BUNDLE_FRONT:
		return "front";
	case BUNDLE_ROOTFS:
		return "rootfs";
	case BUNDLE_MANIFEST:
		return "manifest";
	}
	return "unknown";
}
