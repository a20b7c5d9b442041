/* result_json.c: a run as one JSON object. Output that is UTF-8 is a string, other output
 * (and text of mostly escapes) is base64; both are written piece by piece, because output
 * lies in pieces. */
#include <string.h>

#include "front/result.h"
#include "front/text.h"
#include "front/utf8.h"
#include "imgfmt/digest_hex.h"

struct utf8_check {
	unsigned char held[4]; /* a sequence that a piece may have cut */
	size_t count;
	uint64_t escaped; /* bytes that JSON's escapes add */
};

/* Short output stays readable whatever its escapes cost. */
#define ESCAPED_FREE 4096u

static int check_piece(void *context, const char *bytes, size_t size)
{
	struct utf8_check *check = context;
	size_t at = 0;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)bytes[i] < 0x20 && bytes[i] != '\n' &&
		    bytes[i] != '\t')
			check->escaped += 5;
		else if (bytes[i] == '\n' || bytes[i] == '\t' || bytes[i] == '"' ||
			 bytes[i] == '\\')
			check->escaped++;
	while (at < size) {
		size_t step = check->count
				      ? 0
				      : utf8_sequence((const unsigned char *)bytes + at,
						      size - at);
		if (step) {
			at += step;
			continue;
		}
		if (!check->count && size - at >= sizeof(check->held))
			return 1;
		check->held[check->count++] = (unsigned char)bytes[at++];
		if (utf8_sequence(check->held, check->count))
			check->count = 0;
		else if (check->count == sizeof(check->held))
			return 1;
	}
	return 0;
}

/* UTF-8 that is not longer in escapes than it would be in base64. */
static bool is_text(const struct chain *chain)
{
	struct utf8_check check = {.count = 0};
	return chain_each(chain, check_piece, &check) == 0 && !check.count &&
	       check.escaped <= ESCAPED_FREE + chain->bytes / 3;
}

struct base64 {
	struct chain *out;
	uint32_t bits;
	unsigned count; /* bytes in bits: 0 to 2 */
};

static int base64_group(struct base64 *state, unsigned digits)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char group[4] = {'=', '=', '=', '='};
	for (unsigned i = 0; i < digits; i++)
		group[i] = alphabet[state->bits >> (18 - 6 * i) & 63];
	state->bits = 0;
	state->count = 0;
	return chain_append(state->out, group, sizeof(group));
}

static int base64_piece(void *context, const char *bytes, size_t size)
{
	struct base64 *state = context;
	int rc = 0;
	for (size_t i = 0; i < size && !rc; i++) {
		state->bits |= (uint32_t)(unsigned char)bytes[i]
			       << (16 - 8 * state->count);
		if (++state->count == 3)
			rc = base64_group(state, 4);
	}
	return rc;
}

static int json_piece(void *context, const char *bytes, size_t size)
{
	return chain_append_json_text(context, bytes, size);
}

static int append_u64(struct chain *body, const char *name, uint64_t value)
{
	int rc = chain_append_text(body, name);
	return rc ? rc : chain_append_u64(body, value);
}

static int append_bool(struct chain *body, const char *name, bool value)
{
	int rc = chain_append_text(body, name);
	return rc ? rc : chain_append_text(body, value ? "true" : "false");
}

static int append_string(struct chain *body, const char *name, const char *value)
{
	int rc = chain_append_text(body, name);
	return rc ? rc : chain_append_json(body, value, strlen(value));
}

/* "encoding":...,"data":... */
static int append_data(struct chain *body, const struct chain *data)
{
	int rc = 0;
	if (is_text(data)) {
		rc = chain_append_text(body, "\"encoding\":\"utf8\",\"data\":\"");
		rc = rc ? rc : chain_each(data, json_piece, body);
	} else {
		struct base64 state = {.out = body};
		rc = chain_append_text(body, "\"encoding\":\"base64\",\"data\":\"");
		rc = rc ? rc : chain_each(data, base64_piece, &state);
		if (!rc && state.count)
			rc = base64_group(&state, state.count + 1);
	}
	return rc ? rc : chain_append_text(body, "\"");
}

