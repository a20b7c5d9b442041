/* oci.c: a KubeVirt containerDisk: a container image (OCI image-spec 1.0) with one file
 * in it, disk/disk.qcow2, for the user that QEMU runs as. An image layout in a tar
 * archive:
 *
 *   oci-layout, index.json                  which manifest
 *   blobs/sha256/DIGEST                     the manifest, the configuration, the layer
 *
 * The layer is a plain tar: the disk in it is compressed already. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "imgfmt/digest_hex.h"
#include "imgfmt/format.h"
#include "imgfmt/tar.h"

#define QEMU_USER   107u
#define BLOB_FOLDER "blobs/sha256/"
#define DISK_NAME   "disk/disk.qcow2"

struct blob {
	struct extents contents; /* one that is not in the file_plan yet */
	char hex[HEX_ROOM];
};

static int text_blob(struct file_plan *file, struct blob *blob, char *text, int size,
		     struct diag *why)
{
	uint8_t digest[SHA256_BYTES];
	if (size < 0)
		return diag_set(why, "out of memory");
	if (file_plan_own(file, text, why))
		return -1;
	if (extents_add(&blob->contents, 0, text, (size_t)size))
		return diag_set(why, "out of memory");
	extents_hash(&blob->contents, digest);
	digest_hex(digest, blob->hex);
	return 0;
}

static int make_layer(struct file_plan *layer, const struct image_plan *plan,
		      struct file_plan *disk, struct diag *why)
{
	struct tar_member folder = {.name = "disk/",
				    .mode = 0555,
				    .owner = QEMU_USER,
				    .seconds = plan->seconds,
				    .type = '5'};
	if (qcow2_write_compressed(disk, plan, why) ||
	    tar_append(layer, &folder, NULL, why))
		return -1;
	struct tar_member member = {.name = DISK_NAME,
				    .size = disk->extents.size,
				    .mode = 0440,
				    .owner = QEMU_USER,
				    .seconds = plan->seconds,
				    .type = '0'};
	return tar_append(layer, &member, &disk->extents, why) ||
			       tar_append_end(layer, why)
		       ? -1
		       : 0;
}

static int make_config(struct file_plan *file, struct blob *config,
		       const struct blob *layer, uint64_t seconds, struct diag *why)
{
	char when[32] = "", *text = NULL;
	time_t at = (time_t)seconds;
	struct tm parts;
	if (!gmtime_r(&at, &parts) ||
	    !strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &parts))
		return diag_set(why, "SOURCE_DATE_EPOCH: no such time");
	int size = asprintf(
		&text,
		"{\"created\":\"%s\",\"architecture\":\"amd64\",\"os\":\"linux\","
		"\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":"
		"[\"sha256:%s\"]},\"history\":[{\"created\":\"%s\","
		"\"created_by\":\"elfpack\"}]}",
		when, layer->hex, when);
	return text_blob(file, config, text, size, why);
}

static int make_manifest(struct file_plan *file, struct blob *manifest,
			 const struct blob *config, const struct blob *layer,
			 struct diag *why)
{
	char *text = NULL;
	int size = asprintf(
		&text,
		"{\"schemaVersion\":2,"
		"\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":"
		"{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
		"\"digest\":\"sha256:%s\",\"size\":%llu},\"layers\":"
		"[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\","
		"\"digest\":\"sha256:%s\",\"size\":%llu}]}",
		config->hex, (unsigned long long)config->contents.size, layer->hex,
		(unsigned long long)layer->contents.size);
	return text_blob(file, manifest, text, size, why);
}

static int make_index(struct file_plan *file, struct blob *index,
		      const struct blob *manifest, struct diag *why)
{
	char *text = NULL;
	int size =
		asprintf(&text,
			 "{\"schemaVersion\":2,\"mediaType\":\"application/"
			 "vnd.oci.image.index.v1+json\","
			 "\"manifests\":[{\"mediaType\":\"application/"
			 "vnd.oci.image.manifest.v1+json\","
			 "\"digest\":\"sha256:%s\",\"size\":%llu,\"annotations\":"
			 "{\"org.opencontainers.image.ref.name\":\"latest\"},"
			 "\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}}]}",
			 manifest->hex, (unsigned long long)manifest->contents.size);
	return text_blob(file, index, text, size, why);
}

static int put(struct file_plan *file, const char *name, const struct extents *contents,
	       uint64_t seconds, struct diag *why)
{
	struct tar_member member = {.name = name,
				    .size = contents->size,
				    .mode = 0644,
				    .seconds = seconds,
				    .type = '0'};
	return tar_append(file, &member, contents, why);
}

