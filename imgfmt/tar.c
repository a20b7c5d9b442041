/* tar.c: tar headers, written and read. */
#include <stdio.h>
#include <string.h>

#include "imgfmt/tar.h"

void tar_number(char *field, size_t room, uint64_t value)
{
	uint64_t rest = value;
	for (size_t i = room - 1; i-- > 0; rest >>= 3)
		field[i] = (char)('0' + (rest & 7));
	field[room - 1] = '\0';
	if (!rest)
		return;
	for (size_t i = room; i-- > 0; value >>= 8)
		field[i] = (char)(value & 0xff);
	field[0] = (char)0x80;
}

int tar_number_read(const char *field, size_t room, uint64_t *value)
{
	const uint8_t *bytes = (const uint8_t *)field;
	size_t i = 0;
	*value = 0;
	if (bytes[0] == 0x80) {
		for (i = 1; i < room; i++) {
			if (*value >> 56)
				return -1;
			*value = *value << 8 | bytes[i];
		}
		return 0;
	}
	while (i < room && bytes[i] == ' ')
		i++;
	for (; i < room && bytes[i] && bytes[i] != ' '; i++) {
		if (bytes[i] < '0' || bytes[i] > '7' || *value >> 61)
			return -1;
		*value = *value << 3 | (uint64_t)(bytes[i] - '0');
	}
	return 0;
}

/* The sum of all bytes, with the checksum's own as spaces. */
static unsigned checksum(const struct tar_header *header)
{
	const uint8_t *bytes = (const uint8_t *)header;
	unsigned sum = 0;
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	for (size_t i = 0; i < sizeof(header->checksum); i++)
		sum += (unsigned)' ' - (uint8_t)header->checksum[i];
	return sum;
}

void tar_header_seal(struct tar_header *header)
{
	tar_number(header->checksum, sizeof(header->checksum) - 1, checksum(header));
	header->checksum[7] = ' ';
}

void tar_header_make(struct tar_header *header, const struct tar_member *member)
{
	memset(header, 0, sizeof(*header));
	memcpy(header->name, member->name, strnlen(member->name, sizeof(header->name)));
	tar_number(header->mode, sizeof(header->mode), member->mode);
	tar_number(header->uid, sizeof(header->uid), member->owner);
	tar_number(header->gid, sizeof(header->gid), member->owner);
	tar_number(header->size, sizeof(header->size), member->size);
	tar_number(header->mtime, sizeof(header->mtime), member->seconds);
	header->type = member->type;
	if (member->type == 'S') /* GNU's: "ustar  " and a NUL */
		memcpy(header->magic, "ustar  ", 8);
	else
		memcpy(header->magic,
		       "ustar\0"
		       "00",
		       8);
	tar_header_seal(header);
}

bool tar_header_valid(const struct tar_header *header)
{
	uint64_t stored = 0;
	return memcmp(header->magic, "ustar", 5) == 0 &&
	       !tar_number_read(header->checksum, sizeof(header->checksum), &stored) &&
	       stored == checksum(header);
}

int tar_append(struct file_plan *file, const struct tar_member *member,
	       const struct extents *contents, struct diag *why)
{
	struct tar_header *header = file_plan_alloc(file, sizeof(*header), why);
	if (!header)
		return -1;
	if (strlen(member->name) >= sizeof(header->name))
		return diag_set(why, "%s: too long a name for a tar archive",
				member->name);
	tar_header_make(header, member);
	if (file_plan_append(file, header, sizeof(*header), TAR_BLOCK, why))
		return -1;
	return contents ? file_plan_append_all(file, contents, TAR_BLOCK, why) : 0;
}

int tar_append_end(struct file_plan *file, struct diag *why)
{
	(void)why;
	file->extents.size += 2ull * TAR_BLOCK; /* zeros */
	return 0;
}

int tar_next(struct tar_cursor *cursor, struct tar_found *found)
{
	struct tar_header header;
	uint64_t size = 0;
	if (cursor->size - cursor->at < sizeof(header))
		return -1;
	memcpy(&header, cursor->bytes + cursor->at, sizeof(header));
	if (bytes_are_zero(&header, sizeof(header)))
		return 0;
	cursor->at += sizeof(header);
	if (!tar_header_valid(&header) ||
	    tar_number_read(header.size, sizeof(header.size), &size) ||
	    size > cursor->size - cursor->at)
		return -1;
	memcpy(found->name, header.name, sizeof(header.name));
	found->name[sizeof(header.name)] = '\0';
	found->bytes = cursor->bytes + cursor->at;
	found->size = (size_t)size;
	uint64_t padded = align_up(size, TAR_BLOCK), left = cursor->size - cursor->at;
	cursor->at += (size_t)(padded < left ? padded : left);
	return 1;
}

int tar_find(const uint8_t *bytes, size_t size, const char *name_end,
	     struct tar_found *found)
{
	struct tar_cursor cursor = {.bytes = bytes, .size = size};
	size_t length = strlen(name_end);
	int rc = 0;
	while ((rc = tar_next(&cursor, found)) == 1) {
		size_t have = strlen(found->name);
		if (have >= length && strcmp(found->name + have - length, name_end) == 0)
			return 1;
	}
	return rc;
}
