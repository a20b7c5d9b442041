/* uio.c: moving bytes between the kernel and the pieces of memory that a read or write
 * named. User memory is touched by usercopy.c alone. */
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/vfs/file.h"

static void single(struct uio *uio, struct uio_segment *segment, uint64_t base,
		   uint64_t size, bool kernel)
{
	*segment = (struct uio_segment){base, size};
	*uio = (struct uio){
		.segment = segment, .count = 1, .left = size, .kernel = kernel};
}

void uio_user(struct uio *uio, struct uio_segment *segment, uaddr base, uint64_t size)
{
	single(uio, segment, base.va, size, false);
}

void uio_kernel(struct uio *uio, struct uio_segment *segment, void *base, uint64_t size)
{
	single(uio, segment, (uintptr_t)base, size, true);
}

enum direction { WRITE_OUT, READ_IN, ZERO_OUT };

static size_t move_user(uaddr at, void *bytes, size_t size, enum direction direction)
{
	static const uint8_t zeros[256];
	if (direction == WRITE_OUT)
		return copy_to_user_partial(at, bytes, size);
	if (direction == READ_IN)
		return copy_from_user_partial(bytes, at, size);
	if (zero_user(at, size) == 0)
		return size;
	size_t done = 0; /* a part was bad: find out how far it goes */
	while (done < size) {
		size_t n = size - done < sizeof(zeros) ? size - done : sizeof(zeros);
		size_t moved = copy_to_user_partial(uaddr_add(at, done), zeros, n);
		done += moved;
		if (moved < n)
			break;
	}
	return done;
}

static size_t move_kernel(void *at, void *bytes, size_t size, enum direction direction)
{
	if (direction == WRITE_OUT)
		memcpy(at, bytes, size);
	else if (direction == READ_IN)
		memcpy(bytes, at, size);
	else
		memset(at, 0, size);
	return size;
}

static long move(struct uio *uio, void *bytes, size_t size, enum direction direction)
{
	size_t done = 0;
	if (size > uio->left)
		size = uio->left;
	while (done < size) {
		const struct uio_segment *segment = &uio->segment[uio->index];
		uint64_t room = segment->size - uio->offset;
		if (room == 0) {
			uio->index++;
			uio->offset = 0;
			continue;
		}
		size_t n = size - done < room ? size - done : room;
		uint64_t at = segment->base + uio->offset;
		uint8_t *part = bytes ? (uint8_t *)bytes + done : NULL;
		size_t moved = uio->kernel ? move_kernel((void *)(uintptr_t)at, part, n,
							 direction)
					   : move_user((uaddr){at}, part, n, direction);
		done += moved;
		uio->offset += moved;
		uio->left -= moved;
		if (moved < n)
			return done ? (long)done : -EFAULT;
	}
	return (long)done;
}

long uio_write_out(struct uio *uio, const void *from, size_t size)
{
	return move(uio, (void *)(uintptr_t)from, size, WRITE_OUT);
}

long uio_read_in(struct uio *uio, void *to, size_t size)
{
	return move(uio, to, size, READ_IN);
}

long uio_zero_out(struct uio *uio, size_t size)
{
	return move(uio, NULL, size, ZERO_OUT);
}
