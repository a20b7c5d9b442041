/* publish.c: the order of an AMI's making, and what is said and cleared away when a step
 * of it fails. The snapshot's making is publish_snapshot.c's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "aws/encode.h"
#include "aws/publish.h"
#include "aws/publish_snapshot.h"
#include "imgfmt/digest_hex.h"

#define LATE_LOOKS 8u /* for an image whose name is taken and that is not seen yet */

bool publish_name_fits(const char *name)
{
	static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789()[] ./-'@_";
	size_t size = strlen(name);
	return size >= 3 && size <= 128 && strspn(name, signs) == size;
}

/* Is an image that was found this disk? One that was registered and not yet tagged when
 * its maker was killed is known by its snapshot. 1, 0, or -1. */
static int is_this_disk(struct publishing *it, const char *region,
			const struct ec2_image *image, struct diag *why)
{
	struct ec2_snapshot snapshot = {0};
	if (image->digest[0])
		return strcmp(image->digest, it->publish->digest) == 0;
	if (!image->snapshot[0])
		return 0;
	int rc = ec2_describe_snapshot(&it->aws, region, image->snapshot, false,
				       &snapshot, why);
	return rc < 0 ? rc : !rc && strcmp(snapshot.digest, it->publish->digest) == 0;
}

/* Looks for an image of our name in a region. 0: there it is and is this disk; EC2_NONE.
 */
static int find_own(struct publishing *it, const char *region, struct ec2_image *image,
		    struct diag *why)
{
	const struct publish *publish = it->publish;
	int rc = ec2_find_image(&it->aws, region, publish->name, image, why);
	if (rc)
		return rc;
	int same = is_this_disk(it, region, image, why);
	if (same < 0)
		return -1;
	if (!same) {
		diag_hint(why, "say another --name, or deregister that one");
		return diag_set(why, "%s: the name is taken in %s by %s, another image",
				publish->name, region, image->id);
	}
	if (publish->encrypted && !image->encrypted) {
		diag_hint(why, "say another --name, or deregister that one");
		return diag_set(why, "%s: this image is %s in %s already, not encrypted",
				publish->name, image->id, region);
	}
	return 0;
}

/* The name was taken between our looks at it: by an earlier try of ours whose answer was
 * lost, by somebody who publishes the same image, or by another one. */
static int find_rival(struct publishing *it, struct ec2_image *image, struct diag *why)
{
	int rc = EC2_NONE;
	for (unsigned i = 0; i < LATE_LOOKS && rc == EC2_NONE && !aws_interrupted; i++) {
		rc = find_own(it, it->region, image, why);
		if (rc == EC2_NONE)
			service_pause_ms(250u << (i < 4 ? i : 4));
	}
	return rc == EC2_NONE ? diag_set(why,
					 "%s: the name is taken in %s, by an image "
					 "that is not to be seen",
					 it->publish->name, it->region)
			      : rc;
}

static int register_image(struct publishing *it, struct ec2_image *image,
			  struct diag *why)
{
	const struct publish *publish = it->publish;
	*image = (struct ec2_image){0};
	snprintf(image->snapshot, sizeof(image->snapshot), "%s", it->journal.snapshot);
	int rc = ec2_register_image(&it->aws, it->region, publish->name, &publish->as,
				    image->snapshot, image->id, why);
	if (rc == EC2_TAKEN) {
		rc = find_rival(it, image, why);
		if (!rc && strcmp(image->snapshot, it->journal.snapshot) != 0)
			snapshot_discard(it, why);
	}
	return rc;
}

/* All of ours and the caller's, on an image and its snapshot. */
static int tag_image(struct publishing *it, const char *region,
		     const struct ec2_image *image, struct diag *why)
{
	const char *ids[] = {image->id, image->snapshot};
	return ec2_tag(&it->aws, region, ids, image->snapshot[0] ? 2 : 1, it->tags,
		       it->tag_count, why);
}

static int wait_available(struct publishing *it, const char *region,
			  struct ec2_image *image, struct diag *why)
{
	struct waiting waiting = {0};
	const char *id = image->id;
	for (;;) {
		struct ec2_image seen; /* what cannot be seen keeps its id */
		int rc = ec2_describe_image(&it->aws, region, id, true, &seen, why);
		if (rc)
			return rc < 0 ? rc
				      : diag_set(why, "%s in %s: does not appear", id,
						 region);
		*image = seen;
		if (strcmp(image->state, "available") == 0)
			return 0;
		if (strcmp(image->state, "pending") != 0) {
			/* It keeps the name, and so would be found again. */
			diag_hint(why,
				  "aws ec2 deregister-image --region %s --image-id %s, "
				  "aws ec2 delete-snapshot --region %s --snapshot-id %s, "
				  "then the same command begins again",
				  region, id, region, image->snapshot);
			return diag_set(why, "%s in %s: %s: %s", id, region, image->state,
					image->message);
		}
		if (wait_more(&waiting, id, why))
			return -1;
	}
}

