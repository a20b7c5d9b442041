/* test_elf_plan.c: reading programs. Expected values are those of the System V gABI, of
 * Linux' loader, and of the C library's own view of a running program (getauxval). */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "imgfmt/elf_plan.h"

#define FILE_SIZE 0x3000u
#define LOADS     2

/* A position-independent program of two segments: text of one page, data with .bss. */
struct program {
	Elf64_Ehdr header;
	Elf64_Phdr part[8];
	uint8_t rest[FILE_SIZE - sizeof(Elf64_Ehdr) - 8 * sizeof(Elf64_Phdr)];
};

static struct program program_make(void)
{
	struct program p = {
		.header =
			{
				.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
					    ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
				.e_type = ET_DYN,
				.e_machine = EM_X86_64,
				.e_version = EV_CURRENT,
				.e_entry = 0x1000,
				.e_phoff = offsetof(struct program, part),
				.e_ehsize = sizeof(Elf64_Ehdr),
				.e_phentsize = sizeof(Elf64_Phdr),
				.e_phnum = LOADS,
			},
		.part =
			{
				{.p_type = PT_LOAD,
				 .p_flags = PF_R | PF_X,
				 .p_filesz = 0x1800,
				 .p_memsz = 0x1800,
				 .p_align = 0x1000},
				{.p_type = PT_LOAD,
				 .p_flags = PF_R | PF_W,
				 .p_offset = 0x2010,
				 .p_vaddr = 0x3010,
				 .p_filesz = 0x100,
				 .p_memsz = 0x2000,
				 .p_align = 0x1000},
			},
	};
	return p;
}

static enum elf_refusal plan_of(const struct program *p, struct elf_plan *plan)
{
	const char *why;
	return elf_plan_make(plan, p, sizeof(*p), &why);
}

static void a_program_is_read_as_its_headers_say(void **state)
{
	struct program p = program_make();
	struct elf_plan plan;
	(void)state;
	assert_int_equal(plan_of(&p, &plan), ELF_FINE);
	assert_true(plan.position_independent);
	assert_int_equal(plan.entry, 0x1000);
	assert_int_equal(plan.headers_address, sizeof(Elf64_Ehdr));
	assert_int_equal(plan.header_count, LOADS);
	assert_int_equal(plan.header_size, 56);
	assert_int_equal(plan.low, 0);
	assert_int_equal(plan.high, 0x6000); /* 0x3010 + 0x2000, rounded up */
	assert_int_equal(plan.segment_count, 2);
	assert_true(plan.segment[0].execute && !plan.segment[0].write);
	assert_true(plan.segment[1].write && !plan.segment[1].execute);
	assert_int_equal(plan.segment[1].memory_size, 0x2000);
	assert_int_equal(plan.interp_size, 0);
}

static void a_stack_is_executable_only_where_pt_gnu_stack_says_so(void **state)
{
	struct program p = program_make();
	struct elf_plan plan;
	(void)state;
	assert_int_equal(plan_of(&p, &plan), ELF_FINE);
	assert_false(plan.executable_stack); /* Linux 5.8 on x86-64: none means no */
	p.part[2] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W | PF_X};
	p.header.e_phnum = 3;
	assert_int_equal(plan_of(&p, &plan), ELF_FINE);
	assert_true(plan.executable_stack);
}

static void the_largest_power_of_two_alignment_counts(void **state)
{
	struct program p = program_make();
	struct elf_plan plan;
	(void)state;
	p.part[0].p_align = 0x200000;
	p.part[1].p_align = 0x300000; /* no power of two: ignored, as by Linux */
	assert_int_equal(plan_of(&p, &plan), ELF_FINE);
	assert_int_equal(plan.align, 0x200000);
}

static void an_interpreter_is_found_with_its_nul(void **state)
{
	static const char name[] = "/lib64/ld-linux-x86-64.so.2";
	struct program p = program_make();
	struct elf_plan plan;
	(void)state;
	memcpy((uint8_t *)&p + 0x1200, name, sizeof(name));
	p.part[2] = (Elf64_Phdr){
		.p_type = PT_INTERP, .p_offset = 0x1200, .p_filesz = sizeof(name)};
	p.header.e_phnum = 3;
	assert_int_equal(plan_of(&p, &plan), ELF_FINE);
	assert_int_equal(plan.interp_at, 0x1200);
	assert_int_equal(plan.interp_size, sizeof(name));
	p.part[2].p_filesz = sizeof(name) - 1;
	assert_int_equal(plan_of(&p, &plan), ELF_MALFORMED);
	p.part[2].p_offset = FILE_SIZE;
	assert_int_equal(plan_of(&p, &plan), ELF_TRUNCATED);
}

static void anything_without_the_magic_is_not_elf(void **state)
{
	struct elf_plan plan;
	const char *why;
	(void)state;
	assert_int_equal(elf_plan_make(&plan, "#!/bin/sh\n", 10, &why), ELF_NOT_ELF);
	assert_int_equal(elf_plan_make(&plan, "", 0, &why), ELF_NOT_ELF);
	assert_int_equal(elf_plan_make(&plan, "\177ELF", 4, &why), ELF_TRUNCATED);
}

static void programs_of_other_machines_are_foreign(void **state)
{
	struct program p = program_make();
	struct elf_plan plan;
	(void)state;
	p.header.e_machine = EM_AARCH64;
	assert_int_equal(plan_of(&p, &plan), ELF_FOREIGN);
	p = program_make();
	p.header.e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(plan_of(&p, &plan), ELF_FOREIGN);
	p = program_make();
	p.header.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_int_equal(plan_of(&p, &plan), ELF_FOREIGN);
	p = program_make();
	p.header.e_type = ET_REL;
	assert_int_equal(plan_of(&p, &plan), ELF_FOREIGN);
}

