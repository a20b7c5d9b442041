/* cmdline.c: words for the kernel. */
#include "shim/dev/cmdline.h"

#include "shim/dev/fw_cfg.h"
#include "shim/lib/string.h"

static char text[CMDLINE_MAX];

char *cmdline_text(void)
{
	return text;
}

void cmdline_complete(void)
{
	size_t used = strnlen(text, sizeof(text) - 1);
	if (used + 2 >= sizeof(text))
		return;
	text[used++] = ' ';
	size_t room = sizeof(text) - used - 1;
	size_t size = fw_cfg_read("opt/elfpack/cmdline", text + used, room);
	text[used + (size < room ? size : room)] = '\0';
}

bool cmdline_has(const char *word)
{
	size_t size = strlen(word);
	for (const char *at = text; *at;) {
		const char *end = strchr(at, ' ');
		size_t token = end ? (size_t)(end - at) : strlen(at);
		if (token == size && memcmp(at, word, size) == 0)
			return true;
		at += token + (end != NULL);
	}
	return false;
}
