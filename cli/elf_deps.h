/* elf_deps.h: what a dynamic program needs beside itself: its interpreter and the closure
 * of its DT_NEEDED libraries, found as ld.so finds them (ld.so(8)), but without running
 * anything. */
#ifndef ELFPACK_CLI_ELF_DEPS_H
#define ELFPACK_CLI_ELF_DEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "imgfmt/diag.h"

struct elf_dep {
	char *name;       /* as it is asked for: a soname or a path */
	char *path;       /* where it is, absolute; NULL: nowhere */
	size_t needed_by; /* index of who asks first; the program is 0 */
};

struct elf_deps {
	struct elf_dep *list; /* [0] is the program */
	size_t count, room;
	bool uses_origin; /* a path relative to the program's own place was needed */
	bool uses_cache;  /* /etc/ld.so.cache led to a folder that is not searched without
			     it */
};

/* Returns 0; or -1 with *why when the program or a library cannot be read. */
int elf_deps_find(struct elf_deps *deps, const char *program, struct diag *why);
/* Fills *why with everything that is missing, and returns -1, or 0 when nothing is. */
int elf_deps_missing(const struct elf_deps *deps, struct diag *why);
void elf_deps_free(struct elf_deps *deps);

#endif
