/* ebs.h: EBS direct: snapshots without a volume, block by block. */
#ifndef ELFPACK_AWS_EBS_H
#define ELFPACK_AWS_EBS_H

#include "aws/blocks.h"
#include "aws/journal.h"
#include "aws/service.h"

/* Positive results; 0 is done, and with -1 *why says what went wrong. */
#define EBS_GONE 1 /* the snapshot is not there, or takes no blocks any more */

struct tag {
	const char *key, *value;
};

struct ebs_snapshot {
	const char *region, *description, *parent, *kms_key, *client_token; /* or NULL */
	uint64_t gib;
	bool encrypted;
	const struct tag *tags;
	size_t tag_count;
};

/* *again: AWS gave the snapshot of an earlier request with the same token. */
int ebs_start(struct aws *aws, const struct ebs_snapshot *snapshot,
	      char id[SNAPSHOT_ROOM], bool *again, struct diag *why);

struct ebs_upload {
	const char *region, *snapshot;
	bool young; /* made a moment ago */
	const struct blocks *blocks;
	struct journal *journal;
	void (*progress)(uint64_t done_bytes,
			 uint64_t total_bytes); /* NULL: nobody asks */
	uint64_t sent_now;                      /* blocks that this run sent */
};

/* Sends what is to send and not in the journal yet. */
int ebs_upload(struct aws *aws, struct ebs_upload *upload, struct diag *why);
int ebs_complete(struct aws *aws, const struct ebs_upload *upload, struct diag *why);
/* Reads the blocks of a parent and unmarks those that are the same here; what is zeros
 * here and not there is marked. The API has no digests to compare: the parent's blocks
 * are downloaded, each that may be the same. */
int ebs_compare_parent(struct aws *aws, const char *region, const char *parent,
		       uint64_t gib, struct blocks *blocks, struct diag *why);

#endif
