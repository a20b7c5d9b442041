/* ami.c: a disk for an EBS snapshot, and beside it what `aws ec2 register-image
 * --cli-input-json` wants to know of it; the snapshot's id is all that is missing. */
#include <inttypes.h>
#include <stdio.h>

#include "imgfmt/format.h"

#define GIB ((uint64_t)1 << 30)

int ami_write(struct file_plan *file, const struct image_plan *plan, struct diag *why)
{
	uint64_t gib = (plan->disk->size + GIB - 1) / GIB;
	/* Names have 3 to 128 letters, digits and ()[] ./-'@_ : the digest makes them
	 * unique. */
	char name[64];
	size_t used = 0;
	for (const char *c = plan->name; *c && used < 40; c++)
		name[used++] =
			(char)((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
					       (*c >= '0' && *c <= '9')
				       ? *c
				       : '-');
	snprintf(name + used, sizeof(name) - used, "-%02x%02x%02x%02x%02x%02x",
		 plan->identity[0], plan->identity[1], plan->identity[2],
		 plan->identity[3], plan->identity[4], plan->identity[5]);
	if (asprintf(&file->beside,
		     "{\n"
		     "  \"Name\": \"%s\",\n"
		     "  \"Description\": \"elfpack image\",\n"
		     "  \"Architecture\": \"x86_64\",\n"
		     "  \"VirtualizationType\": \"hvm\",\n"
		     "  \"BootMode\": \"%s\",\n"
		     "  \"EnaSupport\": true,\n"
		     "  \"ImdsSupport\": \"v2.0\",\n"
		     "  \"RootDeviceName\": \"/dev/xvda\",\n"
		     "  \"BlockDeviceMappings\": [\n"
		     "    {\n"
		     "      \"DeviceName\": \"/dev/xvda\",\n"
		     "      \"Ebs\": {\"VolumeSize\": %" PRIu64
		     ", \"VolumeType\": \"gp3\","
		     " \"DeleteOnTermination\": true}\n"
		     "    }\n"
		     "  ]\n"
		     "}\n",
		     name, plan->system_size ? "uefi-preferred" : "legacy-bios",
		     gib) < 0) {
		file->beside = NULL;
		return diag_set(why, "out of memory");
	}
	return file_plan_append_all(file, plan->disk, 1, why);
}
