/* elf_deps.c: the closure of a program's libraries. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/elf_deps.h"
#include "cli/library_cache.h"
#include "imgfmt/tree.h"

#define CACHE_FILE "/etc/ld.so.cache"

/* What ld.so of Debian searches without being told (ldconfig -v's last). */
static const char *const default_folders[] = {"/lib/x86_64-linux-gnu",
					      "/usr/lib/x86_64-linux-gnu",
					      "/lib",
					      "/usr/lib",
					      "/lib64",
					      "/usr/lib64"};

struct search {
	struct elf_deps *deps;
	void *cache;
	size_t cache_size;
	struct diag *why;
};

/* A file's dynamic section, in values. */
struct dynamic {
	Elf *elf;
	uint64_t strings_at, strings_size; /* in the file */
	char *bytes;
	size_t size;
	const char *rpath, *runpath;
};

static int add(struct elf_deps *deps, const char *name, const char *path,
	       size_t needed_by)
{
	if (deps->count == deps->room) {
		size_t room = deps->room ? 2 * deps->room : 32;
		struct elf_dep *list = realloc(deps->list, room * sizeof(*list));
		if (!list)
			return -1;
		deps->list = list;
		deps->room = room;
	}
	struct elf_dep *dep = &deps->list[deps->count];
	*dep = (struct elf_dep){.name = strdup(name), .needed_by = needed_by};
	dep->path = path ? strdup(path) : NULL;
	if (!dep->name || (path && !dep->path)) {
		free(dep->name);
		free(dep->path);
		return -1;
	}
	deps->count++;
	return 0;
}

static bool is_library(const char *path)
{
	unsigned char ident[20];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read(fd, ident, sizeof(ident));
	if (fd >= 0)
		close(fd);
	return got == sizeof(ident) && memcmp(ident, ELFMAG, SELFMAG) == 0 &&
	       ident[EI_CLASS] == ELFCLASS64 && ident[18] == EM_X86_64 && !ident[19];
}

/* Replaces $ORIGIN by the folder of the file that asks. */
static int expand(struct search *search, const char *text, size_t size, const char *asker,
		  char out[PATH_MAX])
{
	static const char *const words[] = {"$ORIGIN", "${ORIGIN}"};
	const char *slash = strrchr(asker, '/');
	size_t used = 0;
	for (size_t i = 0; i < size;) {
		size_t word = 0;
		for (int w = 0; w < 2 && !word; w++)
			if (size - i >= strlen(words[w]) &&
			    strncmp(text + i, words[w], strlen(words[w])) == 0)
				word = strlen(words[w]);
		size_t piece = word ? (size_t)(slash - asker) : 1;
		if (used + piece >= PATH_MAX)
			return -1;
		memcpy(out + used, word ? asker : text + i, piece);
		used += piece;
		i += word ? word : 1;
		search->deps->uses_origin |= word != 0;
	}
	out[used] = '\0';
	return 0;
}

static bool try_folder(const char *folder, const char *name, char out[PATH_MAX])
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path) ||
	    !is_library(path))
		return false;
	strcpy(out, path);
	return true;
}

static bool try_list(struct search *search, const char *list, const char *asker,
		     const char *name, char out[PATH_MAX])
{
	char folder[PATH_MAX];
	while (list && *list) {
		size_t size = strcspn(list, ":");
		if (size && !expand(search, list, size, asker, folder) &&
		    try_folder(folder, name, out))
			return true;
		list += size + (list[size] == ':');
	}
	return false;
}

static bool is_default_folder(const char *path)
{
	size_t size = (size_t)(strrchr(path, '/') - path);
	for (size_t i = 0; i < sizeof(default_folders) / sizeof(default_folders[0]); i++)
		if (strlen(default_folders[i]) == size &&
		    memcmp(default_folders[i], path, size) == 0)
			return true;
	return false;
}

/* In ld.so's order: DT_RPATH (unless there is DT_RUNPATH), DT_RUNPATH, cache, defaults.
 */
