/* http_keys.c: what is said about an image's HTTP interface, split and checked. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "cli/http_keys.h"
#include "cli/options.h"

enum kind { KIND_words, KIND_line, KIND_one, KIND_flag };

static const struct {
	const char *name;
	enum kind kind;
} rows[] = {
#define HTTP_KEY(key, flag, kind, placeholder, help) {#key, KIND_##kind},
#include "imgfmt/http_keys.def"
#undef HTTP_KEY
};

const char *http_key_name(enum http_key key)
{
	return rows[key].name;
}

enum http_key http_key_find(const char *name)
{
	for (int key = 0; key < HTTP_KEY_COUNT; key++) {
		const char *a = rows[key].name, *b = name;
		while (*a && *b == (*a == '_' ? '-' : *a)) {
			a++;
			b++;
		}
		if (!*a && !*b)
			return (enum http_key)key;
	}
	return HTTP_KEY_COUNT;
}

static int add(struct words *words, const char *value, size_t size, struct diag *why)
{
	const char **list = realloc(words->list, (words->count + 1) * sizeof(*list));
	if (list)
		words->list = list;
	if (!list || !(list[words->count] = strndup(value, size)))
		return diag_set(why, "out of memory");
	words->count++;
	return 0;
}

/* front compiles it in the same way. */
static int check_regex(const char *value, struct diag *why)
{
	char reason[128];
	regex_t compiled;
	int rc = regcomp(&compiled, value, REG_EXTENDED);
	if (rc) {
		regerror(rc, &compiled, reason, sizeof(reason));
		return diag_set(why, "%s: %s", value, reason);
	}
	regfree(&compiled);
	return 0;
}

static int check(enum http_key key, const char *value, struct diag *why)
{
	uint64_t number = 0;
	switch (key) {
	case HTTP_allow_arg:
		return check_regex(value, why);
	case HTTP_allow_env:
		return *value && !strchr(value, '=')
			       ? 0
			       : diag_set(why, "%s: not a variable's name", value);
	case HTTP_ok_exit:
		return option_number(value, &number) || number > 255
			       ? diag_set(why, "%s: not an exit status", value)
			       : 0;
	case HTTP_admin:
		return option_number(value, &number) || !number || number > 65535
			       ? diag_set(why, "%s: not a port", value)
			       : 0;
	case HTTP_out:
		return *value ? 0 : diag_set(why, "an empty value");
	case HTTP_cors: /* an origin, as it stands in a header field */
		return *value && strlen(value) < 256 && !value[strcspn(value, " \t\r\n")]
			       ? 0
			       : diag_set(why, "not an origin");
	default:
		return 0;
	}
}

/* Words at blanks; inside quotes of either kind a blank is an ordinary byte. */
static int add_words(struct words *words, enum http_key key, const char *text,
		     struct diag *why)
{
	char *word = malloc(strlen(text) + 1);
	int rc = word ? 0 : diag_set(why, "out of memory");
	while (!rc && *(text += strspn(text, " \t"))) {
		size_t size = 0;
		char quote = '\0';
		for (; *text && (quote || (*text != ' ' && *text != '\t')); text++) {
			if (quote ? *text == quote : *text == '\'' || *text == '"')
				quote = quote ? '\0' : *text;
			else
				word[size++] = *text;
		}
		word[size] = '\0';
		rc = quote ? diag_set(why, "a quote without an end")
			   : check(key, word, why);
		rc = rc ? rc : add(words, word, size, why);
	}
	free(word);
	return rc;
}

int http_keys_add(struct http_keys *keys, enum http_key key, const char *value,
		  struct diag *why)
{
	struct words *words = &keys->list[key];
	enum kind kind = rows[key].kind;
	if (kind >= KIND_one && words->count)
		return diag_set(why, "given twice");
	int rc = kind == KIND_words       ? add_words(words, key, value, why)
		 : kind == KIND_flag      ? add(words, "1", 1, why)
		 : check(key, value, why) ? -1
					  : add(words, value, strlen(value), why);
	const char *given = kind == KIND_flag ? "yes" : value;
	return rc ? rc : add(&keys->given[key], given, strlen(given), why);
}

static void words_free(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free((void *)(uintptr_t)words->list[i]);
	free(words->list);
	*words = (struct words){0};
}

void http_keys_clear(struct http_keys *keys, enum http_key key)
{
	words_free(&keys->list[key]);
	words_free(&keys->given[key]);
}

void http_keys_free(struct http_keys *keys)
{
	for (int key = 0; key < HTTP_KEY_COUNT; key++)
		http_keys_clear(keys, (enum http_key)key);
}
