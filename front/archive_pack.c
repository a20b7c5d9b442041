/* archive_pack.c: files into a tar or zip, by libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "front/archive.h"
#include "front/archive_memory.h"

struct packing {
	struct chain *body;
	enum archive_format format;
	const struct archive_member *members;
	size_t count;
	struct archive *archive;
};

static la_ssize_t write_body(struct archive *archive, void *body, const void *bytes,
			     size_t size)
{
	if (chain_append(body, bytes, size) == 0)
		return (la_ssize_t)size;
	archive_set_error(archive, ENOMEM, "out of memory");
	return -1;
}

static int write_piece(void *archive, const char *bytes, size_t size)
{
	return archive_write_data(archive, bytes, size) == (la_ssize_t)size ? 0 : -ENOMEM;
}

static int add_member(struct archive *archive, const struct archive_member *member)
{
	struct archive_entry *entry = archive_entry_new();
	if (!entry)
		return -ENOMEM;
	archive_entry_copy_pathname(entry, member->name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, (__LA_MODE_T)member->mode);
	archive_entry_set_size(entry, (la_int64_t)member->bytes->bytes);
	archive_entry_set_mtime(entry, 0, 0); /* the same run, the same bytes */
	int rc = archive_write_header(archive, entry);
	archive_entry_free(entry);
	/* A warning: the name is in no locale's characters, and stands as it is. */
	return rc < ARCHIVE_WARN ? -ENOMEM
				 : chain_each(member->bytes, write_piece, archive);
}

static int pack(void *context)
{
	struct packing *packing = context;
	struct archive *archive = archive_write_new();
	if (!archive)
		return -ENOMEM;
	int rc = packing->format == ARCHIVE_TAR
			 ? archive_write_set_format_pax_restricted(archive)
			 : archive_write_set_format_zip(archive);
	if (rc == ARCHIVE_OK)
		rc = archive_write_set_bytes_in_last_block(archive, 1);
	if (rc == ARCHIVE_OK)
		rc = archive_write_open(archive, packing->body, NULL, write_body, NULL);
	rc = rc == ARCHIVE_OK ? 0 : -ENOMEM;
	for (size_t i = 0; i < packing->count && !rc; i++)
		rc = add_member(archive, &packing->members[i]);
	return !rc && archive_write_close(archive) != ARCHIVE_OK ? -ENOMEM : rc;
}

int archive_pack(struct chain *body, enum archive_format format,
		 const struct archive_member *members, size_t count)
{
	struct packing packing = {
		.body = body, .format = format, .members = members, .count = count};
	return archive_memory_run(pack, &packing);
}
