/* transport.c: HTTP exchanges by libcurl's multi interface. What is sent is signed
 * before: nothing here changes a header. Certificates are always checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/transport.h"

#define CONNECT_LIMIT_S 10L
#define STALLED_S       30L /* without a byte */
#define REPLY_MAX       ((size_t)8 << 20)
#define UPLOAD_BUFFER   (600L << 10) /* a block at once */

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
	static bool started;
	if (!started && curl_global_init(CURL_GLOBAL_DEFAULT))
		return diag_set(why, "libcurl does not start");
	started = true;
	transport->running = 0;
	transport->multi = curl_multi_init();
	if (!transport->multi)
		return diag_set(why, "out of memory");
	curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, (long)EXCHANGES_MAX);
	return 0;
}

static int set_headers(struct exchange *exchange)
{
	curl_slist_free_all(exchange->list);
	/* libcurl adds none of its own: what it would say is not signed. */
	exchange->list = curl_slist_append(NULL, "Expect:");
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
		list = curl_slist_append(exchange->list, line);
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
	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->list);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->problem);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_LIMIT_S);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, exchange->limit_s);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALLED_S);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	if (bundle && *bundle)
		curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
	if (exchange->no_proxy)
		curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	if (strcmp(exchange->method, "GET") != 0) {
		/* Not copied: a block is sent from the image's pages. */
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)exchange->body_size);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
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
		exchange->easy = curl_easy_init();
	if (!exchange->easy || set_headers(exchange))
		return diag_set(why, "out of memory");
	set_request(exchange);
	if (curl_multi_add_handle(transport->multi, exchange->easy))
		return diag_set(why, "%s: libcurl takes no request", exchange->url);
	transport->running++;
	return 0;
}

/* Takes the next that is over out of libcurl; NULL: none is. */
static struct exchange *take_done(struct transport *transport)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(transport->multi, &left))) {
		struct exchange *exchange = NULL;
		CURLcode code = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
		exchange->code = code;
		curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE,
				  &exchange->status);
		if (code != CURLE_OK && !exchange->problem[0])
			snprintf(exchange->problem, sizeof(exchange->problem), "%s",
				 curl_easy_strerror(code));
		curl_multi_remove_handle(transport->multi, exchange->easy);
		transport->running--;
		return exchange;
	}
	return NULL;
}

struct exchange *transport_wait(struct transport *transport, int patience_ms)
{
	int still = 0;
	curl_multi_perform(transport->multi, &still);
	struct exchange *done = take_done(transport);
	if (done || !transport->running)
		return done;
	curl_multi_poll(transport->multi, NULL, 0, patience_ms, NULL);
	curl_multi_perform(transport->multi, &still);
	return take_done(transport);
}

void transport_cancel(struct transport *transport, struct exchange *exchange)
{
	curl_multi_remove_handle(transport->multi, exchange->easy);
	transport->running--;
	exchange->code = CURLE_ABORTED_BY_CALLBACK;
	snprintf(exchange->problem, sizeof(exchange->problem), "interrupted");
}

void exchange_free(struct exchange *exchange)
{
	if (exchange->easy)
		curl_easy_cleanup(exchange->easy);
	curl_slist_free_all(exchange->list);
	free(exchange->reply);
	exchange->easy = NULL;
	exchange->list = NULL;
	exchange->reply = NULL;
}

void transport_close(struct transport *transport)
{
	if (transport->multi)
		curl_multi_cleanup(transport->multi);
	transport->multi = NULL;
}
