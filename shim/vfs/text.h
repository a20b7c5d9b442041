/* text.h: text that grows in memory, for files whose contents are made when read. */
#ifndef SHIM_VFS_TEXT_H
#define SHIM_VFS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/mm/account.h"

struct text {
	struct account *account;
	char *bytes;
	size_t size, room;
	bool failed; /* no memory: what follows is lost */
};

void text_put(struct text *text, const void *bytes, size_t size);
void text_printf(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_free(struct text *text);

#endif
