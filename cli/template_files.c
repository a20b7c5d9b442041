/* template_files.c: a template's files, read into memory and written into a folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/template.h"

#define FILE_BYTES_MAX ((off_t)1 << 20)
#define FOLDERS_DEEP   8u

/* All of a file that is small. NULL: *why says. */
static char *read_file(const char *path, struct stat *st, struct diag *why)
{
	char *text = NULL;
	FILE *file = fopen(path, "re");
	if (!file || fstat(fileno(file), st)) {
		diag_errno(why, "%s", path);
	} else if (st->st_size > FILE_BYTES_MAX) {
		diag_set(why, "%s: %lld bytes are too many for a template", path,
			 (long long)st->st_size);
	} else {
		size_t size = (size_t)st->st_size;
		text = malloc(size + 1);
		if (!text || fread(text, 1, size, file) != size) {
			diag_set(why, "%s: cannot be read", path);
			free(text);
			text = NULL;
		}
	}
	if (file)
		fclose(file);
	return text;
}

static int add_file(struct template *template, const char *path, const char *below,
		    struct diag *why)
{
	struct template_file *files =
		realloc(template->files, (template->file_count + 1) * sizeof(*files));
	if (!files)
		return diag_set(why, "out of memory");
	template->files = files;
	struct stat st;
	char *text = read_file(path, &st, why);
	if (!text)
		return -1;
	struct template_file *file = &files[template->file_count++];
	size_t ignored = 0;
	file->mode = st.st_mode & 0777;
	file->path = template_fill(template, below, strlen(below), &ignored);
	file->text = template_fill(template, text, (size_t)st.st_size, &file->size);
	free(text);
	return file->path && file->text ? 0 : diag_set(why, "out of memory");
}

static int read_folder(struct template *template, const char *path, const char *below,
		       unsigned depth, struct diag *why)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, NULL, alphasort), rc = 0;
	if (count < 0)
		return diag_errno(why, "%s", path);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char *inner = NULL, *inner_below = NULL;
		struct stat st;
		if (!rc && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			if (asprintf(&inner, "%s/%s", path, name) < 0 ||
			    asprintf(&inner_below, "%s%s%s", below, *below ? "/" : "",
				     name) < 0)
				rc = diag_set(why, "out of memory");
			else if (stat(inner, &st))
				rc = diag_errno(why, "%s", inner);
			else if (!S_ISDIR(st.st_mode))
				rc = add_file(template, inner, inner_below, why);
			else if (depth == FOLDERS_DEEP)
				rc = diag_set(why, "%s: folders too deep", inner);
			else
				rc = read_folder(template, inner, inner_below, depth + 1,
						 why);
		}
		free(inner);
		free(inner_below);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

int template_read_files(struct template *template, struct diag *why)
{
	char *path = NULL;
	if (asprintf(&path, "%s/files", template->folder) < 0)
		return diag_set(why, "out of memory");
	int rc = read_folder(template, path, "", 0, why);
	free(path);
	return rc;
}

/* What was made so far, to be taken back. */
struct written {
	char **folders, **files;
	size_t folder_count, file_count;
};

static int remember(char ***list, size_t *count, const char *path)
{
	char **longer = realloc(*list, (*count + 1) * sizeof(*longer));
	if (!longer)
		return -1;
	*list = longer;
	longer[*count] = strdup(path);
	return longer[(*count)++] ? 0 : -1;
}

static void forget(struct written *written, bool undo)
{
	while (written->file_count) {
		char *path = written->files[--written->file_count];
		if (undo && path)
			unlink(path);
		free(path);
	}
	while (written->folder_count) {
		char *path = written->folders[--written->folder_count];
		if (undo && path)
			rmdir(path);
		free(path);
	}
	free(written->files);
	free(written->folders);
}

/* Makes the folders that a path is in. */
static int make_folders(struct written *written, const char *path, struct diag *why)
{
	char *copy = strdup(path);
	int rc = copy ? 0 : diag_set(why, "out of memory");
	for (char *slash = copy; !rc && (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(copy, 0777) == 0)
			rc = remember(&written->folders, &written->folder_count, copy)
				     ? diag_set(why, "out of memory")
				     : 0;
		else if (errno != EEXIST)
			rc = diag_errno(why, "%s", copy);
		*slash = '/';
	}
	free(copy);
	return rc;
}

static int write_file(struct written *written, const char *path,
		      const struct template_file *file, struct diag *why)
{
	int fd = -1;
	if (make_folders(written, path, why))
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode);
	if (fd < 0 && errno == EEXIST) {
		diag_set(why, "%s: exists already, nothing was written", path);
		diag_hint(why, "give another folder, or move it away");
		return -1;
	}
	if (fd < 0)
		return diag_errno(why, "%s", path);
	int rc = remember(&written->files, &written->file_count, path)
			 ? diag_set(why, "out of memory")
			 : 0;
	ssize_t count = rc ? 0 : write(fd, file->text, file->size);
	if (!rc && (count < 0 || (size_t)count != file->size))
		rc = diag_errno(why, "%s", path);
	if (close(fd) && !rc)
		rc = diag_errno(why, "%s", path);
	return rc;
}

int template_write_files(const struct template *template, const char *to,
			 struct diag *why)
{
	struct written written = {0};
	int rc = 0;
	for (size_t i = 0; !rc && i < template->file_count; i++) {
		char *path = NULL;
		if (asprintf(&path, "%s/%s", to, template->files[i].path) < 0) {
			rc = diag_set(why, "out of memory");
			break;
		}
		rc = write_file(&written, path, &template->files[i], why);
		free(path);
	}
	forget(&written, rc != 0);
	return rc;
}
