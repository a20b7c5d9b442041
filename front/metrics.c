/* metrics.c: the texts that front writes about itself. Counters come from tables, so that
 * a new one is a row. */
#include <stddef.h>
#include <string.h>

#include "front/block.h"
#include "front/metrics.h"
#include "front/server.h"
#include "front/text.h"
#include "imgfmt/digest_hex.h"

static const char *const outcome_names[OUTCOME_COUNT] = {
	[OUTCOME_NONE] = "none",
	[OUTCOME_EXITED] = "exited",
	[OUTCOME_SIGNALED] = "signaled",
	[OUTCOME_TIMEOUT] = "timeout",
	[OUTCOME_OOM] = "oom",
	[OUTCOME_CANCELLED] = "cancelled",
	[OUTCOME_OUTPUT_LIMIT] = "output-limit",
};

_Static_assert((int)OUTCOME_EXITED == JOB_EXITED &&
		       (int)OUTCOME_SIGNALED == JOB_SIGNALED &&
		       (int)OUTCOME_TIMEOUT == JOB_TIMEOUT &&
		       (int)OUTCOME_OOM == JOB_OOM &&
		       (int)OUTCOME_CANCELLED == JOB_CANCELLED,
	       "the sandbox's outcomes are front's first ones");

const char *outcome_name(enum outcome outcome)
{
	return outcome < OUTCOME_COUNT ? outcome_names[outcome] : "";
}

static const struct {
	uint64_t ns;
	const char *seconds;
} bounds[DURATION_BOUNDS] = {
	{1000000, "0.001"},  {2500000, "0.0025"}, {5000000, "0.005"},
	{10000000, "0.01"},  {25000000, "0.025"}, {50000000, "0.05"},
	{100000000, "0.1"},  {250000000, "0.25"}, {500000000, "0.5"},
	{1000000000, "1"},   {2500000000, "2.5"}, {5000000000, "5"},
	{10000000000, "10"}, {30000000000, "30"}, {60000000000, "60"},
};

void durations_add(struct durations *durations, uint64_t ns)
{
	size_t at = 0;
	while (at < DURATION_BOUNDS && ns > bounds[at].ns)
		at++;
	durations->counts[at]++;
	durations->sum_ns += ns;
}

struct row {
	const char *name, *type, *help;
	size_t offset;
};

#define SHIM_ROW(field, type, name, help)                                                \
	{                                                                                \
		"elfpack_" name, type, help, offsetof(struct shim_info, field)           \
	}

static const struct row shim_rows[] = {
	SHIM_ROW(pages_total, "gauge", "pages",
		 "Pages of 4 KiB that the kernel manages."),
	SHIM_ROW(pages_free, "gauge", "pages_free", "Free pages."),
	SHIM_ROW(pages_leaked, "counter", "pages_leaked_total",
		 "Pages that ended jobs did not give back."),
	SHIM_ROW(jobs_started, "counter", "jobs_started_total", "Programs started."),
	SHIM_ROW(load_ns, "gauge", "load_nanoseconds",
		 "From the loader's first instruction to the kernel's."),
	SHIM_ROW(boot_ns, "gauge", "boot_nanoseconds",
		 "From the loader's first instruction to the front end's."),
	SHIM_ROW(uptime_ns, "counter", "uptime_nanoseconds_total",
		 "Time since the start."),
	SHIM_ROW(unknown_syscalls, "counter", "unknown_syscalls_total",
		 "System calls that were answered ENOSYS."),
	SHIM_ROW(net_rx_packets, "counter", "net_receive_packets_total",
		 "Packets received."),
	SHIM_ROW(net_rx_bytes, "counter", "net_receive_bytes_total", "Bytes received."),
	SHIM_ROW(net_tx_packets, "counter", "net_transmit_packets_total",
		 "Packets sent."),
	SHIM_ROW(net_tx_bytes, "counter", "net_transmit_bytes_total", "Bytes sent."),
	SHIM_ROW(net_drops, "counter", "net_drops_total", "Packets dropped."),
	SHIM_ROW(net_resets, "counter", "net_device_resets_total",
		 "Resets of a network device that had stopped working."),
	SHIM_ROW(tcp_accepted, "counter", "tcp_accepted_total",
		 "TCP connections accepted."),
	SHIM_ROW(tcp_retransmits, "counter", "tcp_retransmits_total",
		 "TCP retransmissions."),
	SHIM_ROW(tcp_syn_cookies_bad, "counter", "tcp_syn_cookies_bad_total",
		 "SYN cookies that did not check."),
};

