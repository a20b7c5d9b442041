/* resources.c: files of front/resources, which front carries. */
#include <string.h>

#include "front/resources.h"
#include "front/server.h"

/* The bytes between name_begin and name_end; the assembler looks in the folders of -I. */
#define RESOURCE(name, file)                                                             \
	__asm__(".section .rodata." #name ", \"a\"\n" #name "_begin: .incbin \"" file    \
		"\"\n" #name "_end:\n.previous");                                        \
	extern const char name##_begin[], name##_end[]

RESOURCE(openapi, "front/resources/openapi.json");
RESOURCE(ui, "front/resources/ui.html");

#define PROGRAM_MARK "\"@PROGRAM@\""

int openapi_json(const struct server *server, struct chain *body)
{
	const char *program = server->image->manifest.program;
	const char *mark = memmem(openapi_begin, (size_t)(openapi_end - openapi_begin),
				  PROGRAM_MARK, sizeof(PROGRAM_MARK) - 1);
	const char *rest = mark + sizeof(PROGRAM_MARK) - 1;
	int rc = chain_append(body, openapi_begin, (size_t)(mark - openapi_begin));
	rc = rc ? rc : chain_append_json(body, program, strlen(program));
	return rc ? rc : chain_append(body, rest, (size_t)(openapi_end - rest));
}

int ui_html(struct chain *body)
{
	return chain_append(body, ui_begin, (size_t)(ui_end - ui_begin));
}
