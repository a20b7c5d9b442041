/* fuzz_bundle.c: a bundle, or a disk with one, may be any bytes. The digests of header
 * and table are made right first, or nothing behind them would ever be reached. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/bundle_read.h"
#include "imgfmt/gpt.h"
#include "imgfmt/sha256.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
