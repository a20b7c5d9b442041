/* memory.c: the firmware's pages, and its map once it has let go of them
 * (UEFI 2.10, 7.2). */
#include "loader/uefi/uefi.h"

#define KERNEL_RANGE_START 0x100000ull /* where kernels are linked: shim.ld */
#define KERNEL_RANGE_END   0x1000000ull
#define FOUR_GIB           (1ull << 32)
#define MAP_SLACK          (4 * EFI_PAGE) /* the map grows by allocating its own buffer */
#define EXIT_TRIES         8
#define HELD_MAX           64u

static struct {
	uint64_t at, pages;
} held[HELD_MAX];
static unsigned held_count;

static struct {
	uint8_t *bytes;
	uint64_t room, size, step, key;
} map;

static bool take(enum efi_allocate how, uint64_t pages, uint64_t *at)
{
	if (held_count == HELD_MAX ||
	    firmware->boot->allocate_pages(how, EFI_LOADER_DATA, pages, at))
		return false;
	held[held_count].at = *at;
	held[held_count++].pages = pages;
	return true;
}

void *memory_pages(uint64_t bytes, bool anywhere)
{
	uint64_t pages = (bytes + EFI_PAGE - 1) / EFI_PAGE, at = FOUR_GIB - 1;
	if (take(EFI_MAX_ADDRESS, pages, &at))
		return (void *)at;
	return anywhere && take(EFI_ANY_PAGES, pages, &at) ? (void *)at : NULL;
}

void memory_free_all(void)
{
	while (held_count) {
		held_count--;
		firmware->boot->free_pages(held[held_count].at, held[held_count].pages);
	}
}

static efi_status map_read(void)
{
	uint32_t version;
	map.size = map.room;
	return firmware->boot->get_memory_map(&map.size, map.bytes, &map.key, &map.step,
					      &version);
}

static const struct efi_memory_descriptor *map_row(uint64_t at)
{
	return at + sizeof(struct efi_memory_descriptor) <= map.size
		       ? (const void *)(map.bytes + at)
		       : NULL;
}

bool memory_hold_kernel_range(void)
{
	const struct efi_memory_descriptor *row;
	if (map_read() != EFI_BUFFER_TOO_SMALL)
		return fail("the firmware gives no memory map");
	uint64_t room = map.size + MAP_SLACK;
	map.bytes = memory_pages(room, true);
	map.room = map.bytes ? room : 0;
	if (map_read())
		return fail("the firmware gives no memory map");
	for (uint64_t at = 0; (row = map_row(at)); at += map.step) {
		uint64_t start = row->physical, end = start + row->pages * EFI_PAGE;
		if (start < KERNEL_RANGE_START)
			start = KERNEL_RANGE_START;
		if (end > KERNEL_RANGE_END)
			end = KERNEL_RANGE_END;
		/* What changed since the map was taken is not ours to hold. */
		if (row->type == EFI_CONVENTIONAL && start < end)
			take(EFI_ADDRESS, (end - start) / EFI_PAGE, &start);
	}
	return true;
}

/* RAM once boot services have ended: table 7.10. */
static bool is_ram(const struct efi_memory_descriptor *row)
{
	return row->attributes & EFI_MEMORY_WRITEBACK &&
	       ((row->type >= EFI_LOADER_CODE && row->type <= EFI_BOOT_SERVICES_DATA) ||
		row->type == EFI_CONVENTIONAL);
}

/* Only RAM is told, neighbours as one: what is not listed is not touched. When there are
 * too many pieces the smallest are left out. */
static void add_region(struct bootinfo *info, uint64_t base, uint64_t size)
{
	uint32_t count = le32_get(info->region_count), smallest = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct boot_region *r = &info->region[i];
		uint64_t bytes = le64_get(r->size);
		if (le64_get(r->base) + bytes == base) {
			r->size = le64_make(bytes + size);
			return;
		}
		if (bytes < le64_get(info->region[smallest].size))
			smallest = i;
	}
	if (count < BOOTINFO_REGIONS_MAX) {
		info->region_count = le32_make(count + 1);
		smallest = count;
	} else if (le64_get(info->region[smallest].size) >= size) {
		return;
	}
	info->region[smallest] = (struct boot_region){.base = le64_make(base),
						      .size = le64_make(size),
						      .type = le32_make(BOOT_RAM)};
}

static void map_convert(struct bootinfo *info)
{
	const struct efi_memory_descriptor *row;
	info->region_count = le32_make(0);
	for (uint64_t at = 0; (row = map_row(at)); at += map.step)
		if (is_ram(row))
			add_region(info, row->physical, row->pages * EFI_PAGE);
}

static bool in_ram(const struct bootinfo *info, uint64_t base, uint64_t size)
{
	for (uint32_t i = 0; i < le32_get(info->region_count); i++) {
		uint64_t from = le64_get(info->region[i].base);
		if (from <= base && from + le64_get(info->region[i].size) >= base + size)
			return true;
	}
	return false;
}

bool memory_take_over(struct bootinfo *info, const struct kernel_plan *plan)
{
	/* The key is stale when the firmware allocated since: nothing else is called in
	 * between, so once more is enough unless an event came. */
	for (int i = 0; i < EXIT_TRIES; i++) {
		if (map_read())
			return fail("the firmware gives no memory map");
		map_convert(info);
		for (uint32_t s = 0; i == 0 && s < plan->segment_count; s++)
			if (plan->segment[s].base < KERNEL_RANGE_START ||
			    !in_ram(info, plan->segment[s].base,
				    plan->segment[s].memory_size))
				return fail(
					"the firmware keeps the kernel's memory at %x",
					plan->segment[s].base);
		if (!firmware->boot->exit_boot_services(own_handle, map.key))
			return true;
	}
	return fail("the firmware does not end its boot services");
}