static void a_file_cut_short_is_truncated(void **state)
{
	struct program p = program_make();
	struct elf_plan plan;
	const char *why;
	(void)state;
	for (size_t size = 4; size < 0x2110; size += 16)
		assert_int_equal(elf_plan_make(&plan, &p, size, &why), ELF_TRUNCATED);
	assert_int_equal(elf_plan_make(&plan, &p, 0x2110, &why), ELF_FINE);
}

static void segments_that_cannot_be_mapped_are_refused(void **state)
{
	struct program p = program_make();
	struct elf_plan plan;
	(void)state;
	p.part[1].p_memsz = 0x80; /* less than in the file */
	assert_int_equal(plan_of(&p, &plan), ELF_MALFORMED);
	p = program_make();
	p.part[1].p_vaddr += 8; /* gABI: congruent modulo the page size */
	assert_int_equal(plan_of(&p, &plan), ELF_MALFORMED);
	p = program_make();
	p.part[1].p_memsz = UINT64_MAX - 0x3000; /* wraps */
	assert_int_equal(plan_of(&p, &plan), ELF_MALFORMED);
	p = program_make();
	p.part[1].p_vaddr = 0x7ffffffff010; /* the last page of the lower half */
	assert_int_equal(plan_of(&p, &plan), ELF_MALFORMED);
	p = program_make();
	p.part[1].p_offset = UINT64_MAX - 0xfef;
	assert_int_equal(plan_of(&p, &plan), ELF_TRUNCATED);
}

static void a_program_needs_something_to_load_and_no_more_than_fits(void **state)
{
	struct program p = program_make();
	struct elf_plan plan;
	(void)state;
	p.header.e_phnum = 0;
	assert_int_equal(plan_of(&p, &plan), ELF_MALFORMED);
	p = program_make();
	p.part[0].p_type = p.part[1].p_type = PT_NOTE;
	assert_int_equal(plan_of(&p, &plan), ELF_MALFORMED);
	p = program_make();
	p.header.e_phnum = ELF_SEGMENTS_MAX + 1;
	for (unsigned i = 0; i <= ELF_SEGMENTS_MAX; i++) {
		Elf64_Phdr part = {.p_type = PT_LOAD, .p_filesz = 16, .p_memsz = 16};
		memcpy((uint8_t *)&p + sizeof(p.header) + i * sizeof(part), &part,
		       sizeof(part));
	}
	assert_int_equal(plan_of(&p, &plan), ELF_MALFORMED);
	p.header.e_phnum = ELF_SEGMENTS_MAX;
	assert_int_equal(plan_of(&p, &plan), ELF_FINE);
}

static void an_empty_segment_is_none(void **state)
{
	struct program p = program_make();
	struct elf_plan plan;
	(void)state;
	p.part[2] = (Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = 0x900000};
	p.header.e_phnum = 3;
	assert_int_equal(plan_of(&p, &plan), ELF_FINE);
	assert_int_equal(plan.segment_count, 2);
}

static bool read_in_pieces(const void *context, uint64_t offset, void *to, size_t size)
{
	memcpy(to, (const uint8_t *)context + offset, size);
	return true;
}

static void a_file_that_is_read_in_pieces_has_the_same_plan(void **state)
{
	struct program p = program_make();
	struct elf_plan whole, pieces;
	struct elf_source source = {read_in_pieces, &p, sizeof(p)};
	const char *why;
	(void)state;
	assert_int_equal(plan_of(&p, &whole), ELF_FINE);
	assert_int_equal(elf_plan_read(&pieces, &source, &why), ELF_FINE);
	assert_int_equal(pieces.segment_count, whole.segment_count);
	assert_int_equal(pieces.high, whole.high);
	assert_int_equal(pieces.headers_address, whole.headers_address);
}

/* Linux has just loaded this very program, and says where. */
static void linux_loads_this_test_as_its_plan_says(void **state)
{
	struct elf_plan plan;
	const char *why;
	struct stat st;
	(void)state;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	size_t size = (size_t)st.st_size;
	uint8_t *file = malloc(size);
	assert_non_null(file);
	for (size_t at = 0; at < size;) {
		ssize_t n = read(fd, file + at, size - at);
		assert_true(n > 0);
		at += (size_t)n;
	}
	close(fd);
	assert_int_equal(elf_plan_make(&plan, file, size, &why), ELF_FINE);
	assert_int_equal(plan.header_count, getauxval(AT_PHNUM));
	assert_int_equal(plan.header_size, getauxval(AT_PHENT));
	assert_int_equal(getauxval(AT_PHDR) - plan.headers_address,
			 getauxval(AT_ENTRY) - plan.entry); /* one bias */
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_is_read_as_its_headers_say),
		cmocka_unit_test(a_stack_is_executable_only_where_pt_gnu_stack_says_so),
		cmocka_unit_test(the_largest_power_of_two_alignment_counts),
		cmocka_unit_test(an_interpreter_is_found_with_its_nul),
		cmocka_unit_test(anything_without_the_magic_is_not_elf),
		cmocka_unit_test(programs_of_other_machines_are_foreign),
		cmocka_unit_test(a_file_cut_short_is_truncated),
		cmocka_unit_test(segments_that_cannot_be_mapped_are_refused),
		cmocka_unit_test(a_program_needs_something_to_load_and_no_more_than_fits),
		cmocka_unit_test(an_empty_segment_is_none),
		cmocka_unit_test(a_file_that_is_read_in_pieces_has_the_same_plan),
		cmocka_unit_test(linux_loads_this_test_as_its_plan_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
