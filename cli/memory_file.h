/* memory_file.h: files in memory, for programs that we start: named /proc/self/fd/N. */
#ifndef ELFPACK_CLI_MEMORY_FILE_H
#define ELFPACK_CLI_MEMORY_FILE_H

#include "imgfmt/diag.h"
#include "imgfmt/extents.h"

/* Both return a descriptor that is inherited, or -1. */
int memory_file(const char *name, const struct extents *bytes, struct diag *why);
int memory_file_of(const char *name, const void *bytes, size_t size, struct diag *why);

#endif
