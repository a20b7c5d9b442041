/* usercopy.h: the only door between ring 0 and memory that ring 3 names.
 *
 * Addresses of ring 3 are of type uaddr; only usercopy.c opens them, with SMAP lifted
 * (STAC) for the length of a copy and a fix-up for every access that may fault. A fault
 * on a page that the program may touch is resolved on the way (demand zero, copy on
 * write), so callers see only success or -EFAULT. May not be called with a kernel-only
 * wait in progress; does not sleep. */
#ifndef SHIM_MM_USERCOPY_H
#define SHIM_MM_USERCOPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint64_t va;
} uaddr;

static inline uaddr uaddr_add(uaddr u, uint64_t bytes)
{
	return (uaddr){u.va + bytes};
}

static inline bool uaddr_is_null(uaddr u)
{
	return u.va == 0;
}

/* 0 or -EFAULT; on -EFAULT a part may have been copied. size 0 is legal anywhere. */
int copy_from_user(void *to, uaddr from, size_t size);
int copy_to_user(uaddr to, const void *from, size_t size);
int zero_user(uaddr to, size_t size);
/* Copies as far as possible; returns the bytes copied. */
size_t copy_from_user_partial(void *to, uaddr from, size_t size);
size_t copy_to_user_partial(uaddr to, const void *from, size_t size);

/* A structure of which ring 3 has size bytes and this kernel knows the first `known`:
 * what is missing is zero, and what is beyond must be: else -E2BIG. */
int copy_sized_from_user(void *to, size_t known, uaddr from, size_t size);

/* A NUL-terminated string of at most room - 1 bytes. Returns its length, -EFAULT, or
 * -ENAMETOOLONG. */
long copy_string_from_user(char *to, uaddr from, size_t room);

/* Atomic on the current address space, 4-byte aligned; 0, -EFAULT or -EINVAL. */
int user_load32(uint32_t *value, uaddr from);
int user_store32(uaddr to, uint32_t value);
/* *old becomes the value found; stored is whether it was equal to expected and replaced.
 */
int user_cmpxchg32(uaddr at, uint32_t expected, uint32_t desired, uint32_t *old);

#endif
