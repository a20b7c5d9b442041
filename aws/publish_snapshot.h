/* publish_snapshot.h: for publish.c: a publication under way, and its snapshot. */
#ifndef ELFPACK_AWS_PUBLISH_SNAPSHOT_H
#define ELFPACK_AWS_PUBLISH_SNAPSHOT_H

#include "aws/journal.h"
#include "aws/publish.h"

struct publishing {
	struct publish *publish;
	struct aws aws;
	const char *region;
	struct blocks blocks;
	struct journal journal;
	char *journal_path;
	struct ebs_upload upload;
	struct tag tags[PUBLISH_TAGS_MAX + 2];
	size_t tag_count;
};

/* Of looks at something that takes AWS its time. */
struct waiting {
	unsigned pause_ms;
	uint64_t since_ms;
};

void publishing_set_tags(struct publishing *it);
/* A completed snapshot of the disk, its id in the journal. */
int snapshot_make(struct publishing *it, struct diag *why);
/* Deletes it; where that fails, *why names it. */
void snapshot_discard(struct publishing *it, struct diag *why);
/* What AWS refused is deleted; what was interrupted, or needs other keys, is kept to go
 * on with: and *why says which. */
void snapshot_after_failure(struct publishing *it, struct diag *why);
/* A pause, longer each time. -1: interrupted, or for too long. */
int wait_more(struct waiting *waiting, const char *what, struct diag *why);

#endif
