/* image.h: what this image runs: its manifest with the lists taken apart. */
#ifndef ELFPACK_FRONT_IMAGE_H
#define ELFPACK_FRONT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "imgfmt/manifest.h"

#define FRONT_VERSION "0.1.0"

struct string_list {
	char **items; /* NULL-terminated */
	size_t count;
};

struct image {
	struct manifest manifest;
	struct string_list args, env, allowed_env;
	bool ok_exit[256]; /* exit codes that are answers */
};

/* Parses a manifest's text. Returns 0, or -1 with *why and the *line it is about. */
int image_load(struct image *image, const char *text, size_t size, const char **why,
	       unsigned *line);
void image_free(struct image *image);

#endif
