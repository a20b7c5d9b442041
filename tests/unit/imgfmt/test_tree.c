/* test_tree.c: the tree of what will be packed: paths, links, replacement, refusals. */
#include <sys/stat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imgfmt/tree.h"

static struct tree tree;
static struct diag why;

static int setup(void **state)
{
	(void)state;
	memset(&why, 0, sizeof(why));
	return tree_init(&tree, &why);
}

static int teardown(void **state)
{
	(void)state;
	tree_free(&tree);
	return 0;
}

static int put(const char *path, const char *text)
{
	memset(&why, 0, sizeof(why));
	return tree_put_file(&tree, path, 0644, strdup(text), strlen(text), &why);
}

static const char *text_of(const char *path)
{
	struct tree_node *node = tree_find(&tree, path);
	return node && S_ISREG(node->inode->mode) ? node->inode->bytes : NULL;
}

static void missing_folders_are_made(void **state)
{
	(void)state;
	assert_int_equal(put("a/b//./c", "x"), 0);
	assert_int_equal(tree_find(&tree, "/a")->inode->mode, S_IFDIR | 0755);
	assert_string_equal(text_of("/a/b/c"), "x");
}

static void up_is_refused_anywhere_in_a_path(void **state)
{
	static const char *const paths[] = {"..", "/..", "a/../b", "../a", "a/.."};
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(put(paths[i], "x"), -1);
	assert_int_equal(tree.root->child_count, 0);
}

static void names_are_up_to_255_bytes(void **state)
{
	char name[257];
	(void)state;
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	assert_int_equal(put(name, "x"), 0);
	name[255] = 'n';
	name[256] = '\0';
	assert_int_equal(put(name, "x"), -1);
}

static void file_replaces_a_file_but_never_a_folder(void **state)
{
	(void)state;
	assert_int_equal(put("/a/b", "old"), 0);
	assert_int_equal(put("/a/b", "new"), 0);
	assert_string_equal(text_of("/a/b"), "new");
	assert_int_equal(put("/a", "x"), -1);
	assert_int_equal(put("/a/b/c", "x"), -1);
	assert_non_null(strstr(why.message, "b is a file"));
	assert_int_equal(put("/", "x"), -1);
}

static void links_among_the_parents_are_followed_inside_the_tree(void **state)
{
	(void)state;
	assert_int_equal(tree_put_link(&tree, "/bin", "usr/bin", &why), 0);
	assert_int_equal(tree_put_link(&tree, "/usr/up", "../../../etc", &why), 0);
	assert_int_equal(put("/bin/sh", "x"), 0);
	assert_string_equal(text_of("/usr/bin/sh"), "x");
	assert_int_equal(put("/usr/up/passwd", "y"), 0); /* above the root is the root */
	assert_string_equal(text_of("/etc/passwd"), "y");
}

static void links_in_a_circle_end(void **state)
{
	(void)state;
	assert_int_equal(tree_put_link(&tree, "/a", "b", &why), 0);
	assert_int_equal(tree_put_link(&tree, "/b", "a", &why), 0);
	assert_int_equal(put("/a/x", "x"), -1);
	assert_non_null(strstr(why.message, "too many links"));
}

static void hard_links_share_an_inode_until_one_is_replaced(void **state)
{
	(void)state;
	assert_int_equal(put("/a", "old"), 0);
	assert_int_equal(tree_put_hard_link(&tree, "/b", "/a", &why), 0);
	assert_ptr_equal(tree_find(&tree, "/a")->inode, tree_find(&tree, "/b")->inode);
	assert_int_equal(put("/a", "new"), 0);
	assert_string_equal(text_of("/a"), "new");
	assert_string_equal(text_of("/b"), "old");
	assert_int_equal(tree_put_hard_link(&tree, "/c", "/missing", &why), -1);
}

static void children_are_sorted_by_bytes(void **state)
{
	static const char *const sorted[] = {"A",  "a",        "a-",  "a.b",
					     "ab", "\xc3\xa4", "\xff"};
	(void)state;
	for (size_t i = 7; i-- > 0;)
		assert_int_equal(put(sorted[(i * 3) % 7], "x"), 0);
	assert_int_equal(tree.root->child_count, 7);
	for (size_t i = 0; i < 7; i++)
		assert_string_equal(tree.root->children[i]->name, sorted[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(missing_folders_are_made),
		TEST(up_is_refused_anywhere_in_a_path),
		TEST(names_are_up_to_255_bytes),
		TEST(file_replaces_a_file_but_never_a_folder),
		TEST(links_among_the_parents_are_followed_inside_the_tree),
		TEST(links_in_a_circle_end),
		TEST(hard_links_share_an_inode_until_one_is_replaced),
		TEST(children_are_sorted_by_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
