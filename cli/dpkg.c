/* dpkg.c: dpkg's lists of files, read once for all files that are asked about. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/dpkg.h"
#include "imgfmt/tree.h"

#define DATABASE "/var/lib/dpkg"

struct search {
	struct dpkg *dpkg;
	struct dpkg_file **by_path; /* that still have no answer, sorted */
	size_t count;
	char *diversions; /* lines by three: from, to, the package that made it */
	size_t room;      /* of dpkg->packages */
};

/* Lists name a file as its package did, before /bin, /lib, ... became links into /usr. */
static const char *without_usr(const char *path)
{
	static const char *const merged[] = {"/bin/",   "/sbin/",  "/lib/",
					     "/lib32/", "/lib64/", "/libx32/"};
	const char *rest = strncmp(path, "/usr/", 5) == 0 ? path + 4 : path;
	for (size_t i = 0; i < sizeof(merged) / sizeof(merged[0]); i++)
		if (strncmp(rest, merged[i], strlen(merged[i])) == 0)
			return rest;
	return path;
}

static int compare_files(const void *one, const void *other)
{
	const struct dpkg_file *const *a = one, *const *b = other;
	return strcmp(without_usr((*a)->path), without_usr((*b)->path));
}

static int compare_names(const struct dirent **one, const struct dirent **other)
{
	return strcmp((*one)->d_name, (*other)->d_name);
}

static int is_list(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name);
	return size > 5 && strcmp(entry->d_name + size - 5, ".list") == 0;
}

/* The next line of *text, which moves behind it; NULL: the end. */
static char *next_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');
	if (!*line)
		return NULL;
	*text = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return line;
}

/* A text file, malloc'd; NULL: it is not there. */
static char *read_text(const char *path)
{
	struct diag ignored = {0};
	void *bytes = NULL;
	size_t size = 0;
	uint32_t mode = 0;
	if (tree_read_file(path, &bytes, &size, &mode, &ignored))
		return NULL;
	((char *)bytes)[size] = '\0'; /* there is room for it */
	return bytes;
}

/* Where a package's file lies when another package has diverted it (dpkg-divert(1)). */
static const char *diverted(const struct search *search, const char *package,
			    const char *path)
{
	const char *from = search->diversions;
	size_t name_size = strcspn(package, ":");
	while (from && *from) {
		size_t from_size = strcspn(from, "\n");
		const char *to = from + from_size + (from[from_size] == '\n');
		size_t to_size = strcspn(to, "\n");
		const char *by = to + to_size + (to[to_size] == '\n');
		size_t by_size = strcspn(by, "\n");
		bool own = by_size == name_size && strncmp(by, package, by_size) == 0;
		if (!own && strlen(path) == from_size &&
		    strncmp(path, from, from_size) == 0)
			return to; /* ends at a line's end */
		from = by + by_size + (by[by_size] == '\n');
	}
	return NULL;
}

