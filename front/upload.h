/* upload.h: what a structured body brings: files, standard input, arguments, environment
 * and outputs. All strings of forms and envelopes lie in the body's own bytes, which are
 * decoded in place. */
#ifndef ELFPACK_FRONT_UPLOAD_H
#define ELFPACK_FRONT_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "front/chain.h"
#include "imgfmt/manifest.h"

struct upload_file {
	const char *name;  /* relative, checked */
	const char *bytes; /* NULL: they are in unpacked */
	size_t size;
	struct chain unpacked;
	char *own_name; /* the same as name, when it does not lie in the body */
	unsigned mode;
	bool folder;
};

struct upload_list {
	char **items;
	size_t count, room;
};

struct upload {
	char *text; /* the body, in one piece and one byte more */
	size_t text_size, text_room;
	struct upload_file *files;
	size_t file_count, file_room;
	uint64_t file_bytes;
	struct upload_list args, envs, outs; /* envs: NAME=VALUE */
	const char *stdin_bytes;             /* NULL: none was given */
	size_t stdin_size;
	const struct upload_file *stdin_file; /* or this file is it */
	const char *why, *about;              /* of a refusal; about may be NULL */
	char about_text[96];                  /* room for what does not lie in the body */
};

/* Takes the body, which is empty afterwards. Returns 0 or -ENOMEM. */
int upload_take(struct upload *upload, struct chain *body);

/* Adds a file, whose name is checked. Returns 0 or -status with upload->why. */
int upload_add_file(struct upload *upload, const char *name, size_t name_size,
		    const char *bytes, size_t size, const struct limits *limits);

/* Adds a file or a folder of an archive, empty; its bytes are to go into the unpacked
 * chain of *file. name is copied. A folder that is there already is fine: *file is NULL
 * then. Returns 0 or -status. */
int upload_add_unpacked(struct upload *upload, const char *name, size_t name_size,
			unsigned mode, bool folder, const struct limits *limits,
			struct upload_file **file);

/* Adds a NUL-terminated string of size bytes; one with a NUL inside is refused. Each list
 * has as many as a request may have arguments. */
int upload_add_string(struct upload *upload, struct upload_list *list, char *string,
		      size_t size, const struct limits *limits);

/* Notes why the body is refused. Returns -status. */
int upload_refuse(struct upload *upload, int status, const char *why, const char *about);

void upload_free(struct upload *upload);

#endif
