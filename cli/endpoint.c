/* endpoint.c: reading [ADDR:]PORT. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cli/endpoint.h"
#include "cli/options.h"

int endpoint_parse(struct endpoint *endpoint, const char *text, struct diag *why)
{
	const char *colon = strrchr(text, ':');
	char where[64] = "127.0.0.1";
	struct in_addr address;
	uint64_t port = 0;
	if (colon)
		snprintf(where, sizeof(where), "%.*s", (int)(colon - text), text);
	if (inet_pton(AF_INET, where, &address) != 1)
		return diag_set(why, "%s is not an IPv4 address", where);
	if (option_number(colon ? colon + 1 : text, &port) || port > 65535)
		return diag_set(why, "a port is a number to 65535");
	inet_ntop(AF_INET, &address, endpoint->address, sizeof(endpoint->address));
	endpoint->port = (uint16_t)port;
	return 0;
}
