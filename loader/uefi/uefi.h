/* uefi.h: what the parts of the UEFI loader offer each other. 64-bit mode, the firmware's
 * page tables; physical addresses are pointers. */
#ifndef LOADER_UEFI_UEFI_H
#define LOADER_UEFI_UEFI_H

#include "imgfmt/abi/bootinfo.h"
#include "loader/kernel_elf.h"
#include "loader/uefi/firmware.h"

extern struct efi_system_table *firmware;
extern efi_handle own_handle;
extern const struct efi_loaded_image *own_image;

/* NULL: the handle has no such protocol. */
void *protocol_of(efi_handle handle, const struct efi_guid *protocol);

/* console.c: a message (message.h). Returns false, so that what fails can end with it. */
bool fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* disk.c: bytes of a drive, and the partition on one that holds the bundle of this
 * loader. */
struct bundle_place {
	struct efi_disk_io *disk;
	uint32_t media;
	uint64_t offset, size;
};
bool disk_find_bundle(struct bundle_place *place, const uint8_t header_sha256[32]);
bool disk_read(const struct bundle_place *place, uint64_t size, void *to);

/* memory.c */
/* Takes what is free of the kernel's addresses, before anything else can lie there. */
bool memory_hold_kernel_range(void);
/* Below 4 GiB, or anywhere when anywhere is set and nothing is free below; NULL: none. */
void *memory_pages(uint64_t bytes, bool anywhere);
void memory_free_all(void);
/* Fills info with the map and ends boot services: after it nothing may be called or said.
 * False: a segment of the plan does not lie in RAM, or the firmware does not let go. */
bool memory_take_over(struct bootinfo *info, const struct kernel_plan *plan);

/* tables.c: page tables that map the first 4 GiB and the given ranges one to one. */
#define TABLES_BYTES (24u * EFI_PAGE)
struct mapped_range {
	uint64_t base, size;
};
/* memory: TABLES_BYTES, page aligned, below 4 GiB. Returns what CR3 gets; 0: too many. */
uint64_t tables_make(void *memory, const struct mapped_range *ranges, unsigned count,
		     bool five_levels);

/* handover.S. handover loads the tables and goes on at copy, where handover_code..end has
 * been copied; that copies the pieces, then enters the kernel. */
struct handover_piece {
	uint64_t to, from, size, zeros;
};
struct handover_pieces {
	struct handover_piece
		piece[KERNEL_SEGMENTS_MAX + 1]; /* ends with to = 0, from = entry */
};
_Noreturn void handover(uint64_t tables, void *copy, const struct handover_pieces *pieces,
			const struct bootinfo *info);
extern const uint8_t handover_code[], handover_code_end[];

#endif
