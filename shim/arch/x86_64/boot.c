/* boot.c: from head.S to kmain: what the loader said, memory, traps, interrupts, time. */
#include "imgfmt/bundle_unpack.h"
#include "shim/arch/x86_64/acpi.h"
#include "shim/arch/x86_64/apic.h"
#include "shim/arch/x86_64/bootparams.h"
#include "shim/arch/x86_64/clock_setup.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/features.h"
#include "shim/arch/x86_64/kernel_map.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/arch/x86_64/relocate.h"
#include "shim/arch/x86_64/smp.h"
#include "shim/dev/cmdline.h"
#include "shim/dev/console.h"
#include "shim/kmain.h"
#include "shim/lib/print.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/proc/sched.h"

#define STATUS_CANNOT_START 125
#define EARLY_MAP_END       0x100000000ull
#define LOW_END             0x100000ull
/* The first usable page above the BIOS' own data: real-mode code to start other CPUs
 * with. */
#define TRAMPOLINE_MIN      0x1000ull

_Noreturn void boot_main(uint32_t argument);

extern uint8_t kernel_end[], early_start[], early_end[];
extern uint64_t boot_entry_tsc;
uint64_t boot_trampoline_phys; /* one page below 1 MiB, kept for SMP; 0: none */

static struct bootinfo bootinfo;
static struct memory_map ram, usable;

/* ACPI's way to power off is not known yet. A reset ends a machine that has no ACPI
 * (Firecracker's); any other would only bring us here again, for ever. */
static _Noreturn void give_up(void)
{
	if (le64_get(bootinfo.rsdp_phys))
		machine_stop(STATUS_CANNOT_START);
	machine_power_off(STATUS_CANNOT_START);
}

static _Noreturn void refuse(const char *what, const char *why)
{
	kprint("elfpack: %s: %s\n", what, why);
	give_up();
}

static void require_features(void)
{
	const char *lacking = cpu_lacks();
	if (!lacking)
		return;
	kprint("elfpack: this CPU lacks %s, which the kernel needs\n"
	       "hint: with QEMU give -cpu max or -cpu host\n",
	       lacking);
	give_up();
}

static void trampoline_keep(void)
{
	for (uint32_t i = 0; i < usable.count; i++) {
		uint64_t at = usable.range[i].start;
		if (at < TRAMPOLINE_MIN)
			at = TRAMPOLINE_MIN;
		if (at + PAGE_SIZE > usable.range[i].end || at + PAGE_SIZE > LOW_END)
			continue;
		boot_trampoline_phys = at;
		memory_map_remove(&usable, at, at + PAGE_SIZE);
		return;
	}
}

static struct packed_bundle packed;

/* A bundle that came deflated gets a plain one beside it: to all that comes it is as if
 * the loader had put that there. Only what the deflated section holds is left to kmain,
 * which has all CPUs. We run on head.S's tables, which map 4 GiB one to one. */
static void bundle_make_plain(void)
{
	static struct memory_map space;
	struct bundle_view view;
	const char *why;
	uint64_t at = le64_get(bootinfo.bundle_phys);
	uint64_t size = le64_get(bootinfo.bundle_size);
	if (at + size < at || at + size > EARLY_MAP_END ||
	    bundle_open(&view, (const void *)at, (size_t)size, &why) < 0 ||
	    !view.is_packed)
		return; /* kmain says what is wrong with it */
	uint64_t plain = bundle_unpacked_size(&view);
	if (!plain)
		refuse("rootfs", SECTION_CANNOT_UNPACK);
	space = ram;
	memory_map_remove(&space, 0, LOW_END);
	memory_map_remove(&space, kernel_phys(kernel_start), kernel_phys(kernel_end));
	memory_map_remove(&space, at, at + size);
	uint64_t to = memory_map_take(&space, PAGE_ROUND_UP(plain), PAGE_SIZE, 0,
				      EARLY_MAP_END);
	if (!to)
		refuse("boot", "not enough memory to decompress the image");
	bundle_unpack_rest((void *)to, &view, (const void *)at);
	packed = (struct packed_bundle){at, at + size};
	bootinfo.bundle_phys = le64_make(to);
	bootinfo.bundle_size = le64_make(plain);
}

static void memory_setup(void)
{
	memory_map_make(&ram, bootinfo.region, le32_get(bootinfo.region_count),
			DIRECT_MAP_SIZE);
	if (ram.count == 0)
		refuse("boot", "the loader gave no memory map");
	bundle_make_plain();
	uint64_t image = le64_get(bootinfo.bundle_phys);
	uint64_t image_end = image + le64_get(bootinfo.bundle_size);
	usable = ram;
	memory_map_remove(&usable, 0, PAGE_SIZE); /* physical 0 means none */
	memory_map_remove(&usable, kernel_phys(kernel_start), kernel_phys(kernel_end));
	if (image_end < image)
		refuse("boot", "the bundle's address wraps");
	if (image_end > image) {
		/* It is mapped with RAM: bytes of it elsewhere would be a fault later. */
		struct memory_map outside = {
			1, {{PAGE_ROUND_DOWN(image), PAGE_ROUND_UP(image_end)}}};
		for (uint32_t i = 0; i < ram.count; i++)
			memory_map_remove(&outside, ram.range[i].start, ram.range[i].end);
		if (outside.count)
			refuse("boot", "the bundle lies outside of memory");
		memory_map_remove(&usable, image, image_end);
	}
	memory_map_remove(&usable, packed.start, packed.end);
	trampoline_keep();

	uint64_t frames =
		kernel_map_build(&ram, &usable, PAGE_ROUND_DOWN(image), image_end);
	if (!frames)
		refuse("boot", "not enough memory for the kernel's page tables");
	page_init(frames);
	if (image_end > image)
		page_mark_image(PAGE_ROUND_DOWN(image), PAGE_ROUND_UP(image_end));
	for (uint32_t i = 0; i < usable.count; i++)
		page_give(usable.range[i].start, usable.range[i].end);
	page_give(kernel_phys(early_start), kernel_phys(early_end));
}

/* Where the kernel is from now on. */
static _Noreturn void boot_here(uint64_t known)
{
	console_early_init();
	if (!known)
		refuse("boot",
		       "started by an unknown loader (neither PVH nor elfpack's own)");
	if (le64_get(bootinfo.entry_tsc) == 0)
		bootinfo.entry_tsc = le64_make(boot_entry_tsc);

	cpu_features_read();
	require_features();
	cpu_setup(&boot_percpu, 0);
	kernel_lock();
	memory_setup();
	acpi_init(le64_get(bootinfo.rsdp_phys));
	interrupts_setup();
	clock_setup(le64_get(bootinfo.entry_tsc), boot_entry_tsc);
	random_init();
	sched_init();
	smp_prepare();
	kmain(&bootinfo, &packed);
}

_Noreturn void boot_main(uint32_t argument)
{
	bool known = bootparams_read(&bootinfo, cmdline_text(), CMDLINE_MAX, argument);
	cmdline_complete();
	if (cmdline_has("nokaslr"))
		boot_here(known);
	kernel_move(boot_here, known);
}