static int family(struct chain *body, const char *name, const char *type,
		  const char *help)
{
	const char *const parts[] = {"# HELP ", name, " ",  help, "\n# TYPE ",
				     name,      " ",  type, "\n"};
	int rc = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !rc; i++)
		rc = chain_append_text(body, parts[i]);
	return rc;
}

/* label is whole, braces included, or empty. */
static int sample(struct chain *body, const char *name, const char *label,
		  const char *value, uint64_t number)
{
	int rc = chain_append_text(body, name);
	if (*label) {
		const char *const parts[] = {"{", label, "=\"", value, "\"}"};
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !rc; i++)
			rc = chain_append_text(body, parts[i]);
	}
	rc = rc ? rc : chain_append_text(body, " ");
	rc = rc ? rc : chain_append_u64(body, number);
	return rc ? rc : chain_append_text(body, "\n");
}

static int front_samples(const struct server *server, struct chain *body)
{
	const struct metrics *m = &server->metrics;
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} rows[] = {
		{"elfpack_requests_total", "counter", "Requests read, good or bad.",
		 m->requests},
		{"elfpack_connections_total", "counter", "Connections accepted.",
		 m->accepted},
		{"elfpack_received_bytes_total", "counter", "Bytes of requests.",
		 m->bytes_in},
		{"elfpack_sent_bytes_total", "counter", "Bytes of answers.",
		 m->bytes_out},
		{"elfpack_connections", "gauge", "Open connections.",
		 server->conns.count},
		{"elfpack_jobs_running", "gauge", "Programs running.",
		 server->jobs_running},
		{"elfpack_jobs_max", "gauge", "Programs that may run at a time.",
		 server->job_count},
		{"elfpack_queue_length", "gauge", "Requests that wait for a job.",
		 server->queue.count},
		{"elfpack_queue_max", "gauge", "Requests that may wait for a job.",
		 server->image->manifest.limits.queue},
		{"elfpack_job_memory_max_bytes", "gauge", "Memory that a job may use.",
		 server->job_memory_bytes},
		{"elfpack_buffer_max_bytes", "gauge", "Memory for bodies and output.",
		 server->buffer_max},
		{"elfpack_buffer_bytes", "gauge", "Memory in bodies and output.",
		 block_bytes_used()},
		{"elfpack_draining", "gauge", "1 while the server is about to end.",
		 server->draining},
	};
	int rc = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !rc; i++) {
		rc = family(body, rows[i].name, rows[i].type, rows[i].help);
		rc = rc ? rc : sample(body, rows[i].name, "", "", rows[i].value);
	}
	return rc;
}

