/* provenance.c: what an image was built from, as an in-toto statement (v1) with a SLSA
 * provenance predicate (v1). It says nothing of when: the same build is the same text. */
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/statements.h"

static void print_member(FILE *to, const char *before, const char *name,
			 const char *value)
{
	fprintf(to, "%s\"%s\": ", before, name);
	output_json(to, value, strlen(value));
}

/* elfpack's own parts, the packages, and the files that are of none. */
static int print_dependencies(FILE *to, const struct statement *statement,
			      struct diag *why)
{
	const struct contents *contents = &statement->contents;
	struct own_part parts[OWN_PARTS_MAX];
	const char *before = "\n";
	char hex[HEX_ROOM];
	own_parts(parts, statement->pack);
	for (const struct own_part *part = parts; part->name; part++, before = ",\n") {
		if (contents_digest("SHA256", part->file->bytes, part->file->size, hex,
				    why))
			return -1;
		fprintf(to,
			"%s        {\"name\": \"elfpack %s\", \"digest\": {\"sha256\": "
			"\"%s\"}}",
			before, part->name, hex);
	}
	for (size_t i = 0; i < contents->dpkg.count; i++) {
		fprintf(to, ",\n        {\"uri\": \"");
		print_purl(to, &contents->dpkg, &contents->dpkg.packages[i]);
		fprintf(to, "\"}");
	}
	for (size_t i = 0; i < contents->count; i++) {
		if (contents->files[i].package != DPKG_NONE)
			continue;
		print_member(to, ",\n        {", "name", contents->list[i].path);
		fprintf(to, ", \"digest\": {\"sha256\": \"%s\"}}",
			contents->list[i].sha256);
	}
	return 0;
}

int provenance_print(FILE *to, const struct statement *statement, struct diag *why)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char hex[HEX_ROOM];
	fprintf(to, "{\n  \"_type\": \"https://in-toto.io/Statement/v1\",\n");
	print_member(to, "  \"subject\": [{", "name", last_name(statement->image));
	fprintf(to,
		", \"digest\": {\"sha256\": \"%s\"}}],\n"
		"  \"predicateType\": \"https://slsa.dev/provenance/v1\",\n"
		"  \"predicate\": {\n    \"buildDefinition\": {\n"
		"      \"buildType\": \"urn:elfpack:build:v1\",\n"
		"      \"externalParameters\": {",
		digest_hex(statement->done->digest, hex));
	print_member(to, "", "configuration", statement->configuration);
	if (epoch && *epoch)
		print_member(to, ", ", "SOURCE_DATE_EPOCH", epoch);
	fprintf(to, "},\n      \"resolvedDependencies\": [");
	int rc = print_dependencies(to, statement, why);
	fprintf(to, "\n      ]\n    },\n    \"runDetails\": {\"builder\": {"
		    "\"id\": \"urn:elfpack:builder\", "
		    "\"version\": {\"elfpack\": \"" ELFPACK_VERSION "\"}}}\n  }\n}\n");
	return rc;
}
