/* usercopy.c: the only door between ring 0 and memory that ring 3 names. The instructions
 * are copy_user.S'; here every range is checked to lie below USER_ADDRESS_END first. */
#include "shim/mm/usercopy.h"

#include "shim/arch/x86_64/pagetable.h"
#include "shim/lib/errno.h"
#include "shim/lib/string.h"

size_t user_copy(void *to, const void *from, size_t size);
size_t user_zero(void *to, size_t size);
long user_copy_string(char *to, const char *from, size_t room);
int user_get32(uint32_t *value, const uint32_t *from);
int user_put32(uint32_t *to, uint32_t value);
int user_swap32(uint32_t *at, uint32_t expected, uint32_t desired, uint32_t *old);

/* The bytes of [at, at + size) below the end of ring 3. */
static size_t reachable(uaddr at, size_t size)
{
	if (at.va >= USER_ADDRESS_END)
		return 0;
	uint64_t room = USER_ADDRESS_END - at.va;
	return size < room ? size : room;
}

static void *pointer(uaddr at)
{
	return (void *)at.va;
}

size_t copy_from_user_partial(void *to, uaddr from, size_t size)
{
	size_t able = reachable(from, size);
	return able ? able - user_copy(to, pointer(from), able) : 0;
}

size_t copy_to_user_partial(uaddr to, const void *from, size_t size)
{
	size_t able = reachable(to, size);
	return able ? able - user_copy(pointer(to), from, able) : 0;
}

int copy_from_user(void *to, uaddr from, size_t size)
{
	if (size == 0)
		return 0;
	if (reachable(from, size) < size)
		return -EFAULT;
	return user_copy(to, pointer(from), size) ? -EFAULT : 0;
}

int copy_to_user(uaddr to, const void *from, size_t size)
{
	if (size == 0)
		return 0;
	if (reachable(to, size) < size)
		return -EFAULT;
	return user_copy(pointer(to), from, size) ? -EFAULT : 0;
}

int zero_user(uaddr to, size_t size)
{
	if (size == 0)
		return 0;
	if (reachable(to, size) < size)
		return -EFAULT;
	return user_zero(pointer(to), size) ? -EFAULT : 0;
}

int copy_sized_from_user(void *to, size_t known, uaddr from, size_t size)
{
	size_t n;
	for (size_t at = known; at < size; at += n) {
		uint64_t rest = 0;
		n = size - at < sizeof(rest) ? size - at : sizeof(rest);
		if (copy_from_user(&rest, uaddr_add(from, at), n) < 0)
			return -EFAULT;
		if (rest)
			return -E2BIG;
	}
	memset(to, 0, known);
	return copy_from_user(to, from, size < known ? size : known);
}

long copy_string_from_user(char *to, uaddr from, size_t room)
{
	size_t able = reachable(from, room);
	if (able == 0)
		return room ? -EFAULT : -ENAMETOOLONG;
	long length = user_copy_string(to, pointer(from), able);
	if (length < 0)
		return -EFAULT;
	if ((size_t)length < able)
		return length;
	return able < room ? -EFAULT : -ENAMETOOLONG;
}

static int check32(uaddr at)
{
	if (at.va & 3)
		return -EINVAL;
	return reachable(at, 4) < 4 ? -EFAULT : 0;
}

int user_load32(uint32_t *value, uaddr from)
{
	int rc = check32(from);
	if (rc < 0)
		return rc;
	return user_get32(value, pointer(from)) ? -EFAULT : 0;
}

int user_store32(uaddr to, uint32_t value)
{
	int rc = check32(to);
	if (rc < 0)
		return rc;
	return user_put32(pointer(to), value) ? -EFAULT : 0;
}

int user_cmpxchg32(uaddr at, uint32_t expected, uint32_t desired, uint32_t *old)
{
	int rc = check32(at);
	if (rc < 0)
		return rc;
	return user_swap32(pointer(at), expected, desired, old) ? -EFAULT : 0;
}