static bool find(struct search *search, const struct dynamic *dynamic,
		 const char *program_rpath, const char *asker, const char *name,
		 char out[PATH_MAX])
{
	if (strchr(name, '/'))
		return !expand(search, name, strlen(name), asker, out) && is_library(out);
	if (!dynamic->runpath &&
	    (try_list(search, dynamic->rpath, asker, name, out) ||
	     try_list(search, program_rpath, search->deps->list[0].path, name, out)))
		return true;
	if (try_list(search, dynamic->runpath, asker, name, out))
		return true;
	const char *cached = library_cache_find(search->cache, search->cache_size, name);
	if (cached && *cached == '/' && strlen(cached) < PATH_MAX && is_library(cached)) {
		search->deps->uses_cache |= !is_default_folder(cached);
		strcpy(out, cached);
		return true;
	}
	for (size_t i = 0; i < sizeof(default_folders) / sizeof(default_folders[0]); i++)
		if (try_folder(default_folders[i], name, out))
			return true;
	return false;
}

static const char *string_at(const struct dynamic *dynamic, uint64_t at)
{
	if (at >= dynamic->strings_size || dynamic->strings_at > dynamic->size ||
	    dynamic->strings_size > dynamic->size - dynamic->strings_at)
		return NULL;
	const char *text = dynamic->bytes + dynamic->strings_at + at;
	return memchr(text, 0, dynamic->strings_size - at) ? text : NULL;
}

/* Where an address lies in the file; past its end when nowhere. */
static uint64_t file_offset(const struct dynamic *dynamic, uint64_t address,
			    size_t headers)
{
	GElf_Phdr header;
	for (size_t i = 0; i < headers; i++)
		if (gelf_getphdr(dynamic->elf, (int)i, &header) &&
		    header.p_type == PT_LOAD && address >= header.p_vaddr &&
		    address - header.p_vaddr < header.p_filesz)
			return address - header.p_vaddr + header.p_offset;
	return UINT64_MAX;
}

static bool known(const struct elf_deps *deps, const char *name)
{
	for (size_t i = 1; i < deps->count; i++)
		if (strcmp(deps->list[i].name, name) == 0 ||
		    (deps->list[i].path && strcmp(deps->list[i].path, name) == 0))
			return true;
	return false;
}

static int need(struct search *search, const struct dynamic *dynamic,
		const char *program_rpath, size_t asker, const char *name)
{
	char path[PATH_MAX];
	if (!name || known(search->deps, name))
		return 0;
	bool found = find(search, dynamic, program_rpath, search->deps->list[asker].path,
			  name, path);
	return add(search->deps, name, found ? path : NULL, asker)
		       ? diag_set(search->why, "out of memory")
		       : 0;
}

/* Reads the table twice: what strings mean depends on entries that may come later. */
static int read_dynamic(struct search *search, struct dynamic *dynamic, size_t asker,
			const Elf64_Dyn *table, size_t count, size_t headers,
			char **program_rpath)
{
	uint64_t rpath = UINT64_MAX, runpath = UINT64_MAX;
	for (size_t i = 0; i < count && table[i].d_tag != DT_NULL; i++) {
		uint64_t value = table[i].d_un.d_val;
		if (table[i].d_tag == DT_STRTAB)
			dynamic->strings_at = file_offset(dynamic, value, headers);
		else if (table[i].d_tag == DT_STRSZ)
			dynamic->strings_size = value;
		else if (table[i].d_tag == DT_RPATH)
			rpath = value;
		else if (table[i].d_tag == DT_RUNPATH)
			runpath = value;
	}
	dynamic->rpath = string_at(dynamic, rpath);
	dynamic->runpath = string_at(dynamic, runpath);
	if (!asker && dynamic->rpath && !dynamic->runpath) {
		*program_rpath = strdup(dynamic->rpath);
		if (!*program_rpath)
			return diag_set(search->why, "out of memory");
	}
	for (size_t i = 0; i < count && table[i].d_tag != DT_NULL; i++)
		if (table[i].d_tag == DT_NEEDED &&
		    need(search, dynamic, *program_rpath, asker,
			 string_at(dynamic, table[i].d_un.d_val)))
			return -1;
	return 0;
}

