/* text.c: growing text. */
#include "shim/vfs/text.h"

#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"

static bool reserve(struct text *text, size_t size)
{
	if (text->failed || text->size + size <= text->room)
		return !text->failed;
	size_t room = text->room ? text->room * 2 : 1024;
	while (room < text->size + size)
		room *= 2;
	char *bytes = krealloc(text->account, text->bytes, room);
	text->failed = !bytes;
	if (bytes) {
		text->bytes = bytes;
		text->room = room;
	}
	return bytes != NULL;
}

void text_put(struct text *text, const void *bytes, size_t size)
{
	if (!reserve(text, size))
		return;
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
}

void text_printf(struct text *text, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	int size = kvsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (size >= (int)sizeof(line))
		size = sizeof(line) - 1;
	text_put(text, line, (size_t)size);
}

void text_free(struct text *text)
{
	kfree(text->bytes);
	text->bytes = NULL;
	text->size = text->room = 0;
	text->failed = false;
}
