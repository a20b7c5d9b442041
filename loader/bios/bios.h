/* bios.h: what the parts of stage 2 offer each other. 32-bit protected mode, no paging,
 * interrupts off; physical addresses are pointers. */
#ifndef LOADER_BIOS_BIOS_H
#define LOADER_BIOS_BIOS_H

#include <stdbool.h>
#include <stdint.h>

#include "imgfmt/abi/bootinfo.h"

/* A pointer to a physical address. The compiler must not see the number: it takes a small
 * one for a null pointer with an offset. */
static inline void *physical(uint32_t address)
{
	__asm__("" : "+r"(address));
	return (void *)address;
}

/* stage2.S. In pushal's order, because it is loaded and stored so. */
struct bios_registers {
	uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
	uint16_t es, ds, flags, padding;
};
_Static_assert(sizeof(struct bios_registers) == 40, "stage2.S knows it");
#define BIOS_CARRY 1u

void bios_call(uint8_t number, struct bios_registers *regs);
_Noreturn void kernel_enter(uint32_t entry, const struct bootinfo *info);
extern uint64_t stage2_entry_tsc;
extern uint8_t stage2_drive;

/* console.c: on the screen and on COM1. "%s", "%u" (uint32_t) and "%x" (uint32_t). */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* memory.c */
void memory_enable_a20(void);
/* The firmware's map, as it gave it. */
void memory_map_read(struct bootinfo *info);
/* The highest page-aligned place for size bytes in RAM between floor and 4 GiB; 0: none.
 */
uint32_t memory_place(const struct bootinfo *info, uint32_t size, uint32_t floor);
/* Is all of it RAM, and nothing else? */
bool memory_is_ram(const struct bootinfo *info, uint64_t base, uint64_t size);
/* ACPI 6.4 5.2.5.1; 0: none. */
uint32_t memory_find_rsdp(void);

/* disk.c: the drive we were booted from. */
void disk_open(uint8_t drive);
void disk_read(uint64_t offset, uint32_t size,
	       uint8_t *to); /* bytes; does not return on an error */
/* The PCI device that it hangs on, as pci.h has it; false: the BIOS does not say. */
bool disk_pci_place(uint32_t *where);

/* virtio_disk.c: size bytes, a bundle, from byte offset of that drive, which has the
 * block head there. False: it is none that we can drive, and left to the BIOS. */
bool virtio_disk_read(uint64_t offset, uint32_t size, uint8_t *to, const uint8_t *head);

#endif
