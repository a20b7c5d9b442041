/* fuzz_argv_template.c: an expansion fits into the room it asks for, exactly, and no
 * file's name in it can be taken for an option. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "front/argv_template.h"

#define WORDS_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes words up to an empty one; text is NUL-terminated as a whole. */
static const char *take(struct argv_words *words, const char **list, const char *text,
			const char *end)
{
	*words = (struct argv_words){list, 0};
	while (text < end && *text && words->count < WORDS_MAX) {
		list[words->count++] = text;
		text += strlen(text) + 1;
	}
	return text < end ? text + 1 : end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *lists[3][WORDS_MAX];
	const struct argv_words base = {(const char *const[]){"cc"}, 1};
	struct argv_words template, files, args;
	size_t pointers = 0, bytes = 0, count = 0;
	char *copy = calloc(size + 1, 1);
	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	const char *end = copy + size, *at = take(&template, lists[0], copy, end);
	at = take(&files, lists[1], at, end);
	take(&args, lists[2], at, end);
	argv_template_room(&template, &files, &args, &pointers, &bytes);
	char **argv = calloc(pointers + 1, sizeof(*argv)),
	     *text = malloc(bytes ? bytes : 1);
	if (!argv || !text)
		abort();
	argv_template_expand(argv, text, &base, &template, &files, &args);
	while (argv[count])
		count++;
	if (count != pointers)
		abort();
	for (size_t i = 1; i < count; i++)
		for (size_t k = 0; k < files.count; k++)
			if (argv[i] == files.items[k] && strchr("-@+/", argv[i][0]))
				abort();
	free(text);
	free(argv);
	free(copy);
	return 0;
}
