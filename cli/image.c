/* image.c: finding the bundle in an image, believing nothing that the file says. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/image.h"
#include "imgfmt/gpt.h"

const char *image_format_name(enum image_format format)
{
	static const char *const names[] = {
		[IMAGE_RAW] = "raw", [IMAGE_PVH] = "pvh", [IMAGE_BUNDLE] = "bundle"};
	return names[format];
}

bool image_is_program(const char *word)
{
	char magic[4] = "";
	struct stat st;
	if (stat(word, &st))
		return true;
	int fd = open(word, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? 0 : read(fd, magic, sizeof(magic));
	if (fd >= 0)
		close(fd);
	return got == 4 && memcmp(magic, "\177ELF", 4) == 0;
}

/* A pvh folder is opened by the bundle in it. */
static int open_file(struct image *image, struct diag *why)
{
	struct stat st;
	int folder = open(image->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	image->fd = folder;
	if (folder < 0 || fstat(folder, &st)) {
		diag_errno(why, "%s", image->path);
		return EXIT_FAILED;
	}
	if (S_ISDIR(st.st_mode)) {
		image->format = IMAGE_PVH;
		image->fd = openat(folder, "bundle", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		int error = errno;
		close(folder);
		errno = error;
		if (image->fd < 0 && errno == ENOENT) {
			diag_set(why, "%s: a folder without a bundle: not an image",
				 image->path);
			return EXIT_UNSUITABLE;
		}
		if (image->fd < 0 || fstat(image->fd, &st)) {
			diag_errno(why, "%s/bundle", image->path);
			return EXIT_FAILED;
		}
	}
	if (!S_ISREG(st.st_mode) || !st.st_size) {
		diag_set(why, "%s: %s", image->path,
			 st.st_size ? "not a regular file"
				    : "an empty file, not an image");
		return EXIT_UNSUITABLE;
	}
	image->size = (size_t)st.st_size;
	void *map = mmap(NULL, image->size, PROT_READ, MAP_PRIVATE, image->fd, 0);
	if (map == MAP_FAILED) {
		diag_errno(why, "%s", image->path);
		return EXIT_FAILED;
	}
	image->bytes = map;
	return EXIT_DONE;
}

static int unsuitable(const struct image *image, const char *reason, struct diag *why)
{
	diag_set(why, "%s: %s", image->path, reason);
	return EXIT_UNSUITABLE;
}

static int find_bundle(struct image *image, struct diag *why)
{
	static const uint8_t bundle_type[16] = BUNDLE_GPT_TYPE;
	static const uint8_t system_type[16] = GPT_TYPE_SYSTEM;
	const char *reason = "";
	uint64_t first = 0, last = 0;
	if (image->format == IMAGE_PVH)
		return EXIT_DONE;
	if (image->size >= sizeof(BUNDLE_MAGIC) - 1 &&
	    memcmp(image->bytes, BUNDLE_MAGIC, sizeof(BUNDLE_MAGIC) - 1) == 0) {
		image->format = IMAGE_BUNDLE;
		return EXIT_DONE;
	}
	int found =
		gpt_find(image->bytes, image->size, bundle_type, &first, &last, &reason);
	if (found < 0)
		return unsuitable(image, reason, why);
	if (!found)
		return unsuitable(image, "a disk without an elfpack bundle", why);
	image->bundle_at = first * GPT_SECTOR;
	image->has_system_partition = gpt_find(image->bytes, image->size, system_type,
					       &first, &last, &reason) == 1;
	return EXIT_DONE;
}

static int read_manifest(struct image *image, struct diag *why)
{
	const struct bundle_part *part = &image->bundle.part[BUNDLE_MANIFEST];
	const char *reason = "";
	unsigned line = 0;
	if (!bundle_part_intact(part))
		return unsuitable(image, "the manifest is damaged: its SHA-256 is wrong",
				  why);
	if (manifest_parse(&image->manifest, (const char *)part->bytes, part->size,
			   &reason, &line)) {
		diag_set(why, "%s: the manifest, line %u: %s", image->path, line, reason);
		return EXIT_UNSUITABLE;
	}
	return EXIT_DONE;
}

int image_open(struct image *image, const char *path, struct diag *why)
{
	const char *reason = "";
	memset(image, 0, sizeof(*image));
	image->path = path;
	image->fd = -1;
	int status = open_file(image, why);
	if (!status)
		status = find_bundle(image, why);
	if (!status && bundle_open(&image->bundle, image->bytes + image->bundle_at,
				   image->size - image->bundle_at, &reason))
		status = unsuitable(image, reason, why);
	return status ? status : read_manifest(image, why);
}

void image_close(struct image *image)
{
	if (image->bytes)
		munmap((void *)image->bytes, image->size);
	if (image->fd >= 0)
		close(image->fd);
	image->bytes = NULL;
	image->fd = -1;
}
