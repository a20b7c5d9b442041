/* publish_snapshot.c: a snapshot from its journal's first line to `completed`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/encode.h"
#include "aws/publish_snapshot.h"
#include "imgfmt/digest_hex.h"

#define FIRST_PAUSE_MS  200u
#define MOST_PAUSE_MS   5000u
#define PATIENCE_MS     3600000u
#define GENERATIONS_MAX 8u
#define LINE_ROOM       256u

void publishing_set_tags(struct publishing *it)
{
	const struct publish *publish = it->publish;
	it->tags[0] = (struct tag){EC2_DIGEST_TAG, publish->digest};
	it->tag_count = 1;
	bool named = false;
	for (size_t i = 0; i < publish->tag_count; i++) {
		named |= strcmp(publish->tags[i].key, "Name") == 0;
		it->tags[it->tag_count++] = publish->tags[i];
	}
	if (!named)
		it->tags[it->tag_count++] = (struct tag){"Name", publish->name};
}

/* A digest of all that a snapshot is made of, so that the same request has the same token
 * and another one has not. */
static const char *plan_digest(const struct publishing *it, unsigned generation,
			       char hex[HEX_ROOM])
{
	const struct publish *publish = it->publish;
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	if (!to)
		return NULL;
	fprintf(to, "%s\n%s\n%s\n%d\n%s\n%u\n", publish->digest, it->region,
		publish->parent ? publish->parent : "", publish->encrypted,
		publish->kms_key ? publish->kms_key : "", generation);
	for (size_t i = 0; i < it->tag_count; i++)
		fprintf(to, "%s=%s\n", it->tags[i].key, it->tags[i].value);
	if (fclose(to))
		return NULL;
	fast_sha256_hex(text, size, hex);
	free(text);
	return hex;
}

static int open_journal(struct publishing *it, struct diag *why)
{
	const struct publish *publish = it->publish;
	char key[LINE_ROOM], hex[HEX_ROOM];
	if (!publish->journal &&
	    asprintf(&it->journal_path, "%s.%s.journal", publish->path, it->region) < 0)
		return diag_set(why, "out of memory");
	if (!plan_digest(it, 0, hex))
		return diag_set(why, "out of memory");
	snprintf(key, sizeof(key), "%s %s", it->region, hex);
	return journal_open(&it->journal,
			    publish->show      ? NULL
			    : publish->journal ? publish->journal
					       : it->journal_path,
			    key, it->blocks.count, why);
}

int wait_more(struct waiting *waiting, const char *what, struct diag *why)
{
	uint64_t now = service_now_ms();
	if (!waiting->pause_ms)
		*waiting = (struct waiting){FIRST_PAUSE_MS, now};
	if (now - waiting->since_ms > PATIENCE_MS)
		return diag_set(why, "%s: not done after an hour", what);
	service_pause_ms(waiting->pause_ms);
	waiting->pause_ms += waiting->pause_ms / 2;
	if (waiting->pause_ms > MOST_PAUSE_MS)
		waiting->pause_ms = MOST_PAUSE_MS;
	return aws_interrupted ? diag_set(why, "interrupted") : 0;
}

static int start(struct publishing *it, struct diag *why)
{
	const struct publish *publish = it->publish;
	char token[HEX_ROOM], id[SNAPSHOT_ROOM];
	bool again = false;
	if (!plan_digest(it, it->journal.generation, token))
		return diag_set(why, "out of memory");
	const struct ebs_snapshot snapshot = {.region = it->region,
					      .description = publish->as.description,
					      .parent = publish->parent,
					      .kms_key = publish->kms_key,
					      .client_token = token,
					      .gib = publish->as.volume_gib,
					      .encrypted = publish->encrypted,
					      .tags = it->tags,
					      .tag_count = it->tag_count};
	if (ebs_start(&it->aws, &snapshot, id, &again, why)) {
		if (it->aws.last == FAILURE_PASSING)
			diag_add(why,
				 "; a snapshot tagged " EC2_DIGEST_TAG "=%s may have "
				 "been begun in %s",
				 publish->digest, it->region);
		return -1;
	}
	it->upload.young = !again;
	return journal_snapshot(&it->journal, id, why);
}

