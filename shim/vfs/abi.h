/* abi.h: what Linux' file calls look like to programs on x86-64: flags, modes, structures
 * (uapi asm-generic/fcntl.h, linux/stat.h, linux/fs.h, asm-generic/poll.h and others). */
#ifndef SHIM_VFS_ABI_H
#define SHIM_VFS_ABI_H

#include <stdint.h>

#define PATH_MAX     4096u
#define NAME_MAX     255u
#define SYMLINKS_MAX 40u

#define O_ACCMODE     03u
#define O_RDONLY      00u
#define O_WRONLY      01u
#define O_RDWR        02u
#define O_CREAT       0100u
#define O_EXCL        0200u
#define O_NOCTTY      0400u
#define O_TRUNC       01000u
#define O_APPEND      02000u
#define O_NONBLOCK    04000u
#define O_DSYNC       010000u
#define O_ASYNC       020000u
#define O_DIRECT      040000u
#define O_LARGEFILE   0100000u
#define O_DIRECTORY   0200000u
#define O_NOFOLLOW    0400000u
#define O_NOATIME     01000000u
#define O_CLOEXEC     02000000u
#define O_SYNC        04010000u
#define O_PATH        010000000u
#define O_TMPFILE_BIT 020000000u
#define O_TMPFILE     (O_TMPFILE_BIT | O_DIRECTORY)

#define S_IFMT    0170000u
#define S_IFSOCK  0140000u
#define S_IFLNK   0120000u
#define S_IFREG   0100000u
#define S_IFBLK   0060000u
#define S_IFDIR   0040000u
#define S_IFCHR   0020000u
#define S_IFIFO   0010000u
#define S_ISUID   04000u
#define S_ISGID   02000u
#define S_ISVTX   01000u
#define MODE_BITS 07777u

#define AT_FDCWD            (-100)
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_REMOVEDIR        0x200u
#define AT_EACCESS          0x200u
#define AT_SYMLINK_FOLLOW   0x400u
#define AT_NO_AUTOMOUNT     0x800u
#define AT_EMPTY_PATH       0x1000u
#define AT_STATX_SYNC_TYPE  0x6000u

#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE  2u
#define RENAME_WHITEOUT  4u

#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

#define POLLIN     0x001u
#define POLLPRI    0x002u
#define POLLOUT    0x004u
#define POLLERR    0x008u
#define POLLHUP    0x010u
#define POLLNVAL   0x020u
#define POLLRDNORM 0x040u
#define POLLRDBAND 0x080u
#define POLLWRNORM 0x100u
#define POLLWRBAND 0x200u
#define POLLRDHUP  0x2000u

#define RLIMIT_FSIZE_INDEX  1
#define RLIMIT_NOFILE_INDEX 7

/* Character devices by number, new_encode_dev form: minor low byte, major << 8. */
#define DEVICE(major, minor) ((uint32_t)(major) << 8 | (uint32_t)(minor))

struct linux_stat {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad0;
	uint64_t rdev;
	int64_t size, blksize, blocks;
	int64_t atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
	int64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "Linux ABI");

struct linux_statx_time {
	int64_t seconds;
	uint32_t nanoseconds;
	int32_t reserved;
};
struct linux_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, spare0;
	uint64_t ino, size, blocks, attributes_mask;
	struct linux_statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id;
	uint64_t spare[13];
};
_Static_assert(sizeof(struct linux_statx) == 256, "Linux ABI");

struct linux_statfs {
	int64_t type, bsize;
	uint64_t blocks, bfree, bavail, files, ffree;
	int32_t fsid[2];
	int64_t namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "Linux ABI");

struct linux_timespec {
	int64_t seconds, nanoseconds;
};

struct linux_flock {
	int16_t type, whence;
	int32_t pad;
	int64_t start, size;
	int32_t pid, pad2;
};
_Static_assert(sizeof(struct linux_flock) == 32, "Linux ABI");

#endif
