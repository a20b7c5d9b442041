/* raw.h: writing a file that appears whole or not at all, and raw images with it. */
#ifndef ELFPACK_RAW_H
#define ELFPACK_RAW_H

#include "imgfmt/diag.h"
#include "imgfmt/extents.h"
#include "imgfmt/tree.h"

/* Writes a file next to path without a name (or with a hidden one where the file system
 * cannot do better), syncs it and puts it in place of path. Holes and blocks of zeros
 * take no space. SIGINT, SIGTERM and SIGHUP that arrive meanwhile end the writing, leave
 * nothing behind, and are delivered afterwards. sources, unless NULL, is what bytes came
 * from: nothing is put in place when one of its files has changed. Returns 0 or -1. */
int raw_emit(const char *path, const struct extents *bytes, const struct tree *sources,
	     struct diag *why);
/* The same; the SHA-256 of the file is made meanwhile, by another thread. For a command
 * whose work this is: once the file is in place these signals come too late and stay
 * held, so that who is told of an interruption has the old file. */
int raw_emit_hashed(const char *path, const struct extents *bytes,
		    const struct tree *sources, uint8_t digest[SHA256_BYTES],
		    struct diag *why);

/* Is told, while a file is written, how much of it is done; NULL: nobody. */
extern void (*raw_progress)(uint64_t done_bytes, uint64_t total_bytes);

#endif
