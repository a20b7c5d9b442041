/* bootparams.c: four loaders' words, made one struct bootinfo. */
#include "shim/arch/x86_64/bootparams.h"

#include "shim/lib/string.h"

#define PVH_MAGIC 0x336ec578u

struct pvh_start_info {
	le32 magic, version, flags, module_count;
	le64 modules_phys, cmdline_phys, rsdp_phys;
	le64 memory_phys; /* from version 1 on */
	le32 memory_count, reserved;
};
_Static_assert(sizeof(struct pvh_start_info) == 56, "PVH ABI");

struct pvh_module {
	le64 phys, size, cmdline_phys, reserved;
};

/* head.S: address and size of the bundle in a pvh image's own segments; else zeros. */
extern const le64 built_in_bundle[2];

/* Linux' boot_params, by offset. */
enum {
	LINUX_RSDP = 0x70,
	LINUX_EXT_RAMDISK = 0xc0,
	LINUX_EXT_RAMDISK_SIZE = 0xc4,
	LINUX_EXT_CMDLINE = 0xc8,
	LINUX_E820_COUNT = 0x1e8,
	LINUX_RAMDISK = 0x218,
	LINUX_RAMDISK_SIZE = 0x21c,
	LINUX_CMDLINE = 0x228,
	LINUX_E820 = 0x2d0,
	LINUX_E820_MAX = 128,
};

static const void *at_phys(uint64_t pa)
{
	return (const void *)pa; /* head.S maps 4 GiB one to one */
}

static bool reachable(uint64_t pa, uint64_t size)
{
	return pa && pa < 0x100000000ull && size <= 0x100000000ull - pa;
}

static void read_pvh(struct bootinfo *info, const struct pvh_start_info *pvh)
{
	uint64_t modules = le64_get(pvh->modules_phys), memory = 0;
	uint32_t count = 0;
	if (le32_get(pvh->version) >= 1) {
		memory = le64_get(pvh->memory_phys);
		count = le32_get(pvh->memory_count);
	}
	if (count > BOOTINFO_REGIONS_MAX)
		count = BOOTINFO_REGIONS_MAX;
	/* struct hvm_memmap_table_entry has struct boot_region's layout. */
	if (reachable(memory, count * sizeof(info->region[0])))
		memcpy(info->region, at_phys(memory), count * sizeof(info->region[0]));
	else
		count = 0;
	info->region_count = le32_make(count);
	info->firmware = le32_make(BOOT_PVH);
	info->rsdp_phys = pvh->rsdp_phys;
	info->cmdline_phys = pvh->cmdline_phys;
	if (le32_get(pvh->module_count) &&
	    reachable(modules, sizeof(struct pvh_module))) {
		const struct pvh_module *module = at_phys(modules);
		info->bundle_phys = module->phys;
		info->bundle_size = module->size;
	}
}

static uint64_t word(const uint8_t *params, unsigned low, unsigned high)
{
	le32 a, b;
	memcpy(&a, params + low, sizeof(a));
	memcpy(&b, params + high, sizeof(b));
	return (uint64_t)le32_get(b) << 32 | le32_get(a);
}

static void read_linux(struct bootinfo *info, const uint8_t *params)
{
	unsigned count = params[LINUX_E820_COUNT];
	if (count > LINUX_E820_MAX)
		count = LINUX_E820_MAX;
	for (unsigned i = 0; i < count; i++) /* base, size, type in 20 bytes */
		memcpy(&info->region[i], params + LINUX_E820 + 20 * i, 20);
	info->region_count = le32_make(count);
	info->firmware = le32_make(BOOT_PVH);
	info->rsdp_phys = le64_make(word(params, LINUX_RSDP, LINUX_RSDP + 4));
	info->cmdline_phys = le64_make(word(params, LINUX_CMDLINE, LINUX_EXT_CMDLINE));
	info->bundle_phys = le64_make(word(params, LINUX_RAMDISK, LINUX_EXT_RAMDISK));
	info->bundle_size =
		le64_make(word(params, LINUX_RAMDISK_SIZE, LINUX_EXT_RAMDISK_SIZE));
}

bool bootparams_read(struct bootinfo *info, char *cmdline, uint64_t room,
		     uint32_t argument)
{
	const uint8_t *at = at_phys(argument & ~1u);
	uint32_t magic = le32_get(*(const le32 *)(const void *)at);
	memset(info, 0, sizeof(*info));
	if (magic == BOOTINFO_MAGIC)
		memcpy(info, at, sizeof(*info));
	else if (argument & 1)
		read_linux(info, at);
	else if (magic == PVH_MAGIC)
		read_pvh(info, (const void *)at);
	else
		return false;
	info->magic = le32_make(BOOTINFO_MAGIC);
	if (!le64_get(info->bundle_size)) {
		info->bundle_phys = built_in_bundle[0];
		info->bundle_size = built_in_bundle[1];
	}
	if (le32_get(info->region_count) > BOOTINFO_REGIONS_MAX)
		info->region_count = le32_make(BOOTINFO_REGIONS_MAX);
	uint64_t text = le64_get(info->cmdline_phys);
	cmdline[0] = '\0';
	if (reachable(text, room))
		strlcpy(cmdline, at_phys(text), room);
	return true;
}