static int read_interpreter(struct search *search, const struct dynamic *dynamic,
			    size_t asker, const GElf_Phdr *header)
{
	const char *name = dynamic->bytes + header->p_offset;
	if (header->p_offset > dynamic->size ||
	    header->p_filesz > dynamic->size - header->p_offset || !header->p_filesz ||
	    !memchr(name, 0, header->p_filesz))
		return 0; /* elf_plan has said so of a program; of a library it means
			     nothing */
	return need(search, dynamic, NULL, asker, name);
}

static int read_file(struct search *search, size_t at, char **program_rpath)
{
	struct dynamic dynamic = {0};
	size_t headers = 0;
	GElf_Phdr header;
	void *bytes = NULL;
	const char *path = search->deps->list[at].path;
	if (tree_map_file(path, &bytes, &dynamic.size, search->why))
		return -1;
	dynamic.bytes = bytes;
	dynamic.elf = elf_memory(bytes, dynamic.size);
	int rc = !dynamic.elf || elf_getphdrnum(dynamic.elf, &headers)
			 ? diag_set(search->why, "%s: %s", path, elf_errmsg(-1))
			 : 0;
	for (size_t i = 0; !rc && i < headers; i++) {
		if (!gelf_getphdr(dynamic.elf, (int)i, &header))
			continue;
		if (header.p_type == PT_INTERP && !at)
			rc = read_interpreter(search, &dynamic, at, &header);
		else if (header.p_type == PT_DYNAMIC && header.p_offset <= dynamic.size &&
			 header.p_offset % sizeof(uint64_t) == 0 &&
			 header.p_filesz <= dynamic.size - header.p_offset)
			rc = read_dynamic(search, &dynamic, at,
					  (const void *)(dynamic.bytes + header.p_offset),
					  header.p_filesz / sizeof(Elf64_Dyn), headers,
					  program_rpath);
	}
	elf_end(dynamic.elf);
	tree_unmap_file(bytes, dynamic.size);
	return rc;
}

int elf_deps_find(struct elf_deps *deps, const char *program, struct diag *why)
{
	struct search search = {.deps = deps, .why = why};
	struct diag ignored = {0};
	char *full = realpath(program, NULL), *program_rpath = NULL;
	uint32_t mode = 0;
	memset(deps, 0, sizeof(*deps));
	elf_version(EV_CURRENT);
	if (tree_read_file(CACHE_FILE, &search.cache, &search.cache_size, &mode,
			   &ignored))
		search.cache_size = 0;
	int rc = !full                         ? diag_errno(why, "%s", program)
		 : add(deps, program, full, 0) ? diag_set(why, "out of memory")
					       : 0;
	for (size_t at = 0; !rc && at < deps->count; at++)
		if (deps->list[at].path)
			rc = read_file(&search, at, &program_rpath);
	free(program_rpath);
	free(search.cache);
	free(full);
	return rc;
}

int elf_deps_missing(const struct elf_deps *deps, struct diag *why)
{
	char text[sizeof(why->message)] = "";
	size_t used = 0;
	for (size_t i = 1; i < deps->count && used < sizeof(text); i++) {
		const struct elf_dep *dep = &deps->list[i];
		if (dep->path)
			continue;
		const char *asker = deps->list[dep->needed_by].name;
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%s: not found (needed by %s)",
					 used ? "; " : "", dep->name, asker);
	}
	return used ? diag_set(why, "%s: %s", deps->list[0].name, text) : 0;
}

void elf_deps_free(struct elf_deps *deps)
{
	for (size_t i = 0; i < deps->count; i++) {
		free(deps->list[i].name);
		free(deps->list[i].path);
	}
	free(deps->list);
	memset(deps, 0, sizeof(*deps));
}
