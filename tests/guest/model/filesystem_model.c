/* filesystem_model FOLDER FIRST COUNT STEPS [verbose]: random calls on files, by seed.
 *
 * Seed FIRST + N works below FOLDER/N, which may hold files already. Few names are used,
 * so that calls meet each other's results: files that are gone but open, links to links,
 * trees that are renamed while a process stands in them, mappings of what is cut. Prints
 * a number for each seed (verbose: a line for each call) that has to be the same wherever
 * it runs. */
#include "choose.h"
#include "lines.h"
#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>

/* Open files. */

static void slot_put(struct slot *slot, int fd)
{
	if (fd < 0)
		return;
	if (slot->fd >= 0)
		close(slot->fd);
	*slot = (struct slot){.fd = -1};
	/* A number that depends on the slot alone. */
	slot->fd = dup2(fd, 100 + (int)(slot - slots));
	close(fd);
}

static void do_open(void)
{
	static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_RDWR, O_RDWR};
	int flags = access[pick(6)] | O_NONBLOCK, directory = directory_choose();
	const char *path = path_choose();
	struct slot *slot = &slots[pick(SLOTS)];
	flags |= chance(60) ? O_CREAT : chance(15) ? O_DIRECTORY : 0;
	flags |= chance(10) ? O_EXCL : 0;
	flags |= chance(10) ? O_TRUNC : 0;
	flags |= chance(20) ? O_APPEND : 0;
	flags |= chance(10) ? O_NOFOLLOW : 0;
	flags |= chance(4) ? O_PATH : 0;
	int fd = openat(directory, path, flags, 0600 | pick(0100));
	line("slot %ld = openat(%s%s, %o): %s", (long)(slot - slots),
	     directory_text(directory), path, flags,
	     fd < 0 ? strerrorname_np(errno) : "open");
	slot_put(slot, fd);
}

static void do_open_directory(void)
{
	const char *path = chance(30) ? "." : path_choose();
	struct slot *slot = &slots[pick(SLOTS)];
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	line("slot %ld = directory %s: %s", (long)(slot - slots), path,
	     fd < 0 ? strerrorname_np(errno) : "open");
	slot_put(slot, fd);
}

static void do_open_unnamed(void)
{
	const char *path = chance(50) ? "." : path_choose();
	struct slot *slot = &slots[pick(SLOTS)];
	int flags =
		O_TMPFILE | (chance(90) ? O_RDWR : O_RDONLY) | (chance(20) ? O_EXCL : 0);
	int fd = open(path, flags, 0644);
	line("slot %ld = unnamed in %s, %o: %s", (long)(slot - slots), path, flags,
	     fd < 0 ? strerrorname_np(errno) : "open");
	slot_put(slot, fd);
}

static void do_duplicate(void)
{
	struct slot *from = slot_choose(), *to = slot_choose();
	struct stat st;
	/* Listings of one folder through two would meet. */
	if (from->fd < 0 || from == to ||
	    (fstat(from->fd, &st) == 0 && S_ISDIR(st.st_mode)))
		return;
	line("slot %ld = slot %ld", (long)(to - slots), (long)(from - slots));
	slot_put(to, dup(from->fd));
}

static void do_close(void)
{
	struct slot *slot = slot_choose();
	line("close %d: %s", slot->fd, result_text(close(slot->fd)));
	*slot = (struct slot){.fd = -1};
}

static void do_read(void)
{
	static uint8_t bytes[IO_MAX];
	int fd = slot_choose()->fd;
	size_t size = size_choose();
	off_t offset = offset_choose();
	bool at = chance(50);
	ssize_t got = at ? pread(fd, bytes, size, offset) : read(fd, bytes, size);
	line("%s(%d, %zu, %ld): %s %lx", at ? "pread" : "read", fd, size,
	     at ? (long)offset : -1, result_text(got),
	     got > 0 ? (long)fold(FOLD_START, bytes, (size_t)got) : 0);
}

