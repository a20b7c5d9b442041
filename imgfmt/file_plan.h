/* file_plan.h: a file in the making: extents, and the memory that a format's writer made
 * for them. Writers plan it, cli/emit.c writes it. */
#ifndef ELFPACK_FILE_PLAN_H
#define ELFPACK_FILE_PLAN_H

#include "imgfmt/diag.h"
#include "imgfmt/extents.h"

struct file_plan {
	struct extents extents;
	char *beside; /* text of a second file, path + ".json"; NULL: none. Owned */
	void **owned;
	size_t owned_count;
};

/* Zeroed memory that lives as long as the file; NULL: *why says. */
void *file_plan_alloc(struct file_plan *file, size_t size, struct diag *why);
/* Takes malloc'd memory over, also when it fails. */
int file_plan_own(struct file_plan *file, void *memory, struct diag *why);
/* Takes over the memory of another file, whose extents are in this one, and frees the
 * rest. */
int file_plan_adopt(struct file_plan *file, struct file_plan *from, struct diag *why);
/* Behind what was added before, each with zeros up to a multiple of align. */
int file_plan_append(struct file_plan *file, const void *bytes, size_t size,
		     uint64_t align, struct diag *why);
int file_plan_append_all(struct file_plan *file, const struct extents *from,
			 uint64_t align, struct diag *why);
void file_plan_free(struct file_plan *file);

static inline uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

#endif
