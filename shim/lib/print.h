/* print.h: formatted text for the console and for buffers.
 * Conversions: %s %.*s %c %d %i %u %x %p %%, with l, ll and z, width, 0 and - flags. */
#ifndef SHIM_LIB_PRINT_H
#define SHIM_LIB_PRINT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes a line or part of one to the console. Any context. */
void kprint(const char *format, ...) __attribute__((format(printf, 1, 2)));
void kvprint(const char *format, va_list args);

/* As ISO C snprintf: returns the length it wanted; room 0 is legal. */
int ksnprintf(char *out, size_t room, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int kvsnprintf(char *out, size_t room, const char *format, va_list args);

/* Our own broken invariant: prints it and a symbolised back trace, then stops the
 * machine. Input of any kind never leads here. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define KASSERT(what)                                                                    \
	do {                                                                             \
		if (!(what))                                                             \
			panic("%s:%d: expected %s", __FILE__, __LINE__, #what);          \
	} while (0)

#endif
