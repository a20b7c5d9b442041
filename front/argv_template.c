/* argv_template.c: a request's argv by the image's template. Pure. */
#include <stdint.h>
#include <string.h>

#include "front/argv_template.h"

static bool is_files(const char *word)
{
	return strcmp(word, "{files}") == 0;
}

static bool is_args(const char *word)
{
	return strcmp(word, "{args}") == 0;
}

/* Names of this kind no program takes for an option, a response file or a flag of its
 * own. */
static bool is_plain(const char *name)
{
	unsigned char c = (unsigned char)name[0];
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '_' || c == '.' || c >= 0x80;
}

bool argv_template_takes_args(const struct argv_words *template)
{
	for (size_t i = 0; i < template->count; i++)
		if (is_args(template->items[i]))
			return true;
	return false;
}

void argv_template_room(const struct argv_words *template, const struct argv_words *files,
			const struct argv_words *args, size_t *pointers, size_t *bytes)
{
	*pointers = 1;
	*bytes = 0;
	for (size_t i = 0; i < template->count; i++) {
		bool lists_files = is_files(template->items[i]);
		*pointers += lists_files                   ? files->count
			     : is_args(template->items[i]) ? args->count
							   : 1;
		for (size_t k = 0; k < files->count && lists_files; k++)
			if (!is_plain(files->items[k]))
				*bytes += strlen(files->items[k]) + sizeof("./");
	}
}

static char **append(char **argv, const struct argv_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		*argv++ = (char *)(uintptr_t)words->items[i];
	return argv;
}

void argv_template_expand(char **argv, char *text, const struct argv_words *base,
			  const struct argv_words *template,
			  const struct argv_words *files, const struct argv_words *args)
{
	argv = append(argv, base);
	for (size_t i = 0; i < template->count; i++) {
		const struct argv_words word = {&template->items[i], 1};
		bool lists_files = is_files(template->items[i]);
		if (!lists_files)
			argv = append(argv, is_args(template->items[i]) ? args : &word);
		for (size_t k = 0; k < files->count && lists_files; k++) {
			const char *name = files->items[k];
			size_t size = strlen(name) + 1;
			*argv++ = is_plain(name) ? (char *)(uintptr_t)name : text;
			if (is_plain(name))
				continue;
			memcpy(text, "./", 2);
			memcpy(text + 2, name, size);
			text += 2 + size;
		}
	}
	*argv = NULL;
}