static void do_write(void)
{
	int fd = slot_choose()->fd;
	size_t size = size_choose();
	off_t offset = offset_choose();
	bool at = chance(50);
	uint8_t *bytes = bytes_choose(size);
	ssize_t put = at ? pwrite(fd, bytes, size, offset) : write(fd, bytes, size);
	line("%s(%d, %zu, %ld): %s", at ? "pwrite" : "write", fd, size,
	     at ? (long)offset : -1, result_text(put));
}

static void do_write_vector(void)
{
	int fd = slot_choose()->fd;
	size_t size = size_choose();
	off_t offset = chance(30) ? -1 : offset_choose();
	int flags = chance(30) ? RWF_APPEND : 0;
	uint8_t *bytes = bytes_choose(size);
	struct iovec v[3] = {
		{bytes, size / 3}, {bytes, 0}, {bytes + size / 3, size - size / 3}};
	ssize_t put = pwritev2(fd, v, 3, offset, flags);
	line("pwritev2(%d, %zu, %ld, %x): %s", fd, size, (long)offset, flags,
	     result_text(put));
}

static void do_seek(void)
{
	static const int ways[] = {SEEK_SET,  SEEK_CUR,  SEEK_END, SEEK_DATA,
				   SEEK_HOLE, SEEK_DATA, SEEK_HOLE};
	struct slot *slot = slot_choose();
	struct stat st;
	int whence = ways[pick(7)];
	off_t offset = chance(90) ? offset_choose() : -offset_choose();
	/* What positions in directories mean is the file system's own. */
	if (fstat(slot->fd, &st) == 0 && S_ISDIR(st.st_mode))
		return;
	line("lseek(%d, %ld, %d): %s", slot->fd, (long)offset, whence,
	     result_text(lseek(slot->fd, offset, whence)));
}

static void do_set_flags(void)
{
	int fd = slot_choose()->fd, flags = O_NONBLOCK | (chance(30) ? O_APPEND : 0);
	line("fcntl(%d, F_SETFL, %o): %s", fd, flags,
	     result_text(fcntl(fd, F_SETFL, flags)));
	line("F_GETFL: %s", result_text(fcntl(fd, F_GETFL)));
}

static void do_truncate(void)
{
	off_t size = chance(95) ? offset_choose() : -1;
	if (chance(50)) {
		const char *path = path_choose();
		line("truncate(%s, %ld): %s", path, (long)size,
		     result_text(truncate(path, size)));
	} else {
		int fd = slot_choose()->fd;
		line("ftruncate(%d, %ld): %s", fd, (long)size,
		     result_text(ftruncate(fd, size)));
	}
}

static void do_allocate(void)
{
	/* Zeroing, collapsing and inserting ranges is not tmpfs'. */
	static const int modes[] = {0,
				    FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE,
				    FALLOC_FL_COLLAPSE_RANGE};
	int fd = slot_choose()->fd, mode = modes[pick(6)];
	off_t offset = offset_choose(), size = (off_t)size_choose();
	line("fallocate(%d, %x, %ld, %ld): %s", fd, mode, (long)offset, (long)size,
	     result_text(fallocate(fd, mode, offset, size)));
}

static void do_copy(void)
{
	int from = slot_choose()->fd, to = slot_choose()->fd;
	off_t in = offset_choose(), out = offset_choose();
	size_t size = size_choose();
	bool own_in = chance(30), own_out = chance(30);
	long done = copy_file_range(from, own_in ? NULL : &in, to, own_out ? NULL : &out,
				    size, 0);
	line("copy_file_range(%d, %d, %zu): %s, at %ld %ld", from, to, size,
	     result_text(done), own_in ? -1 : (long)in, own_out ? -1 : (long)out);
}

static void do_send(void)
{
	int from = slot_choose()->fd, to = slot_choose()->fd;
	off_t in = offset_choose();
	size_t size = size_choose();
	bool own = chance(30);
	struct stat a, b;
	/* What overlapping pages get is chance. */
	if (fstat(from, &a) == 0 && fstat(to, &b) == 0 && a.st_ino == b.st_ino)
		return;
	long done = sendfile(to, from, own ? NULL : &in, size);
	line("sendfile(%d, %d, %zu): %s, at %ld", to, from, size, result_text(done),
	     own ? -1 : (long)in);
}

