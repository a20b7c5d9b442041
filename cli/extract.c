/* extract.c: writing packed files out. Every name is made in a folder that we made
 * ourselves and hold open, so that a link in the image leads nowhere while it is
 * unpacked. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/extract.h"
#include "cli/image_tree.h"

/* A file with several names: where its first one is. */
struct first_name {
	uint64_t nid;
	char *path; /* below the folder */
	struct first_name *next;
};

struct extraction {
	const struct erofs *fs;
	const char *folder;
	int root;      /* the folder, open */
	int at;        /* the folder that is being filled */
	size_t prefix; /* of paths: what the start of the walk is called in the image */
	bool started;
	struct first_name *names;
};

int extract_bytes(const struct erofs *fs, const struct erofs_inode *inode, int to,
		  const char *name, struct diag *why)
{
	for (uint64_t done = 0; done < inode->size;) {
		size_t run = 0;
		const uint8_t *bytes = erofs_data(fs, inode, done, &run);
		if (!bytes || !run)
			return diag_set(why, "%s: its bytes lie outside of the image",
					name);
		ssize_t written = write(to, bytes, run);
		if (written < 0 && errno != EINTR)
			return diag_errno(why, "%s", name);
		done += written > 0 ? (uint64_t)written : 0;
	}
	return 0;
}

static struct timespec *times(const struct image_file *file, struct timespec room[2])
{
	room[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
	room[1] = (struct timespec){.tv_sec = (time_t)(file->inode.mtime_ns / 1000000000),
				    .tv_nsec = (long)(file->inode.mtime_ns % 1000000000)};
	return room;
}

static int enter_folder(struct extraction *out, const struct image_file *file,
			struct diag *why)
{
	const char *name = out->started ? file->name : out->folder;
	if (mkdirat(out->at, name, 0700))
		return diag_errno(why, "%s%s%s", out->folder, out->started ? "/" : "",
				  out->started ? file->path + out->prefix + 1 : "");
	int next = openat(out->at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return diag_errno(why, "%s: %s", out->folder, name);
	if (!out->started)
		out->root = dup(next);
	if (out->at != AT_FDCWD)
		close(out->at);
	out->at = next;
	out->started = true;
	return 0;
}

/* Every folder's mode and time are set when it is full; then its parent is gone on with.
 */
static int leave_folder(void *context, const struct image_file *file, struct diag *why)
{
	struct extraction *out = context;
	struct timespec room[2];
	if (fchmod(out->at, file->inode.mode & 07777) ||
	    futimens(out->at, times(file, room)))
		return diag_errno(why, "%s: %s", out->folder, file->path);
	int up = openat(out->at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(out->at);
	out->at = up;
	return up < 0 ? diag_errno(why, "%s: %s", out->folder, file->path) : 0;
}

static int remember(struct extraction *out, const struct image_file *file,
		    struct diag *why)
{
	struct first_name *first = calloc(1, sizeof(*first));
	char *path = strdup(file->path + out->prefix + 1);
	if (!first || !path) {
		free(first);
		free(path);
		return diag_set(why, "out of memory");
	}
	*first = (struct first_name){file->inode.nid, path, out->names};
	out->names = first;
	return 0;
}

static int extract_file(struct extraction *out, const struct image_file *file,
			struct diag *why)
{
	for (struct first_name *first = out->names; first && file->inode.links > 1;
	     first = first->next)
		if (first->nid == file->inode.nid)
			return linkat(out->root, first->path, out->at, file->name, 0)
				       ? diag_errno(why, "%s: %s", out->folder,
						    file->path)
				       : 0;
	int fd = openat(out->at, file->name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return diag_errno(why, "%s: %s", out->folder, file->path);
	int rc = extract_bytes(out->fs, &file->inode, fd, file->path, why);
	struct timespec room[2];
	if (!rc &&
	    (fchmod(fd, file->inode.mode & 07777) || futimens(fd, times(file, room))))
		rc = diag_errno(why, "%s: %s", out->folder, file->path);
	close(fd);
	if (!rc && file->inode.links > 1)
		rc = remember(out, file, why);
	return rc;
}

static int enter(void *context, const struct image_file *file, struct diag *why)
{
	struct extraction *out = context;
	char target[PATH_MAX];
	if (S_ISDIR(file->inode.mode))
		return enter_folder(out, file, why);
	if (!out->started)
		return diag_set(why, "%s: not a folder; see inspect cat", file->path);
	if (S_ISREG(file->inode.mode))
		return extract_file(out, file, why);
	if (!S_ISLNK(file->inode.mode))
		return diag_set(why, "%s: neither a file, a folder nor a link",
				file->path);
	if (image_link_target(out->fs, &file->inode, target, sizeof(target)))
		return diag_set(why, "%s: a damaged link", file->path);
	return symlinkat(target, out->at, file->name)
		       ? diag_errno(why, "%s: %s", out->folder, file->path)
		       : 0;
}

int extract_tree(const struct erofs *fs, const char *path, const char *folder,
		 struct diag *why)
{
	struct extraction out = {.fs = fs, .folder = folder, .root = -1, .at = AT_FDCWD};
	struct image_walk walk = {
		.fs = fs, .enter = enter, .leave = leave_folder, .context = &out};
	out.prefix = strlen(path);
	while (out.prefix && path[out.prefix - 1] == '/')
		out.prefix--;
	if (out.prefix && *path != '/')
		out.prefix++; /* the walk puts a slash before it */
	int rc = image_walk(&walk, path, why);
	while (out.names) {
		struct first_name *next = out.names->next;
		free(out.names->path);
		free(out.names);
		out.names = next;
	}
	if (out.root >= 0)
		close(out.root);
	if (out.at >= 0)
		close(out.at);
	return rc;
}
