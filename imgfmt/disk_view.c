/* disk_view.c: memory for disks that do not lie flat in their files. */
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "imgfmt/disk_view.h"
#include "imgfmt/extents.h"

int disk_view_make(struct disk_view *view, uint64_t size, struct diag *why)
{
	if (!size || size > DISK_VIEW_MAX)
		return diag_set(why,
				"declares a disk of %" PRIu64 " bytes, 1 to %" PRIu64
				" are read",
				size, DISK_VIEW_MAX);
	void *memory = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return diag_errno(why, "no room for a disk of %" PRIu64 " bytes", size);
	view->bytes = view->memory = memory;
	view->size = size;
	return 0;
}

void disk_view_put(struct disk_view *view, uint64_t at, const void *bytes, size_t size)
{
	if (at >= view->size)
		return;
	if (size > view->size - at)
		size = (size_t)(view->size - at);
	if (!bytes_are_zero(bytes, size))
		memcpy(view->memory + at, bytes, size);
}

void disk_view_free(struct disk_view *view)
{
	if (view->memory)
		munmap(view->memory, (size_t)view->size);
	*view = (struct disk_view){0};
}