/* Mappings. */

static sigjmp_buf past_end;

static void on_bus_error(int signo)
{
	(void)signo;
	siglongjmp(past_end, 1);
}

static void map_end(struct map *map)
{
	if (map->at) {
		munmap(map->at, map->pages * PAGE);
		close(map->fd);
	}
	*map = (struct map){0};
}

static void do_map(void)
{
	struct map *map = &maps[pick(MAPS)];
	char proc[32];
	int fd = slot_choose()->fd;
	struct map new = {.pages = 1 + pick(4),
			  .offset = PAGE * (off_t)pick(4),
			  .writable = chance(70),
			  .shared = chance(50)};
	void *at =
		mmap(NULL, new.pages *PAGE, PROT_READ | (new.writable ? PROT_WRITE : 0),
		     new.shared ? MAP_SHARED : MAP_PRIVATE, fd, new.offset);
	line("map %ld = mmap(%d, %s, %zu at %ld, %d): %s", (long)(map - maps), fd,
	     new.shared ? "shared" : "private", new.pages, (long)new.offset, new.writable,
	     at == MAP_FAILED ? strerrorname_np(errno) : "mapped");
	if (at == MAP_FAILED)
		return;
	map_end(map);
	*map = new;
	map->at = at;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	map->fd = open(proc, O_RDONLY | O_NONBLOCK);
	line("opened again: %d", map->fd >= 0);
}

/* Reading a hole through a mapping fills it on tmpfs alone, and when a write through one
 * changes the time is left open: neither is compared. */
static void do_map_touch(void)
{
	struct map *map = &maps[pick(MAPS)];
	struct timespec times[2] = {{PAST, 0}, {PAST, 0}};
	size_t at = PAGE * pick(4) + (chance(50) ? pick(PAGE) : 0);
	off_t page = map->offset + (off_t)(at / PAGE * PAGE);
	volatile int value = -1;
	bool write = chance(50);
	uint8_t written = (uint8_t)random_next();
	if (!map->at || at >= map->pages * PAGE || (write && !map->writable))
		return;
	bool hole = page < lseek(map->fd, 0, SEEK_END) &&
		    lseek(map->fd, page, SEEK_DATA) != page;
	if (hole && !(write && map->shared))
		return;
	if (sigsetjmp(past_end, 1) == 0) {
		if (write)
			*(volatile uint8_t *)(map->at + at) = written;
		value = *(volatile uint8_t *)(map->at + at);
	}
	line("map %ld %s %zu: %d", (long)(map - maps), write ? "write" : "read", at,
	     value);
	if (map->shared && map->writable)
		line("its time: %s", result_text(futimens(map->fd, times)));
}

static void do_map_sync(void)
{
	struct map *map = &maps[pick(MAPS)];
	if (!map->at)
		return;
	bool forget = chance(50);
	line("map %ld %s: %s", (long)(map - maps), forget ? "forget" : "sync",
	     result_text(forget ? madvise(map->at, map->pages * PAGE, MADV_DONTNEED)
				: msync(map->at, map->pages * PAGE, MS_SYNC)));
}

/* Names. */

static void do_make_directory(void)
{
	int directory = directory_choose();
	const char *path = path_choose();
	line("mkdirat(%s%s): %s", directory_text(directory), path,
	     result_text(mkdirat(directory, path, 0700 | pick(0100))));
}

static void do_make_fifo(void)
{
	const char *path = path_choose();
	line("mkfifo(%s): %s", path, result_text(mkfifo(path, 0644)));
}

static void do_remove(void)
{
	int directory = directory_choose(), flags = chance(40) ? AT_REMOVEDIR : 0;
	const char *path = path_choose();
	line("unlinkat(%s%s, %x): %s", directory_text(directory), path, flags,
	     result_text(unlinkat(directory, path, flags)));
}

