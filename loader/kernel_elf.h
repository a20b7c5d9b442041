/* kernel_elf.h: what the shim section, a static ELF64, asks to be put where. Pure. */
#ifndef LOADER_KERNEL_ELF_H
#define LOADER_KERNEL_ELF_H

#include <stdbool.h>
#include <stdint.h>

struct kernel_segment {
	uint32_t base, memory_size;
	uint32_t offset, file_size;
};
#define KERNEL_SEGMENTS_MAX 8u
struct kernel_plan {
	uint32_t entry;   /* 32-bit, without paging: the PVH note's */
	uint32_t entry64; /* the ELF header's; 0: not below 4 GiB */
	uint32_t segment_count;
	struct kernel_segment segment[KERNEL_SEGMENTS_MAX];
};

/* False with *why a static string that goes on after "section shim". */
bool kernel_plan_make(struct kernel_plan *plan, const uint8_t *elf, uint32_t size,
		      const char **why);

#endif
