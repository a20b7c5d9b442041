/* argv_template.h: an image's argv template: words, of which {files} stands for the names
 * of the files a request brings and {args} for the arguments it gives. A template with
 * {args} shapes every request; one without is for requests that give no arguments. Pure:
 * fuzzed. */
#ifndef ELFPACK_FRONT_ARGV_TEMPLATE_H
#define ELFPACK_FRONT_ARGV_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

struct argv_words {
	const char *const *items;
	size_t count;
};

/* Has it an {args}? */
bool argv_template_takes_args(const struct argv_words *template);

/* How much argv_template_expand needs: pointers, their end included, and bytes of text.
 */
void argv_template_room(const struct argv_words *template, const struct argv_words *files,
			const struct argv_words *args, size_t *pointers, size_t *bytes);

/* Writes the argv, NULL-terminated, base first. The name of a file that could be taken
 * for something else ("-x", "@x") is written "./-x", into text. argv holds base->count
 * more than argv_template_room says. */
void argv_template_expand(char **argv, char *text, const struct argv_words *base,
			  const struct argv_words *template,
			  const struct argv_words *files, const struct argv_words *args);

#endif
