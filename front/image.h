/* image.h: what this image runs: its manifest with the lists taken apart. */
#ifndef ELFPACK_FRONT_IMAGE_H
#define ELFPACK_FRONT_IMAGE_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imgfmt/manifest.h"

#define FRONT_VERSION "0.1.0"

struct string_list {
	char **items; /* NULL-terminated */
	size_t count;
};

struct image {
	struct manifest manifest;
	struct string_list args, env; /* the program's, argv[0] first */
	/* Of imgfmt/http_keys.def; cors is empty or holds one. */
	struct string_list argv, out, allow_env, cors;
	regex_t *allowed_args; /* without any, all are */
	size_t allowed_arg_count;
	bool ok_exit[256];   /* exit codes that are answers */
	uint16_t admin_port; /* 0: none */
	bool ui, console_log;
	const char *digest; /* where the kernel does not tell it; NULL: unknown */
};

/* Parses a manifest's text. Returns 0, or -1 with *why and the *line it is about. */
int image_load(struct image *image, const char *text, size_t size, const char **why,
	       unsigned *line);
void image_free(struct image *image);

/* May a request give this argument? */
bool image_allows_arg(const struct image *image, const char *arg);

/* Where web pages may call from: an origin, "*", or NULL. */
const char *image_cors(const struct image *image);

#endif
