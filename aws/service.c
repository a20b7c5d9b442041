/* service.c: calls of AWS's services: signed, sent, tried again. What failures mean to a
 * person is service_explain.c's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "aws/encode.h"
#include "aws/service.h"
#include "imgfmt/digest_hex.h"

#define LOOK_MS        100    /* how soon an interruption is seen */
#define LAST_CALLS_MS  10000u /* what is under way then may take */
#define LAST_CALLS_S   10L
#define RENEW_BEFORE_S 300

volatile int aws_interrupted;

uint64_t service_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void service_pause_ms(unsigned ms)
{
	uint64_t until = service_now_ms() + ms;
	for (uint64_t now; !aws_interrupted && (now = service_now_ms()) < until;) {
		uint64_t left = until - now < LOOK_MS ? until - now : LOOK_MS;
		struct timespec pause = {0, (long)left * 1000000};
		nanosleep(&pause, NULL);
	}
}

void service_url(char url[SERVICE_URL_ROOM], const char *service, const char *region,
		 const char *endpoint, const char *target)
{
	size_t size = endpoint ? strlen(endpoint) : 0;
	while (size && endpoint[size - 1] == '/')
		size--;
	if (endpoint)
		snprintf(url, SERVICE_URL_ROOM, "%.*s%s", (int)size, endpoint, target);
	else
		snprintf(url, SERVICE_URL_ROOM, "https://%s.%s.amazonaws.com%s%s",
			 service, region, strncmp(region, "cn-", 3) == 0 ? ".cn" : "",
			 target);
}

int aws_open(struct aws *aws, const char *profile, const char *region,
	     const char *endpoint, struct diag *why)
{
	*aws = (struct aws){.endpoint = endpoint};
	if (getrandom(&aws->random, sizeof(aws->random), 0) < 0)
		aws->random = service_now_ms();
	aws->random |= 1; /* xorshift stands still at 0 */
	if (endpoint && strncmp(endpoint, "http://", 7) != 0 &&
	    strncmp(endpoint, "https://", 8) != 0)
		return diag_set(why, "%s: an endpoint begins with https:// or http://",
				endpoint);
	return transport_open(&aws->transport, why) ||
			       places_open(&aws->places, profile, region, endpoint, why)
		       ? -1
		       : 0;
}

void aws_close(struct aws *aws)
{
	keys_wipe(&aws->keys);
	places_close(&aws->places);
	transport_close(&aws->transport);
}

static uint64_t roll(struct aws *aws)
{
	aws->random ^= aws->random << 13;
	aws->random ^= aws->random >> 7;
	aws->random ^= aws->random << 17;
	return aws->random;
}

static int current_keys(struct aws *aws, struct diag *why)
{
	bool old = aws->has_keys && aws->keys.expires_s &&
		   aws->keys.expires_s - time(NULL) < RENEW_BEFORE_S;
	if (aws->has_keys && !old)
		return 0;
	struct keys fresh = {0};
	int rc = keys_find(&fresh, &aws->places, why);
	if (!rc)
		aws->keys = fresh;
	keys_wipe(&fresh);
	aws->has_keys |= !rc;
	return rc;
}

/* The headers of a call: its own, those of every call, the signature. Returns their
 * count. */
static size_t all_headers(const struct call *call, const struct aws *aws,
			  const char *host, const char *stamp,
			  struct sigv4_header headers[SIGV4_HEADERS_MAX])
{
	size_t count = call->header_count;
	memcpy(headers, call->headers, count * sizeof(*headers));
	headers[count++] = (struct sigv4_header){"host", host};
	headers[count++] = (struct sigv4_header){"x-amz-date", stamp};
	if (call->unsigned_body)
		headers[count++] =
			(struct sigv4_header){"x-amz-content-sha256", SIGV4_UNSIGNED};
	if (aws->keys.token[0])
		headers[count++] =
			(struct sigv4_header){"x-amz-security-token", aws->keys.token};
	return count;
}

static int start(struct aws *aws, struct call *call, struct diag *why)
{
	struct sigv4_header headers[SIGV4_HEADERS_MAX];
	char stamp[SIGV4_STAMP_ROOM], host[256], hex[HEX_ROOM], path[SERVICE_URL_ROOM];
	time_t now = time(NULL);
	struct tm tm;
	if (current_keys(aws, why))
		return -1;
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	service_url(call->url, call->service, call->region, aws->endpoint, call->target);
	const char *authority = strstr(call->url, "://") + 3;
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(authority, "/?"), authority);
	const char *query = strchr(call->target, '?');
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(call->target, "?"),
		 call->target);
	size_t count = all_headers(call, aws, host, stamp, headers);
	const struct sigv4_request request = {
		call->method,
		path,
		query ? query + 1 : "",
		headers,
		count,
		call->unsigned_body ? SIGV4_UNSIGNED
				    : fast_sha256_hex(call->body, call->body_size, hex)};
	const struct sigv4_scope scope = {stamp, call->region, call->service};
	char *signature =
		sigv4_authorization(&request, &scope, aws->keys.key_id, aws->keys.secret);
	if (!signature)
		return diag_set(why, "out of memory");
	headers[count++] = (struct sigv4_header){"authorization", signature};
	call->exchange.method = call->method;
	call->exchange.url = call->url;
	call->exchange.headers = headers;
	call->exchange.header_count = count;
	call->exchange.body = call->body;
	call->exchange.body_size = call->body_size;
	call->exchange.limit_s = aws_interrupted ? LAST_CALLS_S : 0;
	call->exchange.owner = call;
	call->attempts++;
	int rc = transport_start(&aws->transport, &call->exchange, why);
	free(signature);
	return rc;
}

