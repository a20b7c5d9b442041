/* main.c: the UEFI loader: the bundle from disk, or from our own file, to memory; the
 * kernel out of it; go.
 *
 * Nothing is said unless something is wrong: then the firmware goes on with what it would
 * start next. The kernel checks the sections that we do not need. */
#include "imgfmt/abi/uefi.h"
#include "imgfmt/bundle_read.h"
#include "shim/lib/string.h"

#include "loader/uefi/pe.h"
#include "loader/uefi/uefi.h"

efi_status efi_main(efi_handle handle, struct efi_system_table *system);

struct efi_system_table *firmware;
efi_handle own_handle;
const struct efi_loaded_image *own_image;

/* volatile: the image writer fills it in after the compiler. */
static const volatile struct uefi_binding binding
	__attribute__((aligned(16), used)) = {.magic = UEFI_BINDING_MAGIC};

/* What must outlive the firmware, in pages below 4 GiB that nothing else uses. */
struct handover_block {
	uint8_t tables[TABLES_BYTES];
	struct bootinfo info;
	struct handover_pieces pieces;
	uint8_t code[256];
};

void *protocol_of(efi_handle handle, const struct efi_guid *protocol)
{
	void *interface = NULL;
	return firmware->boot->handle_protocol(handle, protocol, &interface) ? NULL
									     : interface;
}

static uint64_t tsc_read(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static bool five_levels(void)
{
	uint64_t cr4;
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	return cr4 >> 12 & 1; /* LA57 */
}

static const void *find_table(const struct efi_guid *guid)
{
	for (uint64_t i = 0; i < firmware->table_count; i++)
		if (memcmp(&firmware->tables[i].guid, guid, sizeof(*guid)) == 0)
			return firmware->tables[i].table;
	return NULL;
}

static uint64_t find_rsdp(void)
{
	static const struct efi_guid acpi20 = EFI_ACPI_20_TABLE,
				     acpi10 = EFI_ACPI_10_TABLE;
	const void *found = find_table(&acpi20);
	return (uint64_t)(found ? found : find_table(&acpi10));
}

/* From the partition of our bundle into pages; NULL: said why. */
static const uint8_t *read_bundle(uint64_t *size)
{
	struct bundle_place place;
	uint8_t digest[32];
	for (unsigned i = 0; i < sizeof(digest); i++)
		digest[i] = binding.header_sha256[i];
	if (!disk_find_bundle(&place, digest))
		return NULL;
	uint8_t *bytes = memory_pages(place.size, true);
	if (!bytes) {
		fail("the bundle of %u KiB does not fit in memory",
		     (uint32_t)(place.size >> 10));
		return NULL;
	}
	*size = place.size;
	return disk_read(&place, place.size, bytes) ? bytes : NULL;
}

static bool load_bundle(struct bundle_view *view, const uint8_t **bundle)
{
	uint64_t size;
	const char *why;
	*bundle =
		pe_section(own_image->base, own_image->size, UEFI_BUNDLE_SECTION, &size);
	if (!*bundle)
		*bundle = read_bundle(&size);
	if (!*bundle)
		return false;
	if (bundle_open(view, *bundle, size, &why))
		return fail("bundle: %s", why);
	return true;
}

/* Finds out what goes where; moves nothing yet. */
static bool plan_kernel(struct handover_pieces *pieces, struct kernel_plan *plan,
			const struct bundle_view *view, const uint8_t *bundle)
{
	const struct bundle_part *shim = &view->part[BUNDLE_SHIM];
	const char *name = bundle_kind_name(BUNDLE_SHIM), *why;
	uint64_t start = (uint64_t)bundle, end = start + view->size;
	if (!bundle_part_intact(shim))
		return fail("section %s is damaged: SHA-256 mismatch", name);
	if (!kernel_plan_make(plan, shim->bytes, (uint32_t)shim->size, &why))
		return fail("section %s %s", name, why);
	if (!plan->entry64)
		return fail("section %s has no 64-bit entry", name);
	for (uint32_t i = 0; i < plan->segment_count; i++) {
		const struct kernel_segment *s = &plan->segment[i];
		if (s->base < end && (uint64_t)s->base + s->memory_size > start)
			return fail("the bundle lies in the kernel's memory at %x",
				    s->base);
		pieces->piece[i] = (struct handover_piece){
			s->base, (uint64_t)shim->bytes + s->offset, s->file_size,
			s->memory_size - s->file_size};
	}
	pieces->piece[plan->segment_count] =
		(struct handover_piece){.from = plan->entry64};
	return true;
}

static bool start_kernel(uint64_t entry_tsc)
{
	struct bundle_view view;
	struct kernel_plan plan;
	const uint8_t *bundle;
	if (!memory_hold_kernel_range())
		return false;
	struct handover_block *block = memory_pages(sizeof(*block), false);
	if (!block)
		return fail("no memory below 4 GiB");
	if (!load_bundle(&view, &bundle) ||
	    !plan_kernel(&block->pieces, &plan, &view, bundle))
		return false;
	const struct mapped_range ranges[] = {{(uint64_t)handover, EFI_PAGE},
					      {(uint64_t)bundle, view.size}};
	uint64_t tables = tables_make(block->tables, ranges, 2, five_levels());
	if (!tables)
		return fail("the bundle of %u KiB is too large",
			    (uint32_t)(view.size >> 10));
	memcpy(block->code, handover_code, (size_t)(handover_code_end - handover_code));
	block->info = (struct bootinfo){
		.magic = le32_make(BOOTINFO_MAGIC),
		.firmware = le32_make(BOOT_UEFI),
		.bundle_phys = le64_make((uint64_t)bundle),
		.bundle_size = le64_make(view.size),
		.rsdp_phys = le64_make(find_rsdp()),
		.entry_tsc = le64_make(entry_tsc),
	};
	if (!memory_take_over(&block->info, &plan))
		return false;
	handover(tables, block->code, &block->pieces, &block->info);
}

efi_status efi_main(efi_handle handle, struct efi_system_table *system)
{
	static const struct efi_guid loaded_image = EFI_LOADED_IMAGE;
	uint64_t entry_tsc = tsc_read();
	firmware = system;
	own_handle = handle;
	own_image = protocol_of(handle, &loaded_image);
	firmware->boot->set_watchdog_timer(0, 0, 0, NULL); /* a slow disk is no hang */
	if (own_image)
		start_kernel(entry_tsc);
	memory_free_all();
	return EFI_LOAD_ERROR;
}
