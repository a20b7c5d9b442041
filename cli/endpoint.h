/* endpoint.h: where a server of ours can be reached: [ADDR:]PORT, IPv4. */
#ifndef ELFPACK_CLI_ENDPOINT_H
#define ELFPACK_CLI_ENDPOINT_H

#include <stdint.h>

#include "imgfmt/diag.h"

struct endpoint {
	char address[16]; /* dotted */
	uint16_t port;
};

/* The address is 127.0.0.1 unless it is said; port 0 stands. *why speaks of the text. */
int endpoint_parse(struct endpoint *endpoint, const char *text, struct diag *why);

#endif
