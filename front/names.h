/* names.h: names of files that requests bring or ask for, and globs over them. Pure. */
#ifndef ELFPACK_FRONT_NAMES_H
#define ELFPACK_FRONT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* Longest relative name, so that a name below a working directory is a path Linux takes.
 */
#define NAME_BYTES_MAX 3072u

/* A name must be relative, without "." and "..", NUL, backslash or control characters,
 * its components of 1 to 255 bytes and at most depth of them. Returns NULL, or what is
 * wrong. */
const char *name_refused(const char *name, size_t size, size_t depth);

/* Decodes the path of PUT (without its leading slash) in place, once, + kept; *size is
 * updated, and the name terminated (path[*size] must be writable). Returns NULL, or what
 * is wrong with the spelling or the name. */
const char *name_from_path(char *path, size_t *size, size_t depth);

/* Does the glob match the whole name? * and ? stop at a slash, ** does not. Each step is
 * taken from *steps; once none is left the answer is false, and not to be believed. */
bool glob_matches(const char *glob, const char *name, size_t *steps);

/* Has it any of those? */
bool glob_is_pattern(const char *glob);

#endif
