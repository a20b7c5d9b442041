/* diag.c: filling in what went wrong. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "imgfmt/diag.h"

int diag_set(struct diag *diag, const char *format, ...)
{
	va_list list;
	if (diag->message[0])
		return -1;
	va_start(list, format);
	vsnprintf(diag->message, sizeof(diag->message), format, list);
	va_end(list);
	return -1;
}

int diag_errno(struct diag *diag, const char *format, ...)
{
	const char *reason = strerror(errno);
	va_list list;
	if (diag->message[0])
		return -1;
	va_start(list, format);
	vsnprintf(diag->message, sizeof(diag->message), format, list);
	va_end(list);
	size_t used = strlen(diag->message);
	snprintf(diag->message + used, sizeof(diag->message) - used, ": %s", reason);
	return -1;
}

void diag_add(struct diag *diag, const char *format, ...)
{
	size_t used = strlen(diag->message);
	va_list list;
	va_start(list, format);
	vsnprintf(diag->message + used, sizeof(diag->message) - used, format, list);
	va_end(list);
}

void diag_hint(struct diag *diag, const char *format, ...)
{
	va_list list;
	if (diag->hint[0])
		return;
	va_start(list, format);
	vsnprintf(diag->hint, sizeof(diag->hint), format, list);
	va_end(list);
}
