/* tree.h: the files that will be packed, in memory: built from the program, --file, --dir
 * and --archive, written by erofs.c. Everything belongs to user and group 0. */
#ifndef ELFPACK_TREE_H
#define ELFPACK_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imgfmt/diag.h"

/* What a name leads to; hard links share one. */
struct tree_inode {
	uint32_t mode;  /* S_IFMT bits and permissions */
	uint32_t links; /* names; of a folder 2 + its folders, filled by the writer */
	void *bytes;    /* owned: a file's contents, a link's target */
	size_t size;
	bool mapped;     /* bytes are the file itself, mapped: munmap(2) */
	char *source;    /* owned: this machine's file that it is of; NULL: none */
	uint64_t nid;    /* the writer's */
	uint32_t number; /* the writer's; 0: not placed yet */
};

struct tree_node {
	char *name;
	struct tree_node *parent; /* the root's is itself */
	struct tree_inode *inode;
	struct tree_node **children; /* sorted by name, in byte order */
	size_t child_count, child_room;
};

struct tree {
	struct tree_node *root;
	struct tree_source *mapped; /* tree_host.c's */
};

struct words {
	const char **list;
	size_t count;
};

int tree_init(struct tree *tree, struct diag *why);
void tree_free(struct tree *tree);

/* Paths are inside the image, absolute or not, "." is dropped and ".." is refused.
 * Missing folders are made (0755); links among the parents are followed inside the tree.
 * A file replaces a file; a folder and anything else never replace each other. All return
 * 0 or -1. */
int tree_make_folder(struct tree *tree, const char *path, uint32_t mode,
		     struct diag *why);
/* Takes bytes (malloc) over, also when it fails. */
int tree_put_file(struct tree *tree, const char *path, uint32_t mode, void *bytes,
		  size_t size, struct diag *why);
/* The same with a map of a file. */
int tree_put_mapped(struct tree *tree, const char *path, uint32_t mode, void *bytes,
		    size_t size, struct diag *why);
int tree_put_link(struct tree *tree, const char *path, const char *target,
		  struct diag *why);
/* A hard link to a name that is there already. */
int tree_put_hard_link(struct tree *tree, const char *path, const char *to,
		       struct diag *why);
/* Without following the last component; NULL when there is none. */
struct tree_node *tree_find(const struct tree *tree, const char *path);

/* tree_host.c: from this machine's files. Big ones are mapped, not read: once all is
 * written, tree_check_unchanged says whether they still are what they were. A folder is
 * taken with all that is in it; links are kept as links, hard links as hard links;
 * sockets, FIFOs and devices are refused. */
int tree_add_file(struct tree *tree, const char *source, const char *path,
		  struct diag *why);
int tree_add_folder(struct tree *tree, const char *source, const char *path,
		    const struct words *exclude, struct diag *why);
/* A file at its own absolute path, with every link on the way to it. */
int tree_add_own_path(struct tree *tree, const char *path, struct diag *why);
int tree_check_unchanged(const struct tree *tree, struct diag *why);
void tree_forget_sources(struct tree *tree);
/* The whole of a file; *bytes is malloc'd. */
int tree_read_file(const char *path, void **bytes, size_t *size, uint32_t *mode,
		   struct diag *why);
/* The same as a map, which is NULL for an empty file. */
int tree_map_file(const char *path, void **bytes, size_t *size, struct diag *why);
void tree_unmap_file(void *bytes, size_t size);
bool tree_excluded(const struct words *exclude, const char *path);

/* tree_archive.c: what libarchive can read (tar, zip, cpio, compressed or not). */
int tree_add_archive(struct tree *tree, const char *archive, const char *path,
		     const struct words *exclude, struct diag *why);

#endif
