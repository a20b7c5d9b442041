/* archive_memory.h: the memory that libarchive works with. It must not take more than its
 * share, whatever an archive claims, and where it would end the process for want of
 * memory only its call ends. cmake gives libarchive's objects the functions below in
 * malloc's place. */
#ifndef ELFPACK_FRONT_ARCHIVE_MEMORY_H
#define ELFPACK_FRONT_ARCHIVE_MEMORY_H

#include <stddef.h>
#include <zlib.h>

/* What one archive may take beside its unpacked files. */
#define ARCHIVE_MEMORY_MAX (12u << 20)

/* Calls run, then gives back all that libarchive has taken in it: run need not. Returns
 * what run does, or -ENOMEM when libarchive gave up for want of memory. Not to be nested.
 */
int archive_memory_run(int (*run)(void *context), void *context);

void *front_archive_malloc(size_t size);
void *front_archive_calloc(size_t count, size_t size);
void *front_archive_realloc(void *old, size_t size);
void front_archive_free(void *memory);
char *front_archive_strdup(const char *string);

/* zlib's, for a stream whose memory is this, too. */
int front_archive_inflateInit2_(z_stream *stream, int bits, const char *version,
				int size);
int front_archive_deflateInit2_(z_stream *stream, int level, int method, int bits,
				int memory_level, int strategy, const char *version,
				int size);

#endif