static void do_rename(void)
{
	static const unsigned flags[] = {0,
					 0,
					 0,
					 RENAME_NOREPLACE,
					 RENAME_EXCHANGE,
					 RENAME_NOREPLACE | RENAME_EXCHANGE};
	int from = directory_choose(), to = directory_choose();
	const char *old = path_choose(), *new = path_choose();
	unsigned flag = flags[chance(97) ? pick(5) : 5];
	line("renameat2(%s%s, %s%s, %x): %s", directory_text(from), old,
	     directory_text(to), new, flag,
	     result_text(renameat2(from, old, to, new, flag)));
}

static void do_link(void)
{
	int from = directory_choose(), to = directory_choose();
	const char *old = path_choose(), *new = path_choose();
	int flags = chance(30) ? AT_SYMLINK_FOLLOW : 0;
	line("linkat(%s%s, %s%s, %x): %s", directory_text(from), old, directory_text(to),
	     new, flags, result_text(linkat(from, old, to, new, flags)));
}

/* Gives an open file (another) name, as O_TMPFILE's man page has it. */
static void do_link_open(void)
{
	char proc[32];
	int fd = slot_choose()->fd;
	const char *path = path_choose();
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	line("link of %d to %s: %s", fd, path,
	     result_text(linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW)));
}

static void do_symlink(void)
{
	int directory = directory_choose();
	const char *text = path_choose(), *path = path_choose();
	char up[PATH_MAX + 4];
	snprintf(up, sizeof(up), "%s%s", chance(20) && *text ? "../" : "", text);
	line("symlinkat(%s, %s%s): %s", up, directory_text(directory), path,
	     result_text(symlinkat(up, directory, path)));
}

static void do_read_link(void)
{
	char text[PATH_MAX];
	const char *path = path_choose();
	long size = readlink(path, text, chance(10) ? 1 : sizeof(text));
	line("readlink(%s): %s %.*s", path, result_text(size), size > 0 ? (int)size : 0,
	     text);
}

static char top_path[PATH_MAX];

static void do_working_directory(void)
{
	char path[PATH_MAX];
	if (chance(50)) {
		const char *to = path_choose();
		line("chdir(%s): %s", to, result_text(chdir(to)));
	} else if (chance(50)) {
		int fd = slot_choose()->fd;
		line("fchdir(%d): %s", fd, result_text(fchdir(fd)));
	}
	long size = syscall(SYS_getcwd, path, sizeof(path));
	size_t top = strlen(top_path);
	bool below = size > 0 && strncmp(path, top_path, top) == 0;
	line("getcwd: %s", size < 0 ? strerrorname_np(errno)
			   : below  ? path + top
				    : "elsewhere");
}

static void do_return(void)
{
	line("return: %s", result_text(chdir(top_path)));
}

/* Metadata. */

static void do_stat(void)
{
	struct stat st;
	int directory = directory_choose(), flags = chance(50) ? AT_SYMLINK_NOFOLLOW : 0;
	const char *path = path_choose();
	line("fstatat(%s%s, %x)", directory_text(directory), path, flags);
	if (fstatat(directory, path, &st, flags) < 0)
		line("fstatat: %s", strerrorname_np(errno));
	else
		line_stat(path, &st);
}

static void do_stat_open(void)
{
	struct stat st;
	int fd = slot_choose()->fd;
	if (fstat(fd, &st) < 0)
		line("fstat(%d): %s", fd, strerrorname_np(errno));
	else
		line_stat("fstat", &st);
}

static void do_statx(void)
{
	struct statx st;
	struct stat by_stat;
	const char *path = path_choose();
	if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &st) < 0) {
		line("statx(%s): %s", path, strerrorname_np(errno));
		return;
	}
	line("statx(%s): mask %x mode %o links %u inode %u", path,
	     st.stx_mask & STATX_BASIC_STATS, st.stx_mode, st.stx_nlink,
	     inode_rank(st.stx_ino));
	if (stat(path, &by_stat) < 0 || by_stat.st_size != (off_t)st.stx_size ||
	    by_stat.st_blocks != (blkcnt_t)st.stx_blocks ||
	    by_stat.st_mtim.tv_nsec != st.stx_mtime.tv_nsec)
		line("stat and statx differ");
}

