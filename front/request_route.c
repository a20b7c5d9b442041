/* request_route.c: which route a request takes, and who may take it: method and port. */
#include <string.h>

#include "front/request_map.h"

#define ALLOW_RUN      "GET, HEAD, POST, OPTIONS"
#define ALLOW_PATH     "PUT, OPTIONS"
#define ALLOW_READ     "GET, HEAD, OPTIONS"
#define ALLOW_ENVELOPE "POST, OPTIONS"

/* What an operator reads is on the admin port, if the image has one. */
enum port { PORT_ANY, PORT_MAIN, PORT_ADMIN, PORT_ADMIN_IF_ANY };

static const struct {
	const char *path;
	enum route route;
	enum port port;
} reserved[] = {
	{"/_/health", ROUTE_HEALTH, PORT_ANY},
	{"/_/ready", ROUTE_READY, PORT_ANY},
	{"/_/info", ROUTE_INFO, PORT_ANY},
	{"/_/metrics", ROUTE_METRICS, PORT_ADMIN_IF_ANY},
	{"/_/log", ROUTE_LOG, PORT_ADMIN},
	{"/_/openapi.json", ROUTE_OPENAPI, PORT_MAIN},
	{"/_/ui", ROUTE_UI, PORT_MAIN},
};

static bool is_served(size_t row, const struct image *image, bool admin)
{
	if (reserved[row].route == ROUTE_UI && !image->ui)
		return false;
	switch (reserved[row].port) {
	case PORT_MAIN:
		return !admin;
	case PORT_ADMIN:
		return admin;
	case PORT_ADMIN_IF_ANY:
		return admin || !image->admin_port;
	case PORT_ANY:
		break;
	}
	return true;
}

/* A route that is only read: GET, HEAD, OPTIONS. */
static int route_read(struct request *request, enum route route)
{
	request->route = route;
	request->refusal.allow = ALLOW_READ;
	if (request->method == HTTP_OPTIONS)
		request->route = ROUTE_OPTIONS;
	else if (!(request->method & (HTTP_GET | HTTP_HEAD)))
		return request_refuse(request, 405, "this route is only read", NULL);
	return 0;
}

static int route_envelope(struct request *request)
{
	request->route = ROUTE_RUN;
	request->envelope = true;
	request->refusal.allow = ALLOW_ENVELOPE;
	if (request->method == HTTP_OPTIONS)
		request->route = ROUTE_OPTIONS;
	else if (request->method != HTTP_POST)
		return request_refuse(request, 405, "an envelope is posted", NULL);
	return 0;
}

int request_find_route(struct request *request, const struct http_head *head,
		       const char *path, size_t size, const struct image *image,
		       bool admin)
{
	bool root = size == 0 || (size == 1 && path[0] == '/');
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (size == strlen(reserved[i].path) && is_served(i, image, admin) &&
		    memcmp(path, reserved[i].path, size) == 0)
			return route_read(request, reserved[i].route);
	if (admin)
		return request_refuse(request, 404, "no such route on the admin port",
				      NULL);
	if (size == strlen("/_/run") && memcmp(path, "/_/run", size) == 0)
		return route_envelope(request);
	if (size >= 3 && memcmp(path, "/_/", 3) == 0)
		return request_refuse(request, 404, "no such route", NULL);
	request->refusal.allow = root ? ALLOW_RUN : ALLOW_PATH;
	if (request->method == HTTP_OPTIONS) {
		request->route = ROUTE_OPTIONS;
		return 0;
	}
	if (!root && request->method != HTTP_PUT)
		return request_refuse(request, 404, "no such route; programs run at /",
				      NULL);
	if (root && !(request->method & (HTTP_GET | HTTP_HEAD | HTTP_POST)))
		return request_refuse(request, 405,
				      request->method == HTTP_PUT
					      ? "PUT needs a file name in its path"
					      : "this method is not for programs",
				      NULL);
	request->route = ROUTE_RUN;
	if ((request->method & (HTTP_GET | HTTP_HEAD)) && !head->has_query)
		request->route = ROUTE_USAGE;
	return 0;
}
