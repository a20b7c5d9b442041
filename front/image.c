/* image.c: a manifest with its lists taken apart. */
#include <stdlib.h>
#include <string.h>

#include "front/image.h"
#include "front/text.h"

static int list_add(struct string_list *list, const char *value, size_t size)
{
	char **items = realloc(list->items, (list->count + 2) * sizeof(*items));
	if (!items)
		return -1;
	list->items = items;
	items[list->count] = strndup(value, size);
	items[list->count + 1] = NULL;
	return items[list->count++] ? 0 : -1;
}

/* An argument must match as a whole. */
static int add_policy(struct image *image, const char *value)
{
	size_t size = strlen(value) + sizeof("^()$");
	regex_t *all = realloc(image->allowed_args,
			       (image->allowed_arg_count + 1) * sizeof(*all));
	char *whole = malloc(size);
	int rc = -1;
	if (all)
		image->allowed_args = all;
	if (all && whole) {
		struct text text = text_over(whole, size - 1);
		text_put(&text, "^(");
		text_put(&text, value);
		text_put(&text, ")$");
		whole[text.used] = '\0';
		rc = regcomp(&all[image->allowed_arg_count], whole,
			     REG_EXTENDED | REG_NOSUB);
		image->allowed_arg_count += rc == 0;
	}
	free(whole);
	return rc ? -1 : 0;
}

static int take_pair(struct image *image, const char *key, size_t key_size,
		     const char *value, size_t value_size)
{
	const struct {
		const char *key;
		struct string_list *list;
	} lists[] = {
		{"arg", &image->args},
		{"env", &image->env},
		{"argv", &image->argv},
		{"out", &image->out},
		{"allow_env", &image->allow_env},
		{"cors", &image->cors},
	};
	uint64_t number = 0;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (text_is(key, key_size, lists[i].key))
			return list_add(lists[i].list, value, value_size);
	if (text_is(key, key_size, "allow_arg"))
		return add_policy(image, value);
	image->ui |= text_is(key, key_size, "ui");
	image->console_log |= text_is(key, key_size, "console_log");
	text_parse_u64(value, value_size, &number);
	if (text_is(key, key_size, "ok_exit"))
		image->ok_exit[number & 255] = true;
	if (text_is(key, key_size, "admin"))
		image->admin_port = (uint16_t)number;
	return 0;
}

int image_load(struct image *image, const char *text, size_t size, const char **why,
	       unsigned *line)
{
	struct manifest_cursor cursor = {.text = text, .size = size};
	const char *key = NULL;
	size_t key_size = 0, value_size = 0;
	int rc = manifest_parse(&image->manifest, text, size, why, line);
	if (rc)
		return rc;
	*why = "out of memory, or a pattern that cannot be understood";
	*line = 0;
	char *value = malloc(MANIFEST_VALUE_MAX + 1);
	if (!value)
		return -1;
	while (!rc && manifest_next(&cursor, &key, &key_size, value, &value_size) == 1)
		rc = take_pair(image, key, key_size, value, value_size);
	free(value);
	image->ok_exit[0] = true;
	return rc;
}

static void list_free(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

void image_free(struct image *image)
{
	struct string_list *const lists[] = {&image->args,      &image->env,
					     &image->argv,      &image->out,
					     &image->allow_env, &image->cors};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		list_free(lists[i]);
	for (size_t i = 0; i < image->allowed_arg_count; i++)
		regfree(&image->allowed_args[i]);
	free(image->allowed_args);
}

bool image_allows_arg(const struct image *image, const char *arg)
{
	for (size_t i = 0; i < image->allowed_arg_count; i++)
		if (regexec(&image->allowed_args[i], arg, 0, NULL, 0) == 0)
			return true;
	return image->allowed_arg_count == 0;
}

const char *image_cors(const struct image *image)
{
	return image->cors.count ? image->cors.items[0] : NULL;
}
