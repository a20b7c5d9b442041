/* pvh.c: one ELF file that boots by the PVH protocol and brings its bundle along as one
 * more segment, behind the kernel's own. */
#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "imgfmt/abi/bundle.h"
#include "imgfmt/format.h"
#include "imgfmt/pvh.h"

#define SEGMENTS_MAX 16u
#define KERNEL_MAX   ((uint64_t)64 << 20)
#define BUNDLE_ALIGN ((uint64_t)2 << 20) /* physical, behind the kernel's last byte */

struct segments {
	Elf64_Ehdr elf;
	Elf64_Phdr list[SEGMENTS_MAX + 1];
};

static int read_segments(struct segments *s, const uint8_t *bytes, size_t size,
			 struct diag *why)
{
	if (size < sizeof(s->elf))
		return diag_set(why, "an ELF file of %zu bytes: too short", size);
	memcpy(&s->elf, bytes, sizeof(s->elf));
	if (memcmp(s->elf.e_ident, ELFMAG, SELFMAG) != 0 ||
	    s->elf.e_ident[EI_CLASS] != ELFCLASS64 || s->elf.e_machine != EM_X86_64)
		return diag_set(why, "not an ELF file for 64-bit x86");
	if (s->elf.e_phentsize != sizeof(Elf64_Phdr) ||
	    s->elf.e_phnum > SEGMENTS_MAX + 1 || s->elf.e_phoff > size ||
	    s->elf.e_phnum * sizeof(Elf64_Phdr) > size - s->elf.e_phoff)
		return diag_set(why,
				"an ELF file with %u segments of %u bytes at %" PRIu64,
				s->elf.e_phnum, s->elf.e_phentsize, s->elf.e_phoff);
	memcpy(s->list, bytes + s->elf.e_phoff, s->elf.e_phnum * sizeof(Elf64_Phdr));
	return 0;
}

/* The note's place in the file; 0: there is none. */
static uint64_t find_note(const struct segments *s, const uint8_t *bytes, size_t size)
{
	for (unsigned i = 0; i < s->elf.e_phnum; i++) {
		const Elf64_Phdr *segment = &s->list[i];
		if (segment->p_type != PT_NOTE || segment->p_offset > size ||
		    segment->p_filesz > size - segment->p_offset)
			continue;
		uint64_t at = segment->p_offset, end = at + segment->p_filesz;
		while (end - at >= sizeof(Elf64_Nhdr)) {
			Elf64_Nhdr note;
			memcpy(&note, bytes + at, sizeof(note));
			uint64_t whole = sizeof(note) + align_up(note.n_namesz, 4) +
					 align_up(note.n_descsz, 4);
			if (whole > end - at)
				break;
			if (note.n_type == PVH_NOTE_TYPE &&
			    whole == sizeof(struct pvh_note) &&
			    memcmp(bytes + at + sizeof(note), PVH_NOTE_NAME,
				   sizeof(PVH_NOTE_NAME)) == 0)
				return at;
			at += whole;
		}
	}
	return 0;
}

/* The kernel of the plan's bundle, in the file's memory. */
static uint8_t *take_kernel(struct file_plan *file, const struct image_plan *plan,
			    size_t *size, struct diag *why)
{
	struct bundle_header header;
	extents_read(plan->bundle, 0, &header, sizeof(header));
	uint64_t bytes = le64_get(header.section[BUNDLE_SHIM - 1].size);
	uint64_t at = le64_get(header.section[BUNDLE_SHIM - 1].offset);
	if (bytes > KERNEL_MAX) {
		diag_set(why, "the bundle's kernel has %" PRIu64 " bytes", bytes);
		return NULL;
	}
	uint8_t *kernel = file_plan_alloc(file, (size_t)bytes, why);
	*size = (size_t)bytes;
	if (kernel)
		extents_read(plan->bundle, at, kernel, (size_t)bytes);
	return kernel;
}