static void do_change_mode(void)
{
	/* Owners keep their rights: nobody here may pass over them. */
	mode_t mode = 0700 | pick(0100) | (chance(20) ? S_ISUID : 0) |
		      (chance(20) ? S_ISGID : 0);
	if (chance(50)) {
		const char *path = path_choose();
		line("chmod(%s, %o): %s", path, mode, result_text(chmod(path, mode)));
	} else {
		int fd = slot_choose()->fd;
		line("fchmod(%d, %o): %s", fd, mode, result_text(fchmod(fd, mode)));
	}
}

static void do_set_times(void)
{
	struct timespec times[2] = {{PAST + step_number, 0},
				    {PAST + step_number + 500, 7}};
	struct stat st;
	int directory = directory_choose(), flags = chance(30) ? AT_SYMLINK_NOFOLLOW : 0;
	const char *path = path_choose();
	if (chance(10))
		times[pick(2)].tv_nsec = chance(50) ? UTIME_OMIT : 1000000001;
	line("utimensat(%s%s, %x): %s", directory_text(directory), path, flags,
	     result_text(utimensat(directory, path, times, flags)));
	if (fstatat(directory, path, &st, flags) == 0 && times[0].tv_nsec == 0)
		line("mtime %s", time_text(st.st_mtim));
}

static bool with_attributes;

static void do_attribute(void)
{
	char name[] = "user.x", value[64];
	int fd = slot_choose()->fd;
	if (!with_attributes)
		return;
	name[5] = (char)('x' + pick(3));
	switch (pick(4)) {
	case 0:
		line("fsetxattr(%d, %s): %s", fd, name,
		     result_text(fsetxattr(fd, name, bytes_choose(40), pick(40),
					   (int)pick(3))));
		break;
	case 1: {
		long size = fgetxattr(fd, name, value, sizeof(value));
		line("fgetxattr(%d, %s): %s %lx", fd, name, result_text(size),
		     size > 0 ? (long)fold(FOLD_START, value, (size_t)size) : 0);
		break;
	}
	case 2:
		line("fremovexattr(%d, %s): %s", fd, name,
		     result_text(fremovexattr(fd, name)));
		break;
	default:
		line("flistxattr(%d): %s", fd, result_text(flistxattr(fd, NULL, 0)));
	}
}

/* Listings. */

static void do_list(void)
{
	const char *path = path_choose();
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	line("list %s: %s", path, fd < 0 ? strerrorname_np(errno) : "");
	if (fd >= 0)
		line_entries(fd);
}

static unsigned name_bit(const char *name)
{
	for (unsigned i = 0; i < NAMES; i++)
		if (strcmp(names[i], name) == 0)
			return 1u << i;
	return 0;
}

static void entry_seen(void *context, const char *name)
{
	struct slot *slot = context;
	unsigned bit = name_bit(name);
	slot->twice = slot->twice || (slot->seen & bit & ~slot->touched);
	slot->seen |= bit;
}

static void entry_before(void *context, const char *name)
{
	*(unsigned *)context |= name_bit(name);
}

static bool listing_start(struct slot *slot)
{
	int fd = openat(slot->fd, ".", O_RDONLY | O_DIRECTORY);
	bool starts = fd >= 0 && lseek(slot->fd, 0, SEEK_SET) == 0;
	if (starts) {
		*slot = (struct slot){.fd = slot->fd};
		each_entry(fd, entry_before, &slot->before);
	}
	if (fd >= 0)
		close(fd);
	return starts;
}

/* One name of a listing that goes on while other calls change the folder, at last the
 * rest: every name that nobody touched comes exactly once. The order is the file system's
 * own. */
