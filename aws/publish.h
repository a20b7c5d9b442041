/* publish.h: from a disk to an AMI: snapshot, registration, copies, permissions. The same
 * disk by the same name is published once, however often it is asked for. */
#ifndef ELFPACK_AWS_PUBLISH_H
#define ELFPACK_AWS_PUBLISH_H

#include "aws/ec2.h"

#define PUBLISH_REGIONS_MAX 40u
#define PUBLISH_TAGS_MAX    40u /* AWS takes 50, two are ours */
#define PUBLISH_SHARES_MAX  100u

struct published {
	char region[REGION_ROOM], ami[EC2_ID_ROOM], snapshot[EC2_ID_ROOM];
};

struct publish {
	/* asked: */
	const uint8_t *disk;
	uint64_t disk_size;
	const char *path; /* of the image: for messages, and the journal beside it */
	struct ami_registration as;
	const char *name; /* of the AMI */
	const char *region, *endpoint, *profile, *parent, *kms_key,
		*journal; /* or NULL */
	bool encrypted;
	struct tag tags[PUBLISH_TAGS_MAX];
	const char *copy_to[PUBLISH_REGIONS_MAX], *share[PUBLISH_SHARES_MAX];
	size_t tag_count, copy_count, share_count;
	void (*progress)(uint64_t done_bytes, uint64_t total_bytes);
	void (*say)(const char *line);                           /* one line a step */
	void (*show)(const struct call *call, const char *body); /* instead of doing it */
	/* what came of it: the region's own first, then the copies */
	struct published made[1 + PUBLISH_REGIONS_MAX];
	size_t made_count;
	char digest[2 * SHA256_BYTES + 1]; /* of the disk */
	uint64_t block_count, zero_count, same_count, sent_now;
	bool was_there;
};

/* 0, or -1: *why says what failed and names what it left behind. Ends soon after
 * aws_interrupted is set. */
int publish_image(struct publish *publish, struct diag *why);
/* What EC2 takes as a name. */
bool publish_name_fits(const char *name);

#endif
