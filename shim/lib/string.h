/* string.h: the memory and string functions that ring 0 code and the compiler call. As in
 * ISO C, but for what is named here. */
#ifndef SHIM_LIB_STRING_H
#define SHIM_LIB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *s, int byte, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int byte);
char *strrchr(const char *s, int byte);
/* Copies at most room - 1 bytes and always ends in NUL; returns strlen(from) (OpenBSD).
 */
size_t strlcpy(char *to, const char *from, size_t room);

/* -ffreestanding takes from these names what the compiler knows of them: that a few
 * bytes, counted at compile time, need no call. */
#ifndef SHIM_STRING_DEFINES
#define memcpy(...) __builtin_memcpy(__VA_ARGS__)
#define memset(...) __builtin_memset(__VA_ARGS__)
#define memcmp(...) __builtin_memcmp(__VA_ARGS__)
#define strlen(...) __builtin_strlen(__VA_ARGS__)
#endif

#endif
