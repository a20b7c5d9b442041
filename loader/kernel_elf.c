/* kernel_elf.c: reading the kernel's ELF headers, believing nothing. */
#include "shim/lib/string.h"

#include "imgfmt/abi/le.h"
#include "loader/kernel_elf.h"

enum {
	ELF_HEADER_BYTES = 64,
	PROGRAM_HEADER_BYTES = 56,
	PT_LOAD = 1,
	PT_NOTE = 4,
	EM_X86_64 = 62,
	XEN_ELFNOTE_PHYS32_ENTRY = 18,
};

struct elf_header {
	uint8_t ident[16];
	le16 type, machine;
	le32 version;
	le64 entry, program_headers, section_headers;
	le32 flags;
	le16 header_bytes, program_header_bytes, program_header_count;
	le16 section_header_bytes, section_header_count, section_names;
};
_Static_assert(sizeof(struct elf_header) == ELF_HEADER_BYTES, "ELF-64");

struct program_header {
	le32 type, flags;
	le64 offset, virtual_address, physical_address, file_size, memory_size, align;
};
_Static_assert(sizeof(struct program_header) == PROGRAM_HEADER_BYTES, "ELF-64");

/* The descriptor of the PVH entry note among the notes, 0: not there. */
static uint32_t find_entry(const uint8_t *notes, uint32_t size)
{
	while (size >= 12) {
		le32 words[3];
		memcpy(words, notes, sizeof(words));
		uint32_t name = le32_get(words[0]), descriptor = le32_get(words[1]);
		if (name > size || descriptor > size)
			return 0;
		uint32_t descriptor_at = 12 + ((name + 3) & ~3u);
		uint32_t next = descriptor_at + ((descriptor + 3) & ~3u);
		if (descriptor_at + descriptor > size)
			return 0;
		if (le32_get(words[2]) == XEN_ELFNOTE_PHYS32_ENTRY && name == 4 &&
		    memcmp(notes + 12, "Xen", 4) == 0 && descriptor >= 4) {
			le32 entry;
			memcpy(&entry, notes + descriptor_at, sizeof(entry));
			return le32_get(entry);
		}
		if (next >= size)
			return 0;
		notes += next;
		size -= next;
	}
	return 0;
}

static bool add_segment(struct kernel_plan *plan, const struct program_header *header)
{
	uint64_t base = le64_get(header->physical_address);
	uint64_t memory = le64_get(header->memory_size);
	if (memory == 0)
		return true;
	if (plan->segment_count == KERNEL_SEGMENTS_MAX || base >> 32 || memory >> 32 ||
	    (base + memory) >> 32 || le64_get(header->file_size) > memory)
		return false;
	plan->segment[plan->segment_count++] = (struct kernel_segment){
		.base = (uint32_t)base,
		.memory_size = (uint32_t)memory,
		.offset = (uint32_t)le64_get(header->offset),
		.file_size = (uint32_t)le64_get(header->file_size),
	};
	return true;
}

bool kernel_plan_make(struct kernel_plan *plan, const uint8_t *elf, uint32_t size,
		      const char **why)
{
	struct elf_header header;
	*plan = (struct kernel_plan){.entry = 0};
	*why = "is not an ELF program for x86-64";
	if (size < sizeof(header))
		return false;
	memcpy(&header, elf, sizeof(header));
	if (memcmp(header.ident,
		   "\x7f"
		   "ELF\2\1",
		   6) != 0 ||
	    le16_get(header.machine) != EM_X86_64 ||
	    le16_get(header.program_header_bytes) != PROGRAM_HEADER_BYTES)
		return false;
	if (!(le64_get(header.entry) >> 32))
		plan->entry64 = (uint32_t)le64_get(header.entry);
	*why = "has program headers or segments outside of it";
	uint64_t at = le64_get(header.program_headers);
	uint32_t count = le16_get(header.program_header_count);
	if (at > size || count * PROGRAM_HEADER_BYTES > size - at)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct program_header h;
		memcpy(&h, elf + (uint32_t)at + i * PROGRAM_HEADER_BYTES, sizeof(h));
		uint32_t type = le32_get(h.type);
		if (type != PT_LOAD && type != PT_NOTE)
			continue;
		uint64_t offset = le64_get(h.offset), bytes = le64_get(h.file_size);
		if (offset > size || bytes > size - offset)
			return false;
		if (type == PT_LOAD && !add_segment(plan, &h))
			return false;
		if (type == PT_NOTE && !plan->entry)
			plan->entry = find_entry(elf + (uint32_t)offset, (uint32_t)bytes);
	}
	*why = "has no PVH entry note";
	return plan->entry != 0;
}