static int put_blob(struct file_plan *file, const struct blob *blob, uint64_t seconds,
		    struct diag *why)
{
	char name[sizeof(BLOB_FOLDER) + HEX_ROOM];
	snprintf(name, sizeof(name), BLOB_FOLDER "%s", blob->hex);
	return put(file, name, &blob->contents, seconds, why);
}

static int put_all(struct file_plan *file, const struct blob *layer, uint64_t seconds,
		   struct diag *why)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	struct blob config = {0}, manifest = {0}, index = {0};
	struct extents layout = {0};
	int rc = make_config(file, &config, layer, seconds, why) ||
		 make_manifest(file, &manifest, &config, layer, why) ||
		 make_index(file, &index, &manifest, why) ||
		 extents_add(&layout, 0, version, sizeof(version) - 1) ||
		 put(file, "oci-layout", &layout, seconds, why) ||
		 put(file, "index.json", &index.contents, seconds, why) ||
		 put_blob(file, &manifest, seconds, why) ||
		 put_blob(file, &config, seconds, why) ||
		 put_blob(file, layer, seconds, why) || tar_append_end(file, why);
	extents_free(&config.contents);
	extents_free(&manifest.contents);
	extents_free(&index.contents);
	extents_free(&layout);
	return rc ? diag_set(why, "out of memory") : 0;
}

int oci_write(struct file_plan *file, const struct image_plan *plan, struct diag *why)
{
	struct file_plan tar = {0}, disk = {0};
	uint8_t digest[SHA256_BYTES];
	struct blob layer = {0};
	int rc = make_layer(&tar, plan, &disk, why);
	if (!rc) {
		layer.contents = tar.extents; /* lent */
		extents_hash(&layer.contents, digest);
		digest_hex(digest, layer.hex);
		rc = put_all(file, &layer, plan->seconds, why);
	}
	if (file_plan_adopt(file, &tar, why) || file_plan_adopt(file, &disk, why))
		rc = -1;
	return rc ? -1 : 0;
}

bool oci_probe(const uint8_t *bytes, size_t size)
{
	struct tar_cursor cursor = {.bytes = bytes, .size = size};
	struct tar_found first;
	return tar_next(&cursor, &first) == 1 && strcmp(first.name, "oci-layout") == 0;
}

/* The blob that a text names first behind a word; its digest is checked. */
static int find_blob(const uint8_t *bytes, size_t size, const struct tar_found *text,
		     const char *word, struct tar_found *blob, struct diag *why)
{
	static const char before[] = "\"sha256:";
	const uint8_t *end = text->bytes + text->size;
	const uint8_t *at = memmem(text->bytes, text->size, word, strlen(word));
	if (at)
		at = memmem(at, (size_t)(end - at), before, sizeof(before) - 1);
	if (!at || (size_t)(end - at) < sizeof(before) - 1 + HEX_ROOM)
		return diag_set(why, "%s: names no %s", text->name, word);
	char hex[HEX_ROOM], found[HEX_ROOM], name[sizeof(BLOB_FOLDER) + HEX_ROOM];
	uint8_t digest[SHA256_BYTES];
	memcpy(hex, at + sizeof(before) - 1, HEX_ROOM - 1);
	hex[HEX_ROOM - 1] = '\0';
	if (strspn(hex, "0123456789abcdef") != HEX_ROOM - 1)
		return diag_set(why, "%s: a damaged digest of its %s", text->name, word);
	snprintf(name, sizeof(name), BLOB_FOLDER "%s", hex);
	if (tar_find(bytes, size, name, blob) != 1)
		return diag_set(why, "%s is missing: damaged or cut short", name);
	sha256_of(blob->bytes, blob->size, digest);
	if (strcmp(digest_hex(digest, found), hex) != 0)
		return diag_set(why, "%s is damaged: its SHA-256 is %s", name, found);
	return 0;
}

int oci_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why)
{
	struct tar_found index, manifest, layer, disk;
	if (tar_find(bytes, size, "index.json", &index) != 1)
		return diag_set(
			why, "an OCI archive without index.json: damaged or cut short");
	if (find_blob(bytes, size, &index, "manifests", &manifest, why) ||
	    find_blob(bytes, size, &manifest, "layers", &layer, why))
		return -1;
	if (tar_find(layer.bytes, layer.size, DISK_NAME, &disk) != 1)
		return diag_set(why, "the OCI archive's layer is no tar with " DISK_NAME);
	return qcow2_read(view, disk.bytes, disk.size, why);
}
