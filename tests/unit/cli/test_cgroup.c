/* test_cgroup.c: where a process finds its group of cgroup v2: cgroups(7), proc(5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cli/cgroup.h"

#define UNIFIED                                                                          \
	"proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n"
#define HYBRID                                                                           \
	"cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n"                                \
	"cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"

static void the_group_is_below_where_version_2_is_mounted(void **state)
{
	static const struct {
		const char *groups, *mounts, *base;
	} rows[] = {
		{"0::/\n", UNIFIED, "/sys/fs/cgroup"},
		{"0::/user.slice/run-1.scope\n", UNIFIED,
		 "/sys/fs/cgroup/user.slice/run-1.scope"},
		{"8:pids:/a\n4:memory:/b\n0::/c d\n", HYBRID,
		 "/sys/fs/cgroup/unified/c d"},
	};
	char base[4096];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(cgroup_find(base, rows[i].groups, rows[i].mounts));
		assert_string_equal(base, rows[i].base);
	}
}

static void machines_without_version_2_have_none(void **state)
{
	static char name[5000] = "0::/";
	char base[4096];
	(void)state;
	memset(name + 4, 'a', 4990);
	assert_non_null(cgroup_find(base, "0::/\n", ""));
	assert_non_null(cgroup_find(base, "0::/\n", "cgroup /a cgroup rw,pids 0 0\n"));
	assert_non_null(cgroup_find(base, "8:pids:/a\n10::/b\n", UNIFIED));
	assert_non_null(cgroup_find(base, "", UNIFIED));
	assert_non_null(cgroup_find(base, name, UNIFIED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_group_is_below_where_version_2_is_mounted),
		cmocka_unit_test(machines_without_version_2_have_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
