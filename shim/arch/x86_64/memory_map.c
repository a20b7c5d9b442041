/* memory_map.c: firmware's memory maps, put in order (hardware: they come unsorted,
 * overlapping, with ends that wrap). */
#include "shim/arch/x86_64/memory_map.h"

#define PAGE 4096ull

static void remove_at(struct memory_map *map, uint32_t i)
{
	for (map->count--; i < map->count; i++)
		map->range[i] = map->range[i + 1];
}

static bool insert_at(struct memory_map *map, uint32_t i, struct memory_range range)
{
	if (map->count == MEMORY_RANGES_MAX)
		return false;
	for (uint32_t k = map->count++; k > i; k--)
		map->range[k] = map->range[k - 1];
	map->range[i] = range;
	return true;
}

static void add(struct memory_map *map, uint64_t start, uint64_t end)
{
	uint32_t i = 0;
	while (i < map->count && map->range[i].end < start)
		i++;
	while (i < map->count && map->range[i].start <= end) {
		start = map->range[i].start < start ? map->range[i].start : start;
		end = map->range[i].end > end ? map->range[i].end : end;
		remove_at(map, i);
	}
	insert_at(map, i, (struct memory_range){start, end});
}

void memory_map_remove(struct memory_map *map, uint64_t start, uint64_t end)
{
	start &= ~(PAGE - 1);
	end = end > UINT64_MAX - PAGE ? UINT64_MAX : (end + PAGE - 1) & ~(PAGE - 1);
	for (uint32_t i = 0; i < map->count && start < end;) {
		struct memory_range *r = &map->range[i];
		if (r->end <= start || r->start >= end) {
			i++;
		} else if (r->start >= start && r->end <= end) {
			remove_at(map, i);
		} else if (r->start < start && r->end > end) {
			struct memory_range upper = {end, r->end};
			r->end = start; /* without room for the rest, that is given up */
			insert_at(map, i + 1, upper);
			return;
		} else if (r->start < start) {
			r->end = start;
			i++;
		} else {
			r->start = end;
			i++;
		}
	}
}

bool memory_map_covers(const struct memory_map *map, uint64_t start, uint64_t end)
{
	for (uint32_t i = 0; i < map->count; i++)
		if (map->range[i].start <= start && end <= map->range[i].end)
			return true;
	return false;
}

static uint64_t region_end(const struct boot_region *region)
{
	uint64_t base = le64_get(region->base), size = le64_get(region->size);
	return size > UINT64_MAX - base ? UINT64_MAX : base + size;
}

void memory_map_make(struct memory_map *map, const struct boot_region *region,
		     uint32_t count, uint64_t limit)
{
	map->count = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t start = le64_get(region[i].base), end = region_end(&region[i]);
		if (le32_get(region[i].type) != BOOT_RAM || start >= limit)
			continue;
		/* Not rounded yet: two ranges may meet inside a page. */
		add(map, start, end < limit ? end : limit);
	}
	for (uint32_t i = 0; i < map->count;) {
		struct memory_range *r = &map->range[i];
		r->start = (r->start + PAGE - 1) & ~(PAGE - 1);
		r->end &= ~(PAGE - 1);
		if (r->start < r->end)
			i++;
		else
			remove_at(map, i);
	}
	for (uint32_t i = 0; i < count; i++)
		if (le32_get(region[i].type) != BOOT_RAM && le64_get(region[i].size))
			memory_map_remove(map, le64_get(region[i].base),
					  region_end(&region[i]));
}

uint64_t memory_map_take(struct memory_map *map, uint64_t size, uint64_t align,
			 uint64_t phase, uint64_t limit)
{
	for (uint32_t i = map->count; i-- > 0;) {
		uint64_t start = map->range[i].start, end = map->range[i].end;
		end = end < limit ? end : limit;
		if (end <= start || end - start < size)
			continue;
		uint64_t at = end - size;
		uint64_t down = (at - phase) & (align - 1);
		if (at - start < down)
			continue;
		at -= down;
		if (at == 0)
			continue;
		memory_map_remove(map, at, at + size);
		return at;
	}
	return 0;
}
