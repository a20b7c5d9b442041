/* main.c: BIOS stage 2: the bundle from disk to memory, the kernel out of it, go.
 *
 * Nothing is said unless something is wrong: the kernel has the first word. The kernel
 * checks the sections that we do not need. */
#include "imgfmt/abi/bios.h"
#include "imgfmt/bundle_read.h"
#include "shim/lib/string.h"

#include "loader/bios/bios.h"
#include "loader/bios/layout.h"
#include "loader/kernel_elf.h"

#define SECTOR 512u

extern const struct bios_stage2_header stage2_header;
_Noreturn void stage2_main(void);

static struct bootinfo info; /* stays where it is: the kernel reads it there */
static uint8_t header_block[BUNDLE_BLOCK];

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid r = {.eax = leaf};
	__asm__("cpuid" : "+a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx));
	return r;
}

static bool cpu_has_long_mode(void)
{
	return cpuid(0x80000000u).eax >= 0x80000001u && cpuid(0x80000001u).edx & 1u << 29;
}

/* Lets bundle_part_intact use vector registers where the CPU has them. Returns what CR4
 * was: the BIOS gets it back. */
static uint32_t vectors_enable(void)
{
	const uint32_t xsave_and_avx = 1u << 26 | 1u << 28;
	const uint32_t osfxsr_osxmmexcpt_osxsave = 1u << 9 | 1u << 10 | 1u << 18;
	uint32_t cr0, cr4;
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	if ((cpuid(1).ecx & xsave_and_avx) != xsave_and_avx)
		return cr4;
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0"
			 :
			 : "r"((cr0 & ~0xcu) | 2)); /* EM and TS off, MP on */
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | osfxsr_osxmmexcpt_osxsave));
	__asm__ volatile("xsetbv" : : "a"(7), "d"(0), "c"(0)); /* x87, SSE, AVX */
	return cr4;
}

static bool shim_is_intact(const struct bundle_part *shim)
{
	uint32_t cr4 = vectors_enable();
	bool intact = bundle_part_intact(shim);
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
	return intact;
}

/* Reads the bundle to the end of memory; sets where and how large. */
static void load_bundle(struct bundle_view *view)
{
	const char *why;
	uint64_t lba = le64_get(stage2_header.bundle_lba);
	uint64_t sectors = le64_get(stage2_header.bundle_sectors);
	if (sectors < BUNDLE_BLOCK / SECTOR)
		fail("stage 2 was not told where the bundle is");
	if (sectors >= 0x100000000ull / SECTOR)
		fail("the bundle is too large for a BIOS boot: 4 GiB or more");
	disk_read(lba * SECTOR, BUNDLE_BLOCK, header_block);
	if (bundle_open(view, header_block, (uint32_t)sectors * SECTOR, &why) != 0)
		fail("bundle at sector %u: %s", (uint32_t)lba, why);

	uint32_t size = (uint32_t)view->size;
	uint32_t place = memory_place(&info, size, HIGH_MEMORY);
	if (!place)
		fail("the bundle of %u KiB does not fit in memory", size >> 10);
	uint8_t *bundle = (uint8_t *)place;
	if (!virtio_disk_read(lba * SECTOR, size, bundle, header_block)) {
		memcpy(bundle, header_block, BUNDLE_BLOCK);
		disk_read(lba * SECTOR + BUNDLE_BLOCK, size - BUNDLE_BLOCK,
			  bundle + BUNDLE_BLOCK);
	}
	if (bundle_open(view, bundle, size, &why) != 0)
		fail("bundle at sector %u: %s", (uint32_t)lba, why);
	info.bundle_phys = le64_make(place);
	info.bundle_size = le64_make(size);
}

/* Puts the shim section's segments in their places; returns its entry. */
static uint32_t load_kernel(const struct bundle_view *view)
{
	const struct bundle_part *shim = &view->part[BUNDLE_SHIM];
	uint64_t bundle = le64_get(info.bundle_phys);
	struct kernel_plan plan;
	const char *why;
	if (!shim_is_intact(shim))
		fail("section %s is damaged: SHA-256 mismatch",
		     bundle_kind_name(BUNDLE_SHIM));
	if (!kernel_plan_make(&plan, shim->bytes, (uint32_t)shim->size, &why))
		fail("section %s %s", bundle_kind_name(BUNDLE_SHIM), why);
	for (uint32_t i = 0; i < plan.segment_count; i++) {
		const struct kernel_segment *s = &plan.segment[i];
		uint64_t end = (uint64_t)s->base + s->memory_size;
		if (s->base < HIGH_MEMORY ||
		    !memory_is_ram(&info, s->base, s->memory_size) ||
		    (s->base < bundle + view->size && end > bundle))
			fail("the kernel and the bundle of %u KiB do not fit in memory "
			     "together",
			     (uint32_t)view->size >> 10);
		memcpy((uint8_t *)s->base, shim->bytes + s->offset, s->file_size);
		memset((uint8_t *)s->base + s->file_size, 0,
		       s->memory_size - s->file_size);
	}
	return plan.entry;
}

void stage2_main(void)
{
	struct bundle_view view;
	if (!cpu_has_long_mode())
		fail("this CPU has no 64-bit mode");
	memory_enable_a20();
	memory_map_read(&info);
	disk_open(stage2_drive);
	load_bundle(&view);
	uint32_t entry = load_kernel(&view);
	info.magic = le32_make(BOOTINFO_MAGIC);
	info.firmware = le32_make(BOOT_BIOS);
	info.rsdp_phys = le64_make(memory_find_rsdp());
	info.entry_tsc = le64_make(stage2_entry_tsc);
	kernel_enter(entry, &info);
}
