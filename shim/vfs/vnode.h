/* vnode.h: files by name. A job's root is one tree of vnodes: the packed EROFS below,
 * read only, and the job's own changes above, in memory that the job pays for (jobfs.c).
 * /dev and /proc are trees of their own kind, mounted in it by name (devfs.c, procfs.c).
 * All under the kernel lock. */
#ifndef SHIM_VFS_VNODE_H
#define SHIM_VFS_VNODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/mm/account.h"
#include "shim/mm/page.h"
#include "shim/vfs/file.h"

/* What stat needs; times are CLOCK_REALTIME nanoseconds. */
struct stat_values {
	uint64_t device, inode, size, blocks; /* blocks of 512 bytes */
	uint32_t mode, links, uid, gid, block_size;
	uint64_t device_number; /* of device nodes: makedev(major, minor) */
	uint64_t atime_ns, mtime_ns, ctime_ns;
};

struct rootfs; /* a job's root tree: jobfs.c */

/* Makes the tree over an EROFS image that stays mapped (NULL: nothing below). What it
 * allocates is charged to account; data pages stop at file_limit_bytes (-ENOSPC). */
struct rootfs *rootfs_make(struct account *account, const void *erofs, size_t erofs_size,
			   uint64_t file_limit_bytes);
void rootfs_destroy(struct rootfs *root);
/* Adds a read-only file whose pages are the boot image's own memory (front, manifest):
 * path absolute, one component; bytes page aligned, zero padded to a page. 0 or -ENOMEM.
 */
int rootfs_add_image_file(struct rootfs *root, const char *path, const void *bytes,
			  size_t size, uint32_t mode);
struct vnode *rootfs_vnode(struct rootfs *root); /* "/"; borrowed */

/* The tree that a vnode is of. What front opened of a job's tree can be read and written,
 * but neither mapped nor made a working directory: it goes with the job. */
struct rootfs *vnode_root(const struct vnode *vnode);

void vnode_get(struct vnode *vnode);
void vnode_put(struct vnode *vnode);
int vnode_stat(struct vnode *vnode, struct stat_values *out);
uint32_t vnode_mode(const struct vnode *vnode);
uint64_t vnode_size(const struct vnode *vnode);

/* Page index of a regular file, for mapping and for reading (offset = index * 4096).
 * write false: the page to map read-only: of the image, of the upper layer, or the zero
 * page for a hole. write true: a page of the upper layer, copied up when it was below
 * (for shared writable mappings). On success *out carries a reference (none is counted
 * for PAGE_IMAGE pages). -ENXIO past the end of the file (SIGBUS), -ENOMEM/-ENOSPC,
 * -EINVAL (no pages). */
int vnode_page(struct vnode *vnode, uint64_t index, bool write, struct page **out);

/* Its bytes change otherwise than by its file's write: the times do too. */
void vnode_written(struct vnode *vnode);
/* Is this page, which was mapped at index, still the file's own of its upper layer? */
bool vnode_has_page(const struct vnode *vnode, uint64_t index, const struct page *page);

/* A regular file's bytes straight from the image's memory when it is wholly unchanged
 * from the packed one; NULL otherwise. For exec: the plan is made on the image's own
 * memory. */
const void *vnode_image_bytes(struct vnode *vnode, size_t *size);

/* Reads into kernel memory; bytes read (short at the end of file) or -errno. */
long vnode_read_kernel(struct vnode *vnode, uint64_t offset, void *to, size_t size);

/* A stable identity for per-boot caches: the packed inode behind an unchanged file, else
 * 0. */
uint64_t vnode_packed_id(const struct vnode *vnode);

/* Name lookup: path.c. */
struct path_context {
	struct rootfs *root;
	struct vnode *cwd; /* directory that relative paths start from */
};
enum path_flags {
	PATH_FOLLOW = 1,      /* follow a symbolic link at the end */
	PATH_NO_SYMLINKS = 2, /* -ELOOP on any symbolic link (job_openat) */
	/* openat2(2): -EXDEV out of cwd; cwd is "/"; -ELOOP on links of /proc that lead
	 * to an object; -EXDEV into another tree. */
	PATH_BENEATH = 4,
	PATH_IN_ROOT = 8,
	PATH_NO_MAGIC = 16,
	PATH_NO_XDEV = 32,
};
/* Finds the vnode of a NUL-terminated path; *out with a reference. -ENOENT, -ENOTDIR,
 * -ELOOP (40 links), -ENAMETOOLONG, -EACCES. */
int path_lookup(const struct path_context *context, const char *path, unsigned flags,
		struct vnode **out);
/* Which O_* do not go together: before the path is looked at. */
int path_check_open(unsigned oflags);
/* open(2): flags are O_*; mode already masked. *out is a new file. */
int path_open(const struct path_context *context, const char *path, unsigned flags,
	      int oflags, uint32_t mode, struct file **out);
/* mkdir -p of the path's parent directories. */
int path_make_parents(const struct path_context *context, const char *path);
/* The absolute path of a directory or file into out; -ERANGE, -ENOENT when unlinked. */
int vnode_path(struct rootfs *root, struct vnode *vnode, char *out, size_t room);

#endif
