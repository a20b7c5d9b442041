/* vhd.c: Microsoft's fixed disks ("Virtual Hard Disk Image Format Specification", 2006):
 * the disk as it is, then a footer of a sector. */
#include <inttypes.h>
#include <string.h>

#include "imgfmt/abi/be.h"
#include "imgfmt/format.h"

#define VHD_SECTOR      512u
#define VHD_EPOCH       946684800u /* 2000-01-01: what its times count from */
#define VHD_FIXED       2u
#define VHD_SECTORS_MAX (65535ull * 16 * 255)

struct vhd_footer {
	uint8_t cookie[8];
	be32 features, version;
	be64 header_at; /* all ones in a fixed disk */
	be32 created;
	uint8_t creator[4];
	be32 creator_version;
	uint8_t creator_host[4];
	be64 original_size, size;
	be16 cylinders;
	uint8_t heads, sectors_a_track;
	be32 type, checksum;
	uint8_t uuid[16], saved_state, reserved[427];
};
_Static_assert(sizeof(struct vhd_footer) == VHD_SECTOR, "VHD");

/* The ones' complement of the sum of all bytes but the checksum's. */
static uint32_t checksum(const struct vhd_footer *footer)
{
	struct vhd_footer copy = *footer;
	const uint8_t *bytes = (const uint8_t *)&copy;
	uint32_t sum = 0;
	copy.checksum = be32_make(0);
	for (size_t i = 0; i < sizeof(copy); i++)
		sum += bytes[i];
	return ~sum;
}

/* The specification's appendix, "CHS Calculation". */
static void set_geometry(struct vhd_footer *footer, uint64_t sectors)
{
	uint64_t track = 255, heads = 16;
	if (sectors > VHD_SECTORS_MAX)
		sectors = VHD_SECTORS_MAX;
	if (sectors < 65535ull * 16 * 63) {
		track = 17;
		heads = (sectors / track + 1023) / 1024;
		if (heads < 4)
			heads = 4;
		if (sectors / track >= heads * 1024 || heads > 16) {
			track = 31;
			heads = 16;
		}
		if (sectors / track >= heads * 1024)
			track = 63;
	}
	footer->cylinders = be16_make((uint16_t)(sectors / track / heads));
	footer->heads = (uint8_t)heads;
	footer->sectors_a_track = (uint8_t)track;
}

int vhd_write(struct file_plan *file, const struct image_plan *plan, struct diag *why)
{
	uint64_t size = plan->disk->size;
	uint64_t seconds = plan->seconds > VHD_EPOCH ? plan->seconds - VHD_EPOCH : 0;
	struct vhd_footer *footer = file_plan_alloc(file, sizeof(*footer), why);
	if (!footer)
		return -1;
	/* The creator is a claim about the size: of these, programs take the size field;
	 * of most others they believe the geometry, which is less. */
	*footer = (struct vhd_footer){.cookie = {'c', 'o', 'n', 'e', 'c', 't', 'i', 'x'},
				      .features = be32_make(2),
				      .version = be32_make(0x00010000),
				      .header_at = be64_make(UINT64_MAX),
				      .created = be32_make((uint32_t)seconds),
				      .creator = {'w', 'i', 'n', ' '},
				      .creator_version = be32_make(0x000a0000),
				      .creator_host = {'W', 'i', '2', 'k'},
				      .original_size = be64_make(size),
				      .size = be64_make(size),
				      .type = be32_make(VHD_FIXED)};
	set_geometry(footer, size / VHD_SECTOR);
	memcpy(footer->uuid, plan->identity, sizeof(footer->uuid));
	footer->checksum = be32_make(checksum(footer));
	return file_plan_append_all(file, plan->disk, VHD_SECTOR, why) ||
			       file_plan_append(file, footer, sizeof(*footer), 1, why)
		       ? -1
		       : 0;
}

bool vhd_probe(const uint8_t *bytes, size_t size)
{
	return size > VHD_SECTOR && memcmp(bytes + size - VHD_SECTOR, "conectix", 8) == 0;
}

int vhd_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why)
{
	struct vhd_footer footer;
	if (!vhd_probe(bytes, size))
		return diag_set(why, "no VHD footer at the end: the file is cut short");
	memcpy(&footer, bytes + size - sizeof(footer), sizeof(footer));
	if (be32_get(footer.checksum) != checksum(&footer))
		return diag_set(
			why, "the VHD footer is damaged: its checksum is %08x, not %08x",
			be32_get(footer.checksum), checksum(&footer));
	if (be32_get(footer.type) != VHD_FIXED)
		return diag_set(why, "a VHD of type %u, not a fixed one (%u)",
				be32_get(footer.type), VHD_FIXED);
	if (be64_get(footer.size) != size - sizeof(footer))
		return diag_set(why, "a VHD of %" PRIu64 " bytes in a file that has %zu",
				be64_get(footer.size), size - sizeof(footer));
	*view = (struct disk_view){.bytes = bytes, .size = size - sizeof(footer)};
	return 0;
}
