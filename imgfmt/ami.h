/* ami.h: what EC2 is to know of an image's disk: one source for the JSON beside an image
 * and for `elfpack publish aws`. */
#ifndef ELFPACK_AMI_H
#define ELFPACK_AMI_H

#include <stdbool.h>
#include <stdint.h>

#include "imgfmt/sha256.h"

/* Members of RegisterImage with those names. */
struct ami_registration {
	char name[64]; /* the program's, and a part of the digest: unique */
	const char *description, *architecture, *virtualization_type, *boot_mode,
		*imds_support, *root_device_name, *volume_type;
	bool ena_support, delete_on_termination;
	uint64_t volume_gib;
};

/* identity: the digest of the bundle's header; boots_uefi: is there a system partition?
 */
void ami_register_as(struct ami_registration *to, const char *program,
		     const uint8_t identity[SHA256_BYTES], uint64_t disk_size,
		     bool boots_uefi);

#endif
