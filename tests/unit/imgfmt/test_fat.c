/* test_fat.c: the FAT volume of the EFI system partition, read back by the offsets and
 * rules of Microsoft's FAT specification 1.03. Its clean bill by fsck.fat is in
 * tests/boot/test_uefi.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imgfmt/fat.h"

static const uint8_t identity[SHA256_BYTES] = {0x12, 0x34, 0x56, 0x78};

static unsigned get16(const uint8_t *at)
{
	return at[0] | (unsigned)at[1] << 8;
}

struct volume {
	uint8_t *file, *bytes;
	size_t file_size, size;
	struct fat fat;
	struct extents contents;
};

static void make(struct volume *v, const char *path, size_t size)
{
	struct diag why = {0};
	memset(v, 0, sizeof(*v));
	v->file = malloc(size + 1);
	v->file_size = size;
	for (size_t i = 0; i < size; i++)
		v->file[i] = (uint8_t)(i * 7 + (i >> 9));
	assert_int_equal(extents_add(&v->contents, 0, v->file, size), 0);
	assert_int_equal(fat_write(&v->fat, path, &v->contents, identity, &why), 0);
	v->size = (size_t)v->fat.extents.size;
	v->bytes = malloc(v->size);
	extents_copy(&v->fat.extents, v->bytes);
}

static void drop(struct volume *v)
{
	fat_free(&v->fat);
	extents_free(&v->contents);
	free(v->file);
	free(v->bytes);
}

/* Clusters, by the formula of the specification's "FAT type determination". */
static unsigned clusters(const struct volume *v)
{
	const uint8_t *b = v->bytes;
	unsigned root_sectors = (get16(b + 17) * 32 + 511) / 512;
	unsigned sectors =
		get16(b + 19) ? get16(b + 19) : get16(b + 32) | get16(b + 34) << 16;
	assert_int_equal(sectors, v->size / 512);
	return (sectors - (get16(b + 14) + b[16] * get16(b + 22) + root_sectors)) / b[13];
}

static unsigned next_cluster(const struct volume *v, unsigned cluster)
{
	const uint8_t *fat = v->bytes + get16(v->bytes + 14) * 512;
	if (clusters(v) >= 4085)
		return get16(fat + cluster * 2);
	unsigned pair = get16(fat + cluster * 3 / 2);
	return cluster & 1 ? pair >> 4 : pair & 0xfff;
}

static const uint8_t *cluster_at(const struct volume *v, unsigned cluster)
{
	const uint8_t *b = v->bytes;
	unsigned data = get16(b + 14) + b[16] * get16(b + 22) + get16(b + 17) * 32 / 512;
	return b + ((size_t)data + (size_t)(cluster - 2) * b[13]) * 512;
}

/* The entry of an 11-byte name in a folder's first sector. */
static const uint8_t *find(const uint8_t *folder, const char *name)
{
	for (unsigned i = 0; i < 16; i++)
		if (memcmp(folder + 32 * i, name, 11) == 0)
			return folder + 32 * i;
	return NULL;
}

static void check_file(const struct volume *v)
{
	const uint8_t *root =
		v->bytes +
		(get16(v->bytes + 14) + v->bytes[16] * get16(v->bytes + 22)) * 512;
	const uint8_t *efi = find(root, "EFI        ");
	assert_non_null(efi);
	const uint8_t *boot = find(cluster_at(v, get16(efi + 26)), "BOOT       ");
	assert_non_null(boot);
	const uint8_t *file = find(cluster_at(v, get16(boot + 26)), "BOOTX64 EFI");
	assert_non_null(file);
	assert_int_equal(get16(file + 28) | get16(file + 30) << 16, v->file_size);
	unsigned cluster = get16(file + 26), bytes = v->bytes[13] * 512u;
	for (size_t done = 0; done < v->file_size; done += bytes) {
		size_t left = v->file_size - done;
		assert_in_range(cluster, 2, clusters(v) + 1);
		assert_memory_equal(cluster_at(v, cluster), v->file + done,
				    left < bytes ? left : bytes);
		cluster = next_cluster(v, cluster);
	}
	assert_true(cluster >= (clusters(v) >= 4085 ? 0xfff8u : 0xff8u));
}

static void files_of_all_sizes_are_found_again(void **state)
{
	/* FAT12 of the least size, its end; FAT12's last count of clusters and FAT16's
	 * first. */
	static const size_t sizes[] = {1,       511,     512,       513,
				       17920,   250000,  256 << 10, 2088960,
				       2089984, 2090496, 40 << 20};
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct volume v;
		make(&v, "EFI/BOOT/BOOTX64.EFI", sizes[i]);
		check_file(&v);
		assert_true(v.size >= FAT_SECTORS_LEAST * 512);
		drop(&v);
	}
}

static void both_copies_of_the_table_are_equal(void **state)
{
	struct volume v;
	(void)state;
	make(&v, "EFI/BOOT/BOOTX64.EFI", 17920);
	size_t bytes = get16(v.bytes + 22) * 512u;
	assert_int_equal(v.bytes[16], 2);
	assert_memory_equal(v.bytes + 512, v.bytes + 512 + bytes, bytes);
	assert_int_equal(v.bytes[512], v.bytes[21]); /* the media byte */
	drop(&v);
}

static void the_volumes_number_is_from_the_identity(void **state)
{
	struct volume v;
	(void)state;
	make(&v, "A.B", 1);
	assert_memory_equal(v.bytes + 39, identity, 4);
	drop(&v);
}

static void files_that_no_fat16_volume_can_hold_are_refused(void **state)
{
	static const uint8_t byte;
	struct extents huge = {0};
	struct fat fat;
	struct diag why = {0};
	(void)state;
	assert_int_equal(extents_add(&huge, 0, &byte, 1), 0);
	huge.size = 2200ull << 20;
	assert_int_equal(fat_write(&fat, "A", &huge, identity, &why), -1);
	assert_non_null(strstr(why.message, "2306867200 bytes"));
	fat_free(&fat);
	extents_free(&huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_all_sizes_are_found_again),
		cmocka_unit_test(both_copies_of_the_table_are_equal),
		cmocka_unit_test(the_volumes_number_is_from_the_identity),
		cmocka_unit_test(files_that_no_fat16_volume_can_hold_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
