/* ebs.c: EBS direct: starting, filling and completing a snapshot. Reading one is
 * ebs_parent.c's. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aws/ebs.h"
#include "aws/encode.h"

#define REPLAY_S    60 /* an answer to our own request is younger */
#define NUMBER_ROOM 24u
#define TARGET_ROOM 96u

static const struct sigv4_header json_type = {"content-type", "application/json"};

static void put_text(FILE *to, const char *name, const char *text)
{
	if (!text)
		return;
	fprintf(to, ", \"%s\": ", name);
	encode_json(to, text);
}

static char *start_body(const struct ebs_snapshot *snapshot)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	if (!to)
		return NULL;
	fprintf(to, "{\"VolumeSize\": %" PRIu64, snapshot->gib);
	put_text(to, "ParentSnapshotId", snapshot->parent);
	fputs(", \"Tags\": [", to);
	for (size_t i = 0; i < snapshot->tag_count; i++) {
		fprintf(to, "%s{\"Key\": ", i ? ", " : "");
		encode_json(to, snapshot->tags[i].key);
		fputs(", \"Value\": ", to);
		encode_json(to, snapshot->tags[i].value);
		fputc('}', to);
	}
	fputc(']', to);
	put_text(to, "Description", snapshot->description);
	put_text(to, "ClientToken", snapshot->client_token);
	/* A child of an encrypted snapshot is encrypted as that one is, and must not say
	 * so. */
	if (snapshot->encrypted && !snapshot->parent)
		fputs(", \"Encrypted\": true", to);
	if (!snapshot->parent)
		put_text(to, "KmsKeyArn", snapshot->kms_key);
	fputs(", \"Timeout\": 60}", to);
	if (!fclose(to))
		return text;
	free(text);
	return NULL;
}

static int read_started(const struct call *call, char id[SNAPSHOT_ROOM], bool *again)
{
	struct rows rows = {0};
	const struct exchange *exchange = &call->exchange;
	int rc = exchange->reply
			 ? rows_read_json(&rows, exchange->reply, exchange->reply_size)
			 : -1;
	const char *said = rc ? NULL : rows_find(&rows, "SnapshotId"),
		   *started = rc ? NULL : rows_find(&rows, "StartTime");
	if (!said || strlen(said) >= SNAPSHOT_ROOM || strncmp(said, "snap-", 5) != 0)
		rc = -1;
	else
		snprintf(id, SNAPSHOT_ROOM, "%s", said);
	*again = started && strtod(started, NULL) < (double)time(NULL) - REPLAY_S;
	rows_free(&rows);
	return rc;
}

int ebs_start(struct aws *aws, const struct ebs_snapshot *snapshot,
	      char id[SNAPSHOT_ROOM], bool *again, struct diag *why)
{
	char *body = start_body(snapshot);
	if (!body)
		return diag_set(why, "out of memory");
	struct call call = {.service = "ebs",
			    .operation = "StartSnapshot",
			    .region = snapshot->region,
			    .method = "POST",
			    .target = "/snapshots",
			    .headers = {json_type},
			    .header_count = 1,
			    .body = body,
			    .body_size = strlen(body)};
	*again = false;
	int rc = aws_call(aws, &call, why);
	if (!rc && aws->show)
		snprintf(id, SNAPSHOT_ROOM, "SNAPSHOT-ID");
	else if (!rc)
		rc = read_started(&call, id, again);
	if (rc)
		aws_explain(aws, &call, why);
	call_free(&call);
	free(body);
	return rc;
}

/* A block on its way. */
struct sending {
	struct call call;
	char target[TARGET_ROOM], checksum[BASE64_DIGEST_ROOM];
	bool busy;
};

struct upload_state {
	struct aws *aws;
	struct ebs_upload *upload;
	struct sending sending[EXCHANGES_MAX];
	uint64_t next, done, total; /* index; blocks */
	int rc;
	bool stop; /* begin no more */
};

static void prepare(struct upload_state *state, struct sending *sending, uint64_t index)
{
	const struct ebs_upload *upload = state->upload;
	const struct block *block = &upload->blocks->list[index];
	snprintf(sending->target, sizeof(sending->target),
		 "/snapshots/%s/blocks/%" PRIu64, upload->snapshot, index);
	encode_digest(block->digest, sending->checksum);
	struct call *call = &sending->call;
	call->service = "ebs";
	call->operation = "PutSnapshotBlock";
	call->region = upload->region;
	call->method = "PUT";
	call->target = sending->target;
	call->headers[0] = (struct sigv4_header){"x-amz-data-length", "524288"};
	call->headers[1] = (struct sigv4_header){"x-amz-checksum", sending->checksum};
	call->headers[2] = (struct sigv4_header){"x-amz-checksum-algorithm", "SHA256"};
	call->header_count = 3;
	call->body = blocks_bytes(upload->blocks, index);
	call->body_size = BLOCK_BYTES;
	call->unsigned_body = true;
	call->young = upload->young;
	call->answers_checksum = true;
	call->about = index;
}