static int labelled_samples(const struct metrics *m, struct chain *body)
{
	static const char *const classes[] = {"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};
	int rc = family(body, "elfpack_responses_total", "counter", "Answers by class.");
	for (size_t i = 2; i < 6 && !rc; i++)
		rc = sample(body, "elfpack_responses_total", "class", classes[i],
			    m->by_class[i]);
	rc = rc ? rc
		: family(body, "elfpack_jobs_total", "counter", "Programs by outcome.");
	for (size_t i = OUTCOME_EXITED; i < OUTCOME_COUNT && !rc; i++)
		rc = sample(body, "elfpack_jobs_total", "outcome", outcome_names[i],
			    m->by_outcome[i]);
	return rc;
}

static int histogram(struct chain *body, const char *name, const char *help,
		     const struct durations *durations)
{
	char room[64];
	struct text text = text_over(room, sizeof(room) - 1);
	size_t base = 0;
	uint64_t count = 0;
	int rc = family(body, name, "histogram", help);
	text_put(&text, name);
	base = text.used;
	text_put(&text, "_bucket");
	room[text.used] = '\0';
	for (size_t i = 0; i <= DURATION_BOUNDS && !rc; i++) {
		count += durations->counts[i];
		rc = sample(body, room, "le",
			    i < DURATION_BOUNDS ? bounds[i].seconds : "+Inf", count);
	}
	text.used = base;
	text_put(&text, "_sum ");
	/* Seconds with six decimals. */
	text_u64(&text, durations->sum_ns / 1000000000);
	text_put(&text, ".");
	text_padded(&text, (unsigned)(durations->sum_ns % 1000000000 / 1000), 6);
	text_put(&text, "\n");
	rc = rc ? rc : chain_append(body, room, text.used);
	text.used = base;
	text_put(&text, "_count");
	room[text.used] = '\0';
	return rc ? rc : sample(body, room, "", "", count);
}

static int histograms(const struct metrics *m, struct chain *body)
{
	int rc = histogram(body, "elfpack_queue_seconds", "How long jobs waited.",
			   &m->queued);
	rc = rc ? rc
		: histogram(body, "elfpack_job_seconds", "How long programs ran.",
			    &m->executed);
	return rc ? rc
		  : histogram(body, "elfpack_request_seconds",
			      "From a request's head to its answer's end.", &m->answered);
}

int metrics_text(struct server *server, struct chain *body)
{
	struct shim_info info;
	int rc = front_samples(server, body);
	rc = rc ? rc : labelled_samples(&server->metrics, body);
	rc = rc ? rc : histograms(&server->metrics, body);
	if (rc || server->sandbox->info(&info) < 0)
		return rc;
	for (size_t i = 0; i < sizeof(shim_rows) / sizeof(shim_rows[0]) && !rc; i++) {
		uint64_t value = 0;
		memcpy(&value, (const char *)&info + shim_rows[i].offset, sizeof(value));
		rc = family(body, shim_rows[i].name, shim_rows[i].type,
			    shim_rows[i].help);
		rc = rc ? rc : sample(body, shim_rows[i].name, "", "", value);
	}
	return rc;
}

static int json_member(struct chain *body, const char *name, const char *value)
{
	int rc = chain_append_text(body, name);
	return rc ? rc : chain_append_json(body, value, strlen(value));
}

static int json_number(struct chain *body, const char *name, uint64_t value)
{
	int rc = chain_append_text(body, name);
	return rc ? rc : chain_append_u64(body, value);
}

int info_json(struct server *server, struct chain *body)
{
	const struct manifest *manifest = &server->image->manifest;
	const char *digest = server->image->digest;
	struct shim_info info;
	char hex[HEX_ROOM];
	const struct {
		const char *name;
		uint64_t value;
	} limits[] = {
#define LIMIT(key, unit, initial, help) {#key, manifest->limits.key},
#include "imgfmt/limits.def"
#undef LIMIT
	};
	int rc = json_member(body, "{\"program\":", manifest->program);
	rc = rc ? rc : json_member(body, ",\"version\":", FRONT_VERSION);
	if (manifest->profile[0])
		rc = rc ? rc : json_member(body, ",\"profile\":", manifest->profile);
	if (server->sandbox->info(&info) == 0)
		digest = digest_hex(info.image_digest, hex);
	if (digest)
		rc = rc ? rc : json_member(body, ",\"digest\":", digest);
	rc = rc ? rc : json_member(body, ",\"exec\":", manifest->exec);
	rc = rc ? rc : json_member(body, ",\"cwd\":", manifest->cwd);
	rc = rc ? rc : json_member(body, ",\"sandbox\":", server->sandbox->name);
	rc = rc ? rc : json_number(body, ",\"concurrency\":", server->job_count);
	rc = rc ? rc
		: json_number(body, ",\"job_memory_bytes\":", server->job_memory_bytes);
	rc = rc ? rc : chain_append_text(body, ",\"limits\":{");
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]) && !rc; i++) {
		rc = i ? chain_append_text(body, ",") : 0;
		rc = rc ? rc : json_member(body, "", limits[i].name);
		rc = rc ? rc : json_number(body, ":", limits[i].value);
	}
	return rc ? rc : chain_append_text(body, "}}\n");
}

int usage_text(struct server *server, struct chain *body)
{
	static const char routes[] =
		"\n"
		"  GET  /?ARG&ARG        run it with these arguments\n"
		"  POST /?ARG&ARG        the same, the body is its standard input\n"
		"  PUT  /NAME?ARG&ARG    the same, the body is the file NAME\n"
		"  arg=V is the argument V as it stands; %XX and + are decoded\n"
		"\n"
		"  _out=NAME  return this file   _file=NAME      store the body as NAME\n"
		"  _format=json|multipart|tar|zip|stream  _timeout=500ms  "
		"_stderr=merge|drop  _status=200\n"
		"\n"
		"  200 the program's output, 422 the program failed, 5xx it could not be "
		"run\n"
		"  POST /_/run {\"argv\":[],\"stdin\":\"\",\"files\":{},\"out\":[]} does "
		"the same in JSON\n"
		"  /_/info /_/health /_/ready /_/metrics /_/openapi.json\n";
	const struct manifest *manifest = &server->image->manifest;
	int rc = chain_append_text(body, manifest->program);
	rc = rc ? rc
		: chain_append_text(body, ": each request runs it in a new sandbox\n");
	rc = rc ? rc : chain_append(body, routes, sizeof(routes) - 1);
	if (rc || !manifest->example[0])
		return rc;
	rc = chain_append_text(body, "\n  example: ");
	rc = rc ? rc : chain_append_text(body, manifest->example);
	return rc ? rc : chain_append_text(body, "\n");
}
