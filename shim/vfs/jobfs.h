/* jobfs.h: inside the tree of a job, for jobfs*.c alone.
 *
 * A node is a file, directory, link or device; names lead to nodes. Nodes of the packed
 * file system are made when first looked up, found again by their inode number (nid), and
 * forgotten when nobody uses them, unless they were changed. Then they stay (pinned)
 * until their last name is gone: their fields are the copy-up of the metadata, their
 * pages that of the data, page by page.
 *
 *   directory node:  table (names made or hidden here)  over  the packed directory `nid`
 *   file node:       pages (written here)  over  lower bytes [0, lower_size)
 *
 * A packed directory that is renamed keeps its nid, so nothing below it needs copying. */
#ifndef SHIM_VFS_JOBFS_H
#define SHIM_VFS_JOBFS_H

#include "imgfmt/erofs_read.h"
#include "shim/vfs/inode.h"

#define NO_NID      UINT64_MAX
#define NID_BUCKETS 256u

/* A name in the upper layer. node NULL: a whiteout, it hides the packed name. */
struct entry {
	struct list link;   /* in table->order, by cookie */
	struct entry *next; /* in its bucket */
	struct vnode *node; /* counted; a node, or the root of a mounted tree */
	uint64_t cookie;    /* position in the directory, ever growing */
	uint32_t hash;
	bool over_lower; /* the packed directory has this name too */
	uint8_t name_size;
	char name[];
};

struct table {
	struct list order;
	struct entry **bucket;
	uint32_t bucket_count; /* a power of two */
	uint32_t used;         /* entries, whiteouts included */
	uint32_t names;        /* entries that lead to a node */
	uint64_t next_cookie;
};

struct node {
	struct vnode vnode;
	struct list all;       /* root->nodes */
	struct list unused;    /* root->unused while nothing refers to it */
	struct node *nid_next; /* bucket of root->by_nid */
	uint64_t nid;          /* packed inode, NO_NID: none */
	uint64_t inode;        /* st_ino */
	uint32_t links, uid, gid, device;
	bool pinned;         /* holds a reference to itself: changed, and has a name */
	bool data_changed;   /* not the packed bytes any more */
	bool populate;       /* /dev: devfs_populate is due */
	bool dead_directory; /* removed: no new names */
	bool linkable;       /* O_TMPFILE: may be given a name */
	bool memfd;
	uint32_t seals; /* F_SEAL_* */
	uint64_t size;
	uint64_t atime_ns, mtime_ns, ctime_ns;
	/* Regular files. */
	const uint8_t *lower; /* the image's bytes, page aligned */
	uint64_t lower_size;  /* of them still part of the file */
	void *pages;          /* jobfs_data.c: tree of pages */
	unsigned pages_height;
	uint64_t pages_count;   /* in it */
	uint64_t lower_covered; /* pages of lower that the tree hides */
	/* Directories. */
	struct table *table;
	uint32_t subdirectories;
	/* Symbolic links. */
	char *target;         /* NULL: in the image */
	void *pipe;           /* FIFOs: the pipe while it is open (pipe.c) */
	struct entry *kept;   /* the removed entry that vnode.name points into */
	struct xattr *xattrs; /* xattr.c */
};

struct rootfs {
	struct account *account;
	struct erofs fs;
	bool has_lower;
	uint64_t pages_used, pages_limit; /* of files */
	uint64_t next_inode;
	struct node *top;
	struct list nodes;
	struct list unused; /* oldest first */
	uint32_t unused_count;
	struct list files; /* open files of this tree */
	struct vnode *proc, *sys;
	struct node *by_nid[NID_BUCKETS];
};

extern const struct vnode_ops jobfs_ops;

static inline struct node *node_of(struct vnode *vnode)
{
	return container_of(vnode, struct node, vnode);
}
static inline const struct node *node_of_const(const struct vnode *vnode)
{
	return (const struct node *)(const void *)vnode;
}
_Static_assert(offsetof(struct node, vnode) == 0, "node_of_const");

/* jobfs_node.c */
struct node *node_make(struct rootfs *root, uint32_t mode);
/* A packed inode's node; node_for_nid finds it again, for a name in parent. */
struct node *node_make_for_nid(struct rootfs *root, uint64_t nid);
int node_for_nid(struct rootfs *root, struct node *parent,
		 const struct erofs_entry *entry,
		 struct node **out);    /* *out with a reference */
void node_changed(struct node *node);   /* pins it */
void node_lost_name(struct node *node); /* one link less; may unpin */
void node_touch(struct node *node);     /* mtime and ctime */
void node_modified(struct node *node);  /* these, and set-user-ID goes: file_modified() */
void node_drop_set_ids(struct vnode *vnode);
void node_destroy(struct node *node); /* whatever refers to it */
/* The last reference is gone. A packed, unchanged node waits in case it is wanted again.
 */
void jobfs_free(struct vnode *vnode);

/* jobfs_dir.c */
void table_free(struct node *directory);
/* /dev: its names, at the first look into it. */
int directory_populate(struct node *directory);
int directory_add(struct node *directory, const char *name, size_t size,
		  struct vnode *vnode);
bool directory_is_empty(struct node *directory);
uint32_t directory_links(struct node *directory);
/* The entry of a name, made when there is none: with the node that the name leads to, or
 * with none. 0 or -errno. */
int entry_reserve(struct node *directory, const char *name, size_t size,
		  struct entry **out);
/* The name leads to vnode now. A node that the entry had before is the caller's to put
 * back. */
void entry_set(struct node *directory, struct entry *entry, struct vnode *vnode);
/* The name leads nowhere any more; the caller keeps the node's reference that the entry
 * had and puts it back. Frees the entry, but for a whiteout. */
void entry_clear(struct node *directory, struct entry *entry);
int jobfs_lookup(struct vnode *directory, const char *name, size_t size,
		 struct vnode **out);
int jobfs_entries(struct vnode *directory, uint64_t *position, struct entry_sink *sink);

/* jobfs_change.c: as vnode_ops. */
int jobfs_create(struct vnode *directory, const char *name, size_t size,
		 const struct vnode_new *what, struct vnode **out);
int jobfs_remove(struct vnode *directory, const char *name, size_t size,
		 bool is_directory);
int jobfs_link(struct vnode *directory, const char *name, size_t size,
	       struct vnode *target);
int jobfs_rename(struct vnode *from, const char *name, size_t size, struct vnode *to,
		 const char *new_name, size_t new_size, unsigned flags);

/* jobfs_data.c */
int data_page(struct node *node, uint64_t index, bool write, struct page **out);
/* Is this page the one of the upper layer at index? */
bool data_has_page(const struct node *node, uint64_t index, const struct page *page);
/* Room for a page that reads as zeros, and stays a hole until it is written. */
int data_allocate(struct node *node, uint64_t index);
/* Gives back the pages of [start, end) that were allocated and not written. */
void data_unallocate(struct node *node, uint64_t start, uint64_t end);
uint64_t data_pages(const struct node *node); /* that are not holes */
int data_truncate(struct node *node, uint64_t size);
int data_punch(struct node *node, uint64_t start, uint64_t end);
void data_free(struct node *node);
/* The first index >= from whose page is data (true) or a hole (false). */
uint64_t data_seek(const struct node *node, uint64_t from, bool data);

/* jobfs_file.c */
int jobfs_open(struct vnode *vnode, struct file *file);

#endif
