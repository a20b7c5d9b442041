/* test_program_formats.c: images that are programs, of PVH (ELF) and UEFI (PE32+): the
 * bundle that was put into one comes out again; and a file with any byte of its headers
 * changed, or with its end missing, is read without harm (the sanitizers watch). */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imgfmt/abi/bundle.h"
#include "imgfmt/abi/pe.h"
#include "imgfmt/format.h"
#include "imgfmt/pvh.h"

#define HEADERS_BYTES 512u

static const char *const kinds[] = {"pvh", "efi"};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A kernel of one segment and the note that says where its bundle is. */
struct kernel {
	Elf64_Ehdr elf;
	Elf64_Phdr segment[2], room;
	struct pvh_note note;
	uint8_t code[20];
};

static const struct kernel kernel = {
	.elf = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB},
		.e_machine = EM_X86_64,
		.e_phoff = offsetof(struct kernel, segment),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2},
	.segment = {{.p_type = PT_NOTE,
		     .p_offset = offsetof(struct kernel, note),
		     .p_filesz = sizeof(struct pvh_note)},
		    {.p_type = PT_LOAD,
		     .p_offset = offsetof(struct kernel, code),
		     .p_paddr = 0x100000,
		     .p_filesz = 20,
		     .p_memsz = 20}},
	.note = {.name_size = {{8}},
		 .bytes_size = {{16}},
		 .type = {{PVH_NOTE_TYPE}},
		 .name = PVH_NOTE_NAME}};

/* A UEFI program with no section yet. */
static size_t make_loader(uint8_t loader[HEADERS_BYTES])
{
	struct pe_header pe = {.magic = PE_MAGIC,
			       .optional_size = le16_make(sizeof(struct pe_optional))};
	struct pe_optional optional = {.magic = le16_make(PE_OPTIONAL64),
				       .section_align = le32_make(4096),
				       .file_align = le32_make(512),
				       .image_size = le32_make(4096),
				       .headers_size = le32_make(HEADERS_BYTES)};
	memset(loader, 0, HEADERS_BYTES);
	memcpy(loader, "MZ", 2);
	loader[PE_OFFSET_AT] = 0x40;
	memcpy(loader + 0x40, &pe, sizeof(pe));
	memcpy(loader + 0x40 + sizeof(pe), &optional, sizeof(optional));
	return HEADERS_BYTES;
}

static uint8_t bundle_bytes[3 * BUNDLE_BLOCK];

static void fill_bundle(void)
{
	struct bundle_header *header = (void *)bundle_bytes;
	for (size_t i = 0; i < sizeof(bundle_bytes); i++)
		bundle_bytes[i] = (uint8_t)(i * 7 + i / 256);
	header->section[BUNDLE_SHIM - 1].offset = le64_make(BUNDLE_BLOCK);
	header->section[BUNDLE_SHIM - 1].size = le64_make(sizeof(kernel));
	memcpy(bundle_bytes + BUNDLE_BLOCK, &kernel, sizeof(kernel));
}

/* The whole file that a format's writer makes, malloc'd. */
static uint8_t *write_program(const struct format *format, size_t *size)
{
	uint8_t loader[HEADERS_BYTES];
	struct extents bundle = {0};
	struct file_plan file = {0};
	struct diag why = {0};
	fill_bundle();
	assert_int_equal(extents_add(&bundle, 0, bundle_bytes, sizeof(bundle_bytes)), 0);
	struct image_plan plan = {.bundle = &bundle,
				  .uefi = loader,
				  .uefi_size = make_loader(loader),
				  .name = "test",
				  .threads = 1};
	assert_int_equal(format->write(&file, &plan, &why), 0);
	*size = (size_t)file.extents.size;
	uint8_t *bytes = malloc(*size);
	assert_non_null(bytes);
	extents_copy(&file.extents, bytes);
	file_plan_free(&file);
	extents_free(&bundle);
	return bytes;
}

static void the_bundle_comes_out_as_it_was_put_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct format *format = format_by_name(kinds[i]);
		struct disk_view view = {0};
		struct diag why = {0};
		size_t size = 0;
		uint8_t *bytes = write_program(format, &size);
		assert_ptr_equal(format_of(bytes, size), format);
		assert_int_equal(format->read(&view, bytes, size, &why), 0);
		assert_true(view.is_bundle);
		assert_int_equal(view.size, sizeof(bundle_bytes));
		assert_memory_equal(view.bytes, bundle_bytes, sizeof(bundle_bytes));
		free(bytes);
	}
}

/* Either bytes of the file come out, all of them readable, or a message. */
static void read_any(const struct format *format, const uint8_t *bytes, size_t size)
{
	struct disk_view view = {0};
	struct diag why = {0};
	if (format->read(&view, bytes, size, &why)) {
		assert_true(why.message[0] != '\0');
		return;
	}
	assert_true(view.bytes >= bytes && view.size <= size);
	assert_true((size_t)(view.bytes - bytes) <= size - view.size);
}

static void every_value_of_every_byte_of_a_header_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct format *format = format_by_name(kinds[i]);
		size_t size = 0;
		uint8_t *bytes = write_program(format, &size);
		for (size_t at = 0; at < HEADERS_BYTES; at++) {
			for (unsigned change = 1; change < 256; change++) {
				bytes[at] ^= (uint8_t)change;
				read_any(format, bytes, size);
				bytes[at] ^= (uint8_t)change;
			}
		}
		free(bytes);
	}
}

static void every_truncated_file_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct format *format = format_by_name(kinds[i]);
		size_t size = 0;
		uint8_t *bytes = write_program(format, &size);
		for (size_t part = 1; part < size;
		     part += part < HEADERS_BYTES ? 1 : 97) {
			struct disk_view view = {0};
			struct diag why = {0};
			uint8_t *cut = malloc(part); /* its end is watched */
			assert_non_null(cut);
			memcpy(cut, bytes, part);
			format_of(cut, part);
			assert_int_equal(format->read(&view, cut, part, &why), -1);
			assert_true(why.message[0] != '\0');
			free(cut);
		}
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bundle_comes_out_as_it_was_put_in),
		cmocka_unit_test(every_value_of_every_byte_of_a_header_is_survived),
		cmocka_unit_test(every_truncated_file_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
