/* image_diff.c: sections, keys of the manifest and packed files of two images, side by
 * side. Each difference is printed when it is found. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/image_diff.h"
#include "cli/image_tree.h"
#include "cli/output.h"
#include "imgfmt/digest_hex.h"

struct entry {
	char *path; /* owned */
	struct erofs_inode inode;
};

struct side {
	const struct image *image;
	struct erofs fs;
	struct entry *list; /* the packed files, sorted by path */
	size_t count, room;
};

struct diff {
	struct side side[2];
	bool json;
	unsigned found;
};

/* Prints what a side has, for people or as a JSON value. */
typedef void print_fn(const struct diff *diff, const struct side *side, const void *it);

static void print_text(const struct diff *diff, const char *text, size_t size)
{
	(diff->json ? output_json : output_name)(stdout, text, size);
}

/* NULL: it is not on that side. */
static void print_difference(struct diff *diff, const char *kind, const char *name,
			     size_t name_size, const void *before, const void *after,
			     print_fn *print)
{
	const void *it[2] = {before, after};
	const char *how = !before ? "added" : !after ? "removed" : "changed";
	if (diff->json)
		printf("%s\n{\"kind\":\"%s\",\"name\":", diff->found ? "," : "", kind);
	else
		printf("%s %s ", how, kind);
	print_text(diff, name, name_size);
	for (unsigned i = 0; i < 2; i++) {
		if (diff->json)
			printf(i ? ",\"after\":" : ",\"before\":");
		else if (it[i])
			printf(i && it[0] ? " -> " : ": ");
		if (it[i])
			print(diff, &diff->side[i], it[i]);
		else if (diff->json)
			printf("null");
	}
	printf(diff->json ? "}" : "\n");
	diff->found++;
}

static void print_section(const struct diff *diff, const struct side *side,
			  const void *it)
{
	const struct bundle_part *part = it;
	char hex[HEX_ROOM];
	(void)side;
	printf(diff->json ? "{\"size\":%zu,\"digest\":\"%s\"}" : "%zu bytes, digest %s",
	       part->size, digest_hex(part->digest, hex));
}

static void diff_sections(struct diff *diff)
{
	for (enum bundle_kind kind = BUNDLE_SHIM; kind <= BUNDLE_MANIFEST; kind++) {
		const struct bundle_part *before =
			&diff->side[0].image->bundle.part[kind];
		const struct bundle_part *after = &diff->side[1].image->bundle.part[kind];
		const char *name = bundle_kind_name(kind);
		if (before->size != after->size ||
		    memcmp(before->digest, after->digest, SHA256_BYTES) != 0)
			print_difference(diff, "section", name, strlen(name), before,
					 after, print_section);
	}
}

static struct manifest_cursor manifest_of(const struct side *side)
{
	const struct bundle_part *part = &side->image->bundle.part[BUNDLE_MANIFEST];
	return (struct manifest_cursor){.text = (const char *)part->bytes,
					.size = part->size};
}

struct key {
	const char *name;
	size_t size;
};

/* The key's next value; 0: there is none. */
static int next_value(struct manifest_cursor *cursor, const struct key *key, char *value,
		      size_t *value_size)
{
	struct key found;
	int rc = 0;
	while ((rc = manifest_next(cursor, &found.name, &found.size, value, value_size)) >
	       0)
		if (found.size == key->size &&
		    memcmp(found.name, key->name, key->size) == 0)
			return 1;
	return rc;
}

static void print_values(const struct diff *diff, const struct side *side, const void *it)
{
	struct manifest_cursor cursor = manifest_of(side);
	char value[MANIFEST_VALUE_MAX + 1];
	size_t size = 0;
	const char *before = diff->json ? "[" : "";
	for (; next_value(&cursor, it, value, &size) > 0;
	     before = diff->json ? "," : ", ") {
		printf("%s", before);
		print_text(diff, value, size);
	}
	if (diff->json)
		printf("]");
}

static void diff_key(struct diff *diff, const struct key *key)
{
	struct manifest_cursor cursor[2];
	static char value[2][MANIFEST_VALUE_MAX + 1];
	size_t size[2] = {0};
	bool has[2] = {false}, equal = true;
	int more[2] = {0};
	for (unsigned i = 0; i < 2; i++)
		cursor[i] = manifest_of(&diff->side[i]);
	do {
		for (unsigned i = 0; i < 2; i++) {
			more[i] = next_value(&cursor[i], key, value[i], &size[i]) > 0;
			has[i] = has[i] || more[i];
		}
		equal = more[0] == more[1] &&
			(!more[0] || (size[0] == size[1] &&
				      memcmp(value[0], value[1], size[0]) == 0));
	} while (equal && more[0]);
	if (!equal)
		print_difference(diff, "manifest", key->name, key->size,
				 has[0] ? key : NULL, has[1] ? key : NULL, print_values);
}

/* Has the manifest the key before a position? */
static bool has_key(const struct side *side, const struct key *key, size_t before)
{
	struct manifest_cursor cursor = manifest_of(side);
	char value[MANIFEST_VALUE_MAX + 1];
	size_t size = 0;
	return next_value(&cursor, key, value, &size) > 0 && cursor.at < before;
}

static void diff_manifests(struct diff *diff)
{
	for (unsigned i = 0; i < 2; i++) {
		struct manifest_cursor cursor = manifest_of(&diff->side[i]);
		char value[MANIFEST_VALUE_MAX + 1];
		struct key key;
		size_t size = 0;
		while (manifest_next(&cursor, &key.name, &key.size, value, &size) > 0)
			if (!has_key(&diff->side[i], &key, cursor.at) &&
			    (!i || !has_key(&diff->side[0], &key, SIZE_MAX)))
				diff_key(diff, &key);
	}
}