static void do_list_piece(void)
{
	struct slot *slot = slot_choose();
	char buffer[40]; /* no two of the names */
	long size;
	if (!slot->pieces && !listing_start(slot))
		return;
	bool rest = ++slot->pieces == 6;
	do {
		size = syscall(SYS_getdents64, slot->fd, buffer, sizeof(buffer));
		if (size > 0)
			each_record(buffer, size, entry_seen, slot);
	} while (rest && size > 0);
	if (size < 0)
		line("listing of %d: %s", slot->fd, strerrorname_np(errno));
	if (!rest)
		return;
	unsigned stable = ~slot->touched;
	line("listing of %d: %s%s", slot->fd, slot->twice ? "twice " : "",
	     (slot->before & stable) == (slot->seen & stable) ? "complete" : "wrong");
	slot->pieces = 0;
}

/* How often each is done, out of the sum. */
static const struct {
	void (*run)(void);
	unsigned weight;
} operations[] = {
	{do_open, 30},        {do_open_directory, 8},
	{do_open_unnamed, 3}, {do_duplicate, 3},
	{do_close, 4},        {do_read, 12},
	{do_write, 14},       {do_write_vector, 4},
	{do_seek, 10},        {do_set_flags, 2},
	{do_truncate, 8},     {do_allocate, 8},
	{do_copy, 6},         {do_send, 4},
	{do_map, 8},          {do_map_touch, 16},
	{do_map_sync, 2},     {do_make_directory, 8},
	{do_make_fifo, 1},    {do_remove, 12},
	{do_rename, 14},      {do_link, 6},
	{do_link_open, 3},    {do_symlink, 5},
	{do_read_link, 3},    {do_working_directory, 4},
	{do_return, 2},       {do_stat, 8},
	{do_stat_open, 6},    {do_statx, 2},
	{do_change_mode, 4},  {do_set_times, 5},
	{do_attribute, 5},    {do_list, 4},
	{do_list_piece, 24},
};

/* The first calls make something to work on. */
static void operation_run(void)
{
	if (step_number < 16) {
		(step_number % 4 ? do_open : do_make_directory)();
		return;
	}
	unsigned sum = 0, i;
	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		sum += operations[i].weight;
	unsigned at = pick(sum);
	for (i = 0; at >= operations[i].weight; i++)
		at -= operations[i].weight;
	operations[i].run();
}

static void seed_run(const char *folder, unsigned number, unsigned steps)
{
	int n = snprintf(top_path, sizeof(top_path), "%s/%u/r/r/r/r/r/r", folder, number);
	if (n < 0 || chdir(top_path) < 0) {
		perror(top_path);
		exit(99);
	}
	random_state = seed;
	digest = FOLD_START;
	for (int i = 0; i < SLOTS; i++)
		slots[i] = (struct slot){.fd = -1};
	for (step_number = 0; step_number < steps; step_number++)
		operation_run();
	for (int i = 0; i < MAPS; i++)
		map_end(&maps[i]);
	for (int i = 0; i < SLOTS; i++)
		close(slots[i].fd);
	if (chdir(top_path) < 0)
		line("the way back: %s", strerrorname_np(errno));
	snprintf(top_path, sizeof(top_path), "%s/%u", folder, number);
	line_tree(top_path);
}

/* As a job is: without any capability. Waits until the coarse clock, which files' times
 * are read from, has left the time of what was there before. */
static void prepare(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	struct timespec start, now;
	syscall(SYS_capset, &header, none);
	clock_gettime(CLOCK_REALTIME_COARSE, &start);
	do
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	while (now.tv_sec == start.tv_sec && now.tv_nsec == start.tv_nsec);
	run_start = now;
	umask(022);
	signal(SIGBUS, on_bus_error);
	signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 99;
	unsigned first = (unsigned)atoi(argv[2]), count = (unsigned)atoi(argv[3]);
	with_attributes = strcmp(argv[5], "attributes") == 0;
	verbose = argc > 6;
	prepare();
	for (unsigned i = 0; i < count; i++) {
		seed = first + i;
		seed_run(argv[1], i, (unsigned)atoi(argv[4]));
		printf("seed %u: %016lx\n", seed, (unsigned long)digest);
	}
	return 0;
}
