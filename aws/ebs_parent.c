/* ebs_parent.c: what a parent snapshot has already. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/ebs.h"
#include "aws/encode.h"

#define TARGET_ROOM 2048u

/* The parent's blocks: tokens, by index; NULL: a hole. */
struct parent {
	const char *region, *id;
	char **tokens;
	uint64_t count;
};

static void take_page(struct parent *parent, const struct rows *rows, char **next)
{
	uint64_t index = UINT64_MAX;
	*next = NULL;
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->list[i];
		if (strcmp(row->path, "Blocks/item/BlockIndex") == 0)
			index = strtoull(row->value, NULL, 10);
		else if (strcmp(row->path, "Blocks/item") == 0)
			index = UINT64_MAX;
		else if (strcmp(row->path, "NextToken") == 0 &&
			 strcmp(row->value, "null") != 0)
			*next = strdup(row->value);
		else if (strcmp(row->path, "Blocks/item/BlockToken") == 0 &&
			 index < parent->count && !parent->tokens[index])
			parent->tokens[index] = strdup(row->value);
	}
}

static char *list_target(const struct parent *parent, const char *page)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	if (!to)
		return NULL;
	fprintf(to, "/snapshots/%s/blocks", parent->id);
	if (page) {
		fputs("?pageToken=", to);
		encode_percent(to, page, "");
	}
	if (!fclose(to))
		return text;
	free(text);
	return NULL;
}

static int list_page(struct aws *aws, struct parent *parent, char **page,
		     struct diag *why)
{
	char *target = list_target(parent, *page);
	struct rows rows = {0};
	free(*page);
	*page = NULL;
	if (!target)
		return diag_set(why, "out of memory");
	struct call call = {.service = "ebs",
			    .operation = "ListSnapshotBlocks",
			    .region = parent->region,
			    .method = "GET",
			    .target = target};
	int rc = aws_call(aws, &call, why);
	if (!rc && !aws->show)
		rc = call.exchange.reply ? rows_read_json(&rows, call.exchange.reply,
							  call.exchange.reply_size)
					 : -1;
	if (!rc)
		take_page(parent, &rows, page);
	else
		aws_explain(aws, &call, why);
	rows_free(&rows);
	call_free(&call);
	free(target);
	return rc;
}

/* A block of the parent on its way here. */
struct fetching {
	struct call call;
	char target[TARGET_ROOM];
	bool busy;
};

static int fetch(struct aws *aws, const struct parent *parent, struct fetching *fetching,
		 uint64_t index, struct diag *why)
{
	char *target = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&target, &size);
	if (!to)
		return diag_set(why, "out of memory");
	fprintf(to, "/snapshots/%s/blocks/%" PRIu64 "?blockToken=", parent->id, index);
	encode_percent(to, parent->tokens[index], "");
	if (fclose(to))
		return diag_set(why, "out of memory");
	snprintf(fetching->target, sizeof(fetching->target), "%s", target);
	free(target);
	struct call *call = &fetching->call;
	call->service = "ebs";
	call->operation = "GetSnapshotBlock";
	call->region = parent->region;
	call->method = "GET";
	call->target = fetching->target;
	call->answers_checksum = true;
	call->about = index;
	fetching->busy = true;
	return aws_send(aws, call, why);
}

/* Unmarks a block that is the same there, by the digest of what came. */
static void compare(const struct call *call, struct blocks *blocks)
{
	uint8_t digest[SHA256_BYTES];
	struct block *block = &blocks->list[call->about];
	if (call->exchange.reply_size != BLOCK_BYTES)
		return;
	fast_sha256(call->exchange.reply, BLOCK_BYTES, digest);
	if (memcmp(digest, block->digest, SHA256_BYTES) == 0)
		block->send = false;
}

/* Begins as many as may be under way. */
static int fetch_more(struct aws *aws, const struct parent *parent, struct fetching *list,
		      uint64_t *next, struct diag *why)
{
	for (size_t i = 0; *next < parent->count; ++*next) {
		if (!parent->tokens[*next])
			continue;
		while (i < EXCHANGES_MAX && list[i].busy)
			i++;
		if (i == EXCHANGES_MAX)
			return 0;
		if (fetch(aws, parent, &list[i], *next, why)) {
			list[i].busy = false;
			return -1;
		}
	}
	return 0;
}

static int fetch_all(struct aws *aws, const struct parent *parent, struct blocks *blocks,
		     struct diag *why)
{
	struct fetching *list = calloc(EXCHANGES_MAX, sizeof(*list));
	struct call *call;
	uint64_t next = 0;
	if (!list)
		return diag_set(why, "out of memory");
	int rc = fetch_more(aws, parent, list, &next, why);
	while ((call = aws_next(aws, why))) {
		((struct fetching *)call)->busy = false;
		if (aws_interrupted)
			rc = diag_set(why, "interrupted");
		else if (call->failure != FAILURE_NONE)
			rc = aws_explain(aws, call, why);
		else
			compare(call, blocks);
		if (!rc)
			rc = fetch_more(aws, parent, list, &next, why);
	}
	for (size_t i = 0; i < EXCHANGES_MAX; i++) {
		if (list[i].busy)
			transport_cancel(&aws->transport, &list[i].call.exchange);
		call_free(&list[i].call);
	}
	free(list);
	return rc;
}

int ebs_compare_parent(struct aws *aws, const char *region, const char *id, uint64_t gib,
		       struct blocks *blocks, struct diag *why)
{
	struct parent parent = {region, id, NULL, gib << 11};
	char *page = NULL;
	uint64_t end = 0;
	parent.tokens = calloc(parent.count, sizeof(char *));
	int rc = parent.tokens ? 0 : diag_set(why, "out of memory");
	do {
		rc = rc ? rc : list_page(aws, &parent, &page, why);
	} while (!rc && page);
	for (uint64_t i = 0; !rc && i < parent.count; i++)
		end = parent.tokens[i] ? i + 1 : end;
	if (!rc)
		rc = blocks_extend(blocks, end, why);
	for (uint64_t i = 0; !rc && i < end; i++)
		blocks->list[i].send |= parent.tokens[i] != NULL;
	if (!rc && !aws->show)
		rc = fetch_all(aws, &parent, blocks, why);
	for (uint64_t i = 0; parent.tokens && i < parent.count; i++)
		free(parent.tokens[i]);
	free(parent.tokens);
	free(page);
	return rc;
}
