/* statements.c: writing the files beside an image. */
#include <stdlib.h>
#include <string.h>

#include "cli/statements.h"

const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

void own_parts(struct own_part parts[OWN_PARTS_MAX], const struct pack *pack)
{
	const struct own_part all[] = {{"mbr", &pack->stage1},
				       {"stage2", &pack->stage2},
				       {"bootx64", &pack->uefi},
				       {"shim", &pack->shim},
				       {"front", &pack->front}};
	_Static_assert(sizeof(all) / sizeof(all[0]) < OWN_PARTS_MAX, "all fit");
	size_t count = 0;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].file->size)
			parts[count++] = all[i];
	parts[count] = (struct own_part){0};
}

/* All but what purl's specification leaves as it is. */
static void print_encoded(FILE *to, const char *text)
{
	for (; *text; text++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			   "0123456789.-_~:",
			   *text))
			fputc(*text, to);
		else
			fprintf(to, "%%%02X", (unsigned char)*text);
}

void print_purl(FILE *to, const struct dpkg *dpkg, const struct dpkg_package *package)
{
	fprintf(to, "pkg:deb/");
	print_encoded(to, dpkg->vendor);
	fputc('/', to);
	print_encoded(to, package->name);
	fputc('@', to);
	print_encoded(to, package->version);
	fprintf(to, "?arch=");
	print_encoded(to, package->architecture);
}

typedef int print_fn(FILE *to, const struct statement *statement, struct diag *why);

/* Writes a text to the image's path with a suffix; *sum: its own. */
static int write_text(const struct statement *statement, const char *suffix,
		      print_fn *print, struct sum *sum, struct diag *why)
{
	char *text = NULL, *path = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	if (!memory)
		return diag_set(why, "out of memory");
	int rc = print(memory, statement, why);
	bool whole = !ferror(memory);
	if (fclose(memory) || !whole ||
	    asprintf(&path, "%s%s", statement->image, suffix) < 0)
		rc = diag_set(why, "out of memory");
	if (!rc)
		rc = contents_digest("SHA256", text, size, sum->sha256, why);
	if (!rc)
		rc = emit_text(path, text, size, why);
	free(text);
	sum->path = path;
	return rc;
}

/* Of the file that the format itself has beside the image. */
static int sum_beside(const struct statement *statement, struct sum *sum,
		      struct diag *why)
{
	char *path = NULL;
	void *bytes = NULL;
	size_t size = 0;
	uint32_t mode = 0;
	if (asprintf(&path, "%s.json", statement->image) < 0)
		return diag_set(why, "out of memory");
	sum->path = path;
	int rc = tree_read_file(path, &bytes, &size, &mode, why);
	if (!rc)
		rc = contents_digest("SHA256", bytes, size, sum->sha256, why);
	free(bytes);
	return rc;
}

int statements_write(const struct statements *which, struct statement *statement,
		     struct diag *why)
{
	struct sum sums[4] = {{.path = statement->image}};
	size_t count = 1;
	int rc = 0;
	digest_hex(statement->done->digest, sums[0].sha256);
	if (which->sbom || which->provenance)
		rc = contents_find(&statement->contents, &statement->pack->tree, why);
	if (!rc && which->sbom)
		rc = write_text(statement, ".spdx.json", sbom_print, &sums[count++], why);
	if (!rc && which->provenance)
		rc = write_text(statement, ".intoto.json", provenance_print,
				&sums[count++], why);
	if (!rc && which->sums && statement->done->has_beside)
		rc = sum_beside(statement, &sums[count++], why);
	if (!rc && which->sums)
		rc = sums_write(sums, count, why);
	for (size_t i = 1; i < count; i++)
		free((void *)(uintptr_t)sums[i].path);
	contents_free(&statement->contents);
	return rc;
}
