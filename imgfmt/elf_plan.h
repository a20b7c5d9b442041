/* elf_plan.h: what an ELF program asks of a loader, checked. Pure: `elfpack build`, exec
 * in the kernel, tests and a fuzzer read programs with the same code. The bytes may be
 * anything. ELF-64 (System V gABI 4.1), x86-64 psABI 1.0. */
#ifndef ELFPACK_ELF_PLAN_H
#define ELFPACK_ELF_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 32u
#define ELF_PAGE         4096ull

/* One PT_LOAD. Addresses are relative to the load bias. Overlapping pages of neighbours,
 * as some linkers make them, are legal; the later segment wins. */
struct elf_segment {
	uint64_t address, memory_size; /* bytes; address ≡ offset modulo ELF_PAGE */
	uint64_t offset, file_size;
	bool read, write, execute;
};

struct elf_plan {
	bool position_independent; /* ET_DYN */
	uint64_t entry;
	uint64_t headers_address; /* where the program headers are in memory, 0: not
				     mapped */
	uint16_t header_count, header_size;
	uint64_t low, high; /* pages spanned, [low, high) */
	uint64_t align;     /* the largest p_align, at least ELF_PAGE */
	uint64_t interp_at,
		interp_size; /* PT_INTERP's bytes in the file, NUL included; 0: none */
	bool executable_stack;
	uint32_t segment_count;
	struct elf_segment segment[ELF_SEGMENTS_MAX];
};

enum elf_refusal {
	ELF_FINE = 0,
	ELF_NOT_ELF,   /* no magic: a script, or anything */
	ELF_FOREIGN,   /* 32-bit, big-endian, another machine, or an object file */
	ELF_TRUNCATED, /* headers or segments reach past the end of the file */
	ELF_MALFORMED, /* *why says what */
};

/* Reads file[0..size): the whole file. *why: a static sentence part, "segment 2 wraps".
 */
enum elf_refusal elf_plan_make(struct elf_plan *plan, const void *file, size_t size,
			       const char **why);

/* The same for a file that is not in one piece. read fetches bytes that lie in [0, size);
 * false: they cannot be read. */
struct elf_source {
	bool (*read)(const void *context, uint64_t offset, void *to, size_t size);
	const void *context;
	uint64_t size;
};
enum elf_refusal elf_plan_read(struct elf_plan *plan, const struct elf_source *source,
			       const char **why);

#endif
