/* format.c: the table of image formats, and the ones that need no file of their own. */
#include <string.h>

#include "imgfmt/abi/bundle.h"
#include "imgfmt/abi/iso.h"
#include "imgfmt/format.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static bool bundle_probe(const uint8_t *bytes, size_t size)
{
	return size >= sizeof(BUNDLE_MAGIC) - 1 &&
	       memcmp(bytes, BUNDLE_MAGIC, sizeof(BUNDLE_MAGIC) - 1) == 0;
}

static int bundle_write_bare(struct file_plan *file, const struct image_plan *plan,
			     struct diag *why)
{
	return file_plan_append_all(file, plan->bundle, 1, why);
}

static int bundle_read(struct disk_view *view, const uint8_t *bytes, size_t size,
		       struct diag *why)
{
	(void)why;
	*view = (struct disk_view){.bytes = bytes, .size = size, .is_bundle = true};
	return 0;
}

static int raw_write(struct file_plan *file, const struct image_plan *plan,
		     struct diag *why)
{
	return file_plan_append_all(file, plan->disk, 1, why);
}

static int raw_read(struct disk_view *view, const uint8_t *bytes, size_t size,
		    struct diag *why)
{
	(void)why;
	*view = (struct disk_view){.bytes = bytes, .size = size};
	return 0;
}

const struct format formats[] = {
	{"raw", "img raw", "a disk's bytes, sparse", BUNDLE_BLOCK, 0, false, false, NULL,
	 raw_write, raw_read},
	{"qcow2", "qcow2", "QEMU's disk, version 3", BUNDLE_BLOCK, 0, false, false,
	 qcow2_probe, qcow2_write, qcow2_read},
	{"qcow2-compressed", "qcow2c", "the same with deflated clusters", BUNDLE_BLOCK, 0,
	 false, false, NULL, qcow2_write_compressed, qcow2_read},
	{"vhd", "vhd", "Azure and Hyper-V: a fixed disk of whole MiB", MIB, 0, false,
	 false, vhd_probe, vhd_write, vhd_read},
	{"vmdk", "vmdk", "VMware: a stream-optimized disk", MIB, 0, false, false,
	 vmdk_probe, vmdk_write, vmdk_read},
	{"ova", "ova", "VMware and VirtualBox: a machine with its disk", MIB, 0, false,
	 false, ova_probe, ova_write, ova_read},
	{"gce", "gce tar.gz tgz", "Google: disk.raw of whole GiB in a tar.gz", GIB, 0,
	 false, false, gce_probe, gce_write, gce_read},
	{"oci", "oci", "KubeVirt: a containerDisk as an OCI archive", BUNDLE_BLOCK, 0,
	 false, false, oci_probe, oci_write, oci_read},
	{"iso", "iso", "a CD to boot, and a disk: El Torito, BIOS and UEFI", BUNDLE_BLOCK,
	 ISO_ROOM, false, false, iso_probe, iso_write, raw_read},
	{"ami", "ami", "AWS: raw, and FILE.json to register it", BUNDLE_BLOCK, 0, true,
	 false, NULL, ami_write, raw_read},
	{"pvh", "pvh elf", "one ELF for qemu -kernel, Firecracker, cloud-hypervisor", 0,
	 0, false, false, pvh_probe, pvh_write, pvh_read},
	{"efi", "efi", "one UEFI program, to be signed: loader and bundle", 0, 0, false,
	 true, efi_probe, efi_write, efi_read},
	{"bundle", "bundle", "the bundle alone: an initrd for the kernel in it", 0, 0,
	 false, false, bundle_probe, bundle_write_bare, bundle_read},
};
const size_t format_count = sizeof(formats) / sizeof(formats[0]);

const struct format *format_by_name(const char *name)
{
	for (size_t i = 0; i < format_count; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

static bool has_suffix(const char *path, const char *suffix, size_t size)
{
	size_t length = strlen(path);
	return length > size + 1 && path[length - size - 1] == '.' &&
	       memcmp(path + length - size, suffix, size) == 0;
}

const struct format *format_by_suffix(const char *path)
{
	for (size_t i = 0; i < format_count; i++)
		for (const char *at = formats[i].suffixes; *at;) {
			size_t size = strcspn(at, " ");
			if (has_suffix(path, at, size))
				return &formats[i];
			at += size + (at[size] == ' ');
		}
	return NULL;
}

const struct format *format_of(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < format_count; i++)
		if (formats[i].probe && formats[i].probe(bytes, size))
			return &formats[i];
	return format_by_name("raw");
}
