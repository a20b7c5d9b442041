/* job_files.c: files into a job before it runs, and out of it afterwards. Only regular
 * files come out; links are never followed (the sandbox sees to that). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "front/block.h"
#include "front/job_files.h"
#include "front/names.h"
#include "front/text.h"

#define PATH_ROOM        8192u /* a working directory and a name */
#define WALK_DEPTH_MAX   32u
#define WALK_ENTRIES_MAX 65536u
#define WALK_STEPS_MAX   (1u << 24) /* of matching: all names against all globs */
#define NAMES_BYTES_MAX  (4u << 20) /* of the outputs' names, and what each takes */
#define THERE_BYTES_MAX  2048u      /* of names told to the client */

struct linux_dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

struct walk {
	const struct sandbox_ops *sandbox;
	int job;
	char *const *globs;
	size_t glob_count;
	bool *matched;
	uint64_t bytes_max;
	struct outputs *outputs;
	size_t entries, steps_left, names_bytes;
	char path[PATH_ROOM];
	size_t cwd_size; /* with its slash */
};

static bool join(char *path, const char *cwd, const char *name)
{
	struct text text = text_over(path, PATH_ROOM - 1);
	text_put(&text, cwd);
	if (text.used && path[text.used - 1] != '/')
		text_put(&text, "/");
	text_put(&text, name);
	path[text.used] = '\0';
	return !text.cut;
}

