/* library_cache.h: /etc/ld.so.cache (glibc's format 1.1), where ld.so looks libraries up.
 */
#ifndef ELFPACK_CLI_LIBRARY_CACHE_H
#define ELFPACK_CLI_LIBRARY_CACHE_H

#include <stddef.h>

/* The path of a 64-bit x86 library in the cache's bytes, which may be anything; NULL:
 * none. It points into the bytes. */
const char *library_cache_find(const void *bytes, size_t size, const char *soname);

#endif
