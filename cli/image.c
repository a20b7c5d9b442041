/* image.c: opening an image of any format and finding the bundle in it, believing nothing
 * that the file says. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/image.h"
#include "imgfmt/bundle_check.h"
#include "imgfmt/bundle_unpack.h"

static const char cannot_unpack[] = "the packed files cannot be decompressed";

/* A pvh image is an ELF file too. */
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
	if (got != 4 || memcmp(magic, "\177ELF", 4) != 0)
		return false;
	struct image *image = malloc(sizeof(*image));
	struct diag ignored = {0};
	bool has_bundle = image && !image_open_stored(image, word, &ignored);
	if (image)
		image_close(image);
	free(image);
	return !has_bundle;
}

static int open_file(struct image *image, struct diag *why)
{
	struct stat st;
	image->fd = open(image->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (image->fd < 0 || fstat(image->fd, &st)) {
		diag_errno(why, "%s", image->path);
		return EXIT_FAILED;
	}
	if (!S_ISREG(st.st_mode) || !st.st_size) {
		diag_set(why, "%s: %s", image->path,
			 S_ISREG(st.st_mode) ? "an empty file, not an image"
					     : "not a regular file");
		return EXIT_UNSUITABLE;
	}
	image->file_size = (size_t)st.st_size;
	void *map = mmap(NULL, image->file_size, PROT_READ, MAP_PRIVATE, image->fd, 0);
	if (map == MAP_FAILED) {
		diag_errno(why, "%s", image->path);
		return EXIT_FAILED;
	}
	image->file = map;
	return EXIT_DONE;
}

static int unsuitable(const struct image *image, const char *reason, struct diag *why)
{
	diag_set(why, "%s: %s", image->path, reason);
	return EXIT_UNSUITABLE;
}

static int find_bundle(struct image *image, uint64_t *size, struct diag *why)
{
	struct diag reason = {0};
	image->format = format_of(image->file, image->file_size);
	if (image->format->read(&image->view, image->file, image->file_size, &reason))
		return unsuitable(image, reason.message, why);
	*size = image->view.size;
	if (image->view.is_bundle)
		return EXIT_DONE;
	if (layout_find_bundle(&image->view, &image->bundle_at, size, &reason))
		return unsuitable(image, reason.message, why);
	image->has_system_partition = layout_has_system_partition(&image->view);
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

/* The bytes that the whole bundle has when it is plain; 0: not to be made plain. */
static uint64_t plain_size(const struct image *image)
{
	uint64_t size = bundle_unpacked_size(&image->stored);
	return size > DISK_VIEW_MAX ? 0 : size;
}

int image_open_stored(struct image *image, const char *path, struct diag *why)
{
	const char *reason = "";
	uint64_t size = 0;
	memset(image, 0, sizeof(*image));
	image->path = path;
	image->fd = -1;
	int status = open_file(image, why);
	if (!status)
		status = find_bundle(image, &size, why);
	if (!status && bundle_open(&image->stored, image->view.bytes + image->bundle_at,
				   (size_t)size, &reason))
		status = unsuitable(image, reason, why);
	image->bundle = image->stored;
	if (!status && !plain_size(image))
		status = unsuitable(image, cannot_unpack, why);
	return status ? status : read_manifest(image, why);
}

static int unpack(struct image *image, struct diag *why)
{
	static struct deflate_room room;
	const char *reason = cannot_unpack;
	struct disk_view *plain = &image->plain;
	struct diag inner = {0};
	uint64_t size = plain_size(image);
	if (disk_view_make(plain, size, &inner))
		return unsuitable(image, inner.message, why);
	if (bundle_unpack(plain->memory, &image->stored,
			  image->view.bytes + image->bundle_at, &room) ||
	    bundle_open(&image->bundle, plain->bytes, (size_t)size, &reason))
		return unsuitable(image, reason, why);
	return EXIT_DONE;
}

int image_open(struct image *image, const char *path, struct diag *why)
{
	int status = image_open_stored(image, path, why);
	return !status && image->stored.is_packed ? unpack(image, why) : status;
}

int image_check_sections(const struct image *image, struct diag *why)
{
	struct diag inner = {0};
	for (enum bundle_kind kind = BUNDLE_SHIM; kind <= BUNDLE_MANIFEST; kind++)
		if (bundle_check_section(&image->bundle, kind, &inner))
			return diag_set(why, "%s: %s", image->path, inner.message);
	return 0;
}

int image_parts_of(struct layout_parts *parts, const struct image *image,
		   struct diag *why)
{
	memset(parts, 0, sizeof(*parts));
	return image->view.is_bundle
		       ? layout_read_bundle(parts, image->view.bytes, image->stored.size,
					    why)
		       : layout_read(parts, &image->view, image->stored.size, why);
}

void image_close(struct image *image)
{
	disk_view_free(&image->plain);
	disk_view_free(&image->view);
	if (image->file)
		munmap((void *)(uintptr_t)image->file, image->file_size);
	if (image->fd >= 0)
		close(image->fd);
	image->file = NULL;
	image->fd = -1;
}
