/* fuzz_manifest.c: a manifest may be any text; what is read is written back to the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pairs(const char *text, size_t size)
{
	static char value[MANIFEST_VALUE_MAX + 1], again[MANIFEST_VALUE_MAX + 1];
	static char line[4 * MANIFEST_VALUE_MAX], name[256];
	struct manifest_cursor cursor = {.text = text, .size = size};
	const char *key = NULL;
	size_t key_size = 0, value_size = 0, again_size = 0;
	while (manifest_next(&cursor, &key, &key_size, value, &value_size) == 1) {
		if (value_size > MANIFEST_VALUE_MAX || value[value_size])
			abort();
		if (!key_size || key_size >= sizeof(name) || *key == '#')
			continue;
		memcpy(name, key, key_size);
		name[key_size] = '\0';
		if (strlen(name) != key_size)
			continue;
		size_t used = manifest_emit(line, sizeof(line), name, value, value_size);
		struct manifest_cursor back = {.text = line, .size = used};
		if (used > sizeof(line) ||
		    manifest_next(&back, &key, &key_size, again, &again_size) != 1 ||
		    again_size != value_size || memcmp(again, value, value_size) != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manifest manifest;
	const char *why = NULL;
	unsigned line = 0;
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	if (manifest_parse(&manifest, text, size, &why, &line)) {
		if (!why)
			abort();
	} else if (!manifest.mode || manifest.exec[0] != '/' || !manifest.arg_count) {
		abort();
	}
	check_pairs(text, size);
	free(text);
	return 0;
}
