/* memory.c: the firmware's memory map (INT 15h E820), the A20 gate, a place for the
 * bundle, the ACPI root pointer. */
#include "shim/arch/x86_64/port.h"
#include "shim/lib/string.h"

#include "loader/bios/bios.h"
#include "loader/bios/layout.h"

#define E820_SIGNATURE 0x534d4150u /* SMAP */
#define PAGE           4096u
#define FOUR_GIB       0x100000000ull

/* At es:di with es 0, so in the image and not in .bss. */
static struct boot_region e820_entry __attribute__((section(".data")));

void memory_map_read(struct bootinfo *info)
{
	uint32_t count = 0, next = 0;
	do {
		e820_entry = (struct boot_region){.reserved = le32_make(1)};
		struct bios_registers regs = {.eax = 0xe820,
					      .ebx = next,
					      .ecx = 24,
					      .edx = E820_SIGNATURE,
					      .edi = (uint32_t)(uintptr_t)&e820_entry};
		bios_call(0x15, &regs);
		if (regs.flags & BIOS_CARRY || regs.eax != E820_SIGNATURE ||
		    regs.ecx < 20)
			break;
		next = regs.ebx;
		/* Of 24 bytes the last four are ACPI 3 attributes: bit 0 clear means
		 * ignore. */
		bool ignored = regs.ecx >= 24 && !(le32_get(e820_entry.reserved) & 1);
		if (ignored || le64_get(e820_entry.size) == 0)
			continue;
		e820_entry.reserved = le32_make(0);
		info->region[count++] = e820_entry;
	} while (next && count < BOOTINFO_REGIONS_MAX);
	if (count == 0)
		fail("the BIOS gives no memory map (INT 15h E820)");
	info->region_count = le32_make(count);
}

/* The lowest start of a region that is not RAM and overlaps [base, end); end: none. */
static uint64_t first_hole(const struct bootinfo *info, uint64_t base, uint64_t end)
{
	uint64_t lowest = end;
	for (uint32_t i = 0; i < le32_get(info->region_count); i++) {
		const struct boot_region *r = &info->region[i];
		uint64_t from = le64_get(r->base), to = from + le64_get(r->size);
		if (le32_get(r->type) != BOOT_RAM && from < end && to > base &&
		    from < lowest)
			lowest = from;
	}
	return lowest;
}

uint32_t memory_place(const struct bootinfo *info, uint32_t size, uint32_t floor)
{
	uint64_t best = 0;
	for (uint32_t i = 0; i < le32_get(info->region_count); i++) {
		const struct boot_region *r = &info->region[i];
		if (le32_get(r->type) != BOOT_RAM)
			continue;
		uint64_t low = le64_get(r->base), high = low + le64_get(r->size);
		if (low < floor)
			low = floor;
		if (high > FOUR_GIB)
			high = FOUR_GIB;
		while (high >= low + size) {
			uint64_t base = (high - size) & ~(uint64_t)(PAGE - 1);
			if (base < low)
				break;
			uint64_t hole = first_hole(info, base, base + size);
			if (hole == base + size) {
				if (base > best)
					best = base;
				break;
			}
			high = hole;
		}
	}
	return (uint32_t)best;
}

bool memory_is_ram(const struct bootinfo *info, uint64_t base, uint64_t size)
{
	if (first_hole(info, base, base + size) != base + size)
		return false;
	for (uint32_t i = 0; i < le32_get(info->region_count); i++) {
		const struct boot_region *r = &info->region[i];
		uint64_t from = le64_get(r->base), to = from + le64_get(r->size);
		if (le32_get(r->type) == BOOT_RAM && from <= base && to >= base + size)
			return true;
	}
	return false;
}

/* Do 1 MiB apart addresses differ? 0x500 belongs to nobody. */
static bool a20_is_on(void)
{
	volatile uint32_t *low = physical(0x500);
	volatile uint32_t *high = physical(0x500 + HIGH_MEMORY);
	uint32_t saved = *high;
	bool on = false;
	for (uint32_t i = 0; i < 1000 && !on; i++) { /* a slow gate gets its time */
		*low = i;
		*high = ~i;
		on = *low == i && *high == ~i;
	}
	*high = saved;
	return on;
}

static void keyboard_wait(void)
{
	for (int i = 0; i < 100000 && in8(0x64) & 2; i++)
		;
}

void memory_enable_a20(void)
{
	if (a20_is_on())
		return;
	struct bios_registers regs = {.eax = 0x2401};
	bios_call(0x15, &regs);
	if (a20_is_on())
		return;
	keyboard_wait();
	out8(0x64, 0xd1); /* write the output port */
	keyboard_wait();
	out8(0x60, 0xdf);
	keyboard_wait();
	if (a20_is_on())
		return;
	out8(0x92, (uint8_t)((in8(0x92) | 2) & ~1)); /* bit 0 would reset */
	if (!a20_is_on())
		fail("the A20 gate cannot be opened");
}

static uint32_t find_rsdp_in(uint32_t from, uint32_t to)
{
	for (uint32_t at = from; at + 20 <= to; at += 16) {
		const uint8_t *bytes = physical(at);
		if (memcmp(bytes, "RSD PTR ", 8) != 0)
			continue;
		uint8_t sum = 0;
		for (int i = 0; i < 20; i++)
			sum = (uint8_t)(sum + bytes[i]);
		if (sum == 0)
			return at;
	}
	return 0;
}

uint32_t memory_find_rsdp(void)
{
	uint32_t ebda = (uint32_t)(*(const uint16_t *)physical(0x40e)) << 4;
	uint32_t found = 0;
	if (ebda >= 0x80000 && ebda < 0xa0000)
		found = find_rsdp_in(ebda, ebda + 1024);
	return found ? found : find_rsdp_in(0xe0000, 0x100000);
}