int aws_send(struct aws *aws, struct call *call, struct diag *why)
{
	call->attempts = 0;
	call->renewed = false;
	call->failure = FAILURE_NONE;
	if (aws_interrupted && !aws->clearing)
		return diag_set(why, "interrupted");
	if (!aws->transport.running)
		aws->stopped_ms = 0;
	return start(aws, call, why);
}

/* AWS's code is ahead of the first colon and behind the last #. */
static void set_code(struct call *call, const char *said)
{
	const char *hash = strrchr(said, '#');
	said = hash ? hash + 1 : said;
	snprintf(call->code, sizeof(call->code), "%.*s", (int)strcspn(said, ":"), said);
}

static void read_error(struct call *call)
{
	const struct exchange *exchange = &call->exchange;
	struct rows rows = {0};
	bool json = strcmp(call->service, "ebs") == 0;
	const char *code = NULL, *message = NULL;
	if (exchange->reply && !(json ? rows_read_json : rows_read_xml)(
				       &rows, exchange->reply, exchange->reply_size)) {
		code = rows_find(&rows, json ? "__type" : "Errors/Error/Code");
		message = rows_find(&rows, json ? "message" : "Errors/Error/Message");
		if (!message && json)
			message = rows_find(&rows, "Message");
	}
	set_code(call, exchange->error_type[0] ? exchange->error_type : code ? code : "");
	snprintf(call->message, sizeof(call->message), "%s", message ? message : "");
	rows_free(&rows);
}

static enum failure classify_lost(CURLcode code)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_OUT_OF_MEMORY:
		return FAILURE_FINAL;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
		return FAILURE_UNREACHED;
	default:
		return FAILURE_PASSING;
	}
}

static bool is_not_found(const struct call *call)
{
	return aws_code_is(call, "ResourceNotFoundException") ||
	       aws_code_is(call, "InvalidSnapshot.NotFound") ||
	       aws_code_is(call, "InvalidAMIID.NotFound");
}

static bool keys_are_over(const struct call *call)
{
	return aws_code_is(call, "ExpiredToken") ||
	       aws_code_is(call, "ExpiredTokenException");
}

static void judge(struct call *call)
{
	const struct exchange *exchange = &call->exchange;
	call->code[0] = call->message[0] = '\0';
	if (exchange->code != CURLE_OK) {
		call->failure = classify_lost(exchange->code);
		return;
	}
	if (exchange->status < 200 || exchange->status > 299)
		read_error(call);
	call->failure = retry_classify(exchange->status, call->code);
	if (call->failure == FAILURE_FINAL && call->young && is_not_found(call))
		call->failure = FAILURE_PASSING;
	if (call->failure == FAILURE_NONE && call->answers_checksum &&
	    !exchange->checksum[0])
		call->failure = FAILURE_PASSING;
}

bool aws_code_is(const struct call *call, const char *code)
{
	return strcmp(call->code, code) == 0;
}

/* Is the call over? Else it waits for its next attempt. */
static bool settle(struct aws *aws, struct call *call)
{
	judge(call);
	bool again = retry_again(call->failure, call->attempts);
	if (!again && call->failure != FAILURE_NONE && keys_are_over(call) &&
	    !call->renewed) {
		aws->has_keys = false;
		call->renewed = again = true;
	}
	if (!again || aws_interrupted)
		return true;
	call->due_ms = service_now_ms() + retry_delay_ms(call->attempts, roll(aws));
	aws->waiting[aws->waiting_count++] = call;
	return false;
}

static struct call *take_waiting(struct aws *aws, size_t i)
{
	struct call *call = aws->waiting[i];
	aws->waiting[i] = aws->waiting[--aws->waiting_count];
	return call;
}

/* Starts those whose time has come. A call that cannot be started is over; *until_ms: how
 * long there is nothing to start. */
static struct call *start_due(struct aws *aws, int *until_ms, struct diag *why)
{
	uint64_t now = service_now_ms(), least = LOOK_MS;
	for (size_t i = 0; i < aws->waiting_count;) {
		uint64_t due = aws->waiting[i]->due_ms;
		if (!aws_interrupted && due > now) {
			least = due - now < least ? due - now : least;
			i++;
			continue;
		}
		struct call *call = take_waiting(aws, i);
		if (aws_interrupted || start(aws, call, why))
			return call;
	}
	*until_ms = (int)least;
	return NULL;
}

/* After an interruption: has what is under way had its time? */
static bool out_of_time(struct aws *aws)
{
	if (!aws_interrupted)
		return false;
	if (!aws->stopped_ms)
		aws->stopped_ms = service_now_ms();
	return service_now_ms() - aws->stopped_ms > LAST_CALLS_MS;
}

struct call *aws_next(struct aws *aws, struct diag *why)
{
	while (aws->transport.running || aws->waiting_count) {
		int patience_ms = LOOK_MS;
		struct call *call = start_due(aws, &patience_ms, why);
		if (call)
			return call;
		struct exchange *done = transport_wait(&aws->transport, patience_ms);
		if (!done && !aws->transport.running && aws->waiting_count)
			service_pause_ms((unsigned)patience_ms);
		if (done && settle(aws, done->owner))
			return done->owner;
		if (!done && out_of_time(aws))
			return NULL;
	}
	return NULL;
}

int aws_call(struct aws *aws, struct call *call, struct diag *why)
{
	if (aws->show) {
		call->failure = FAILURE_NONE;
		service_url(call->url, call->service, call->region, aws->endpoint,
			    call->target);
		aws->show(call, call->body);
		return 0;
	}
	if (aws_send(aws, call, why))
		return -1;
	if (!aws_next(aws, why)) {
		transport_cancel(&aws->transport, &call->exchange);
		judge(call);
	}
	return call->failure == FAILURE_NONE ? 0 : -1;
}

void call_free(struct call *call)
{
	exchange_free(&call->exchange);
}
