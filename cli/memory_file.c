/* memory_file.c: files in memory. */
#include <sys/mman.h>
#include <unistd.h>

#include "cli/memory_file.h"

int memory_file(const char *name, const struct extents *bytes, struct diag *why)
{
	int fd = memfd_create(name, 0);
	if (fd < 0 || ftruncate(fd, (off_t)bytes->size))
		return diag_errno(why, "%s", name);
	if (!bytes->size)
		return fd;
	void *map = mmap(NULL, bytes->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return diag_errno(why, "%s", name);
	extents_copy(bytes, map);
	munmap(map, bytes->size);
	return fd;
}

int memory_file_of(const char *name, const void *bytes, size_t size, struct diag *why)
{
	struct extents one = {0};
	int fd = extents_add(&one, 0, bytes, size) ? diag_set(why, "out of memory")
						   : memory_file(name, &one, why);
	extents_free(&one);
	return fd;
}