static struct sending *idle(struct upload_state *state)
{
	for (size_t i = 0; i < EXCHANGES_MAX; i++)
		if (!state->sending[i].busy)
			return &state->sending[i];
	return NULL;
}

static void begin_more(struct upload_state *state, struct diag *why)
{
	const struct ebs_upload *upload = state->upload;
	struct sending *sending;
	for (; !state->stop && state->next < upload->blocks->count; state->next++) {
		if (aws_interrupted) {
			state->rc = diag_set(why, "interrupted");
			state->stop = true;
			return;
		}
		if (!upload->blocks->list[state->next].send ||
		    upload->journal->sent[state->next])
			continue;
		if (!(sending = idle(state)))
			return;
		prepare(state, sending, state->next);
		if (state->aws->show) {
			aws_call(state->aws, &sending->call, why);
			continue;
		}
		sending->busy = true;
		if (aws_send(state->aws, &sending->call, why)) {
			sending->busy = false;
			state->rc = -1;
			state->stop = true;
			return;
		}
	}
}

static bool takes_no_blocks(const struct call *call)
{
	return aws_code_is(call, "ResourceNotFoundException") ||
	       (aws_code_is(call, "ValidationException") &&
		strstr(call->message, "pending state"));
}

static void finish(struct upload_state *state, struct call *call, struct diag *why)
{
	struct ebs_upload *upload = state->upload;
	if (call->failure != FAILURE_NONE) {
		state->stop = true;
		if (takes_no_blocks(call) && !state->rc)
			state->rc = EBS_GONE;
		else if (state->rc != EBS_GONE)
			state->rc = aws_interrupted ? diag_set(why, "interrupted")
						    : aws_explain(state->aws, call, why);
		return;
	}
	state->done++;
	upload->sent_now++;
	if (upload->progress)
		upload->progress(state->done * BLOCK_BYTES, state->total * BLOCK_BYTES);
	if (journal_sent(upload->journal, call->about, why)) {
		state->rc = -1;
		state->stop = true;
	}
}

static void cancel(struct upload_state *state)
{
	for (size_t i = 0; i < EXCHANGES_MAX; i++)
		if (state->sending[i].busy)
			transport_cancel(&state->aws->transport,
					 &state->sending[i].call.exchange);
}

int ebs_upload(struct aws *aws, struct ebs_upload *upload, struct diag *why)
{
	struct upload_state *state = calloc(1, sizeof(*state));
	struct call *call;
	if (!state)
		return diag_set(why, "out of memory");
	state->aws = aws;
	state->upload = upload;
	for (uint64_t i = 0; i < upload->blocks->count; i++) {
		state->total += upload->blocks->list[i].send;
		state->done += upload->blocks->list[i].send && upload->journal->sent[i];
	}
	begin_more(state, why);
	while ((call = aws_next(aws, why))) {
		finish(state, call, why);
		((struct sending *)call)->busy = false;
		begin_more(state, why);
	}
	cancel(state); /* those that an interruption did not wait for */
	int rc = state->rc;
	for (size_t i = 0; i < EXCHANGES_MAX; i++)
		call_free(&state->sending[i].call);
	free(state);
	return rc;
}

int ebs_complete(struct aws *aws, const struct ebs_upload *upload, struct diag *why)
{
	char target[TARGET_ROOM], checksum[BASE64_DIGEST_ROOM], count[NUMBER_ROOM];
	uint8_t digest[SHA256_BYTES];
	blocks_aggregate(upload->blocks, digest);
	encode_digest(digest, checksum);
	snprintf(target, sizeof(target), "/snapshots/completion/%s", upload->snapshot);
	snprintf(count, sizeof(count), "%" PRIu64, blocks_to_send(upload->blocks));
	struct call call = {.service = "ebs",
			    .operation = "CompleteSnapshot",
			    .region = upload->region,
			    .method = "POST",
			    .target = target,
			    .headers = {{"x-amz-changedblockscount", count},
					{"x-amz-checksum", checksum},
					{"x-amz-checksum-algorithm", "SHA256"},
					{"x-amz-checksum-aggregation-method", "LINEAR"}},
			    .header_count = 4,
			    .young = upload->young};
	int rc = aws_call(aws, &call, why);
	/* An earlier try may have done it, and its answer was lost: who looks at the
	 * snapshot next will see. */
	if (rc && takes_no_blocks(&call))
		rc = aws_code_is(&call, "ResourceNotFoundException") ? EBS_GONE : 0;
	if (rc < 0)
		aws_explain(aws, &call, why);
	call_free(&call);
	return rc;
}