/* Adds the bundle's segment to a kernel in memory, where the first segment leaves room
 * for one more header. */
static int add_segment(uint8_t *kernel, size_t size, uint64_t bundle_size,
		       uint64_t file_at, struct diag *why)
{
	struct segments s;
	uint64_t end = 0, room = size;
	if (read_segments(&s, kernel, size, why))
		return -1;
	for (unsigned i = 0; i < s.elf.e_phnum; i++) {
		const Elf64_Phdr *segment = &s.list[i];
		if (segment->p_type == PT_LOAD &&
		    end < segment->p_paddr + segment->p_memsz)
			end = segment->p_paddr + segment->p_memsz;
		if (segment->p_filesz && segment->p_offset < room)
			room = segment->p_offset;
	}
	uint64_t headers = (s.elf.e_phnum + 1u) * sizeof(Elf64_Phdr);
	uint64_t note_at = find_note(&s, kernel, size);
	if (!note_at || s.elf.e_phoff + headers > room || s.elf.e_phnum >= SEGMENTS_MAX)
		return diag_set(why, "shim.elf: not a kernel that can hold its bundle");
	uint64_t phys = align_up(end, BUNDLE_ALIGN);
	s.list[s.elf.e_phnum++] = (Elf64_Phdr){.p_type = PT_LOAD,
					       .p_flags = PF_R,
					       .p_offset = file_at,
					       .p_vaddr = phys,
					       .p_paddr = phys,
					       .p_filesz = bundle_size,
					       .p_memsz = bundle_size,
					       .p_align = BUNDLE_BLOCK};
	s.elf.e_shoff = 0;
	s.elf.e_shnum = s.elf.e_shstrndx = 0;
	struct pvh_note *note = (void *)(kernel + note_at);
	note->bundle_phys = le64_make(phys);
	note->bundle_size = le64_make(bundle_size);
	memcpy(kernel, &s.elf, sizeof(s.elf));
	memcpy(kernel + s.elf.e_phoff, s.list, (size_t)headers);
	return 0;
}

int pvh_write(struct file_plan *file, const struct image_plan *plan, struct diag *why)
{
	size_t size = 0;
	uint8_t *kernel = take_kernel(file, plan, &size, why);
	if (!kernel)
		return -1;
	uint64_t file_at = align_up(size, BUNDLE_BLOCK);
	return add_segment(kernel, size, plan->bundle->size, file_at, why) ||
			       file_plan_append(file, kernel, size, BUNDLE_BLOCK, why) ||
			       file_plan_append_all(file, plan->bundle, 1, why)
		       ? -1
		       : 0;
}

bool pvh_probe(const uint8_t *bytes, size_t size)
{
	return size >= SELFMAG && memcmp(bytes, ELFMAG, SELFMAG) == 0;
}

int pvh_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why)
{
	struct segments s;
	if (read_segments(&s, bytes, size, why))
		return -1;
	uint64_t at = find_note(&s, bytes, size);
	if (!at)
		return diag_set(why, "an ELF program, not an image");
	const struct pvh_note *note = (const void *)(bytes + at);
	if (!le64_get(note->bundle_size))
		return diag_set(why, "a kernel without its bundle");
	for (unsigned i = 0; i < s.elf.e_phnum; i++) {
		const Elf64_Phdr *segment = &s.list[i];
		if (segment->p_type != PT_LOAD ||
		    segment->p_paddr != le64_get(note->bundle_phys) ||
		    segment->p_filesz != le64_get(note->bundle_size))
			continue;
		if (segment->p_offset > size ||
		    segment->p_filesz > size - segment->p_offset)
			return diag_set(why, "the bundle in the ELF file is cut short");
		*view = (struct disk_view){.bytes = bytes + segment->p_offset,
					   .size = segment->p_filesz,
					   .is_bundle = true};
		return 0;
	}
	return diag_set(why,
			"the ELF file has no segment where its note puts the bundle");
}