static int append_stream(struct chain *body, const char *name, const struct chain *bytes,
			 bool truncated, bool data)
{
	int rc = chain_append_text(body, name);
	if (!rc && data) {
		rc = append_data(body, bytes);
		rc = rc ? rc : chain_append_text(body, ",");
	}
	rc = rc ? rc : append_u64(body, "\"bytes\":", bytes->bytes);
	rc = rc ? rc : append_bool(body, ",\"truncated\":", truncated);
	return rc ? rc : chain_append_text(body, "}");
}

static int hash_piece(void *context, const char *bytes, size_t size)
{
	sha256_add(context, bytes, size);
	return 0;
}

static int append_file(struct chain *body, const struct output_file *file, bool data)
{
	struct sha256 hash;
	uint8_t digest[SHA256_BYTES];
	char hex[HEX_ROOM];
	sha256_init(&hash);
	chain_each(&file->bytes, hash_piece, &hash);
	sha256_end(&hash, digest);
	digest_hex(digest, hex);
	const char mode[] = {'0', (char)('0' + (file->mode >> 6 & 7)),
			     (char)('0' + (file->mode >> 3 & 7)),
			     (char)('0' + (file->mode & 7)), '\0'};
	int rc = append_string(body, "{\"path\":", file->name);
	rc = rc ? rc : append_string(body, ",\"mode\":", mode);
	rc = rc ? rc : append_u64(body, ",\"size\":", file->bytes.bytes);
	rc = rc ? rc : append_string(body, ",\"sha256\":", hex);
	if (!rc && data) {
		rc = chain_append_text(body, ",");
		rc = rc ? rc : append_data(body, &file->bytes);
	}
	return rc ? rc : chain_append_text(body, "}");
}

static int append_outcome(struct chain *body, const struct conn *conn,
			  const struct job_report *report)
{
	bool exited = report->outcome == OUTCOME_EXITED;
	bool signaled = report->outcome == OUTCOME_SIGNALED;
	int rc = append_string(body, "{\"id\":", conn->request->id);
	rc = rc ? rc
		: append_string(body, ",\"outcome\":", outcome_name(report->outcome));
	rc = rc ? rc : chain_append_text(body, ",\"exit_code\":");
	if (!rc)
		rc = exited ? chain_append_u64(body, (uint64_t)report->exit_code)
			    : chain_append_text(body, "null");
	rc = rc ? rc : chain_append_text(body, ",\"signal\":");
	if (!rc)
		rc = signaled ? chain_append_u64(body, (uint64_t)report->signal)
			      : chain_append_text(body, "null");
	return rc;
}

static int append_left_out(struct chain *body, const struct outputs *outputs)
{
	const char *before = ",\"left_out\":[";
	int rc = 0;
	for (const struct output_file *f = outputs->first; f && !rc; f = f->next) {
		if (!f->left_out)
			continue;
		rc = append_string(body, before, f->name);
		before = ",";
	}
	return rc ? rc : chain_append_text(body, "]");
}

int result_json(struct chain *body, const struct conn *conn,
		const struct job_report *report, const struct chain *out,
		const struct chain *err, const struct outputs *outputs, bool data)
{
	int rc = append_outcome(body, conn, report);
	rc = rc ? rc
		: append_stream(body, ",\"stdout\":{", out, report->stdout_truncated,
				data);
	rc = rc ? rc
		: append_stream(body, ",\"stderr\":{", err, report->stderr_truncated,
				data);
	rc = rc ? rc : chain_append_text(body, ",\"files\":[");
	size_t listed = 0, left_out = 0;
	for (const struct output_file *f = outputs->first; f && !rc; f = f->next) {
		left_out += f->left_out;
		if (f->left_out)
			continue;
		rc = listed++ ? chain_append_text(body, ",") : 0;
		rc = rc ? rc : append_file(body, f, data);
	}
	rc = rc ? rc : chain_append_text(body, "]");
	if (!rc && left_out)
		rc = append_left_out(body, outputs);
	if (!rc && outputs->unmatched)
		rc = append_string(body, ",\"unmatched\":", outputs->unmatched);
	rc = rc ? rc
		: append_u64(body, ",\"usage\":{\"wall_ms\":", report->exec_ns / 1000000);
	rc = rc ? rc : append_u64(body, ",\"cpu_ms\":", report->cpu_ns / 1000000);
	rc = rc ? rc : append_u64(body, ",\"peak_bytes\":", report->peak_bytes);
	return rc ? rc : chain_append_text(body, "}}\n");
}
