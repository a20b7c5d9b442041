/* contents.c: walking the tree that was packed. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/contents.h"

int contents_digest(const char *name, const void *bytes, size_t size, char *hex,
		    struct diag *why)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_size = 0;
	const EVP_MD *kind = EVP_get_digestbyname(name);
	if (!kind ||
	    !EVP_Digest(size ? bytes : "", size, digest, &digest_size, kind, NULL))
		return diag_set(why, "%s: libcrypto cannot make it", name);
	for (unsigned i = 0; i < digest_size; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", digest[i]);
	return 0;
}

static int grow(struct contents *contents, struct diag *why)
{
	size_t room = contents->room ? 2 * contents->room : 64;
	if (contents->count < contents->room)
		return 0;
	struct content *list = realloc(contents->list, room * sizeof(*list));
	if (list)
		contents->list = list;
	struct dpkg_file *files = realloc(contents->files, room * sizeof(*files));
	if (files)
		contents->files = files;
	if (!list || !files)
		return diag_set(why, "out of memory");
	contents->room = room;
	return 0;
}

/* Takes the path over. */
static int add_file(struct contents *contents, char *path, const struct tree_inode *inode,
		    struct diag *why)
{
	if (grow(contents, why)) {
		free(path);
		return -1;
	}
	struct content *content = &contents->list[contents->count];
	content->path = path;
	/* What has gone meanwhile belongs to no package. */
	contents->files[contents->count++] = (struct dpkg_file){
		.path = inode->source ? realpath(inode->source, NULL) : NULL,
		.package = DPKG_NONE};
	return contents_digest("SHA1", inode->bytes, inode->size, content->sha1, why) ||
			       contents_digest("SHA256", inode->bytes, inode->size,
					       content->sha256, why)
		       ? -1
		       : 0;
}

static int add_folder(struct contents *contents, const struct tree_node *folder,
		      const char *path, struct diag *why)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < folder->child_count; i++) {
		const struct tree_node *child = folder->children[i];
		char *child_path = NULL;
		if (S_ISLNK(child->inode->mode))
			continue;
		if (asprintf(&child_path, "%s/%s", path, child->name) < 0)
			return diag_set(why, "out of memory");
		if (S_ISREG(child->inode->mode)) {
			rc = add_file(contents, child_path, child->inode, why);
		} else {
			rc = add_folder(contents, child, child_path, why);
			free(child_path);
		}
	}
	return rc;
}

int contents_find(struct contents *contents, const struct tree *tree, struct diag *why)
{
	return add_folder(contents, tree->root, "", why) ||
			       dpkg_find(&contents->dpkg, contents->files,
					 contents->count, why)
		       ? -1
		       : 0;
}

void contents_free(struct contents *contents)
{
	for (size_t i = 0; i < contents->count; i++) {
		free(contents->list[i].path);
		free(contents->files[i].path);
	}
	free(contents->list);
	free(contents->files);
	dpkg_free(&contents->dpkg);
	*contents = (struct contents){0};
}
