/* erofs.h: the bytes of an EROFS file system, as far as elfpack writes and reads it: 4
 * KiB blocks, nothing compressed, no extended attributes (Linux, fs/erofs/erofs_fs.h and
 * Documentation/filesystems/erofs.rst).
 *
 *   byte 1024         struct erofs_super; the rest of block 0 is zero
 *   block meta_block  inodes, each on a slot of 32 bytes: number (nid) n is at byte
 *                     meta_block * 4096 + n * 32. An in-line tail follows its inode and
 *                     never crosses a block.
 *   elsewhere         whole data blocks
 *
 * A folder is a file of blocks, each a table of struct erofs_dirent followed by the
 * names; name_at of the first entry tells how many there are. Names, "." and ".."
 * included, are in byte order within and across blocks. */
#ifndef ELFPACK_ABI_EROFS_H
#define ELFPACK_ABI_EROFS_H

#include "imgfmt/abi/le.h"

#define EROFS_SUPER_AT   1024u
#define EROFS_MAGIC      0xe0f5e1e2u
#define EROFS_BLOCK_BITS 12u
#define EROFS_SLOT       32u /* bytes; what inode numbers count */
#define EROFS_COMPAT_CHECKSUM                                                            \
	1u /* super.checksum: CRC-32C of byte 1024 to the block's end */
#define EROFS_INCOMPAT_PADDING 1u /* only says where LZ4 puts zeros: harmless here */

struct erofs_super {
	le32 magic, checksum, features_compat;
	uint8_t block_bits, extension_slots;
	le16 root;
	le64 inode_count;
	le64 build_time; /* seconds; the mtime of every compact inode */
	le32 build_time_ns;
	le32 block_count;
	le32 meta_block, xattr_block;
	uint8_t uuid[16], volume_name[16];
	le32 features_incompat;
	le16 compression, extra_devices, device_slots;
	uint8_t directory_block_bits, reserved[37];
};
_Static_assert(sizeof(struct erofs_super) == 128, "EROFS ABI");

enum erofs_layout {
	EROFS_FLAT_PLAIN = 0,
	EROFS_FLAT_INLINE = 2, /* whole blocks, and the tail behind the inode */
};

#define EROFS_FORMAT_EXTENDED     1u /* bit 0 of format */
#define EROFS_FORMAT_LAYOUT_SHIFT 1  /* bits 1..3: enum erofs_layout */

struct erofs_inode_compact {
	le16 format, xattr_count, mode, links;
	le32 size, reserved;
	le32 start; /* first block; of a device its number */
	le32 number;
	le16 uid, gid;
	le32 reserved2;
};
_Static_assert(sizeof(struct erofs_inode_compact) == 32, "EROFS ABI");

struct erofs_inode_extended {
	le16 format, xattr_count, mode, reserved;
	le64 size;
	le32 start;
	le32 number, uid, gid;
	le64 mtime;
	le32 mtime_ns, links;
	uint8_t reserved2[16];
};
_Static_assert(sizeof(struct erofs_inode_extended) == 64, "EROFS ABI");

enum erofs_file_type {
	EROFS_REGULAR = 1,
	EROFS_DIRECTORY,
	EROFS_CHARACTER,
	EROFS_BLOCK_DEVICE,
	EROFS_FIFO,
	EROFS_SOCKET,
	EROFS_LINK,
};

struct erofs_dirent {
	le64 nid;
	le16 name_at; /* from the block's first byte */
	uint8_t type; /* enum erofs_file_type */
	uint8_t reserved;
};
_Static_assert(sizeof(struct erofs_dirent) == 12, "EROFS ABI");

#endif
