/* profile_files.c: what a profile names, found on this machine and put into the tree. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/elf_deps.h"
#include "cli/pack.h"
#include "cli/profile.h"

struct sought {
	struct tree *tree;
	const struct words *exclude;
	struct diag *why;
	size_t found;
};

/* A program or a plugin with the closure of its libraries. An exit status. */
static int add_program(struct sought *sought, const char *path)
{
	struct elf_deps deps = {0};
	int status = EXIT_FAILED;
	if (!elf_deps_find(&deps, path, sought->why))
		status = elf_deps_missing(&deps, sought->why) ? EXIT_UNSUITABLE
							      : EXIT_DONE;
	if (!status && (tree_add_own_path(sought->tree, path, sought->why) ||
			pack_add_libraries(sought->tree, &deps, sought->why)))
		status = EXIT_FAILED;
	elf_deps_free(&deps);
	sought->found++;
	return status;
}

static int add_file(struct sought *sought, const char *path)
{
	struct stat st;
	int rc = 0;
	if (stat(path, &st) || tree_excluded(sought->exclude, path))
		return EXIT_DONE; /* a link to nowhere */
	sought->found++;
	if (S_ISREG(st.st_mode))
		rc = tree_add_own_path(sought->tree, path, sought->why);
	else if (S_ISDIR(st.st_mode))
		rc = tree_add_folder(sought->tree, path, path, sought->exclude,
				     sought->why);
	return rc ? EXIT_FAILED : EXIT_DONE;
}

static int add_matches(struct sought *sought, const char *pattern,
		       int (*take)(struct sought *sought, const char *path))
{
	glob_t matches = {0};
	int status = EXIT_DONE, rc = glob(pattern, 0, NULL, &matches);
	if (rc && rc != GLOB_NOMATCH) {
		diag_set(sought->why, "%s: out of memory", pattern);
		status = EXIT_FAILED;
	}
	for (size_t i = 0; !rc && !status && i < matches.gl_pathc; i++)
		status = take(sought, matches.gl_pathv[i]);
	globfree(&matches);
	return status;
}

/* One row: a path's globs, or names of which the first that is found is wanted. */
static int add_programs(struct sought *sought, const char *row)
{
	char *words = strdup(row), *rest = NULL;
	int status = words ? EXIT_DONE : EXIT_FAILED;
	struct diag ignored = {0};
	sought->found = 0;
	for (char *word = words ? strtok_r(words, " \t", &rest) : NULL; word && !status;
	     word = strtok_r(NULL, " \t", &rest)) {
		if (strchr(word, '/')) {
			status = add_matches(sought, word, add_program);
			continue;
		}
		char *path = sought->found ? NULL : pack_find_program(word, &ignored);
		if (path)
			status = add_program(sought, path);
		free(path);
	}
	free(words);
	return status;
}

static int add_needed(struct sought *sought, const char *row)
{
	size_t size = strcspn(row, " \t");
	char *pattern = strndup(row, size);
	int status = EXIT_FAILED;
	sought->found = 0;
	if (!pattern)
		diag_set(sought->why, "out of memory");
	else
		status = add_matches(sought, pattern, add_file);
	if (!status && !sought->found) {
		diag_set(sought->why, "%s: not found, but the profile needs it", pattern);
		diag_hint(sought->why, "install %s, or leave it out with --no-profile",
			  row + size + strspn(row + size, " \t"));
		status = EXIT_UNSUITABLE;
	}
	free(pattern);
	return status;
}

int profile_pack(struct tree *tree, const struct profile *profile, struct diag *why)
{
	struct sought sought = {.tree = tree, .exclude = &profile->exclude, .why = why};
	int status = EXIT_DONE;
	for (size_t i = 0; !status && i < profile->needs.count; i++)
		status = add_needed(&sought, profile->needs.list[i]);
	for (size_t i = 0; !status && i < profile->programs.count; i++) {
		status = add_programs(&sought, profile->programs.list[i]);
		if (!status && !sought.found) {
			diag_set(why, "%s: not found, but the profile needs it",
				 profile->programs.list[i]);
			diag_hint(why, "install it, or pack without it: --no-profile");
			status = EXIT_UNSUITABLE;
		}
	}
	for (size_t i = 0; !status && i < profile->optional.count; i++)
		status = add_programs(&sought, profile->optional.list[i]);
	for (size_t i = 0; !status && i < profile->files.count; i++)
		status = add_matches(&sought, profile->files.list[i], add_file);
	return status;
}
