/* erofs_read.h: reading a packed file system: EROFS, uncompressed, 4 KiB blocks, as
 * imgfmt/erofs.c writes it (Linux Documentation/filesystems/erofs.rst). Pure: host and
 * kernel, no allocation. The bytes may be anything: every offset and size is checked.
 *
 * Regular files are stored flat plain, each from a block of its own and zero padded, so
 * that their pages can be mapped as they are; folders and links may have their tail in
 * line. */
#ifndef ELFPACK_EROFS_READ_H
#define ELFPACK_EROFS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EROFS_BLOCK    4096u
#define EROFS_NAME_MAX 255u

struct erofs {
	const uint8_t *bytes;
	size_t size;
	uint64_t inodes_at; /* byte offset of inode 0 */
	uint64_t root;      /* inode number (nid) */
	uint64_t build_time_ns;
};

struct erofs_inode {
	uint64_t nid, size;
	uint32_t number; /* what stat calls st_ino */
	uint32_t mode, links, uid, gid;
	uint32_t device;   /* of device nodes, new_encode_dev form */
	uint64_t mtime_ns; /* CLOCK_REALTIME */
	uint64_t data_at;  /* byte offset of the whole blocks */
	uint64_t tail_at;  /* byte offset of the in-line tail, 0: none */
};

struct erofs_entry {
	const char *name; /* not NUL-terminated */
	size_t name_size;
	uint64_t nid;
	uint8_t type; /* DT_* */
};

/* All return 0 or -1 (not such a file system, or damaged), but where said. */
int erofs_open(struct erofs *fs, const void *bytes, size_t size);
int erofs_inode(const struct erofs *fs, uint64_t nid, struct erofs_inode *inode);
/* The bytes at offset, in one piece: *run of them (to the end of the file or of the
 * piece). NULL at or past the end. */
const uint8_t *erofs_data(const struct erofs *fs, const struct erofs_inode *inode,
			  uint64_t offset, size_t *run);
/* The entry at *position (0 first) in directory order; advances *position. 1: an entry,
 * 0: the end, -1: damaged. */
int erofs_entry(const struct erofs *fs, const struct erofs_inode *directory,
		uint64_t *position, struct erofs_entry *entry);
/* Binary search. 1: found, 0: no such name, -1: damaged. */
int erofs_lookup(const struct erofs *fs, const struct erofs_inode *directory,
		 const char *name, size_t name_size, struct erofs_entry *entry);

#endif
