/* manifest.h: the manifest, a bundle's text section: what to run and within what limits.
 *
 * Lines "key=value\n". In values the bytes below 0x20, 0x7f and '%' are written %XX;
 * nothing else is quoted. Lines starting with '#' and empty lines are ignored; an unknown
 * key is an error, so that an old kernel never runs an image whose limits it does not
 * know.
 *
 *   version=1                 first line
 *   mode=run|http|serve
 *   exec=/usr/bin/busybox     the program's file, absolute
 *   arg=busybox               argv, in order, argv[0] first; in http mode the base argv
 *   env=K=V                   environment, in order
 *   cwd=/work                 absolute, exists in the packed file system
 *   port=80                   http and serve
 *   program=busybox           for people: /_/info, usage text
 *   example=...               for people: a request's query, shown in the usage text
 *   profile=clang             for people: what the image was packed by, absent: nothing
 *   ...                       http_keys.def
 *   limit.KEY=N               limits.def
 *
 * Pure code: shared by host, kernel and front, no allocation, no I/O. */
#ifndef ELFPACK_MANIFEST_H
#define ELFPACK_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

enum manifest_mode { MODE_RUN = 1, MODE_HTTP, MODE_SERVE };

struct limits {
#define LIMIT(key, unit, initial, help) uint64_t key;
#include "imgfmt/limits.def"
#undef LIMIT
};

/* The longest value and the most lines a manifest may have. */
#define MANIFEST_VALUE_MAX 4096u
#define MANIFEST_BYTES_MAX 65536u

/* A position in a manifest's text, for manifest_next. */
struct manifest_cursor {
	const char *text;
	size_t size;
	size_t at;
	unsigned line; /* of the pair last returned, from 1 */
};

/* Reads the next pair: *key points into the text and has key_size bytes; the decoded
 * value goes to value (room for MANIFEST_VALUE_MAX + 1 bytes), NUL-terminated, its size
 * to *value_size. Returns 1, 0 at the end, -1 on a malformed line (cursor->line names
 * it). */
int manifest_next(struct manifest_cursor *cursor, const char **key, size_t *key_size,
		  char *value, size_t *value_size);

/* What a manifest says, but for its lists (arg, env, those of http_keys.def), which are
 * read with manifest_next where they are wanted. */
struct manifest {
	enum manifest_mode mode;
	uint16_t port;
	char exec[MANIFEST_VALUE_MAX + 1];
	char cwd[MANIFEST_VALUE_MAX + 1];
	char program[256];
	char example[1024];
	char profile[256];
	uint32_t arg_count, env_count;
	struct limits limits; /* defaults where the text says nothing */
};

/* Fills *limits with the defaults of limits.def. */
void limits_default(struct limits *limits);

/* Parses and checks a whole manifest. Returns 0, or -1 with *why a static string and
 * *line the line it is about (0: the manifest as a whole). */
int manifest_parse(struct manifest *out, const char *text, size_t size, const char **why,
		   unsigned *line);

/* Encodes one line "key=value\n" into out (room for room bytes). Returns the bytes it
 * needs, which may exceed room: then nothing beyond room was written. */
size_t manifest_emit(char *out, size_t room, const char *key, const void *value,
		     size_t value_size);

#endif
