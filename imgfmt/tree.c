/* tree.c: the in-memory tree of what will be packed. Pure; host files are tree_host.c's.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "imgfmt/tree.h"

#define NAME_BYTES     255 /* NAME_MAX */
#define LINKS_FOLLOWED 40

static int out_of_memory(struct diag *why)
{
	return diag_set(why, "out of memory");
}

static void inode_put(struct tree_inode *inode)
{
	if (!inode || --inode->links)
		return;
	if (inode->mapped)
		munmap(inode->bytes, inode->size);
	else
		free(inode->bytes);
	free(inode->source);
	free(inode);
}

static void node_free(struct tree_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->child_count; i++)
		node_free(node->children[i]);
	free(node->children);
	free(node->name);
	inode_put(node->inode);
	free(node);
}

/* Takes bytes over. */
static struct tree_inode *inode_new(uint32_t mode, void *bytes, size_t size)
{
	struct tree_inode *inode = calloc(1, sizeof(*inode));
	if (!inode) {
		free(bytes);
		return NULL;
	}
	*inode = (struct tree_inode){
		.mode = mode, .links = 1, .bytes = bytes, .size = size};
	return inode;
}

/* Takes one count of the inode over. */
static struct tree_node *node_new(const char *name, size_t size, struct tree_inode *inode)
{
	struct tree_node *node = calloc(1, sizeof(*node));
	if (node)
		node->name = strndup(name, size);
	if (!node || !node->name || !inode) {
		free(node ? node->name : NULL);
		free(node);
		inode_put(inode);
		return NULL;
	}
	node->inode = inode;
	return node;
}

int tree_init(struct tree *tree, struct diag *why)
{
	tree->root = node_new("", 0, inode_new(S_IFDIR | 0755, NULL, 0));
	if (!tree->root)
		return out_of_memory(why);
	tree->root->parent = tree->root;
	return 0;
}

void tree_free(struct tree *tree)
{
	node_free(tree->root);
	tree_forget_sources(tree);
	tree->root = NULL;
}

