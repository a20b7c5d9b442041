/* http_keys.h: what flags and profiles say about an image's HTTP interface: the rows of
 * imgfmt/http_keys.def. */
#ifndef ELFPACK_CLI_HTTP_KEYS_H
#define ELFPACK_CLI_HTTP_KEYS_H

#include "imgfmt/diag.h"
#include "imgfmt/tree.h"

enum http_key {
#define HTTP_KEY(key, flag, kind, placeholder, help) HTTP_##key,
#include "imgfmt/http_keys.def"
#undef HTTP_KEY
	HTTP_KEY_COUNT
};

/* Values by key, in the order of the manifest's lines; the strings are its own. */
struct http_keys {
	struct words list[HTTP_KEY_COUNT];
	struct words given[HTTP_KEY_COUNT]; /* the same, as they were said */
};

/* The manifest's name of a key. */
const char *http_key_name(enum http_key key);

/* The key that a profile calls by this name ("allow-arg"), or HTTP_KEY_COUNT. */
enum http_key http_key_find(const char *name);

/* Takes a value in, split and checked as its row says. Returns 0 or -1 with *why, which
 * does not say of which key. value may be NULL for a flag. */
int http_keys_add(struct http_keys *keys, enum http_key key, const char *value,
		  struct diag *why);
/* Forgets what was said of a key. */
void http_keys_clear(struct http_keys *keys, enum http_key key);
void http_keys_free(struct http_keys *keys);

#endif
