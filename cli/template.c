/* template.c: what a template says of itself, its values, and marks in texts. */
#include "cli/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ini_file.h"

static const char letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._:/@+,=-";

static int out_of_memory(struct diag *why)
{
	return diag_set(why, "out of memory");
}

static struct template_value *find(const struct template *template, const char *key,
				   size_t size)
{
	for (size_t i = 0; i < template->value_count; i++) {
		const struct template_value *value = &template->values[i];
		if (strlen(value->key) == size && memcmp(value->key, key, size) == 0)
			return (struct template_value *)value;
	}
	return NULL;
}

bool template_has(const struct template *template, const char *key)
{
	return find(template, key, strlen(key)) != NULL;
}

/* "DEFAULT | HELP" */
static int add_value(struct template *template, const char *key, const char *row,
		     struct diag *why)
{
	const char *bar = strchr(row, '|');
	if (template->value_count == TEMPLATE_VALUES_MAX || !bar)
		return diag_set(why, "%s: not DEFAULT | HELP, or too many", key);
	size_t size = (size_t)(bar - row);
	while (size && row[size - 1] == ' ')
		size--;
	struct template_value *value = &template->values[template->value_count++];
	value->key = strdup(key);
	value->text = size ? strndup(row, size) : NULL;
	value->help = strdup(bar + 1 + strspn(bar + 1, " "));
	return value->key && value->help && (value->text || !size) ? 0
								   : out_of_memory(why);
}

/* Adds a line: a value may go on in indented lines. */
static int add_line(char **text, const char *line, struct diag *why)
{
	char *longer = NULL;
	if (asprintf(&longer, "%s%s%s", *text ? *text : "", *text ? "\n" : "", line) < 0)
		return out_of_memory(why);
	free(*text);
	*text = longer;
	return 0;
}

static int take(void *context, const char *section, const char *key, const char *value,
		struct diag *why)
{
	struct template *template = context;
	if (strcmp(section, "values") == 0)
		return add_value(template, key, value, why);
	if (strcmp(section, "template") == 0 && strcmp(key, "summary") == 0)
		return add_line(&template->summary, value, why);
	if (strcmp(section, "template") == 0 && strcmp(key, "next") == 0)
		return add_line(&template->next, value, why);
	return diag_set(why, "%s: no such key", key);
}

int template_load(struct template *template, const char *folder, const char *name,
		  struct diag *why)
{
	char *path = NULL;
	int rc = -1;
	*template = (struct template){0};
	if (asprintf(&template->folder, "%s/%s", folder, name) < 0) {
		template->folder = NULL;
		return out_of_memory(why);
	}
	if (asprintf(&path, "%s/template.conf", template->folder) < 0)
		return out_of_memory(why);
	rc = ini_file_read(path, take, template, why);
	if (!rc && !template->summary)
		rc = diag_set(why, "%s: no summary", path);
	free(path);
	return rc;
}

void template_free(struct template *template)
{
	for (size_t i = 0; i < template->value_count; i++) {
		free(template->values[i].key);
		free(template->values[i].text);
		free(template->values[i].help);
	}
	for (size_t i = 0; i < template->file_count; i++) {
		free(template->files[i].path);
		free(template->files[i].text);
	}
	free(template->files);
	free(template->folder);
	free(template->summary);
	free(template->next);
	*template = (struct template){0};
}

/* Names become those of load balancers, DNS labels and units. */
static bool is_name(const char *text)
{
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t size = strlen(text);
	return size >= 1 && size <= 24 && strspn(text, lower) == size && text[0] >= 'a' &&
	       text[size - 1] != '-';
}

int template_set(struct template *template, const char *key, const char *text,
		 struct diag *why)
{
	struct template_value *value = find(template, key, strlen(key));
	if (!value) {
		diag_set(why, "%s: the template has no such value", key);
		diag_hint(why, "--values lists those it has");
		return -1;
	}
	size_t good = strspn(text, letters);
	if (!*text || text[good])
		return diag_set(why,
				"%s: values have letters, digits, spaces and ._:/@+,=-",
				key);
	if (strcmp(key, "name") == 0 && !is_name(text))
		return diag_set(
			why,
			"%s: a name has 1 to 24 lower-case letters, digits and dashes,"
			" a letter first",
			text);
	char *copy = strdup(text);
	if (!copy)
		return out_of_memory(why);
	free(value->text);
	value->text = copy;
	return 0;
}

int template_check_values(const struct template *template, struct diag *why)
{
	char missing[512] = "";
	size_t used = 0;
	for (size_t i = 0; i < template->value_count && used < sizeof(missing); i++)
		if (!template->values[i].text)
			used += (size_t)snprintf(missing + used, sizeof(missing) - used,
						 "%s%s (%s)", used ? ", " : "",
						 template->values[i].key,
						 template->values[i].help);
	if (!used)
		return 0;
	diag_set(why, "needs %s", missing);
	diag_hint(why,
		  "say it with --set KEY=VALUE, or take it from an image with --image");
	return -1;
}

/* The value whose mark is at text, its mark's size at *size. NULL: there is none. */
static const char *mark_at(const struct template *template, const char *text, size_t rest,
			   size_t *size)
{
	const char *end = rest ? memchr(text + 1, '@', rest - 1) : NULL;
	const struct template_value *value =
		end ? find(template, text + 1, (size_t)(end - text - 1)) : NULL;
	*size = value ? (size_t)(end + 1 - text) : 0;
	return value ? value->text : NULL;
}

char *template_fill(const struct template *template, const char *text, size_t size,
		    size_t *filled_size)
{
	char *filled = NULL;
	FILE *to = open_memstream(&filled, filled_size);
	if (!to)
		return NULL;
	for (size_t at = 0; at < size;) {
		const char *sign = memchr(text + at, '@', size - at);
		size_t plain = sign ? (size_t)(sign - text) - at : size - at, marked = 0;
		fwrite(text + at, 1, plain, to);
		at += plain;
		if (!sign)
			break;
		const char *value = mark_at(template, text + at, size - at, &marked);
		if (value)
			fputs(value, to);
		else
			putc('@', to);
		at += value ? marked : 1;
	}
	if (fclose(to)) {
		free(filled);
		return NULL;
	}
	return filled;
}
