/* ami.c: a disk for an EBS snapshot, and beside it what `aws ec2 register-image
 * --cli-input-json` wants to know of it; the snapshot's id is all that is missing. */
#include <inttypes.h>
#include <stdio.h>

#include "imgfmt/ami.h"
#include "imgfmt/format.h"

#define GIB       ((uint64_t)1 << 30)
#define NAME_PART 40u /* of the program's name */

/* Names have 3 to 128 letters, digits and ()[] ./-'@_ . */
static void set_name(struct ami_registration *to, const char *program,
		     const uint8_t identity[SHA256_BYTES])
{
	size_t used = 0;
	for (const char *c = program; *c && used < NAME_PART; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			     (*c >= '0' && *c <= '9');
		to->name[used++] = (char)(plain ? *c : '-');
	}
	snprintf(to->name + used, sizeof(to->name) - used, "-%02x%02x%02x%02x%02x%02x",
		 identity[0], identity[1], identity[2], identity[3], identity[4],
		 identity[5]);
}

void ami_register_as(struct ami_registration *to, const char *program,
		     const uint8_t identity[SHA256_BYTES], uint64_t disk_size,
		     bool boots_uefi)
{
	*to = (struct ami_registration){.description = "elfpack image",
					.architecture = "x86_64",
					.virtualization_type = "hvm",
					.boot_mode = boots_uefi ? "uefi-preferred"
								: "legacy-bios",
					.imds_support = "v2.0",
					.root_device_name = "/dev/xvda",
					.volume_type = "gp3",
					.ena_support = true,
					.delete_on_termination = true,
					.volume_gib = (disk_size + GIB - 1) / GIB};
	set_name(to, program, identity);
}

static const char *boolean(bool value)
{
	return value ? "true" : "false";
}

int ami_write(struct file_plan *file, const struct image_plan *plan, struct diag *why)
{
	struct ami_registration as;
	ami_register_as(&as, plan->name, plan->identity, plan->disk->size,
			plan->system_size != 0);
	if (asprintf(&file->beside,
		     "{\n"
		     "  \"Name\": \"%s\",\n"
		     "  \"Description\": \"%s\",\n"
		     "  \"Architecture\": \"%s\",\n"
		     "  \"VirtualizationType\": \"%s\",\n"
		     "  \"BootMode\": \"%s\",\n"
		     "  \"EnaSupport\": %s,\n"
		     "  \"ImdsSupport\": \"%s\",\n"
		     "  \"RootDeviceName\": \"%s\",\n"
		     "  \"BlockDeviceMappings\": [\n"
		     "    {\n"
		     "      \"DeviceName\": \"%s\",\n"
		     "      \"Ebs\": {\"VolumeSize\": %" PRIu64
		     ", \"VolumeType\": \"%s\","
		     " \"DeleteOnTermination\": %s}\n"
		     "    }\n"
		     "  ]\n"
		     "}\n",
		     as.name, as.description, as.architecture, as.virtualization_type,
		     as.boot_mode, boolean(as.ena_support), as.imds_support,
		     as.root_device_name, as.root_device_name, as.volume_gib,
		     as.volume_type, boolean(as.delete_on_termination)) < 0) {
		file->beside = NULL;
		return diag_set(why, "out of memory");
	}
	return file_plan_append_all(file, plan->disk, 1, why);
}
