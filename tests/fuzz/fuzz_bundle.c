/* fuzz_bundle.c: a bundle, or a disk with one, may be any bytes. The digests of header
 * and table are made right first, or nothing behind them would ever be reached. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/bundle_unpack.h"
#include "imgfmt/gpt.h"
#include "imgfmt/sha256.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLAIN_MAX (4u << 20) /* more is not tried */

static void unpack(const struct bundle_view *view, const uint8_t *bytes)
{
	static struct deflate_room room;
	struct bundle_view plain;
	const char *why = NULL;
	uint64_t size = bundle_unpacked_size(view);
	if (!size || size > PLAIN_MAX)
		return;
	uint8_t *out = malloc((size_t)size);
	if (out && !bundle_unpack(out, view, bytes, &room) &&
	    (bundle_open(&plain, out, (size_t)size, &why) || plain.is_packed))
		abort();
	free(out);
}

static void check(const uint8_t *bytes, size_t size)
{
	struct bundle_view view;
	const char *why = NULL;
	if (bundle_open(&view, bytes, size, &why)) {
		if (!why)
			abort();
		return;
	}
	if (view.size > size)
		abort();
	for (int kind = BUNDLE_SHIM; kind <= BUNDLE_MANIFEST; kind++) {
		const struct bundle_part *part = &view.part[kind];
		if (part->size && (part->bytes < bytes + BUNDLE_BLOCK ||
				   part->bytes + part->size > bytes + view.size))
			abort();
		bundle_part_intact(part);
	}
	unpack(&view, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t type[16] = BUNDLE_GPT_TYPE;
	uint64_t first = 0, last = 0;
	const char *why = NULL;
	uint8_t *copy = malloc(size + 1);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (gpt_find(copy, size, type, &first, &last, &why) == 1 &&
	    (last < first || last >= size / GPT_SECTOR))
		abort();
	check(copy, size);
	if (size >= sizeof(struct bundle_header)) {
		struct bundle_header *header = (void *)copy;
		memcpy(header->magic, BUNDLE_MAGIC, sizeof(header->magic));
		sha256_of(header, offsetof(struct bundle_header, sha256), header->sha256);
		check(copy, size);
	}
	free(copy);
	return 0;
}
