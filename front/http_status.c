/* http_status.c: statuses and their reason phrases, from http_status.def. Pure. */
#include <stddef.h>

#include "front/http_status.h"

static const struct {
	int status;
	const char *reason;
} statuses[] = {
#define STATUS(code, reason) {code, reason},
#include "front/http_status.def"
#undef STATUS
};

const char *http_reason(int status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return statuses[i].reason;
	return "";
}
