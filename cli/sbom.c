/* sbom.c: the bill of materials, as SPDX 2.3 JSON: the image contains every packed file,
 * and the packages of this machine that these files are of, each with those of its files
 * that were packed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/output.h"
#include "cli/statements.h"

static void print_string(FILE *to, const char *text)
{
	output_json(to, text, strlen(text));
}

static int compare_digests(const void *one, const void *other)
{
	return memcmp(one, other, SHA1_HEX_ROOM);
}

/* SPDX 2.3, 7.9: the SHA-1 over the sorted SHA-1s of a package's files; DPKG_NONE: of
 * all.
 */
static int print_verification_code(FILE *to, const struct contents *contents,
				   size_t package, struct diag *why)
{
	char(*digests)[SHA1_HEX_ROOM] = calloc(contents->count + 1, SHA1_HEX_ROOM);
	char *joined = (char *)digests, code[SHA1_HEX_ROOM];
	size_t count = 0;
	if (!digests)
		return diag_set(why, "out of memory");
	for (size_t i = 0; i < contents->count; i++)
		if (package == DPKG_NONE || contents->files[i].package == package)
			memcpy(digests[count++], contents->list[i].sha1, SHA1_HEX_ROOM);
	qsort(digests, count, SHA1_HEX_ROOM, compare_digests);
	for (size_t i = 0; i < count; i++) /* without the NULs between them */
		memmove(joined + i * (SHA1_HEX_ROOM - 1), digests[i], SHA1_HEX_ROOM - 1);
	int rc = contents_digest("SHA1", joined, count * (SHA1_HEX_ROOM - 1), code, why);
	free(digests);
	fprintf(to,
		"\"filesAnalyzed\": true, \"packageVerificationCode\": "
		"{\"packageVerificationCodeValue\": \"%s\"}",
		code);
	return rc;
}

static void print_checksum(FILE *to, const char *sha256)
{
	fprintf(to,
		"\"checksums\": [{\"algorithm\": \"SHA256\", \"checksumValue\": \"%s\"}]",
		sha256);
}

static int print_image(FILE *to, const struct statement *statement, struct diag *why)
{
	char hex[HEX_ROOM];
	fprintf(to, "    {\"SPDXID\": \"SPDXRef-Image\", \"name\": ");
	print_string(to, statement->done->name);
	fprintf(to, ", \"packageFileName\": ");
	print_string(to, last_name(statement->image));
	fprintf(to, ", \"downloadLocation\": \"NOASSERTION\",\n     ");
	print_checksum(to, digest_hex(statement->done->digest, hex));
	fprintf(to, ",\n     ");
	int rc = print_verification_code(to, &statement->contents, DPKG_NONE, why);
	fprintf(to, "}");
	return rc;
}

static int print_own_parts(FILE *to, const struct own_part *part, struct diag *why)
{
	char hex[HEX_ROOM];
	int rc = 0;
	for (; !rc && part->name; part++) {
		rc = contents_digest("SHA256", part->file->bytes, part->file->size, hex,
				     why);
		fprintf(to,
			",\n    {\"SPDXID\": \"SPDXRef-Part-%s\", \"name\": \"elfpack "
			"%s\","
			" \"versionInfo\": \"" ELFPACK_VERSION
			"\", \"downloadLocation\": \"NOASSERTION\",\n     "
			"\"filesAnalyzed\": false, ",
			part->name, part->name);
		print_checksum(to, hex);
		fprintf(to, "}");
	}
	return rc;
}

static int print_packages(FILE *to, const struct contents *contents, struct diag *why)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < contents->dpkg.count; i++) {
		const struct dpkg_package *package = &contents->dpkg.packages[i];
		fprintf(to,
			",\n    {\"SPDXID\": \"SPDXRef-Package-%zu\", \"name\": ", i + 1);
		print_string(to, package->name);
		fprintf(to, ", \"versionInfo\": ");
		print_string(to, package->version);
		fprintf(to, ", \"downloadLocation\": \"NOASSERTION\",\n     "
			    "\"externalRefs\": [{\"referenceCategory\": "
			    "\"PACKAGE-MANAGER\", \"referenceType\": \"purl\", "
			    "\"referenceLocator\": \"");
		print_purl(to, &contents->dpkg, package);
		fprintf(to, "\"}],\n     ");
		rc = print_verification_code(to, contents, i, why);
		fprintf(to, "}");
	}
	return rc;
}