static int add_entry(void *context, const struct image_file *file, struct diag *why)
{
	struct side *side = context;
	if (side->count == side->room) {
		size_t room = side->room ? 2 * side->room : 256;
		struct entry *list = realloc(side->list, room * sizeof(*list));
		if (!list)
			return diag_set(why, "out of memory");
		side->list = list;
		side->room = room;
	}
	char *path = strdup(*file->path ? file->path : "/");
	if (!path)
		return diag_set(why, "out of memory");
	side->list[side->count++] = (struct entry){.path = path, .inode = file->inode};
	return 0;
}

static int compare_entries(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;
	return strcmp(a->path, b->path);
}

static int list_files(struct side *side, struct diag *why)
{
	const struct bundle_part *part = &side->image->bundle.part[BUNDLE_ROOTFS];
	struct image_walk walk = {.fs = &side->fs, .enter = add_entry, .context = side};
	struct diag inner = {0};
	if (erofs_open(&side->fs, part->bytes, part->size))
		diag_set(&inner, "the packed file system is damaged");
	else if (!image_walk(&walk, "/", &inner)) {
		qsort(side->list, side->count, sizeof(*side->list), compare_entries);
		return 0;
	}
	return diag_set(why, "%s: %s", side->image->path, inner.message);
}

static void print_file(const struct diff *diff, const struct side *side, const void *it)
{
	const struct entry *entry = it;
	const struct erofs_inode *inode = &entry->inode;
	const char *type = S_ISDIR(inode->mode)   ? "d"
			   : S_ISLNK(inode->mode) ? "l"
			   : S_ISREG(inode->mode) ? "-"
						  : "?";
	char target[PATH_MAX], hex[HEX_ROOM];
	printf(diff->json ? "{\"type\":\"%s\",\"mode\":%u" : "%s%04o", type,
	       inode->mode & 07777);
	if (S_ISREG(inode->mode)) {
		struct sha256 hash;
		uint8_t digest[SHA256_BYTES];
		size_t run = 0;
		sha256_init(&hash);
		for (uint64_t at = 0; at < inode->size; at += run) {
			const uint8_t *bytes = erofs_data(&side->fs, inode, at, &run);
			if (!bytes || !run)
				break;
			sha256_add(&hash, bytes, run);
		}
		sha256_end(&hash, digest);
		printf(diff->json ? ",\"size\":%" PRIu64 ",\"sha256\":\"%s\""
				  : " %" PRIu64 " bytes, sha256 %s",
		       inode->size, digest_hex(digest, hex));
	} else if (S_ISLNK(inode->mode) &&
		   !image_link_target(&side->fs, inode, target, sizeof(target))) {
		printf(diff->json ? ",\"target\":" : " to ");
		print_text(diff, target, strlen(target));
	}
	if (diff->json)
		printf("}");
}

static bool same_bytes(const struct side side[2],
		       const struct erofs_inode *const inode[2])
{
	uint64_t at = 0;
	while (at < inode[0]->size) {
		size_t run[2] = {0};
		const uint8_t *bytes[2];
		for (unsigned i = 0; i < 2; i++)
			bytes[i] = erofs_data(&side[i].fs, inode[i], at, &run[i]);
		size_t least = run[0] < run[1] ? run[0] : run[1];
		if (!bytes[0] || !bytes[1] || !least ||
		    memcmp(bytes[0], bytes[1], least) != 0)
			return false;
		at += least;
	}
	return true;
}

/* Owners and times are the same for all files of an image. */
static bool same_file(const struct diff *diff, const struct entry *before,
		      const struct entry *after)
{
	const struct erofs_inode *inode[2] = {&before->inode, &after->inode};
	if (inode[0]->mode != inode[1]->mode)
		return false;
	return S_ISDIR(inode[0]->mode) ||
	       (inode[0]->size == inode[1]->size && same_bytes(diff->side, inode));
}

static void diff_files(struct diff *diff)
{
	const struct side *a = &diff->side[0], *b = &diff->side[1];
	for (size_t i = 0, j = 0; i < a->count || j < b->count;) {
		const struct entry *before = i < a->count ? &a->list[i] : NULL;
		const struct entry *after = j < b->count ? &b->list[j] : NULL;
		int order = !before ? 1 : !after ? -1 : compare_entries(before, after);
		const char *path = order <= 0 ? before->path : after->path;
		if (order || !same_file(diff, before, after))
			print_difference(diff, "file", path, strlen(path),
					 order <= 0 ? before : NULL,
					 order >= 0 ? after : NULL, print_file);
		i += order <= 0;
		j += order >= 0;
	}
}

int image_diff(const struct image *before, const struct image *after, bool json,
	       struct diag *why)
{
	struct diff diff = {.side = {{.image = before}, {.image = after}}, .json = json};
	int rc =
		list_files(&diff.side[0], why) || list_files(&diff.side[1], why) ? -1 : 0;
	if (!rc) {
		printf(json ? "[" : "");
		diff_sections(&diff);
		diff_manifests(&diff);
		diff_files(&diff);
		printf(json ? "]\n" : "");
		rc = diff.found != 0;
	}
	for (unsigned i = 0; i < 2; i++) {
		for (size_t j = 0; j < diff.side[i].count; j++)
			free(diff.side[i].list[j].path);
		free(diff.side[i].list);
	}
	return rc;
}
