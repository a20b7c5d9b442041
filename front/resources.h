/* resources.h: files of front/resources, which front carries. */
#ifndef ELFPACK_FRONT_RESOURCES_H
#define ELFPACK_FRONT_RESOURCES_H

#include "front/chain.h"

struct server;

/* What the page may do, by the digest of its script and style: tests/http/test_ui.py has
 * it computed from the page. */
#define UI_POLICY                                                                        \
	"default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; "  \
	"frame-ancestors 'none'; script-src "                                            \
	"'sha256-oyKBPMJfuaHdGu5ftTMmFiXTB976Q4PdUHLMge8ysf0='; style-src "              \
	"'sha256-DA7WS6wn/ImXEOdFzV+sKuRCcoqqpGzy7hGc7PSbDGg='"

/* The description of the interface (OpenAPI 3.0), with the program's name. 0 or -ENOMEM.
 */
int openapi_json(const struct server *server, struct chain *body);

/* The page to try the program. 0 or -ENOMEM. */
int ui_html(struct chain *body);

#endif
