/* kernel_tables.c: kernel_tables ELF > TABLES.S: what the kernel has to know of its own
 * link, as assembly: the names of its functions, for back traces (panic.c), and the
 * places that hold addresses, for when it moves (relocate.c). ELF was linked with
 * --emit-relocs.
 *
 *   .symbols     count, 0, rows of (address from kernel_start, byte of the name in the
 *                section), by address; names
 *   .relocations counts of 64-bit and 32-bit places that hold an address of the kernel,
 * and of 64-bit ones that hold one of an area of the upper half (address_map.h), 0; their
 * physical addresses, in this order
 *
 * Both sections stand behind all other read-only ones, so that they move nothing but
 * .data: places in it are given from data_start. */
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/arch/x86_64/address_map.h"

#define SYMBOLS_MAX 16384u
#define PLACES_MAX  65536u

enum place_kind { KERNEL_64, KERNEL_32, AREA_64, PLACE_KINDS };

struct function {
	uint64_t address;
	const char *name;
};

static struct {
	Elf *elf;
	Elf_Data *symbols;
	size_t symbol_count, strings;
	uint64_t kernel_start, data_start;
	struct function function[SYMBOLS_MAX];
	size_t function_count;
	uint64_t place[PLACE_KINDS][PLACES_MAX];
	size_t place_count[PLACE_KINDS];
} kernel;

