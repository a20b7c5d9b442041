/* tree_archive.c: filling the tree from an archive, through libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/tree.h"

static int read_entry(struct archive *archive, const char *source, void **bytes,
		      size_t *size, struct diag *why)
{
	size_t room = 0, used = 0;
	char *out = NULL;
	for (;;) {
		if (room - used < 65536) {
			room = room ? 2 * room : 65536;
			char *more = realloc(out, room);
			if (!more) {
				free(out);
				return diag_set(why, "%s: out of memory", source);
			}
			out = more;
		}
		la_ssize_t got = archive_read_data(archive, out + used, room - used);
		if (got < 0) {
			free(out);
			return diag_set(why, "%s: %s", source,
					archive_error_string(archive));
		}
		if (!got)
			break;
		used += (size_t)got;
	}
	*bytes = out;
	*size = used;
	return 0;
}

static int add_entry(struct tree *tree, struct archive *archive,
		     struct archive_entry *entry, const char *source, const char *path,
		     const char *hard_link, struct diag *why)
{
	void *bytes = NULL;
	size_t size = 0;
	uint32_t mode = archive_entry_mode(entry);
	if (hard_link)
		return tree_put_hard_link(tree, path, hard_link, why);
	switch (archive_entry_filetype(entry)) {
	case AE_IFDIR:
		return tree_make_folder(tree, path, mode, why);
	case AE_IFLNK:
		return tree_put_link(tree, path, archive_entry_symlink(entry), why);
	case AE_IFREG:
		if (read_entry(archive, source, &bytes, &size, why))
			return -1;
		return tree_put_file(tree, path, mode, bytes, size, why);
	default:
		return diag_set(why, "%s: %s: a device, FIFO or socket cannot be packed",
				source, path);
	}
}

/* A folder that is left out takes with it what is in it. */
static bool excluded_with_parents(const struct words *exclude, char *path,
				  size_t root_size)
{
	bool excluded = tree_excluded(exclude, path);
	for (char *slash = path; !excluded && (slash = strchr(slash, '/')); slash++) {
		if ((size_t)(slash - path) <= root_size)
			continue;
		*slash = '\0';
		excluded = tree_excluded(exclude, path);
		*slash = '/';
	}
	return excluded;
}

static int add_all(struct tree *tree, struct archive *archive, const char *source,
		   const char *path, const struct words *exclude, struct diag *why)
{
	struct archive_entry *entry = NULL;
	int rc = 0, got = 0;
	while (!rc && (got = archive_read_next_header(archive, &entry)) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(entry);
		const char *link = archive_entry_hardlink(entry);
		char *to = NULL, *from = NULL;
		if (!name)
			rc = diag_set(why, "%s: a name that cannot be read", source);
		else if (asprintf(&to, "%s/%s", path, name) < 0 ||
			 (link && asprintf(&from, "%s/%s", path, link) < 0))
			rc = diag_set(why, "out of memory");
		else if (!excluded_with_parents(exclude, to, strlen(path)))
			rc = add_entry(tree, archive, entry, source, to, from, why);
		free(to);
		free(from);
	}
	if (!rc && got != ARCHIVE_EOF)
		rc = diag_set(why, "%s: %s", source, archive_error_string(archive));
	return rc;
}

int tree_add_archive(struct tree *tree, const char *source, const char *path,
		     const struct words *exclude, struct diag *why)
{
	struct archive *archive = archive_read_new();
	int rc = -1;
	if (!archive)
		return diag_set(why, "out of memory");
	archive_read_support_format_tar(archive);
	archive_read_support_format_zip(archive);
	archive_read_support_format_cpio(archive);
	archive_read_support_filter_all(archive);
	if (archive_read_open_filename(archive, source, 65536) != ARCHIVE_OK)
		diag_set(why, "%s: %s", source, archive_error_string(archive));
	else
		rc = add_all(tree, archive, source, path, exclude, why);
	archive_read_free(archive);
	return rc;
}
