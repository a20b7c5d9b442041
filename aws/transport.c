/* transport.c: HTTP exchanges by libcurl's multi interface. What is sent is signed
 * before: nothing here changes a header. Certificates are always checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/libcurl.h"
#include "aws/transport.h"

#define CONNECT_LIMIT_S 10L
#define STALLED_S       30L /* without a byte */
#define REPLY_MAX       ((size_t)8 << 20)

static size_t take_body(char *bytes, size_t one, size_t count, void *context)
{
	struct exchange *exchange = context;
	size_t size = one * count;
	if (exchange->reply_size + size > REPLY_MAX)
		return 0;
	char *grown = realloc(exchange->reply, exchange->reply_size + size + 1);
	if (!grown)
		return 0;
	memcpy(grown + exchange->reply_size, bytes, size);
	exchange->reply = grown;
	exchange->reply_size += size;
	grown[exchange->reply_size] = '\0';
	return size;
}

static size_t take_header(char *line, size_t one, size_t count, void *context)
{
	struct exchange *exchange = context;
	size_t size = one * count;
	const struct {
		const char *name;
		char *to;
		size_t room;
	} wanted[] = {
		{"x-amzn-errortype:", exchange->error_type, sizeof(exchange->error_type)},
		{"x-amz-checksum:", exchange->checksum, sizeof(exchange->checksum)}};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		size_t skip = strlen(wanted[i].name);
		if (size < skip || strncasecmp(line, wanted[i].name, skip) != 0)
			continue;
		for (; skip < size && line[skip] == ' '; skip++)
			;
		size_t length = 0;
		while (skip + length < size && !strchr("\r\n", line[skip + length]))
			length++;
		snprintf(wanted[i].to, wanted[i].room, "%.*s", (int)length, line + skip);
	}
	return size;
}

int transport_open(struct transport *transport, struct diag *why)
{
	transport->running = 0;
	transport->multi = NULL;
	if (libcurl_load(why))
		return -1;
	transport->multi = libcurl.multi_init();
	if (!transport->multi)
		return diag_set(why, "out of memory");
	libcurl.multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, (long)EXCHANGES_MAX);
	return 0;
}

static int set_headers(struct exchange *exchange)
{
	libcurl.slist_free_all(exchange->list);
	/* libcurl adds none of its own: what it would say is not signed. */
	exchange->list = libcurl.slist_append(NULL, "Expect:");
	bool typed = false;
	for (size_t i = 0; i <= exchange->header_count && exchange->list; i++) {
		char *line = NULL;
		struct curl_slist *list = NULL;
		if (i == exchange->header_count && typed)
			break;
		if (i == exchange->header_count
			    ? !(line = strdup("Content-Type:"))
			    : asprintf(&line, "%s: %s", exchange->headers[i].name,
				       exchange->headers[i].value) < 0)
			return -1;
		if (i < exchange->header_count)
			typed |= strcmp(exchange->headers[i].name, "content-type") == 0;
		list = libcurl.slist_append(exchange->list, line);
		free(line);
		if (!list)
			return -1;
		exchange->list = list;
	}
	return exchange->list ? 0 : -1;
}

static void set_request(struct exchange *exchange)
{
	CURL *easy = exchange->easy;
	const char *bundle = getenv("AWS_CA_BUNDLE");
	libcurl.easy_reset(easy);
	libcurl.easy_setopt(easy, CURLOPT_URL, exchange->url);
	libcurl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	libcurl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
	libcurl.easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->list);
	libcurl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	libcurl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	libcurl.easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	libcurl.easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->problem);
	libcurl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	libcurl.easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	libcurl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	libcurl.easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	libcurl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_LIMIT_S);
	libcurl.easy_setopt(easy, CURLOPT_TIMEOUT, exchange->limit_s);
	libcurl.easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	libcurl.easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALLED_S);
	if (bundle && *bundle)
		libcurl.easy_setopt(easy, CURLOPT_CAINFO, bundle);
	if (exchange->no_proxy)
		libcurl.easy_setopt(easy, CURLOPT_NOPROXY, "*");
	if (strcmp(exchange->method, "GET") != 0) {
		/* Not copied: a block is sent from the image's pages. */
		libcurl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				    (curl_off_t)exchange->body_size);
		libcurl.easy_setopt(easy, CURLOPT_POSTFIELDS,
				    exchange->body ? exchange->body : "");
	}
}

int transport_start(struct transport *transport, struct exchange *exchange,
		    struct diag *why)
{
	exchange->code = CURLE_OK;
	exchange->status = 0;
	exchange->problem[0] = exchange->error_type[0] = exchange->checksum[0] = '\0';
	free(exchange->reply);
	exchange->reply = NULL;
	exchange->reply_size = 0;
	if (!exchange->easy)
		exchange->easy = libcurl.easy_init();
	if (!exchange->easy || set_headers(exchange))
		return diag_set(why, "out of memory");
	set_request(exchange);
	if (libcurl.multi_add_handle(transport->multi, exchange->easy))
		return diag_set(why, "%s: libcurl takes no request", exchange->url);
	transport->running++;
	return 0;
}

/* Takes the next that is over out of libcurl; NULL: none is. */
static struct exchange *take_done(struct transport *transport)
{
	CURLMsg *message;
	int left;
	while ((message = libcurl.multi_info_read(transport->multi, &left))) {
		struct exchange *exchange = NULL;
		CURLcode code = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		libcurl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
		exchange->code = code;
		libcurl.easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE,
				     &exchange->status);
		if (code != CURLE_OK && !exchange->problem[0])
			snprintf(exchange->problem, sizeof(exchange->problem), "%s",
				 libcurl.easy_strerror(code));
		libcurl.multi_remove_handle(transport->multi, exchange->easy);
		transport->running--;
		return exchange;
	}
	return NULL;
}

struct exchange *transport_wait(struct transport *transport, int patience_ms)
{
	int still = 0;
	libcurl.multi_perform(transport->multi, &still);
	struct exchange *done = take_done(transport);
	if (done || !transport->running)
		return done;
	libcurl.multi_poll(transport->multi, NULL, 0, patience_ms, NULL);
	libcurl.multi_perform(transport->multi, &still);
	return take_done(transport);
}

void transport_cancel(struct transport *transport, struct exchange *exchange)
{
	libcurl.multi_remove_handle(transport->multi, exchange->easy);
	transport->running--;
	exchange->code = CURLE_ABORTED_BY_CALLBACK;
	snprintf(exchange->problem, sizeof(exchange->problem), "interrupted");
}

void exchange_free(struct exchange *exchange)
{
	if (exchange->easy)
		libcurl.easy_cleanup(exchange->easy);
	if (exchange->list)
		libcurl.slist_free_all(exchange->list);
	free(exchange->reply);
	exchange->easy = NULL;
	exchange->list = NULL;
	exchange->reply = NULL;
}

void transport_close(struct transport *transport)
{
	if (transport->multi)
		libcurl.multi_cleanup(transport->multi);
	transport->multi = NULL;
}
