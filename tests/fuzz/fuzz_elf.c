/* fuzz_elf.c: a program's bytes may be anything. What elf_plan accepts must be safe to
 * map: inside the file, inside the lower half, pages counted right. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/elf_plan.h"

#define ADDRESS_END 0x7ffffffff000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
	if (!holds)
		abort();
}

static void check_segment(const struct elf_plan *plan, const struct elf_segment *s,
			  size_t size)
{
	expect(s->file_size <= s->memory_size);
	expect(s->offset <= size && s->file_size <= size - s->offset);
	expect(s->memory_size <= ADDRESS_END &&
	       s->address <= ADDRESS_END - s->memory_size);
	expect(s->file_size == 0 || s->address % ELF_PAGE == s->offset % ELF_PAGE);
	expect(s->address >= plan->low && s->address + s->memory_size <= plan->high);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_plan plan;
	const char *why = NULL;
	/* A copy of the exact size, so that a read past the end is seen. */
	uint8_t *file = malloc(size ? size : 1);
	if (!file)
		return 0;
	if (size)
		memcpy(file, data, size);
	enum elf_refusal refusal = elf_plan_make(&plan, file, size, &why);
	expect(why != NULL);
	if (refusal == ELF_FINE) {
		expect(plan.segment_count >= 1 && plan.segment_count <= ELF_SEGMENTS_MAX);
		expect(plan.low % ELF_PAGE == 0 && plan.high % ELF_PAGE == 0);
		expect(plan.low < plan.high && plan.high <= ADDRESS_END);
		expect(plan.align >= ELF_PAGE && (plan.align & (plan.align - 1)) == 0);
		for (uint32_t i = 0; i < plan.segment_count; i++)
			check_segment(&plan, &plan.segment[i], size);
		if (plan.interp_size)
			expect(strnlen((const char *)file + plan.interp_at,
				       plan.interp_size) < plan.interp_size);
	}
	free(file);
	return 0;
}
