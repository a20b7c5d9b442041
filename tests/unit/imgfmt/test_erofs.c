/* test_erofs.c: packed file systems, written and read back; damage. That the format is
 * EROFS' own is tests/cli/test_erofs.py's to show, with fsck.erofs. */
#include <stdio.h>
#include <sys/stat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imgfmt/abi/erofs.h"
#include "imgfmt/erofs.h"
#include "imgfmt/erofs_read.h"

struct packed {
	struct tree tree;
	struct diag why;
	uint8_t *bytes;
	size_t size;
	struct erofs fs;
};

static void put(struct packed *p, const char *path, size_t size, char fill)
{
	char *bytes = malloc(size + 1);
	memset(bytes, fill, size);
	assert_int_equal(tree_put_file(&p->tree, path, 0640, bytes, size, &p->why), 0);
}

static void pack(struct packed *p, uint64_t time)
{
	struct erofs_image image;
	assert_int_equal(erofs_write(&image, &p->tree, time, &p->why), 0);
	p->size = (size_t)image.extents.size;
	p->bytes = malloc(p->size);
	extents_copy(&image.extents, p->bytes);
	erofs_image_free(&image);
	assert_int_equal(erofs_open(&p->fs, p->bytes, p->size), 0);
}

static int setup(void **state)
{
	struct packed *p = calloc(1, sizeof(*p));
	*state = p;
	return tree_init(&p->tree, &p->why);
}

static int teardown(void **state)
{
	struct packed *p = *state;
	tree_free(&p->tree);
	free(p->bytes);
	free(p);
	return 0;
}

static struct erofs_inode find(struct packed *p, const char *path)
{
	struct erofs_inode inode;
	struct erofs_entry entry;
	assert_int_equal(erofs_inode(&p->fs, p->fs.root, &inode), 0);
	while (*path) {
		size_t size = strcspn(path, "/");
		assert_int_equal(erofs_lookup(&p->fs, &inode, path, size, &entry), 1);
		assert_int_equal(erofs_inode(&p->fs, entry.nid, &inode), 0);
		path += size + (path[size] == '/');
	}
	return inode;
}

static void expect_bytes(struct packed *p, const char *path, size_t size, char fill)
{
	struct erofs_inode inode = find(p, path);
	size_t done = 0, run = 0;
	assert_int_equal(inode.size, size);
	for (; done < size; done += run) {
		const uint8_t *bytes = erofs_data(&p->fs, &inode, done, &run);
		assert_non_null(bytes);
		for (size_t i = 0; i < run; i++)
			assert_int_equal((char)bytes[i], fill);
	}
	assert_null(erofs_data(&p->fs, &inode, size, &run));
}

static void files_of_every_size_around_a_block_are_read_back(void **state)
{
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 100000};
	struct packed *p = *state;
	char path[32];
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(path, sizeof(path), "f/%zu", sizes[i]);
		put(p, path, sizes[i], (char)('a' + i));
	}
	pack(p, 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(path, sizeof(path), "f/%zu", sizes[i]);
		expect_bytes(p, path, sizes[i], (char)('a' + i));
		assert_int_equal(find(p, path).mode, S_IFREG | 0640);
	}
}

static void file_pages_can_be_mapped_as_they_are(void **state)
{
	struct packed *p = *state;
	put(p, "a", 5000, 'a');
	pack(p, 0);
	struct erofs_inode inode = find(p, "a");
	assert_int_equal(inode.data_at % EROFS_BLOCK, 0);
	for (size_t i = 5000; i < 8192; i++)
		assert_int_equal(p->bytes[inode.data_at + i], 0);
}

static void folder_of_many_names_is_found_and_listed_in_byte_order(void **state)
{
	struct packed *p = *state;
	struct erofs_entry entry;
	char path[64], last[256] = "";
	uint64_t position = 0;
	unsigned seen = 0;
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), "d/%u-some-longer-name-%u", i * 7919 % 3000,
			 i);
		put(p, path, 1, 'x');
	}
	pack(p, 0);
	struct erofs_inode folder = find(p, "d");
	while (erofs_entry(&p->fs, &folder, &position, &entry) == 1) {
		char name[256];
		memcpy(name, entry.name, entry.name_size);
		name[entry.name_size] = '\0';
		assert_true(strcmp(last, name) < 0);
		strcpy(last, name);
		struct erofs_entry found;
		assert_int_equal(
			erofs_lookup(&p->fs, &folder, name, strlen(name), &found), 1);
		assert_int_equal(found.nid, entry.nid);
		seen++;
	}
	assert_int_equal(seen, 3002); /* with "." and ".." */
	assert_int_equal(erofs_lookup(&p->fs, &folder, "0", 1, &entry), 0);
	assert_int_equal(erofs_lookup(&p->fs, &folder, "zzz", 3, &entry), 0);
}