static _Noreturn void give_up(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("kernel_tables: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static const char *symbol_name(const GElf_Sym *symbol)
{
	const char *name = elf_strptr(kernel.elf, kernel.strings, symbol->st_name);
	return name ? name : "";
}

static void open_elf(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	if (fd < 0 || elf_version(EV_CURRENT) == EV_NONE ||
	    !(kernel.elf = elf_begin(fd, ELF_C_READ, NULL)))
		give_up("%s: cannot be read", path);
	while ((section = elf_nextscn(kernel.elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
			continue;
		kernel.symbols = elf_getdata(section, NULL);
		kernel.symbol_count = header.sh_size / header.sh_entsize;
		kernel.strings = header.sh_link;
	}
	if (!kernel.symbols)
		give_up("%s: has no symbols", path);
}

static int by_address(const void *a, const void *b)
{
	const struct function *x = a, *y = b;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Is it in a section that is executed? */
static bool is_text(const GElf_Sym *symbol)
{
	Elf_Scn *section = elf_getscn(kernel.elf, symbol->st_shndx);
	GElf_Shdr header;
	return symbol->st_shndx < SHN_LORESERVE && section &&
	       gelf_getshdr(section, &header) && header.sh_flags & SHF_EXECINSTR;
}

static void read_symbols(void)
{
	for (size_t i = 0; i < kernel.symbol_count; i++) {
		GElf_Sym symbol;
		if (!gelf_getsym(kernel.symbols, (int)i, &symbol))
			give_up("a symbol cannot be read");
		const char *name = symbol_name(&symbol);
		if (strcmp(name, "kernel_start") == 0)
			kernel.kernel_start = symbol.st_value;
		if (strcmp(name, "data_start") == 0)
			kernel.data_start = symbol.st_value;
		if (!is_text(&symbol) || GELF_ST_TYPE(symbol.st_info) == STT_SECTION ||
		    !*name)
			continue;
		if (kernel.function_count == SYMBOLS_MAX)
			give_up("more than %u functions", SYMBOLS_MAX);
		kernel.function[kernel.function_count++] =
			(struct function){symbol.st_value, name};
	}
	qsort(kernel.function, kernel.function_count, sizeof(kernel.function[0]),
	      by_address);
}

static void add_place(enum place_kind kind, uint64_t at)
{
	if (kernel.place_count[kind] == PLACES_MAX)
		give_up("more than %u relocations", PLACES_MAX);
	kernel.place[kind][kernel.place_count[kind]++] = at;
}

/* x86-64 psABI, 4.4.1. Physical addresses (head.S) do not change: what matters is what a
 * place holds. */
static void read_relocation(const GElf_Rela *rela)
{
	GElf_Sym symbol;
	if (!gelf_getsym(kernel.symbols, (int)GELF_R_SYM(rela->r_info), &symbol))
		give_up("a relocation at %llx has no symbol",
			(unsigned long long)rela->r_offset);
	uint64_t value = symbol.st_value + (uint64_t)rela->r_addend;
	switch (GELF_R_TYPE(rela->r_info)) {
	case R_X86_64_64:
		if (value >= KERNEL_BASE)
			add_place(KERNEL_64, rela->r_offset);
		else if (value >= DIRECT_MAP_BASE)
			add_place(AREA_64, rela->r_offset);
		return;
	case R_X86_64_32S:
		if (value >= KERNEL_BASE)
			add_place(KERNEL_32, rela->r_offset);
		return;
	case R_X86_64_32:
		if (value > UINT32_MAX)
			break;
		return;
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		return;
	}
	give_up("%llx: a relocation of type %llu that cannot be moved",
		(unsigned long long)rela->r_offset,
		(unsigned long long)GELF_R_TYPE(rela->r_info));
}

/* Of sections that are loaded: debugging ones have relocations too. */
static void read_relocations(void)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header, target;
	while ((section = elf_nextscn(kernel.elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA ||
		    !gelf_getshdr(elf_getscn(kernel.elf, header.sh_info), &target) ||
		    !(target.sh_flags & SHF_ALLOC))
			continue;
		Elf_Data *data = elf_getdata(section, NULL);
		for (size_t i = 0; i < header.sh_size / header.sh_entsize; i++) {
			GElf_Rela rela;
			if (!gelf_getrela(data, (int)i, &rela))
				give_up("a relocation cannot be read");
			read_relocation(&rela);
		}
	}
}

static void print_symbols(void)
{
	const struct function *last = NULL;
	size_t count = 0;
	for (size_t i = 0; i < kernel.function_count; i++)
		count += !i ||
			 kernel.function[i].address != kernel.function[i - 1].address;
	printf("\t.section .symbols, \"a\"\n\t.balign 8\ntable:\t.long %zu, 0\n", count);
	for (size_t i = 0; i < kernel.function_count; last = &kernel.function[i++])
		if (!last || kernel.function[i].address != last->address)
			printf("\t.long 0x%llx, name%zu - table\n",
			       (unsigned long long)(kernel.function[i].address -
						    kernel.kernel_start),
			       i);
	last = NULL;
	for (size_t i = 0; i < kernel.function_count; last = &kernel.function[i++])
		if (!last || kernel.function[i].address != last->address)
			printf("name%zu: .asciz \"%s\"\n", i, kernel.function[i].name);
}

static void print_relocations(void)
{
	printf("\t.section .relocations, \"a\"\n\t.balign 8\n\t.long %zu, %zu, %zu, 0\n",
	       kernel.place_count[KERNEL_64], kernel.place_count[KERNEL_32],
	       kernel.place_count[AREA_64]);
	for (unsigned kind = 0; kind < PLACE_KINDS; kind++) {
		for (size_t i = 0; i < kernel.place_count[kind]; i++) {
			uint64_t at = kernel.place[kind][i];
			if (at < kernel.data_start)
				printf("\t.long 0x%llx\n",
				       (unsigned long long)(at - KERNEL_BASE));
			else
				printf("\t.long data_start + 0x%llx - 0x%llx\n",
				       (unsigned long long)(at - kernel.data_start),
				       (unsigned long long)KERNEL_BASE);
		}
	}
	printf("\t.section .note.GNU-stack, \"\", @progbits\n");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		give_up("which kernel?");
	open_elf(argv[1]);
	read_symbols();
	read_relocations();
	if (!kernel.kernel_start || !kernel.data_start)
		give_up("%s: is not linked by shim.ld", argv[1]);
	print_symbols();
	print_relocations();
	elf_end(kernel.elf);
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
