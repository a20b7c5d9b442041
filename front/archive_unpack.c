/* archive_unpack.c: a tar or zip body into files, by libarchive. What the archive says of
 * sizes is not believed: bounds count what comes out. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "front/archive.h"
#include "front/archive_memory.h"
#include "front/block.h"

#define RATIO_FREE_BYTES (1u << 20)
#define TAR_BLOCK_BYTES  512u
#define TAR_END_BYTES                                                                    \
	1024u /* two blocks of zeros: POSIX, pax, ustar Interchange Format */

struct unpacking {
	struct upload *upload;
	const struct limits *limits;
	enum archive_format format;
	struct archive *archive;
};

static int refuse(struct unpacking *unpacking, int status, const char *why)
{
	return upload_refuse(unpacking->upload, status, why, NULL);
}

/* About an entry, whose name does not outlive this. */
static int refuse_entry(struct unpacking *unpacking, int status, const char *why,
			const char *name)
{
	struct upload *upload = unpacking->upload;
	size_t size = strnlen(name, sizeof(upload->about_text) - 1);
	memmove(upload->about_text, name, size);
	upload->about_text[size] = '\0';
	return upload_refuse(upload, status, why, upload->about_text);
}

static int refuse_archive(struct unpacking *unpacking)
{
	return archive_errno(unpacking->archive) == ENOMEM
		       ? refuse(unpacking, 413,
				"the archive takes too much memory to read")
		       : refuse(unpacking, 400, "a malformed or encrypted archive");
}

/* What cannot be a file of a job; NULL: it can. */
static const char *type_refused(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry) || archive_entry_symlink(entry) ||
	    archive_entry_filetype(entry) == AE_IFLNK)
		return "an archive with a link";
	if (archive_entry_sparse_count(entry) > 0)
		return "an archive with a sparse file";
	if (archive_entry_is_encrypted(entry))
		return "an archive with an encrypted file";
	if (archive_entry_filetype(entry) != AE_IFREG &&
	    archive_entry_filetype(entry) != AE_IFDIR)
		return "an archive with neither a file nor a folder";
	return NULL;
}

/* Its bytes, or their UTF-8 where libarchive would translate them for a locale. */
static const char *name_of(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	return name ? name : archive_entry_pathname_utf8(entry);
}

static int check_bounds(struct unpacking *unpacking)
{
	const struct limits *limits = unpacking->limits;
	const struct upload *upload = unpacking->upload;
	if (upload->file_bytes > limits->unpacked_bytes)
		return refuse(unpacking, 413, "the files are too long");
	if (limits->unpack_ratio && upload->file_bytes > RATIO_FREE_BYTES &&
	    upload->file_bytes / limits->unpack_ratio > upload->text_size)
		return refuse(unpacking, 413,
			      "the archive is packed too well to be true");
	return 0;
}

static int read_file(struct unpacking *unpacking, struct upload_file *file)
{
	for (;;) {
		size_t room = 0;
		char *space = chain_space(&file->unpacked, &room);
		if (!space)
			return refuse(unpacking, 503, "out of memory");
		la_ssize_t n = archive_read_data(unpacking->archive, space, room);
		if (n < 0)
			return refuse_archive(unpacking);
		if (n == 0)
			return 0;
		chain_added(&file->unpacked, (size_t)n);
		file->size += (size_t)n;
		unpacking->upload->file_bytes += (uint64_t)n;
		int rc = check_bounds(unpacking);
		if (rc)
			return rc;
	}
}

static int take_entry(struct unpacking *unpacking, struct archive_entry *entry)
{
	struct upload *upload = unpacking->upload;
	struct upload_file *file = NULL;
	bool folder = archive_entry_filetype(entry) == AE_IFDIR;
	char copy[4096];
	const char *name = name_of(entry);
	if (!name)
		return refuse(unpacking, 400,
			      "an archive with a file name that is not UTF-8");
	const char *why = type_refused(entry);
	if (why)
		return refuse_entry(unpacking, 400, why, name);
	while (name[0] == '.' && name[1] == '/') /* as tar writes the members of "." */
		name += 2 + (name[2] == '/');
	size_t size = strlen(name);
	while (folder && size && name[size - 1] == '/')
		size--;
	if (folder && (!size || (size == 1 && *name == '.')))
		return 0; /* the working directory itself */
	if (size >= sizeof(copy))
		return refuse_entry(unpacking, 400, "a file name that is too long", name);
	memcpy(copy, name, size);
	copy[size] = '\0';
	int rc = upload_add_unpacked(upload, copy, size, archive_entry_mode(entry),
				     folder, unpacking->limits, &file);
	if (rc)
		return upload->about ? refuse_entry(unpacking, -rc, upload->why, copy)
				     : rc;
	return folder ? 0 : read_file(unpacking, file);
}

/* A tar that was cut between two entries looks whole but for its end. */
static bool has_end(const struct unpacking *unpacking)
{
	const struct upload *upload = unpacking->upload;
	if (unpacking->format != ARCHIVE_TAR)
		return true;
	if (upload->text_size < TAR_END_BYTES || upload->text_size % TAR_BLOCK_BYTES)
		return false;
	const char *end = upload->text + upload->text_size - TAR_END_BYTES;
	for (size_t i = 0; i < TAR_END_BYTES; i++)
		if (end[i])
			return false;
	return true;
}

static int open_archive(struct unpacking *unpacking)
{
	struct archive *archive = unpacking->archive = archive_read_new();
	const struct upload *upload = unpacking->upload;
	if (!archive)
		return refuse(unpacking, 503, "out of memory");
	int rc = unpacking->format == ARCHIVE_TAR
			 ? archive_read_support_format_tar(archive)
			 : archive_read_support_format_zip_seekable(archive);
	if (rc == ARCHIVE_OK)
		rc = archive_read_open_memory(archive, upload->text, upload->text_size);
	return rc == ARCHIVE_OK ? 0 : refuse_archive(unpacking);
}

static int unpack(void *context)
{
	struct unpacking *unpacking = context;
	struct archive_entry *entry = NULL;
	int rc = open_archive(unpacking);
	while (!rc) {
		int next = archive_read_next_header(unpacking->archive, &entry);
		if (next == ARCHIVE_EOF)
			break;
		rc = next == ARCHIVE_OK || next == ARCHIVE_WARN
			     ? take_entry(unpacking, entry)
			     : refuse_archive(unpacking);
	}
	return rc;
}

int archive_unpack(struct upload *upload, enum archive_format format,
		   const struct limits *limits)
{
	struct unpacking unpacking = {
		.upload = upload, .limits = limits, .format = format};
	int rc = has_end(&unpacking) ? archive_memory_run(unpack, &unpacking)
				     : refuse(&unpacking, 400, "a tar without an end");
	if (rc == -ENOMEM)
		rc = refuse(&unpacking, 413, "the archive takes too much memory to read");
	block_put(upload->text, upload->text_room);
	upload->text = NULL;
	upload->text_size = upload->text_room = 0;
	return rc;
}