static void note(struct publish *publish, const char *region,
		 const struct ec2_image *image)
{
	struct published *made = &publish->made[publish->made_count++];
	snprintf(made->region, sizeof(made->region), "%s", region);
	snprintf(made->ami, sizeof(made->ami), "%s", image->id);
	snprintf(made->snapshot, sizeof(made->snapshot), "%s", image->snapshot);
}

/* From registered to usable: available, tagged, shared. */
static int finish_image(struct publishing *it, const char *region,
			struct ec2_image *image, struct diag *why)
{
	const struct publish *publish = it->publish;
	if (wait_available(it, region, image, why) || tag_image(it, region, image, why))
		return -1;
	return publish->share_count ? ec2_share(&it->aws, region, image, publish->share,
						publish->share_count, why)
				    : 0;
}

/* A multi-Region key has the same name everywhere, but for the region in it. */
static const char *key_in_region(const char *key, const char *region, char *room,
				 size_t size)
{
	const char *from = key ? strstr(key, ":kms:") : NULL;
	const char *rest = from ? strchr(from + 5, ':') : NULL;
	if (!rest)
		return NULL;
	snprintf(room, size, "%.*s%s%s", (int)(from + 5 - key), key, region, rest);
	return room;
}

/* Begins a copy, unless it is there. */
static int begin_copy(struct publishing *it, const char *region, const char *source,
		      struct ec2_image *image, struct diag *why)
{
	const struct publish *publish = it->publish;
	uint8_t random[SHA256_BYTES];
	char token[HEX_ROOM], key[512];
	int rc = find_own(it, region, image, why);
	if (rc != EC2_NONE)
		return rc;
	if (RAND_bytes(random, sizeof(random)) != 1)
		return diag_set(why, "no random numbers");
	/* New for each run: the token of a copy that was deregistered since would give
	 * that one back. */
	const struct ec2_copy copy = {
		.region = region,
		.from_region = it->region,
		.image = source,
		.name = publish->name,
		.description = publish->as.description,
		.client_token = digest_hex(random, token),
		.encrypted = publish->encrypted,
		.kms_key = key_in_region(publish->kms_key, region, key, sizeof(key))};
	return ec2_copy_image(&it->aws, &copy, image->id, why);
}

/* All copies are begun first: AWS makes them beside each other. */
static int copy_image(struct publishing *it, const char *source, struct diag *why)
{
	struct publish *publish = it->publish;
	struct ec2_image *images = calloc(publish->copy_count + 1, sizeof(*images));
	int rc = images ? 0 : diag_set(why, "out of memory");
	size_t begun = 0;
	for (; !rc && begun < publish->copy_count; begun += !rc)
		rc = begin_copy(it, publish->copy_to[begun], source, &images[begun], why);
	for (size_t i = 0; i < begun; i++) {
		const char *region = publish->copy_to[i];
		if (!rc)
			rc = finish_image(it, region, &images[i], why);
		note(publish, region, &images[i]);
	}
	free(images);
	return rc;
}

/* What an error leaves behind is named in its message. */
static void name_what_is_made(const struct publish *publish, struct diag *why)
{
	for (size_t i = 0; i < publish->made_count; i++)
		diag_add(why, "%s%s in %s", i ? ", " : "; there is ",
			 publish->made[i].ami, publish->made[i].region);
	if (publish->made_count)
		diag_hint(why, "the same command goes on from there");
}

static int make_image(struct publishing *it, struct ec2_image *image, struct diag *why)
{
	int rc = snapshot_make(it, why);
	if (!rc)
		rc = register_image(it, image, why);
	if (!rc)
		journal_remove(&it->journal);
	else
		snapshot_after_failure(it, why);
	return rc;
}

static int publish_all(struct publishing *it, struct diag *why)
{
	struct publish *publish = it->publish;
	struct ec2_image image;
	int rc = find_own(it, it->region, &image, why);
	publish->was_there = !rc;
	if (rc == EC2_NONE)
		rc = make_image(it, &image, why);
	if (rc)
		return -1;
	rc = finish_image(it, it->region, &image, why);
	note(publish, it->region, &image);
	if (!rc)
		rc = copy_image(it, image.id, why);
	if (rc)
		name_what_is_made(publish, why);
	return rc;
}

int publish_image(struct publish *publish, struct diag *why)
{
	struct publishing *it = calloc(1, sizeof(*it));
	if (!it)
		return diag_set(why, "out of memory");
	it->publish = publish;
	it->journal.fd = -1;
	int rc = blocks_plan(&it->blocks, publish->disk, publish->disk_size, why);
	if (!rc) {
		digest_hex(it->blocks.digest, publish->digest);
		publish->block_count = it->blocks.count;
		rc = aws_open(&it->aws, publish->profile, publish->region,
			      publish->endpoint, why);
	}
	if (!rc) {
		it->region = it->aws.places.region;
		it->aws.show = publish->show;
		publishing_set_tags(it);
		rc = publish_all(it, why);
	}
	publish->sent_now = it->upload.sent_now;
	journal_close(&it->journal);
	blocks_free(&it->blocks);
	aws_close(&it->aws);
	free(it->journal_path);
	free(it);
	return rc;
}
