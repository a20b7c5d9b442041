/* ec2.h: EC2's half of a publication: images, their snapshots, who may use them. */
#ifndef ELFPACK_AWS_EC2_H
#define ELFPACK_AWS_EC2_H

#include "aws/ebs.h"
#include "aws/service.h"
#include "imgfmt/ami.h"

#define EC2_ID_ROOM    32u
#define EC2_DIGEST_TAG "elfpack:sha256" /* of the image, on its AMI and its snapshot */

/* Positive results; 0 is done, and with -1 *why says what went wrong. */
#define EC2_NONE  1 /* there is no such thing */
#define EC2_TAKEN 2 /* the name is another image's */

struct ec2_snapshot {
	char state[24], message[256], digest[2 * SHA256_BYTES + 1];
};

struct ec2_image {
	char id[EC2_ID_ROOM], snapshot[EC2_ID_ROOM], state[24], message[256],
		digest[2 * SHA256_BYTES + 1];
	bool encrypted;
};

/* young: made a moment ago, "does not exist" may pass. */
int ec2_describe_snapshot(struct aws *aws, const char *region, const char *id, bool young,
			  struct ec2_snapshot *snapshot, struct diag *why);
int ec2_delete_snapshot(struct aws *aws, const char *region, const char *id,
			struct diag *why);
/* The account's own image of a name. */
int ec2_find_image(struct aws *aws, const char *region, const char *name,
		   struct ec2_image *image, struct diag *why);
int ec2_describe_image(struct aws *aws, const char *region, const char *id, bool young,
		       struct ec2_image *image, struct diag *why);
int ec2_register_image(struct aws *aws, const char *region, const char *name,
		       const struct ami_registration *as, const char *snapshot,
		       char id[EC2_ID_ROOM], struct diag *why);

struct ec2_copy {
	const char *region, *from_region, *image, *name, *description, *client_token,
		*kms_key; /* or NULL */
	bool encrypted;
};

int ec2_copy_image(struct aws *aws, const struct ec2_copy *copy, char id[EC2_ID_ROOM],
		   struct diag *why);
int ec2_tag(struct aws *aws, const char *region, const char *const *ids, size_t id_count,
	    const struct tag *tags, size_t tag_count, struct diag *why);
/* Lets accounts start an image, and make volumes of its snapshot. */
int ec2_share(struct aws *aws, const char *region, const struct ec2_image *image,
	      const char *const *accounts, size_t account_count, struct diag *why);

#endif