static int write_piece(void *fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(*(int *)fd, bytes, size);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

static int create_file(const struct sandbox_ops *sandbox, int job, const char *cwd,
		       const char *name)
{
	char path[PATH_ROOM];
	if (!join(path, cwd, name))
		return -ENAMETOOLONG;
	return sandbox->open_at(job, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
				0644);
}

static int make_folder(const struct sandbox_ops *sandbox, int job, const char *cwd,
		       const char *name)
{
	char path[PATH_ROOM];
	size_t size = 0;
	if (!join(path, cwd, name) || (size = strlen(path)) + 2 > PATH_ROOM)
		return -ENAMETOOLONG;
	memcpy(path + size, "/", sizeof("/"));
	return sandbox->open_at(job, path, O_RDONLY | O_CREAT | O_CLOEXEC, 0755);
}

int job_put_upload(const struct sandbox_ops *sandbox, int job, const char *cwd,
		   const struct upload_file *file)
{
	int fd = file->folder ? make_folder(sandbox, job, cwd, file->name)
			      : create_file(sandbox, job, cwd, file->name);
	int rc = 0;
	if (fd < 0)
		return fd;
	if (file->bytes)
		rc = write_piece(&fd, file->bytes, file->size);
	else
		rc = chain_each(&file->unpacked, write_piece, &fd);
	if (!rc && !file->folder && file->mode != 0644 && fchmod(fd, file->mode) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

int job_put_file(const struct sandbox_ops *sandbox, int job, const char *cwd,
		 const char *name, const struct chain *bytes)
{
	int fd = create_file(sandbox, job, cwd, name);
	if (fd < 0)
		return fd;
	int rc = chain_each(bytes, write_piece, &fd);
	close(fd);
	return rc;
}

int job_open_file(const struct sandbox_ops *sandbox, int job, const char *cwd,
		  const char *name)
{
	char path[PATH_ROOM];
	if (!join(path, cwd, name))
		return -ENAMETOOLONG;
	return sandbox->open_at(job, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
}

static int read_file(int fd, struct chain *bytes, uint64_t bytes_max)
{
	for (;;) {
		size_t room = 0;
		char *space = chain_space(bytes, &room);
		if (!space)
			return -ENOMEM;
		ssize_t n = read(fd, space, room);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return 0;
		if (n > 0)
			chain_added(bytes, (size_t)n);
		if (bytes->bytes > bytes_max)
			return -EFBIG;
	}
}

/* Reads the file at walk->path, if it is a regular one: -ENOENT when not. */
static int take_file(struct walk *walk)
{
	const char *name = walk->path + walk->cwd_size;
	size_t size = strlen(name);
	struct outputs *outputs = walk->outputs;
	struct output_file *file = NULL;
	struct stat status;
	int fd = walk->sandbox->open_at(walk->job, walk->path,
					O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	int rc = fstat(fd, &status) < 0 ? -errno : S_ISREG(status.st_mode) ? 0 : -ENOENT;
	if (rc)
		goto out;
	rc = -ENOMEM;
	file = calloc(1, sizeof(*file) + size + 1);
	if (!file)
		goto out;
	rc = -EFBIG;
	walk->names_bytes += sizeof(*file) + size;
	if (walk->names_bytes > NAMES_BYTES_MAX)
		goto out;
	memcpy(file->name, name, size + 1);
	file->name_size = size;
	file->mode = status.st_mode & 0777;
	rc = read_file(fd, &file->bytes, walk->bytes_max - outputs->bytes);
	if (rc)
		goto out;
	if (outputs->last)
		outputs->last->next = file;
	else
		outputs->first = file;
	outputs->last = file;
	outputs->count++;
	outputs->bytes += file->bytes.bytes;
	file = NULL;
out:
	if (file) {
		chain_free(&file->bytes);
		free(file);
	}
	close(fd);
	return rc;
}

static int visit_file(struct walk *walk, bool take)
{
	const char *name = walk->path + walk->cwd_size;
	struct chain *there = &walk->outputs->there;
	if (!take) {
		if (there->bytes + strlen(name) + 2 > THERE_BYTES_MAX)
			return 0;
		int rc = there->bytes ? chain_append(there, ", ", 2) : 0;
		return rc ? rc : chain_append(there, name, strlen(name));
	}
	bool wanted = false;
	for (size_t i = 0; i < walk->glob_count; i++) {
		if (glob_matches(walk->globs[i], name, &walk->steps_left))
			wanted = walk->matched[i] = true;
	}
	if (!walk->steps_left)
		return -EFBIG;
	int rc = wanted ? take_file(walk) : 0;
	return rc == -ELOOP || rc == -ENOENT ? 0 : rc;
}

static int walk_directory(struct walk *walk, size_t size, unsigned depth, bool take);

static int visit_entry(struct walk *walk, const struct linux_dirent64 *entry, size_t size,
		       unsigned depth, bool take)
{
	size_t length = strlen(entry->name);
	if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
		return 0;
	if (++walk->entries > WALK_ENTRIES_MAX)
		return take ? -EFBIG : 0;
	if (size + length + 2 > PATH_ROOM)
		return 0;
	memcpy(walk->path + size, entry->name, length + 1);
	if (entry->type == DT_REG)
		return visit_file(walk, take);
	if (entry->type != DT_DIR || depth == WALK_DEPTH_MAX)
		return 0;
	walk->path[size + length] = '/';
	walk->path[size + length + 1] = '\0';
	return walk_directory(walk, size + length + 1, depth + 1, take);
}

/* Visits the directory at walk->path[0..size), which ends in a slash. */
static int walk_directory(struct walk *walk, size_t size, unsigned depth, bool take)
{
	size_t room = 0;
	int rc = 0;
	char *buffer = block_get(BLOCK_SMALL, &room);
	int fd = walk->sandbox->open_at(walk->job, walk->path,
					O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0 || !buffer) {
		rc = buffer ? 0
			    : -ENOMEM; /* a folder that cannot be read has no outputs */
		goto out;
	}
	for (;;) {
		long n = syscall(SYS_getdents64, fd, buffer, room);
		for (long at = 0; at < n && !rc;) {
			const struct linux_dirent64 *entry = (void *)(buffer + at);
			at += entry->reclen;
			rc = visit_entry(walk, entry, size, depth, take);
		}
		if (n <= 0 || rc)
			break;
	}
out:
	walk->path[size] = '\0';
	if (fd >= 0)
		close(fd);
	block_put(buffer, room);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct output_file *const *first = a, *const *second = b;
	return strcmp((*first)->name, (*second)->name);
}

/* Folders tell their names in an order of their own, which is nobody's business. */
static int sort_outputs(struct outputs *outputs)
{
	size_t count = 0;
	struct output_file **files = malloc((outputs->count + 1) * sizeof(*files));
	if (!files)
		return -ENOMEM;
	for (struct output_file *f = outputs->first; f; f = f->next)
		files[count++] = f;
	files[count] = NULL;
	qsort(files, count, sizeof(*files), by_name);
	for (size_t i = 0; i < count; i++)
		files[i]->next = files[i + 1];
	outputs->first = files[0];
	outputs->last = count ? files[count - 1] : NULL;
	free(files);
	return 0;
}

static int walk_from_cwd(struct walk *walk, bool take)
{
	walk->path[walk->cwd_size] = '\0';
	return walk_directory(walk, walk->cwd_size, 0, take);
}

/* A literal name is opened; only patterns need a walk. */
static int collect(struct walk *walk)
{
	bool patterns = false;
	for (size_t i = 0; i < walk->glob_count; i++)
		patterns |= glob_is_pattern(walk->globs[i]);
	if (patterns) {
		int rc = walk_from_cwd(walk, true);
		return rc ? rc : sort_outputs(walk->outputs);
	}
	for (size_t i = 0; i < walk->glob_count; i++) {
		bool repeated = false;
		for (size_t k = 0; k < i; k++)
			repeated |= strcmp(walk->globs[k], walk->globs[i]) == 0;
		size_t size = strlen(walk->globs[i]);
		if (walk->cwd_size + size >= PATH_ROOM)
			return -ENAMETOOLONG;
		memcpy(walk->path + walk->cwd_size, walk->globs[i], size + 1);
		int rc = repeated ? 0 : take_file(walk);
		if (rc == -ENOMEM || rc == -EFBIG)
			return rc;
		walk->matched[i] = rc == 0;
	}
	return 0;
}

int job_collect(const struct sandbox_ops *sandbox, int job, const char *cwd,
		char *const *globs, size_t glob_count, uint64_t bytes_max,
		struct outputs *outputs)
{
	int rc = -ENOMEM;
	struct walk *walk = calloc(1, sizeof(*walk));
	bool *matched = calloc(glob_count, sizeof(*matched));
	if (!walk || !matched)
		goto out;
	*walk = (struct walk){.sandbox = sandbox,
			      .job = job,
			      .globs = globs,
			      .glob_count = glob_count,
			      .matched = matched,
			      .bytes_max = bytes_max,
			      .steps_left = WALK_STEPS_MAX,
			      .outputs = outputs};
	rc = -ENAMETOOLONG;
	if (!join(walk->path, cwd, ""))
		goto out;
	walk->cwd_size = strlen(walk->path);
	rc = collect(walk);
	for (size_t i = 0; i < glob_count && !rc && !outputs->unmatched; i++)
		if (!matched[i])
			outputs->unmatched = globs[i];
	if (outputs->unmatched)
		rc = walk_from_cwd(walk, false);
out:
	free(matched);
	free(walk);
	return rc;
}

void outputs_free(struct outputs *outputs)
{
	while (outputs->first) {
		struct output_file *file = outputs->first;
		outputs->first = file->next;
		chain_free(&file->bytes);
		free(file);
	}
	chain_free(&outputs->there);
}
