/* file_plan.c: memory and extents of a file in the making. */
#include <stdlib.h>
#include <string.h>

#include "imgfmt/file_plan.h"

int file_plan_own(struct file_plan *file, void *memory, struct diag *why)
{
	size_t count = file->owned_count;
	if (!(count & (count + 1))) { /* full: room is 1, 3, 7, ... */
		void **list = realloc(file->owned, (2 * count + 1) * sizeof(*list));
		if (!list) {
			free(memory);
			return diag_set(why, "out of memory");
		}
		file->owned = list;
	}
	file->owned[file->owned_count++] = memory;
	return 0;
}

int file_plan_adopt(struct file_plan *file, struct file_plan *from, struct diag *why)
{
	int rc = 0;
	for (size_t i = 0; i < from->owned_count; i++)
		rc |= file_plan_own(file, from->owned[i], why);
	from->owned_count = 0;
	file_plan_free(from);
	return rc;
}

void *file_plan_alloc(struct file_plan *file, size_t size, struct diag *why)
{
	void *memory = calloc(1, size ? size : 1);
	if (!memory)
		diag_set(why, "out of memory");
	else if (file_plan_own(file, memory, why))
		memory = NULL;
	return memory;
}

int file_plan_append(struct file_plan *file, const void *bytes, size_t size,
		     uint64_t align, struct diag *why)
{
	struct extents *to = &file->extents;
	if (extents_add(to, to->size, bytes, size))
		return diag_set(why, "out of memory");
	to->size = align_up(to->size, align);
	return 0;
}

int file_plan_append_all(struct file_plan *file, const struct extents *from,
			 uint64_t align, struct diag *why)
{
	struct extents *to = &file->extents;
	if (extents_append(to, to->size, from))
		return diag_set(why, "out of memory");
	to->size = align_up(to->size, align);
	return 0;
}

void file_plan_free(struct file_plan *file)
{
	for (size_t i = 0; i < file->owned_count; i++)
		free(file->owned[i]);
	free(file->owned);
	free(file->beside);
	extents_free(&file->extents);
	*file = (struct file_plan){0};
}
