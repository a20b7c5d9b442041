/* pe.h: PE32+ headers (Microsoft PE and COFF specification), as far as one finds and adds
 * sections. */
#ifndef ELFPACK_ABI_PE_H
#define ELFPACK_ABI_PE_H

#include "imgfmt/abi/le.h"

#define PE_OFFSET_AT  0x3c   /* of the DOS header: where "PE\0\0" lies, 32 bits */
#define PE_MAGIC      "PE\0" /* 4 bytes with its NUL */
#define PE_OPTIONAL64 0x20b

struct pe_header { /* at PE_OFFSET_AT's offset */
	uint8_t magic[4];
	le16 machine, section_count;
	le32 time, symbols, symbol_count;
	le16 optional_size, characteristics;
};
_Static_assert(sizeof(struct pe_header) == 24, "PE");

struct pe_optional { /* behind it; the data directories follow */
	le16 magic;
	uint8_t linker[2];
	le32 code_size, data_size, bss_size, entry, code_base;
	le64 image_base;
	le32 section_align, file_align;
	le16 versions[6];
	le32 win32_version, image_size, headers_size, checksum;
	le16 subsystem, dll_characteristics;
	le64 stack_heap[4];
	le32 loader_flags, directory_count;
};
_Static_assert(sizeof(struct pe_optional) == 112, "PE");

struct pe_section { /* after optional_size bytes of optional header and directories */
	uint8_t name[8];
	le32 memory_size, address, file_size, file_offset;
	le32 relocations, lines;
	le16 relocation_count, line_count;
	le32 characteristics;
};
_Static_assert(sizeof(struct pe_section) == 40, "PE");

#define PE_SECTION_DATA 0x40000040u /* initialized data, readable */

#endif