/* Where a name is or belongs among the children. */
static size_t child_slot(const struct tree_node *folder, const char *name, size_t size,
			 bool *found)
{
	size_t low = 0, high = folder->child_count;
	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = folder->children[middle]->name;
		int order = strncmp(other, name, size);
		if (!order && other[size])
			order = 1;
		if (!order) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct tree_node *child_find(const struct tree_node *folder, const char *name,
				    size_t size)
{
	bool found = false;
	size_t slot = child_slot(folder, name, size, &found);
	return found ? folder->children[slot] : NULL;
}

static int child_add(struct tree_node *folder, struct tree_node *node)
{
	bool found = false;
	size_t slot = child_slot(folder, node->name, strlen(node->name), &found);
	if (folder->child_count == folder->child_room) {
		size_t room = folder->child_room ? 2 * folder->child_room : 8;
		struct tree_node **list = realloc(folder->children, room * sizeof(*list));
		if (!list)
			return -1;
		folder->children = list;
		folder->child_room = room;
	}
	memmove(folder->children + slot + 1, folder->children + slot,
		(folder->child_count - slot) * sizeof(*folder->children));
	folder->children[slot] = node;
	folder->child_count++;
	node->parent = folder;
	return 0;
}

/* The next component of *path, which moves past it. 0: there is none. */
static size_t next_name(const char **path, const char **name)
{
	for (;;) {
		*path += strspn(*path, "/");
		size_t size = strcspn(*path, "/");
		*name = *path;
		*path += size;
		if (size != 1 || **name != '.')
			return size;
	}
}

static bool is_up(const char *name, size_t size)
{
	return size == 2 && name[0] == '.' && name[1] == '.';
}

/* Walks to a folder from start. make: create what is missing. Links are followed; their
 * ".." is honoured, the path's own was refused before. NULL: *why says. */
static struct tree_node *walk(struct tree *tree, struct tree_node *start,
			      const char *path, bool make, int links, struct diag *why)
{
	struct tree_node *at = *path == '/' ? tree->root : start;
	const char *rest = path, *name = NULL;
	size_t size = 0;
	while (at && (size = next_name(&rest, &name))) {
		struct tree_node *child =
			is_up(name, size) ? at->parent : child_find(at, name, size);
		if (!child && make) {
			child = node_new(name, size, inode_new(S_IFDIR | 0755, NULL, 0));
			if (!child || child_add(at, child)) {
				node_free(child);
				out_of_memory(why);
				return NULL;
			}
		}
		if (!child) {
			diag_set(why, "%s: no such folder in the image", path);
			return NULL;
		}
		if (S_ISLNK(child->inode->mode)) {
			if (!links) {
				diag_set(why, "%s: too many links in the image", path);
				return NULL;
			}
			child = walk(tree, at, child->inode->bytes, make, links - 1, why);
		} else if (!S_ISDIR(child->inode->mode)) {
			diag_set(why, "%s: %.*s is a file in the image, not a folder",
				 path, (int)size, name);
			return NULL;
		}
		at = child;
	}
	return at;
}

/* Splits off the last component and walks to its folder. *size 0: the root itself. */
static struct tree_node *walk_parent(struct tree *tree, const char *path, bool make,
				     const char **last, size_t *last_size,
				     struct diag *why)
{
	const char *rest = path, *name = NULL;
	size_t size = 0;
	*last = path;
	*last_size = 0;
	while ((size = next_name(&rest, &name))) {
		if (is_up(name, size) || size > NAME_BYTES) {
			diag_set(why,
				 is_up(name, size) ? "%s: .. is not allowed in the image"
						   : "%s: a name of more than 255 bytes",
				 path);
			return NULL;
		}
		*last = name;
		*last_size = size;
	}
	char *parent = strndup(path, (size_t)(*last - path));
	struct tree_node *folder = NULL;
	if (parent)
		folder = walk(tree, tree->root, parent, make, LINKS_FOLLOWED, why);
	else
		out_of_memory(why);
	free(parent);
	return folder;
}

/* Puts an inode (one count of it is taken over) under a name. */
static int put(struct tree *tree, const char *path, struct tree_inode *inode,
	       struct diag *why)
{
	const char *name = NULL;
	size_t size = 0;
	if (!inode)
		return out_of_memory(why);
	struct tree_node *folder = walk_parent(tree, path, true, &name, &size, why);
	if (!folder || !size) {
		inode_put(inode);
		return diag_set(why, "%s: the root is a folder", path);
	}
	struct tree_node *old = child_find(folder, name, size);
	if (old && S_ISDIR(old->inode->mode)) {
		inode_put(inode);
		return diag_set(why, "%s: is a folder in the image already", path);
	}
	if (old) {
		inode_put(old->inode);
		old->inode = inode;
		return 0;
	}
	struct tree_node *node = node_new(name, size, inode);
	if (!node || child_add(folder, node)) {
		node_free(node);
		return out_of_memory(why);
	}
	return 0;
}

int tree_make_folder(struct tree *tree, const char *path, uint32_t mode, struct diag *why)
{
	const char *name = NULL;
	size_t size = 0;
	struct tree_node *folder = walk_parent(tree, path, true, &name, &size, why);
	if (folder && size)
		folder = walk(tree, tree->root, path, true, LINKS_FOLLOWED, why);
	if (!folder)
		return -1;
	folder->inode->mode = S_IFDIR | (mode & 07777);
	return 0;
}

int tree_put_file(struct tree *tree, const char *path, uint32_t mode, void *bytes,
		  size_t size, struct diag *why)
{
	return put(tree, path, inode_new(S_IFREG | (mode & 07777), bytes, size), why);
}

int tree_put_mapped(struct tree *tree, const char *path, uint32_t mode, void *bytes,
		    size_t size, struct diag *why)
{
	struct tree_inode *inode = inode_new(S_IFREG | (mode & 07777), NULL, size);
	if (!inode) {
		munmap(bytes, size);
		return diag_set(why, "out of memory");
	}
	inode->bytes = bytes;
	inode->mapped = true;
	return put(tree, path, inode, why);
}

int tree_put_link(struct tree *tree, const char *path, const char *target,
		  struct diag *why)
{
	size_t size = strlen(target);
	if (!size || size > 4095) /* PATH_MAX with its NUL */
		return diag_set(why, "%s: a link's target of %zu bytes", path, size);
	char *copy = strdup(target);
	return copy ? put(tree, path, inode_new(S_IFLNK | 0777, copy, size), why)
		    : out_of_memory(why);
}

int tree_put_hard_link(struct tree *tree, const char *path, const char *to,
		       struct diag *why)
{
	struct tree_node *node = tree_find(tree, to);
	if (!node || S_ISDIR(node->inode->mode))
		return diag_set(why, "%s: a hard link to %s, which is no file", path, to);
	node->inode->links++;
	return put(tree, path, node->inode, why);
}

struct tree_node *tree_find(const struct tree *tree, const char *path)
{
	struct tree same = *tree;
	struct diag ignored = {0};
	const char *name = NULL;
	size_t size = 0;
	struct tree_node *folder =
		walk_parent(&same, path, false, &name, &size, &ignored);
	if (!folder || !size)
		return folder;
	return child_find(folder, name, size);
}
