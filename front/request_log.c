/* request_log.c: a line of JSON a request. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "front/request_log.h"
#include "front/text.h"
#include "front/utf8.h"

#define LINE_ROOM 1536u

int request_log_open(struct request_log *log, const struct image *image)
{
	log->console = image->console_log;
	if (image->admin_port && !(log->ring = malloc(REQUEST_LOG_BYTES)))
		return -ENOMEM;
	return 0;
}

void request_log_close(struct request_log *log)
{
	free(log->ring);
	log->ring = NULL;
}

static void put_number(struct text *line, const char *name, uint64_t value)
{
	text_put(line, name);
	text_u64(line, value);
}

/* A string's inside: what JSON must have escaped, and what is not UTF-8, as \u00XX. */
static void put_string(struct text *line, const char *string)
{
	static const char digits[] = "0123456789abcdef";
	size_t size = strlen(string);
	for (size_t at = 0, step = 0; at < size; at += step) {
		unsigned char byte = (unsigned char)string[at];
		step = utf8_sequence((const unsigned char *)string + at, size - at);
		bool plain = step && byte >= 0x20 && byte != '"' && byte != '\\' &&
			     byte != 0x7f;
		const char escape[] = {
			'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
		if (!step)
			step = 1;
		text_bytes(line, plain ? string + at : escape,
			   plain ? step : sizeof(escape));
	}
}

static void put_time(struct text *line)
{
	struct timespec now = {0};
	struct tm parts;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	text_padded(line, (unsigned)parts.tm_year + 1900, 4);
	text_put(line, "-");
	text_padded(line, (unsigned)parts.tm_mon + 1, 2);
	text_put(line, "-");
	text_padded(line, (unsigned)parts.tm_mday, 2);
	text_put(line, "T");
	text_padded(line, (unsigned)parts.tm_hour, 2);
	text_put(line, ":");
	text_padded(line, (unsigned)parts.tm_min, 2);
	text_put(line, ":");
	text_padded(line, (unsigned)parts.tm_sec, 2);
	text_put(line, ".");
	text_padded(line, (unsigned)(now.tv_nsec / 1000000), 3);
	text_put(line, "Z");
}

static const char *method_name(enum http_method method)
{
	switch (method) {
	case HTTP_GET:
		return "GET";
	case HTTP_HEAD:
		return "HEAD";
	case HTTP_POST:
		return "POST";
	case HTTP_PUT:
		return "PUT";
	case HTTP_OPTIONS:
		return "OPTIONS";
	case HTTP_OTHER:
		break;
	}
	return "";
}

static void put_report(struct text *line, const struct job_report *report)
{
	text_put(line, "\",\"outcome\":\"");
	text_put(line, outcome_name(report->outcome));
	text_put(line, "\"");
	if (report->outcome == OUTCOME_EXITED)
		put_number(line, ",\"exit_code\":", (uint64_t)report->exit_code);
	if (report->outcome == OUTCOME_SIGNALED)
		put_number(line, ",\"signal\":", (uint64_t)report->signal);
	text_put(line, ",\"queue_ms\":");
	text_ms(line, report->queue_ns);
	text_put(line, ",\"exec_ms\":");
	text_ms(line, report->exec_ns);
	put_number(line, ",\"peak_bytes\":", report->peak_bytes);
}

static size_t make_line(char *room, const struct log_entry *entry)
{
	struct text line = text_over(room, LINE_ROOM);
	text_put(&line, "{\"time\":\"");
	put_time(&line);
	text_put(&line, "\",\"id\":\"");
	text_put(&line, entry->id); /* [A-Za-z0-9._-] */
	text_put(&line, "\",\"client\":\"");
	for (unsigned shift = 32; shift > 0; shift -= 8) {
		text_u64(&line, entry->peer >> (shift - 8) & 255);
		text_put(&line, shift > 8 ? "." : "");
	}
	text_put(&line, "\",\"method\":\"");
	text_put(&line, method_name(entry->method));
	text_put(&line, "\",\"path\":\"");
	put_string(&line, entry->path);
	if (entry->report.outcome != OUTCOME_NONE)
		put_report(&line, &entry->report);
	else
		text_put(&line, "\"");
	put_number(&line, ",\"args\":", entry->args);
	put_number(&line, ",\"status\":", (uint64_t)entry->status);
	text_put(&line, ",\"wall_ms\":");
	text_ms(&line, entry->wall_ns);
	text_put(&line, "}\n");
	return line.used;
}

/* Drops whole lines until there is room for size bytes. */
static void make_room(struct request_log *log, size_t size)
{
	while (log->used + size > REQUEST_LOG_BYTES) {
		char byte = log->ring[log->start];
		log->start = (log->start + 1) % REQUEST_LOG_BYTES;
		log->used--;
		while (byte != '\n') {
			byte = log->ring[log->start];
			log->start = (log->start + 1) % REQUEST_LOG_BYTES;
			log->used--;
		}
	}
}

void request_log_add(struct request_log *log, const struct log_entry *entry)
{
	char line[LINE_ROOM];
	size_t size = make_line(line, entry);
	if (log->console) {
		ssize_t ignored = write(STDOUT_FILENO, line, size);
		(void)ignored; /* a console that is full loses lines, not requests */
	}
	if (!log->ring)
		return;
	make_room(log, size);
	size_t at = (log->start + log->used) % REQUEST_LOG_BYTES;
	size_t first = size < REQUEST_LOG_BYTES - at ? size : REQUEST_LOG_BYTES - at;
	memcpy(log->ring + at, line, first);
	memcpy(log->ring, line + first, size - first);
	log->used += size;
}

int request_log_text(const struct request_log *log, struct chain *body)
{
	size_t first = REQUEST_LOG_BYTES - log->start;
	if (!log->ring)
		return 0;
	if (first > log->used)
		first = log->used;
	int rc = chain_append(body, log->ring + log->start, first);
	return rc ? rc : chain_append(body, log->ring, log->used - first);
}
