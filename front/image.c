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

static int take_pair(struct image *image, const char *key, size_t key_size, const char *value,
		     size_t value_size)
{
	uint64_t code = 0;
	if (text_is(key, key_size, "arg"))
		return list_add(&image->args, value, value_size);
	if (text_is(key, key_size, "env"))
		return list_add(&image->env, value, value_size);
	if (text_is(key, key_size, "allow_env"))
		return list_add(&image->allowed_env, value, value_size);
	if (text_is(key, key_size, "ok_exit") && text_parse_u64(value, value_size, &code) &&
	    code < 256)
		image->ok_exit[code] = true;
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
	*why = "out of memory";
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
	list_free(&image->args);
	list_free(&image->env);
	list_free(&image->allowed_env);
}