static void hard_links_share_an_inode_and_count(void **state)
{
	struct packed *p = *state;
	put(p, "a", 10, 'a');
	assert_int_equal(tree_put_hard_link(&p->tree, "d/b", "a", &p->why), 0);
	pack(p, 0);
	assert_int_equal(find(p, "a").nid, find(p, "d/b").nid);
	assert_int_equal(find(p, "a").links, 2);
	assert_int_equal(find(p, "").links, 3); /* ".", "..", and d's ".." */
}

static void links_keep_their_targets(void **state)
{
	struct packed *p = *state;
	char target[4096];
	size_t run = 0;
	memset(target, 't', 4095);
	target[4095] = '\0';
	assert_int_equal(tree_put_link(&p->tree, "long", target, &p->why), 0);
	assert_int_equal(tree_put_link(&p->tree, "short", "x", &p->why), 0);
	pack(p, 0);
	expect_bytes(p, "long", 4095, 't');
	struct erofs_inode inode = find(p, "short");
	assert_int_equal(inode.mode & S_IFMT, S_IFLNK);
	assert_memory_equal(erofs_data(&p->fs, &inode, 0, &run), "x", 1);
}

static void equal_contents_are_stored_once(void **state)
{
	struct packed *p = *state;
	put(p, "a", 100000, 'a');
	put(p, "b", 100000, 'a');
	pack(p, 0);
	assert_int_equal(find(p, "a").data_at, find(p, "b").data_at);
	assert_int_not_equal(find(p, "a").nid, find(p, "b").nid);
	assert_true(p->size < 150000);
}

static void build_time_is_every_files_time(void **state)
{
	struct packed *p = *state;
	put(p, "a", 1, 'a');
	pack(p, 1700000000);
	assert_int_equal(find(p, "a").mtime_ns, 1700000000ull * 1000000000);
}

/* Reads all there is; only that it ends and stays inside matters. */
static void read_everything(const struct erofs *fs, uint64_t nid, int depth)
{
	struct erofs_inode inode;
	struct erofs_entry entry;
	uint64_t position = 0;
	size_t run = 0;
	volatile uint8_t sum = 0;
	if (!depth || erofs_inode(fs, nid, &inode))
		return;
	const uint8_t *bytes = erofs_data(fs, &inode, 0, &run);
	for (size_t i = 0; bytes && i < run; i++)
		sum = (uint8_t)(sum + bytes[i]);
	if (!S_ISDIR(inode.mode))
		return;
	for (int i = 0; i < 50 && erofs_entry(fs, &inode, &position, &entry) == 1; i++)
		if (entry.name[0] != '.')
			read_everything(fs, entry.nid, depth - 1);
}

static void damage_never_leads_outside(void **state)
{
	struct packed *p = *state;
	put(p, "d/e/f", 5000, 'a');
	assert_int_equal(tree_put_link(&p->tree, "l", "d", &p->why), 0);
	pack(p, 0);
	for (size_t i = EROFS_SUPER_AT; i < 4096 && i < p->size; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			struct erofs fs;
			p->bytes[i] ^= (uint8_t)(1u << bit);
			if (!erofs_open(&fs, p->bytes, p->size))
				read_everything(&fs, fs.root, 6);
			p->bytes[i] ^= (uint8_t)(1u << bit);
		}
	}
}

static void file_system_cut_short_is_refused(void **state)
{
	struct packed *p = *state;
	struct erofs fs;
	put(p, "a", 5000, 'a');
	pack(p, 0);
	for (size_t size = 0; size < p->size; size += 511)
		assert_int_equal(erofs_open(&fs, p->bytes, size), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_of_every_size_around_a_block_are_read_back),
		TEST(file_pages_can_be_mapped_as_they_are),
		TEST(folder_of_many_names_is_found_and_listed_in_byte_order),
		TEST(hard_links_share_an_inode_and_count),
		TEST(links_keep_their_targets),
		TEST(equal_contents_are_stored_once),
		TEST(build_time_is_every_files_time),
		TEST(damage_never_leads_outside),
		TEST(file_system_cut_short_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