static void print_files(FILE *to, const struct contents *contents)
{
	for (size_t i = 0; i < contents->count; i++) {
		const struct content *content = &contents->list[i];
		char *name = NULL;
		fprintf(to, "%s    {\"SPDXID\": \"SPDXRef-File-%zu\", \"fileName\": ",
			i ? ",\n" : "", i + 1);
		if (asprintf(&name, ".%s", content->path) < 0)
			name = NULL;
		print_string(to, name ? name : content->path);
		free(name);
		fprintf(to,
			",\n     \"checksums\": [{\"algorithm\": \"SHA1\", "
			"\"checksumValue\": \"%s\"}, {\"algorithm\": \"SHA256\", "
			"\"checksumValue\": \"%s\"}]}",
			content->sha1, content->sha256);
	}
}

static void print_contains(FILE *to, const char *from, const char *kind, size_t number)
{
	fprintf(to,
		",\n    {\"spdxElementId\": \"%s\", \"relationshipType\": "
		"\"CONTAINS\", \"relatedSpdxElement\": \"SPDXRef-%s-%zu\"}",
		from, kind, number);
}

static void print_relationships(FILE *to, const struct contents *contents,
				const struct own_part *part)
{
	fprintf(to, "    {\"spdxElementId\": \"SPDXRef-DOCUMENT\", \"relationshipType\": "
		    "\"DESCRIBES\", \"relatedSpdxElement\": \"SPDXRef-Image\"}");
	for (; part->name; part++)
		fprintf(to,
			",\n    {\"spdxElementId\": \"SPDXRef-Image\", "
			"\"relationshipType\": \"CONTAINS\", "
			"\"relatedSpdxElement\": \"SPDXRef-Part-%s\"}",
			part->name);
	for (size_t i = 0; i < contents->dpkg.count; i++)
		print_contains(to, "SPDXRef-Image", "Package", i + 1);
	for (size_t i = 0; i < contents->count; i++) {
		char package[48];
		print_contains(to, "SPDXRef-Image", "File", i + 1);
		if (contents->files[i].package == DPKG_NONE)
			continue;
		snprintf(package, sizeof(package), "SPDXRef-Package-%zu",
			 contents->files[i].package + 1);
		print_contains(to, package, "File", i + 1);
	}
}

static int print_body(FILE *to, const struct statement *statement, struct diag *why)
{
	const struct contents *contents = &statement->contents;
	struct own_part parts[OWN_PARTS_MAX];
	own_parts(parts, statement->pack);
	fprintf(to, "  \"packages\": [\n");
	int rc = print_image(to, statement, why) || print_own_parts(to, parts, why) ||
				 print_packages(to, contents, why)
			 ? -1
			 : 0;
	fprintf(to, "\n  ],\n  \"files\": [\n");
	print_files(to, contents);
	fprintf(to, "\n  ],\n  \"relationships\": [\n");
	print_relationships(to, contents, parts);
	fprintf(to, "\n  ]\n}\n");
	return rc;
}

/* A name that no other document has: a UUID of the document's own bytes (RFC 9562,
 * version 8). */
static int print_namespace(FILE *to, const char *body, size_t size, struct diag *why)
{
	char hex[HEX_ROOM];
	if (contents_digest("SHA256", body, size, hex, why))
		return -1;
	fprintf(to,
		"  \"documentNamespace\": \"urn:uuid:%.8s-%.4s-8%.3s-8%.3s-%.12s\",\n",
		hex, hex + 8, hex + 13, hex + 17, hex + 20);
	return 0;
}

static int print_head(FILE *to, const struct statement *statement, const char *body,
		      size_t size, struct diag *why)
{
	char created[32];
	uint64_t seconds = 0;
	struct tm tm;
	if (pack_build_time(&seconds, why))
		return -1;
	time_t time = (time_t)seconds;
	if (!gmtime_r(&time, &tm) ||
	    !strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return diag_set(why, "SOURCE_DATE_EPOCH: %" PRIu64 " is no time",
				seconds);
	fprintf(to,
		"{\n  \"spdxVersion\": \"SPDX-2.3\",\n  \"dataLicense\": \"CC0-1.0\",\n"
		"  \"SPDXID\": \"SPDXRef-DOCUMENT\",\n  \"name\": ");
	print_string(to, statement->done->name);
	fprintf(to, ",\n");
	int rc = print_namespace(to, body, size, why);
	fprintf(to,
		"  \"creationInfo\": {\"created\": \"%s\", \"creators\": "
		"[\"Tool: elfpack-" ELFPACK_VERSION "\"]},\n",
		created);
	return rc;
}

int sbom_print(FILE *to, const struct statement *statement, struct diag *why)
{
	char *body = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&body, &size);
	if (!memory)
		return diag_set(why, "out of memory");
	int rc = print_body(memory, statement, why);
	bool whole = !ferror(memory);
	if (fclose(memory) || !whole)
		rc = diag_set(why, "out of memory");
	if (!rc)
		rc = print_head(to, statement, body, size, why);
	if (!rc)
		fwrite(body, 1, size, to);
	free(body);
	return rc;
}
