/* library_cache.c: reading /etc/ld.so.cache. Entries for CPUs with more features than the
 * baseline (hwcap) are passed over: an image runs on any CPU. */
#include <stdbool.h>
#include <string.h>

#include "cli/library_cache.h"
#include "imgfmt/abi/le.h"

#define CACHE_MAGIC  "glibc-ld.so.cache1.1"
#define FLAGS_X86_64 0x0303u /* FLAG_X8664_LIB64 | FLAG_ELF_LIBC6 */

struct cache_header {
	uint8_t magic[20];
	le32 count, strings_size;
	uint8_t flags, padding[3];
	le32 extension, unused[3];
};
_Static_assert(sizeof(struct cache_header) == 48, "ld.so.cache ABI");

struct cache_entry {
	le32 flags, key, value, os_version;
	le64 hwcap;
};
_Static_assert(sizeof(struct cache_entry) == 24, "ld.so.cache ABI");

static const char *string_at(const void *bytes, size_t size, uint32_t at)
{
	const char *text = (const char *)bytes + at;
	return at < size && memchr(text, 0, size - at) ? text : NULL;
}

const char *library_cache_find(const void *bytes, size_t size, const char *soname)
{
	const struct cache_header *header = bytes;
	const struct cache_entry *entry = (const void *)(header + 1);
	if (size < sizeof(*header) ||
	    memcmp(header->magic, CACHE_MAGIC, sizeof(header->magic)) != 0)
		return NULL;
	uint32_t count = le32_get(header->count);
	if (count > (size - sizeof(*header)) / sizeof(*entry))
		return NULL;
	for (uint32_t i = 0; i < count; i++, entry++) {
		const char *key = string_at(bytes, size, le32_get(entry->key));
		if (key && le32_get(entry->flags) == FLAGS_X86_64 &&
		    !le64_get(entry->hwcap) && strcmp(key, soname) == 0)
			return string_at(bytes, size, le32_get(entry->value));
	}
	return NULL;
}
