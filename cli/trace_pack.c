/* trace_pack.c: which of the files that a program used belong into the image. */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/elf_deps.h"
#include "cli/trace.h"
#include "cli/trace_pack.h"

#define SCRIPT_LINE 256 /* bytes that the kernel reads of a script's first line */
#define SCRIPTS_MAX 5   /* interpreters that are scripts themselves */

struct packing {
	struct tree *tree;
	const struct pack_request *request;
	struct diag *why;
	char folder[4096]; /* the current one, "" when it is the root */
	struct timespec start;
	struct stat program;
	unsigned used[TRACE_USES];
	uint64_t bytes;
	int rc;
};

static const char *const use_names[TRACE_USES] = {[TRACE_LOOKED_FOR] = "looked for",
						  [TRACE_OPENED] = "opened",
						  [TRACE_EXECUTED] = "executed"};

static bool below(const char *path, const char *folder)
{
	size_t size = strlen(folder);
	return size && strncmp(path, folder, size) == 0 &&
	       (!path[size] || path[size] == '/');
}

/* What the image has of its own, or what means nothing elsewhere. */
static bool is_foreign(const char *path)
{
	static const char *const folders[] = {"/proc", "/sys", "/dev", "/tmp", "/run"};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (below(path, folders[i]))
			return true;
	return false;
}

/* A file that changed while the program ran is its output. */
static bool is_output(const struct packing *packing, const struct stat *st)
{
	const struct timespec *start = &packing->start;
	return st->st_ctim.tv_sec > start->tv_sec ||
	       (st->st_ctim.tv_sec == start->tv_sec &&
		st->st_ctim.tv_nsec >= start->tv_nsec);
}

/* A file of the current folder, at its place in the image's working directory. */
static int add_local(struct packing *packing, const char *path, const struct stat *st)
{
	char *to = NULL;
	int rc = asprintf(&to, "%s%s", packing->request->cwd,
			  path + strlen(packing->folder)) < 0
			 ? diag_set(packing->why, "out of memory")
		 : S_ISDIR(st->st_mode)
			 ? tree_make_folder(packing->tree, to, st->st_mode, packing->why)
			 : tree_add_file(packing->tree, path, to, packing->why);
	free(to);
	return rc;
}

/* Returns 0 too when a link leads nowhere: it is packed as it is. */
static int add_own(struct packing *packing, const char *path, const struct stat *st)
{
	struct diag ignored = {0};
	if (S_ISREG(st->st_mode))
		return tree_add_own_path(packing->tree, path, packing->why);
	tree_add_own_path(packing->tree, path, &ignored); /* the links on the way */
	char *real = realpath(path, NULL);
	int rc =
		real && strcmp(real, "/") != 0
			? tree_make_folder(packing->tree, real, st->st_mode, packing->why)
			: 0;
	free(real);
	return rc;
}

/* The kernel itself opens a program's interpreter: ELF's, or a script's. */
static int add_interpreter(struct packing *packing, const char *path, unsigned depth)
{
	char line[SCRIPT_LINE] = "";
	struct elf_deps deps = {0};
	struct diag ignored = {0};
	FILE *file = fopen(path, "re");
	bool script =
		file && fgets(line, sizeof(line), file) && strncmp(line, "#!", 2) == 0;
	int rc = 0;
	if (file)
		fclose(file);
	if (!script) {
		if (!elf_deps_find(&deps, path, &ignored) &&
		    !elf_deps_missing(&deps, &ignored))
			rc = pack_add_libraries(packing->tree, &deps, packing->why);
		elf_deps_free(&deps);
		return rc;
	}
	char *name = line + 2 + strspn(line + 2, " \t");
	name[strcspn(name, " \t\n")] = '\0';
	if (name[0] != '/' || depth == SCRIPTS_MAX || access(name, R_OK))
		return 0;
	return tree_add_own_path(packing->tree, name, packing->why) ||
			       add_interpreter(packing, name, depth + 1)
		       ? -1
		       : 0;
}

static int add_file(struct packing *packing, const struct traced_file *file)
{
	const char *path = file->path;
	bool local = below(path, packing->folder);
	struct stat st;
	if ((!local && is_foreign(path)) ||
	    tree_excluded(&packing->request->exclude, path) || stat(path, &st) ||
	    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) ||
	    (st.st_dev == packing->program.st_dev &&
	     st.st_ino == packing->program.st_ino))
		return 0;
	if (S_ISREG(st.st_mode) && (is_output(packing, &st) || access(path, R_OK)))
		return 0;
	if (packing->request->verbose)
		fprintf(stderr, "trace: %s: %s by %s\n", path, use_names[file->use],
			file->by);
	packing->used[file->use] += S_ISREG(st.st_mode);
	packing->bytes += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	int rc = local ? add_local(packing, path, &st) : add_own(packing, path, &st);
	if (!rc && file->use == TRACE_EXECUTED)
		rc = add_interpreter(packing, path, 0);
	return rc;
}

static void visit(const void *node, VISIT which, void *context)
{
	struct packing *packing = context;
	if ((which == postorder || which == leaf) && !packing->rc)
		packing->rc = add_file(packing, *(struct traced_file *const *)node);
}

static void report(const struct packing *packing, const struct trace *trace,
		   const char *line)
{
	int status = trace->status;
	if (WIFSIGNALED(status))
		fprintf(stderr, "trace: %s: ended by signal %d\n", line,
			WTERMSIG(status));
	else if (WEXITSTATUS(status))
		fprintf(stderr, "trace: %s: exit status %d\n", line, WEXITSTATUS(status));
	if (!packing->request->quiet)
		fprintf(stderr,
			"trace: %s: %u executed, %u opened, %u looked for: %llu bytes\n",
			line, packing->used[TRACE_EXECUTED], packing->used[TRACE_OPENED],
			packing->used[TRACE_LOOKED_FOR],
			(unsigned long long)packing->bytes);
}

static int trace_line(struct packing *packing, const char *file, const char *line,
		      char *const *envp)
{
	const char *slash = strrchr(file, '/');
	struct trace trace;
	char **argv = trace_words(slash ? slash + 1 : file, line, packing->why);
	if (!argv)
		return -1;
	clock_gettime(CLOCK_REALTIME_COARSE,
		      &packing->start); /* the file systems' clock */
	packing->bytes = 0;
	memset(packing->used, 0, sizeof(packing->used));
	packing->rc = trace_run(&trace, file, argv, envp, packing->why);
	if (!packing->rc)
		twalk_r(trace.files, visit, packing);
	if (!packing->rc)
		report(packing, &trace, *line ? line : "(no arguments)");
	trace_free(&trace);
	free(argv);
	return packing->rc;
}

int trace_pack(struct tree *tree, const struct pack_request *request, const char *file,
	       struct diag *why)
{
	struct packing packing = {.tree = tree, .request = request, .why = why};
	struct words env = {0};
	int rc = 0;
	if (!request->traces.count)
		return 0;
	if (!getcwd(packing.folder, sizeof(packing.folder)) ||
	    stat(file, &packing.program))
		return diag_errno(why, "--trace: %s", file);
	if (strcmp(packing.folder, "/") == 0)
		packing.folder[0] = '\0';
	rc = pack_environment(&env, request, why);
	for (size_t i = 0; !rc && i < request->traces.count; i++)
		rc = trace_line(&packing, file, request->traces.list[i],
				(char *const *)(uintptr_t)env.list);
	free(env.list);
	return rc;
}