static int wait_completed(struct publishing *it, struct diag *why)
{
	const char *id = it->journal.snapshot;
	struct waiting waiting = {0};
	for (;;) {
		struct ec2_snapshot snapshot = {0};
		int rc = ec2_describe_snapshot(&it->aws, it->region, id, it->upload.young,
					       &snapshot, why);
		if (rc)
			return rc < 0 ? rc : EBS_GONE;
		if (strcmp(snapshot.state, "completed") == 0)
			return 0;
		if (strcmp(snapshot.state, "pending") != 0) {
			it->aws.last = FAILURE_FINAL;
			return diag_set(why, "%s in %s: %s: %s", id, it->region,
					snapshot.state, snapshot.message);
		}
		if (wait_more(&waiting, id, why))
			return -1;
	}
}

static void say_plan(const struct publishing *it)
{
	const struct publish *publish = it->publish;
	char line[LINE_ROOM];
	uint64_t left = 0;
	for (uint64_t i = 0; i < it->blocks.count; i++)
		left += it->blocks.list[i].send && !it->journal.sent[i];
	snprintf(line, sizeof(line),
		 "%s in %s: %" PRIu64 " of %" PRIu64 " blocks to send, %" PRIu64
		 " are zeros, %" PRIu64 " the parent's",
		 it->journal.snapshot, it->region, left, it->blocks.count,
		 publish->zero_count, publish->same_count);
	if (publish->say)
		publish->say(line);
}

/* One try at a snapshot, begun or gone on with. */
static int fill(struct publishing *it, struct diag *why)
{
	int rc = it->journal.snapshot[0] ? 0 : start(it, why);
	if (rc)
		return rc;
	it->upload.region = it->region;
	it->upload.snapshot = it->journal.snapshot;
	it->upload.blocks = &it->blocks;
	it->upload.journal = &it->journal;
	it->upload.progress = it->publish->progress;
	say_plan(it);
	if (!it->journal.sealed) {
		rc = ebs_upload(&it->aws, &it->upload, why);
		if (!rc)
			rc = ebs_complete(&it->aws, &it->upload, why);
		if (!rc)
			rc = journal_sealed(&it->journal, why);
	}
	return rc ? rc : wait_completed(it, why);
}

static void count(struct publishing *it)
{
	struct publish *publish = it->publish;
	publish->block_count = it->blocks.count;
	for (uint64_t i = 0; i < it->blocks.count; i++) {
		const struct block *block = &it->blocks.list[i];
		publish->zero_count += block->zeros && !block->send;
		publish->same_count += !block->zeros && !block->send;
	}
}

int snapshot_make(struct publishing *it, struct diag *why)
{
	const struct publish *publish = it->publish;
	it->aws.last = FAILURE_NONE;
	if (publish->parent &&
	    ebs_compare_parent(&it->aws, it->region, publish->parent,
			       publish->as.volume_gib, &it->blocks, why))
		return -1;
	count(it);
	int rc = open_journal(it, why);
	for (unsigned i = 0; !rc && i < GENERATIONS_MAX; i++) {
		rc = fill(it, why);
		if (rc != EBS_GONE)
			return rc;
		it->upload.young = false;
		rc = journal_again(&it->journal, why);
	}
	return rc ? rc
		  : diag_set(why, "the snapshots begun in %s do not stay", it->region);
}

void snapshot_discard(struct publishing *it, struct diag *why)
{
	struct diag reason = {0};
	const char *id = it->journal.snapshot;
	if (!id[0] || it->aws.show)
		return;
	it->aws.clearing = true;
	if (ec2_delete_snapshot(&it->aws, it->region, id, &reason)) {
		diag_add(why, "; snapshot %s in %s is left behind: %s", id, it->region,
			 reason.message);
		return;
	}
	if (why->message[0])
		diag_add(why, "; snapshot %s is deleted", id);
	journal_remove(&it->journal);
}

void snapshot_after_failure(struct publishing *it, struct diag *why)
{
	if (!it->journal.snapshot[0]) {
		if (it->aws.last == FAILURE_FINAL)
			journal_remove(&it->journal); /* nothing was begun */
		return;
	}
	if (!aws_interrupted && it->aws.last == FAILURE_FINAL && !it->aws.shut_out) {
		snapshot_discard(it, why);
		return;
	}
	diag_add(why, "; snapshot %s in %s is kept", it->journal.snapshot, it->region);
	diag_hint(why,
		  "the same command goes on with it; aws ec2 delete-snapshot "
		  "--snapshot-id %s deletes it",
		  it->journal.snapshot);
}
