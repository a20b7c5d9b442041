/* image_tree.c: walking the packed file system. Depth is bounded by PATH_MAX, and the
 * number of entries by what the file system's size has room for, so that folders in a
 * circle end. */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/image_tree.h"

#define ENTRY_BYTES_LEAST 13u /* an entry and one byte of its name */
#define LINKS_FOLLOWED    40

static int damaged(const char *path, struct diag *why)
{
	return diag_set(why, "the packed file system is damaged at /%s",
			*path == '/' ? path + 1 : path);
}

static bool is_dots(const struct erofs_entry *entry)
{
	return entry->name[0] == '.' &&
	       (entry->name_size == 1 ||
		(entry->name_size == 2 && entry->name[1] == '.'));
}

int image_link_target(const struct erofs *fs, const struct erofs_inode *inode, char *out,
		      size_t room)
{
	size_t done = 0;
	if (!inode->size || inode->size >= room)
		return -1;
	while (done < inode->size) {
		size_t run = 0;
		const uint8_t *bytes = erofs_data(fs, inode, done, &run);
		if (!bytes || !run)
			return -1;
		memcpy(out + done, bytes, run);
		done += run;
	}
	out[done] = '\0';
	return memchr(out, 0, done) ? -1 : 0;
}

static int walk_folder(struct image_walk *walk, char *path, size_t size,
		       const struct erofs_inode *folder, struct diag *why);

static int walk_one(struct image_walk *walk, char *path, size_t size, uint64_t nid,
		    struct diag *why)
{
	struct image_file file = {.path = path};
	const char *slash = strrchr(path, '/');
	file.name = slash ? slash + 1 : path;
	if (erofs_inode(walk->fs, nid, &file.inode))
		return damaged(path, why);
	int rc = walk->enter(walk->context, &file, why);
	if (rc || !S_ISDIR(file.inode.mode))
		return rc;
	rc = walk_folder(walk, path, size, &file.inode, why);
	return rc || !walk->leave ? rc : walk->leave(walk->context, &file, why);
}

static int walk_folder(struct image_walk *walk, char *path, size_t size,
		       const struct erofs_inode *folder, struct diag *why)
{
	struct erofs_entry entry;
	uint64_t position = 0;
	int rc = 0;
	while ((rc = erofs_entry(walk->fs, folder, &position, &entry)) > 0) {
		if (is_dots(&entry))
			continue;
		if (!walk->left-- || size + entry.name_size + 2 > PATH_MAX)
			return damaged(path, why);
		path[size] = '/';
		memcpy(path + size + 1, entry.name, entry.name_size);
		path[size + 1 + entry.name_size] = '\0';
		rc = walk_one(walk, path, size + 1 + entry.name_size, entry.nid, why);
		path[size] = '\0';
		if (rc)
			return rc;
	}
	return rc < 0 ? damaged(path, why) : 0;
}

static int find(const struct erofs *fs, const char *path, int links,
		struct erofs_inode *inode, struct diag *why)
{
	struct erofs_entry entry;
	char joined[2 * PATH_MAX];
	uint64_t nid = fs->root;
	const char *at = path;
	if (erofs_inode(fs, nid, inode))
		return damaged("", why);
	while (*(at += strspn(at, "/"))) {
		size_t size = strcspn(at, "/");
		const char *folder_end = at;
		if (!S_ISDIR(inode->mode))
			return diag_set(why, "%s: not in the image", path);
		int found = erofs_lookup(fs, inode, at, size, &entry);
		if (found < 0 || (found && erofs_inode(fs, entry.nid, inode)))
			return damaged(path, why);
		if (!found)
			return diag_set(why, "%s: not in the image", path);
		at += size;
		if (!S_ISLNK(inode->mode))
			continue;
		char target[PATH_MAX];
		if (!links)
			return diag_set(why, "%s: too many links", path);
		if (image_link_target(fs, inode, target, sizeof(target)))
			return damaged(path, why);
		int folder = target[0] == '/' ? 0 : (int)(folder_end - path);
		if ((size_t)snprintf(joined, sizeof(joined), "%.*s%s%s", folder, path,
				     target, at) >= sizeof(joined))
			return diag_set(why, "%s: too long a path", path);
		return find(fs, joined, links - 1, inode, why);
	}
	return 0;
}

int image_find(const struct erofs *fs, const char *path, struct erofs_inode *inode,
	       struct diag *why)
{
	return find(fs, path, LINKS_FOLLOWED, inode, why);
}

int image_walk(struct image_walk *walk, const char *path, struct diag *why)
{
	char buffer[PATH_MAX];
	struct erofs_inode inode;
	size_t size = strlen(path);
	walk->left = walk->fs->size / ENTRY_BYTES_LEAST;
	if (image_find(walk->fs, path, &inode, why))
		return -1;
	while (size && path[size - 1] == '/')
		size--;
	if (size + 1 >= sizeof(buffer))
		return diag_set(why, "%s: too long a path", path);
	snprintf(buffer, sizeof(buffer), "%s%.*s", *path == '/' || !size ? "" : "/",
		 (int)size, path);
	return walk_one(walk, buffer, strlen(buffer), inode.nid, why);
}
