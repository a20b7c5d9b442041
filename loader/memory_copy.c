/* memory_copy.c: the functions of shim/lib/string.h that loaders and the compiler call.
 */
#define SHIM_STRING_DEFINES
#include "shim/lib/string.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *result = to;
	size_t words = size / 4;
	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	size &= 3;
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	return result;
}

void *memset(void *to, int byte, size_t size)
{
	void *result = to;
	const unsigned word = (unsigned char)byte * 0x01010101u;
	size_t words = size / 4;
	__asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(word) : "memory");
	size &= 3;
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
	return result;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;
	for (size_t i = 0; i < size; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}
