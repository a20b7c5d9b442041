/* string.c: memory and strings. Copies go by 8-byte words, whose ends may overlap, so
 * that no loop over single bytes is left; long ones by REP MOVSQ and STOSQ, which are
 * fast on hardware (SDM optimisation manual, fast strings) and do eight bytes a step
 * where they are emulated. Vector registers are ring 3's. */
#define SHIM_STRING_DEFINES
#include "shim/lib/string.h"

#include <stdint.h>

/* Else the compiler finds that memcpy is a memcpy, and calls it. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

typedef uint64_t __attribute__((may_alias, aligned(1))) word64;
typedef uint32_t __attribute__((may_alias, aligned(1))) word32;
typedef uint16_t __attribute__((may_alias, aligned(1))) word16;

#define LONG_COPY 128u /* from here on REP's start-up is paid back */

/* At most 7 bytes; all are read before any is written. */
static inline void copy_few(uint8_t *to, const uint8_t *from, size_t size)
{
	if (size >= 4) {
		uint32_t head = *(const word32 *)from,
			 tail = *(const word32 *)(from + size - 4);
		*(word32 *)to = head;
		*(word32 *)(to + size - 4) = tail;
	} else if (size >= 2) {
		uint16_t head = *(const word16 *)from,
			 tail = *(const word16 *)(from + size - 2);
		*(word16 *)to = head;
		*(word16 *)(to + size - 2) = tail;
	} else if (size) {
		*to = *from;
	}
}

/* From the first byte on; right too when to overlaps from at a lower address. */
static inline void copy_upwards(uint8_t *to, const uint8_t *from, size_t size)
{
	uint64_t tail = *(const word64 *)(from + size - 8);
	uint8_t *last = to + size - 8;
	size_t words = size / 8;
	if (size >= LONG_COPY) {
		__asm__ volatile("rep movsq"
				 : "+D"(to), "+S"(from), "+c"(words)
				 :
				 : "memory");
	} else {
		for (; words; words--, to += 8, from += 8)
			*(word64 *)to = *(const word64 *)from;
	}
	*(word64 *)last = tail;
}

static inline void copy_downwards(uint8_t *to, const uint8_t *from, size_t size)
{
	uint64_t head = *(const word64 *)from;
	for (size_t at = size; at >= 8; at -= 8)
		*(word64 *)(to + at - 8) = *(const word64 *)(from + at - 8);
	*(word64 *)to = head;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	if (size < 8)
		copy_few(to, from, size);
	else
		copy_upwards(to, from, size);
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	if (size < 8)
		copy_few(to, from, size);
	else if ((uintptr_t)to - (uintptr_t)from >= size)
		copy_upwards(to, from, size);
	else
		copy_downwards(to, from, size);
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	uint8_t *at = to;
	uint64_t word = (uint8_t)byte * 0x0101010101010101ull;
	if (size < 8) {
		for (size_t i = 0; i < size; i++)
			at[i] = (uint8_t)byte;
		return to;
	}
	*(word64 *)(at + size - 8) = word;
	size_t words = size / 8;
	if (size >= LONG_COPY) {
		__asm__ volatile("rep stosq"
				 : "+D"(at), "+c"(words)
				 : "a"(word)
				 : "memory");
	} else {
		for (; words; words--, at += 8)
			*(word64 *)at = word;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *p = a, *q = b;
	while (size >= 8 && *(const word64 *)p == *(const word64 *)q) {
		p += 8;
		q += 8;
		size -= 8;
	}
	for (; size; p++, q++, size--)
		if (*p != *q)
			return *p < *q ? -1 : 1;
	return 0;
}

void *memchr(const void *s, int byte, size_t size)
{
	const uint8_t *at = s;
	for (; size; at++, size--)
		if (*at == (uint8_t)byte)
			return (void *)(uintptr_t)at;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *at = s;
	while (*at)
		at++;
	return (size_t)(at - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;
	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (; max && *a && *a == *b; a++, max--)
		b++;
	return max ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *strchr(const char *s, int byte)
{
	for (; *s != (char)byte; s++)
		if (!*s)
			return NULL;
	return (char *)(uintptr_t)s;
}

char *strrchr(const char *s, int byte)
{
	const char *found = NULL;
	for (;; s++) {
		if (*s == (char)byte)
			found = s;
		if (!*s)
			return (char *)(uintptr_t)found;
	}
}

size_t strlcpy(char *to, const char *from, size_t room)
{
	size_t size = strlen(from);
	if (room) {
		size_t n = size < room ? size : room - 1;
		memcpy(to, from, n);
		to[n] = '\0';
	}
	return size;
}
