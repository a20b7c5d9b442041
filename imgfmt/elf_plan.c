/* elf_plan.c: reading an ELF program's headers. Whatever is refused here never reaches
 * the code that maps; what passes has segments that lie in the file and in the lower
 * half. */
#include "imgfmt/elf_plan.h"

#include "imgfmt/abi/le.h"

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

/* gABI 4.1, figures 4-3 and 5-1: 64-bit, little-endian. */
struct elf_header {
	uint8_t magic[4], class, data, version, abi, padding[8];
	le16 type, machine;
	le32 version2;
	le64 entry, phoff, shoff;
	le32 flags;
	le16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "gABI");

struct program_header {
	le32 type, flags;
	le64 offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct program_header) == 56, "gABI");

enum { CLASS_64 = 2, DATA_LITTLE = 1, MACHINE_X86_64 = 62, TYPE_EXEC = 2, TYPE_DYN = 3 };
enum { PT_LOAD = 1, PT_INTERP = 3, PT_GNU_STACK = 0x6474e551 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };

/* psABI: the lower half, less the page that SYSRET cannot be trusted with. */
#define ADDRESS_END 0x7ffffffff000ull
#define PATH_MAX    4096u

struct reader {
	const struct elf_source *source;
	struct elf_plan *plan;
	const char *why;
	uint64_t headers_offset;
};

static enum elf_refusal refuse(struct reader *r, enum elf_refusal refusal,
			       const char *why)
{
	r->why = why;
	return refusal;
}

static bool in_file(const struct reader *r, uint64_t offset, uint64_t size)
{
	return offset <= r->source->size && size <= r->source->size - offset;
}

static enum elf_refusal read_load(struct reader *r, const struct program_header *header)
{
	struct elf_plan *plan = r->plan;
	uint32_t flags = le32_get(header->flags);
	struct elf_segment segment = {
		.address = le64_get(header->vaddr),
		.memory_size = le64_get(header->memsz),
		.offset = le64_get(header->offset),
		.file_size = le64_get(header->filesz),
		.read = flags & PF_R,
		.write = flags & PF_W,
		.execute = flags & PF_X,
	};
	uint64_t align = le64_get(header->align);
	if (segment.memory_size == 0 && segment.file_size == 0)
		return ELF_FINE;
	if (segment.file_size > segment.memory_size)
		return refuse(r, ELF_MALFORMED,
			      "a segment is larger in the file than in memory");
	if (!in_file(r, segment.offset, segment.file_size))
		return refuse(r, ELF_TRUNCATED,
			      "a segment reaches past the end of the file");
	if (segment.memory_size > ADDRESS_END ||
	    segment.address > ADDRESS_END - segment.memory_size)
		return refuse(r, ELF_MALFORMED,
			      "a segment lies outside of the address space");
	if (segment.file_size && (segment.address ^ segment.offset) % ELF_PAGE)
		return refuse(r, ELF_MALFORMED,
			      "a segment's address and offset differ within a page");
	if (plan->segment_count == ELF_SEGMENTS_MAX)
		return refuse(r, ELF_MALFORMED, "it has too many segments");
	plan->segment[plan->segment_count++] = segment;
	/* Rounding up cannot wrap: ADDRESS_END is a page's end. */
	uint64_t low = segment.address & ~(ELF_PAGE - 1);
	uint64_t high =
		(segment.address + segment.memory_size + ELF_PAGE - 1) & ~(ELF_PAGE - 1);
	if (low < plan->low)
		plan->low = low;
	if (high > plan->high)
		plan->high = high;
	if (align > plan->align && (align & (align - 1)) == 0)
		plan->align = align; /* as Linux: what is no power of two is ignored */
	if (r->headers_offset >= segment.offset &&
	    r->headers_offset - segment.offset < segment.file_size)
		plan->headers_address =
			segment.address + (r->headers_offset - segment.offset);
	return ELF_FINE;
}

static enum elf_refusal read_interp(struct reader *r, const struct program_header *header)
{
	struct elf_plan *plan = r->plan;
	uint64_t offset = le64_get(header->offset), size = le64_get(header->filesz);
	uint8_t last;
	if (plan->interp_size)
		return ELF_FINE; /* the first one counts */
	if (!in_file(r, offset, size))
		return refuse(r, ELF_TRUNCATED,
			      "the interpreter's name reaches past the end of the file");
	if (size < 2 || size > PATH_MAX || offset == 0)
		return refuse(r, ELF_MALFORMED,
			      "the interpreter's name has no legal length");
	if (!r->source->read(r->source->context, offset + size - 1, &last, 1))
		return refuse(r, ELF_TRUNCATED, "the file cannot be read");
	if (last != 0)
		return refuse(r, ELF_MALFORMED, "the interpreter's name has no end");
	plan->interp_at = offset;
	plan->interp_size = size;
	return ELF_FINE;
}

