/* disk.c: finding this loader's bundle. Every drive is looked at, because the firmware
 * may have read the loader from anywhere (El Torito, the network): which bundle it is,
 * its digest says and not its place. */
#include "imgfmt/abi/gpt.h"
#include "imgfmt/bundle_read.h"
#include "shim/lib/string.h"

#include "loader/uefi/uefi.h"

/* Large reads: each costs the firmware a round trip. Its drivers split them as they must.
 */
#define READ_BYTES (64ull << 20)

struct search {
	const uint8_t *header_sha256;
	unsigned drives;
	const char
		*why; /* what was wrong with the bundle seen last; NULL: none was seen */
	uint64_t sector; /* where it was */
};

static bool is_ours(struct search *search, struct bundle_place *place)
{
	static uint8_t block[BUNDLE_BLOCK];
	const struct bundle_header *header = (const void *)block;
	struct bundle_view view;
	search->sector = place->offset / GPT_SECTOR;
	search->why = "cannot be read";
	if (place->size < BUNDLE_BLOCK ||
	    place->disk->read(place->disk, place->media, place->offset, BUNDLE_BLOCK,
			      block))
		return false;
	if (bundle_open(&view, block, place->size, &search->why))
		return false;
	search->why = "belongs to another image than this loader";
	if (memcmp(header->sha256, search->header_sha256, sizeof(header->sha256)) != 0)
		return false;
	place->size = view.size;
	return true;
}

/* Is there a partition table that counts in blocks of unit bytes, with our bundle in it?
 */
static bool search_drive(struct search *search, struct bundle_place *place, uint32_t unit)
{
	static const uint8_t type[16] = BUNDLE_GPT_TYPE;
	static struct gpt_entry entries[GPT_ENTRIES];
	struct gpt_header header;
	struct efi_disk_io *disk = place->disk;
	if (disk->read(disk, place->media, unit, sizeof(header), &header) ||
	    memcmp(header.signature, GPT_SIGNATURE, sizeof(header.signature)) != 0 ||
	    le32_get(header.entry_size) != sizeof(entries[0]))
		return false;
	uint32_t count = le32_get(header.entry_count);
	if (count > GPT_ENTRIES)
		count = GPT_ENTRIES;
	if (disk->read(disk, place->media, le64_get(header.entries_lba) * unit,
		       count * sizeof(entries[0]), entries))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t first = le64_get(entries[i].first_lba);
		uint64_t last = le64_get(entries[i].last_lba);
		if (memcmp(entries[i].type, type, sizeof(type)) != 0 || last < first ||
		    last >> 48)
			continue;
		place->offset = first * unit;
		place->size = (last - first + 1) * unit;
		if (is_ours(search, place))
			return true;
	}
	return false;
}

static bool search_handle(struct search *search, struct bundle_place *place,
			  efi_handle handle)
{
	static const struct efi_guid block_io = EFI_BLOCK_IO, disk_io = EFI_DISK_IO;
	const struct efi_block_io *block = protocol_of(handle, &block_io);
	place->disk = protocol_of(handle, &disk_io);
	if (!block || !place->disk || !block->media->present || block->media->partition)
		return false;
	place->media = block->media->id;
	search->drives++;
	/* Tables count in 512 bytes also on drives that do not (an image written to a
	 * DVD). */
	if (search_drive(search, place, GPT_SECTOR))
		return true;
	return block->media->block_bytes != GPT_SECTOR &&
	       search_drive(search, place, block->media->block_bytes);
}

bool disk_find_bundle(struct bundle_place *place, const uint8_t header_sha256[32])
{
	static const struct efi_guid block_io = EFI_BLOCK_IO;
	struct search search = {.header_sha256 = header_sha256};
	efi_handle *handles;
	uint64_t count;
	bool found = false;
	if (firmware->boot->locate_handle_buffer(EFI_BY_PROTOCOL, &block_io, NULL, &count,
						 &handles))
		return fail("the firmware shows no drive");
	for (uint64_t i = 0; i < count && !found; i++)
		found = search_handle(&search, place, handles[i]);
	firmware->boot->free_pool(handles);
	if (found)
		return true;
	if (search.why)
		return fail("bundle at sector %u: %s", (uint32_t)search.sector,
			    search.why);
	return fail("no bundle on any of %u drives", (uint32_t)search.drives);
}

bool disk_read(const struct bundle_place *place, uint64_t size, void *to)
{
	for (uint64_t done = 0; done < size;) {
		uint64_t bytes = size - done < READ_BYTES ? size - done : READ_BYTES;
		efi_status status =
			place->disk->read(place->disk, place->media, place->offset + done,
					  bytes, (uint8_t *)to + done);
		if (status)
			return fail("disk read error %x at sector %u; is the image cut "
				    "short?",
				    (uint32_t)status,
				    (uint32_t)((place->offset + done) / GPT_SECTOR));
		done += bytes;
	}
	return true;
}
