/* raw.c: writing a file whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imgfmt/raw.h"

#define PIECE_BYTES ((size_t)1 << 17)   /* signals are looked for between pieces; holes */
#define START_BYTES ((uint64_t)1 << 20) /* that many are sent on their way at once */

void (*raw_progress)(uint64_t done_bytes, uint64_t total_bytes);

struct target {
	const char *path;
	int fd;
	char *hidden;     /* the name beside path that is renamed in the end */
	bool has_name;    /* does hidden exist? */
	uint64_t started; /* bytes from the file's begin that are on their way to the disk
			   */
};

static bool interrupted(void)
{
	sigset_t pending;
	sigpending(&pending);
	return sigismember(&pending, SIGINT) == 1 ||
	       sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGHUP) == 1;
}

static int target_open(struct target *target, struct diag *why)
{
	const char *slash = strrchr(target->path, '/');
	int folder = slash ? (int)(slash - target->path) + 1 : 0;
	char *parent = NULL;
	if (asprintf(&parent, "%.*s.", folder, target->path) < 0 ||
	    asprintf(&target->hidden, "%.*s.%s.%ld.tmp", folder, target->path,
		     target->path + folder, (long)getpid()) < 0) {
		free(parent);
		return diag_set(why, "out of memory");
	}
	target->fd = open(parent, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	free(parent);
	if (target->fd >= 0)
		return 0;
	target->fd = open(target->hidden, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
	target->has_name = target->fd >= 0;
	return target->fd < 0 ? diag_errno(why, "%s", target->path) : 0;
}

static int write_piece(struct target *target, const uint8_t *bytes, size_t size,
		       uint64_t at, struct diag *why)
{
	if (bytes_are_zero(bytes, size))
		return 0;
	while (size) {
		ssize_t done = pwrite(target->fd, bytes, size, (off_t)at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return diag_errno(why, "%s", target->path);
		bytes += done;
		size -= (size_t)done;
		at += (uint64_t)done;
	}
	return 0;
}

/* The disk need not be idle until fsync; what fails is fsync's to tell. */
static void start_writeback(struct target *target, uint64_t end)
{
	uint64_t size = end - target->started;
	if (size < START_BYTES)
		return;
	sync_file_range(target->fd, (off_t)target->started, (off_t)size,
			SYNC_FILE_RANGE_WRITE);
	target->started = end;
}

static int write_all(struct target *target, const struct extents *bytes, struct diag *why)
{
	if (ftruncate(target->fd, (off_t)bytes->size))
		return diag_errno(why, "%s", target->path);
	for (size_t i = 0; i < bytes->count; i++) {
		const struct extent *extent = &bytes->list[i];
		for (size_t done = 0; done < extent->size; done += PIECE_BYTES) {
			size_t left = extent->size - done;
			if (interrupted())
				return diag_set(why, "%s: interrupted", target->path);
			if (write_piece(target, (const uint8_t *)extent->bytes + done,
					left < PIECE_BYTES ? left : PIECE_BYTES,
					extent->at + done, why))
				return -1;
			start_writeback(target, extent->at + done);
			if (raw_progress)
				raw_progress(extent->at + done, bytes->size);
		}
	}
	return 0;
}

static int put_in_place(struct target *target, struct diag *why)
{
	if (fsync(target->fd))
		return diag_errno(why, "%s", target->path);
	if (!target->has_name) {
		char self[64];
		snprintf(self, sizeof(self), "/proc/self/fd/%d", target->fd);
		if (linkat(AT_FDCWD, self, AT_FDCWD, target->hidden, AT_SYMLINK_FOLLOW))
			return diag_errno(why, "%s", target->path);
		target->has_name = true;
	}
	if (rename(target->hidden, target->path))
		return diag_errno(why, "%s", target->path);
	target->has_name = false;
	return 0;
}

/* What is in the place must be a file, or nothing: a device, a pipe or a folder cannot be
 * replaced whole. */
static int check_place(const char *path, struct diag *why)
{
	struct stat st;
	if (stat(path, &st) || S_ISREG(st.st_mode))
		return 0;
	diag_set(why, "%s: %s, not a file", path,
		 S_ISDIR(st.st_mode)    ? "a folder"
		 : S_ISFIFO(st.st_mode) ? "a pipe"
		 : S_ISSOCK(st.st_mode) ? "a socket"
					: "a device");
	if (!S_ISDIR(st.st_mode))
		diag_hint(why, "write to a file, then copy that with dd");
	return -1;
}

static void signals_hold(sigset_t *before)
{
	sigset_t held;
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, before);
}

int raw_emit(const char *path, const struct extents *bytes, const struct tree *sources,
	     struct diag *why)
{
	struct target target = {.path = path, .fd = -1};
	sigset_t before;
	signals_hold(&before);
	/* A file that grows past RLIMIT_FSIZE is an error, not the end of us. */
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before_size;
	sigaction(SIGXFSZ, &ignore, &before_size);
	int rc = check_place(path, why);
	if (!rc)
		rc = target_open(&target, why);
	if (!rc)
		rc = write_all(&target, bytes, why);
	if (!rc && sources)
		rc = tree_check_unchanged(sources, why);
	if (!rc)
		rc = put_in_place(&target, why);
	if (target.fd >= 0)
		close(target.fd);
	if (target.has_name)
		unlink(target.hidden);
	free(target.hidden);
	sigaction(SIGXFSZ, &before_size, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct hashing {
	const struct extents *bytes;
	uint8_t *digest;
};

static void *hash(void *context)
{
	const struct hashing *hashing = context;
	extents_hash(hashing->bytes, hashing->digest);
	return NULL;
}

int raw_emit_hashed(const char *path, const struct extents *bytes,
		    const struct tree *sources, uint8_t digest[SHA256_BYTES],
		    struct diag *why)
{
	struct hashing hashing = {.bytes = bytes, .digest = digest};
	sigset_t all, before, at_first;
	pthread_t thread;
	/* Signals are for the writer, which looks for them between pieces. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool apart = !pthread_create(&thread, NULL, hash, &hashing);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	signals_hold(&at_first);
	int rc = raw_emit(path, bytes, sources, why);
	if (apart)
		pthread_join(thread, NULL);
	else
		hash(&hashing);
	if (rc)
		sigprocmask(SIG_SETMASK, &at_first, NULL);
	return rc;
}