static enum elf_refusal read_header(struct reader *r, struct elf_header *header)
{
	struct elf_plan *plan = r->plan;
	const struct elf_source *source = r->source;
	if (source->size < 4 || !source->read(source->context, 0, header, 4) ||
	    memcmp(header->magic, "\177ELF", 4) != 0)
		return refuse(r, ELF_NOT_ELF, "it is not an ELF file");
	if (source->size < sizeof(*header) ||
	    !source->read(source->context, 0, header, sizeof(*header)))
		return refuse(r, ELF_TRUNCATED, "the file ends within its header");
	if (header->class != CLASS_64 || header->data != DATA_LITTLE)
		return refuse(r, ELF_FOREIGN, "it is not a 64-bit little-endian program");
	if (le16_get(header->machine) != MACHINE_X86_64)
		return refuse(r, ELF_FOREIGN, "it is for another machine than x86-64");
	if (le16_get(header->type) != TYPE_EXEC && le16_get(header->type) != TYPE_DYN)
		return refuse(r, ELF_FOREIGN,
			      "it is an object or core file, not a program");
	plan->position_independent = le16_get(header->type) == TYPE_DYN;
	plan->entry = le64_get(header->entry);
	plan->header_count = le16_get(header->phnum);
	plan->header_size = le16_get(header->phentsize);
	r->headers_offset = le64_get(header->phoff);
	if (plan->header_size != sizeof(struct program_header))
		return refuse(r, ELF_MALFORMED, "its program headers have a wrong size");
	if (plan->header_count == 0 ||
	    plan->header_count > 65536 / sizeof(struct program_header))
		return refuse(r, ELF_MALFORMED,
			      "it has no, or too many, program headers");
	if (!in_file(r, r->headers_offset,
		     plan->header_count * sizeof(struct program_header)))
		return refuse(r, ELF_TRUNCATED,
			      "its program headers reach past the end of the file");
	if (plan->entry >= ADDRESS_END)
		return refuse(r, ELF_MALFORMED,
			      "its entry lies outside of the address space");
	return ELF_FINE;
}

static enum elf_refusal read_program_headers(struct reader *r)
{
	struct elf_plan *plan = r->plan;
	enum elf_refusal refusal = ELF_FINE;
	for (uint32_t i = 0; i < plan->header_count && refusal == ELF_FINE; i++) {
		struct program_header header;
		if (!r->source->read(r->source->context,
				     r->headers_offset + i * sizeof(header), &header,
				     sizeof(header)))
			return refuse(r, ELF_TRUNCATED, "the file cannot be read");
		switch (le32_get(header.type)) {
		case PT_LOAD:
			refusal = read_load(r, &header);
			break;
		case PT_INTERP:
			refusal = read_interp(r, &header);
			break;
		case PT_GNU_STACK:
			plan->executable_stack = le32_get(header.flags) & PF_X;
			break;
		default:
			break;
		}
	}
	if (refusal == ELF_FINE && plan->segment_count == 0)
		return refuse(r, ELF_MALFORMED, "it has nothing to load");
	return refusal;
}

enum elf_refusal elf_plan_read(struct elf_plan *plan, const struct elf_source *source,
			       const char **why)
{
	*plan = (struct elf_plan){.low = UINT64_MAX, .align = ELF_PAGE};
	struct reader reader = {.source = source, .plan = plan, .why = ""};
	struct elf_header header;
	enum elf_refusal refusal = read_header(&reader, &header);
	if (refusal == ELF_FINE)
		refusal = read_program_headers(&reader);
	*why = reader.why;
	return refusal;
}

static bool read_memory(const void *context, uint64_t offset, void *to, size_t size)
{
	memcpy(to, (const uint8_t *)context + offset, size);
	return true;
}

enum elf_refusal elf_plan_make(struct elf_plan *plan, const void *file, size_t size,
			       const char **why)
{
	struct elf_source source = {.read = read_memory, .context = file, .size = size};
	return elf_plan_read(plan, &source, why);
}