static size_t find_file(const struct search *search, const char *path)
{
	size_t low = 0, high = search->count;
	const char *key = without_usr(path);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(without_usr(search->by_path[middle]->path), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int add_package(struct search *search, const char *key)
{
	struct dpkg *dpkg = search->dpkg;
	if (dpkg->count == search->room) {
		size_t room = search->room ? 2 * search->room : 16;
		struct dpkg_package *list = realloc(dpkg->packages, room * sizeof(*list));
		if (!list)
			return -1;
		dpkg->packages = list;
		search->room = room;
	}
	dpkg->packages[dpkg->count] = (struct dpkg_package){.key = strdup(key)};
	return dpkg->packages[dpkg->count++].key ? 0 : -1;
}

/* Takes a line of a package's list. *added: has the package a row yet? The first package
 * that has a file keeps it: those of several architectures share some. */
static int take_line(struct search *search, const char *package, const char *line,
		     bool *added)
{
	char elsewhere[4096];
	const char *to = search->diversions ? diverted(search, package, line) : NULL;
	if (to) {
		snprintf(elsewhere, sizeof(elsewhere), "%.*s", (int)strcspn(to, "\n"),
			 to);
		line = elsewhere;
	}
	for (size_t i = find_file(search, line);
	     i < search->count &&
	     strcmp(without_usr(search->by_path[i]->path), without_usr(line)) == 0;
	     i++) {
		if (search->by_path[i]->package != DPKG_NONE)
			continue;
		if (!*added && add_package(search, package))
			return -1;
		*added = true;
		search->by_path[i]->package = search->dpkg->count - 1;
	}
	return 0;
}

static int read_list(struct search *search, const char *name)
{
	char path[4096], package[256];
	bool added = false;
	int rc = 0;
	snprintf(path, sizeof(path), DATABASE "/info/%s", name);
	snprintf(package, sizeof(package), "%.*s", (int)(strlen(name) - 5), name);
	char *text = read_text(path), *at = text, *line = NULL;
	while (!rc && text && (line = next_line(&at)))
		rc = take_line(search, package, line, &added);
	free(text);
	return rc;
}

/* What stands behind a field's name, NULL: the line is another field's. */
static const char *field(const char *line, const char *name)
{
	size_t size = strlen(name);
	return strncmp(line, name, size) == 0 && line[size] == ':'
		       ? line + size + 1 + strspn(line + size + 1, " ")
		       : NULL;
}

static bool is_of(const struct dpkg_package *package, const char *name,
		  const char *architecture)
{
	size_t size = strcspn(package->key, ":");
	return strlen(name) == size && strncmp(package->key, name, size) == 0 &&
	       (!package->key[size] ||
		strcmp(package->key + size + 1, architecture) == 0);
}

static int describe(struct dpkg *dpkg, const char *name, const char *architecture,
		    const char *version)
{
	for (size_t i = 0; name && architecture && version && i < dpkg->count; i++) {
		struct dpkg_package *package = &dpkg->packages[i];
		if (package->name || !is_of(package, name, architecture))
			continue;
		package->name = strdup(name);
		package->architecture = strdup(architecture);
		package->version = strdup(version);
		if (!package->name || !package->architecture || !package->version)
			return -1;
	}
	return 0;
}

static int read_status(struct dpkg *dpkg)
{
	char *text = read_text(DATABASE "/status"), *at = text, *line = NULL;
	const char *name = NULL, *architecture = NULL, *version = NULL, *value = NULL;
	int rc = 0;
	while (!rc && text && (line = next_line(&at))) {
		if ((value = field(line, "Package")))
			name = value;
		else if ((value = field(line, "Architecture")))
			architecture = value;
		else if ((value = field(line, "Version")))
			version = value;
		if (*line && *at)
			continue;
		rc = describe(dpkg, name, architecture, version);
		name = architecture = version = NULL;
	}
	free(text);
	/* A list without a status is of no package that is installed. */
	for (size_t i = 0; !rc && i < dpkg->count; i++) {
		struct dpkg_package *package = &dpkg->packages[i];
		if (!package->name)
			rc = !(package->name = strdup(package->key)) ||
					     !(package->architecture = strdup("")) ||
					     !(package->version = strdup(""))
				     ? -1
				     : 0;
	}
	return rc;
}

static void read_vendor(struct dpkg *dpkg)
{
	char *text = read_text("/etc/os-release"), *at = text, *line = NULL;
	snprintf(dpkg->vendor, sizeof(dpkg->vendor), "debian");
	while (text && (line = next_line(&at))) {
		const char *value = strncmp(line, "ID=", 3) == 0 ? line + 3 : "";
		value += strspn(value, "\"'");
		if (*value)
			snprintf(dpkg->vendor, sizeof(dpkg->vendor), "%.*s",
				 (int)strcspn(value, "\"'"), value);
	}
	free(text);
}

int dpkg_find(struct dpkg *dpkg, struct dpkg_file *files, size_t count, struct diag *why)
{
	struct search search = {.dpkg = dpkg};
	struct dirent **lists = NULL;
	int rc = 0,
	    list_count = scandir(DATABASE "/info", &lists, is_list, compare_names);
	search.by_path = calloc(count + 1, sizeof(struct dpkg_file *));
	search.diversions = read_text(DATABASE "/diversions");
	if (!search.by_path)
		rc = -1;
	for (size_t i = 0; i < count; i++) {
		files[i].package = DPKG_NONE;
		if (!rc && files[i].path)
			search.by_path[search.count++] = &files[i];
	}
	if (!rc)
		qsort(search.by_path, search.count, sizeof(struct dpkg_file *),
		      compare_files);
	for (int i = 0; i < list_count; i++) {
		if (!rc)
			rc = read_list(&search, lists[i]->d_name);
		free(lists[i]);
	}
	free(lists);
	if (!rc)
		rc = read_status(dpkg);
	read_vendor(dpkg);
	free(search.by_path);
	free(search.diversions);
	return rc ? diag_set(why, "out of memory") : 0;
}

void dpkg_free(struct dpkg *dpkg)
{
	for (size_t i = 0; i < dpkg->count; i++) {
		free(dpkg->packages[i].key);
		free(dpkg->packages[i].name);
		free(dpkg->packages[i].version);
		free(dpkg->packages[i].architecture);
	}
	free(dpkg->packages);
	*dpkg = (struct dpkg){0};
}
