/* fuzz_aws_profile.c: AWS's shared files may be any text. A value is a piece of it,
 * without spaces at its ends, of a section that is there. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aws/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t size, const char *section, const char *key)
{
	char *value = profile_value(text, size, section, key);
	size_t length = value ? strlen(value) : 0;
	if (!value)
		return;
	if (!profile_exists(text, size, section) || memchr(value, '\n', length) ||
	    (length && !memmem(text, size, value, length)) ||
	    (length && (isspace((unsigned char)*value) ||
			isspace((unsigned char)value[length - 1]))))
		abort();
	free(value);
}

/* The first line is the section asked for, the second the key, the rest the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"aws_access_key_id", "region", "sso_session"};
	char *copy = strndup((const char *)data, size);
	char *rest = copy, *section = strsep(&rest, "\n");
	char *key = strsep(&rest, "\n");
	if (!copy)
		abort();
	if (key && rest) {
		size_t skip = (size_t)(rest - copy);
		char *text = malloc(size - skip + 1); /* exact but for a byte */
		if (!text)
			abort();
		memcpy(text, data + skip, size - skip);
		text = realloc(text, size - skip ? size - skip : 1);
		check(text, size - skip, section, key);
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			check(text, size - skip, section, keys[i]);
		free(text);
	}
	free(copy);
	return 0;
}
