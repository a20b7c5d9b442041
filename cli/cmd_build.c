/* cmd_build.c: packs a program into a bootable image. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/emit.h"
#include "cli/pack_options.h"
#include "cli/progress.h"
#include "cli/statements.h"
#include "imgfmt/digest_hex.h"

enum build_option {
	OUTPUT = PACK_END,
	FORMAT,
	COMPRESS,
	MEMORY,
	SBOM,
	PROVENANCE,
	SUMS,
	QUIET,
	VERBOSE,
	JSON
};
enum { PRINT_CONFIG = OPTION_LINE_ONLY };

static const struct option_row rows[] = {
	{"output", 'o', OUTPUT, OPTION_NEEDED, "FILE", "where the image goes (NAME.img)"},
	{"format", 'f', FORMAT, OPTION_NEEDED, "FORMAT",
	 "the image's format (below), if not by FILE's suffix"},
	{"compress", 0, COMPRESS, OPTION_BY_EQUALS, "none|deflate",
	 "deflate the files, to be read faster from slow disks (only of an ami)"},
	ARGUMENTS_ROWS,
	{"print-config", 0, PRINT_CONFIG, OPTION_NONE, NULL,
	 "show all that was said as a configuration, and build nothing"},
	{"memory", 0, MEMORY, OPTION_NEEDED, "SIZE", "memory of a job: 256M"},
	{"sbom", 0, SBOM, OPTION_NONE, NULL,
	 "write FILE.spdx.json: every packed file, where it came from"},
	{"provenance", 0, PROVENANCE, OPTION_NONE, NULL,
	 "write FILE.intoto.json: what the image was built from"},
	{"sums", 0, SUMS, OPTION_NONE, NULL,
	 "add all that is written to SHA256SUMS in its folder"},
	{"quiet", 'q', QUIET, OPTION_NONE, NULL, "say nothing but errors"},
	{"verbose", 'v', VERBOSE, OPTION_NONE, NULL, "say more"},
	{"json", 0, JSON, OPTION_NONE, NULL, "the result as JSON"},
#include "cli/pack_option_rows.def"
	{NULL, 0, 0, OPTION_NONE, NULL, NULL}};

struct build {
	struct pack_options pack;
	const char *output, *format, *compress; /* what was said of it; NULL: nothing */
	const struct format *to;
	struct statements statements;
	bool print_config, json, compressed;
};

/* The flag that an option sets, NULL: it has a value. */
static bool *flag_of(struct build *build, int id)
{
	switch (id) {
	case SBOM:
		return &build->statements.sbom;
	case PROVENANCE:
		return &build->statements.provenance;
	case SUMS:
		return &build->statements.sums;
	case PRINT_CONFIG:
		return &build->print_config;
	case QUIET:
		return &build->pack.request.quiet;
	case VERBOSE:
		return &build->pack.request.verbose;
	case JSON:
		return &build->json;
	default:
		return NULL;
	}
}

static int take(void *context, int id, const char *value, enum argument_source source,
		struct diag *why)
{
	struct build *build = context;
	bool *flag = flag_of(build, id);
	build->pack.source = source;
	if (flag) {
		*flag = true;
		return 0;
	}
	switch (id) {
	case OUTPUT:
		build->output = value;
		return 0;
	case FORMAT:
		build->format = value;
		return 0;
	case COMPRESS:
		build->compress = value ? value : "deflate";
		return emit_choose_compress(&build->compressed, value, why);
	case MEMORY:
		return pack_options_take(&build->pack, PACK_LIMIT_memory_bytes, value,
					 why);
	default:
		return pack_options_take(&build->pack, id, value, why);
	}
}

/* The option's value of that index, NULL: none. */
static const char *value_of(struct build *build, int id, size_t index, char *room)
{
	const bool *flag = flag_of(build, id);
	if (id < PACK_END)
		return pack_options_value(&build->pack, id, index, room);
	if (index)
		return NULL;
	if (flag)
		return *flag ? "yes" : NULL;
	return id == OUTPUT     ? build->output
	       : id == FORMAT   ? build->format
	       : id == COMPRESS ? build->compress
				: NULL;
}

static void print_values(FILE *to, struct build *build, const char *key, int id)
{
	char room[OPTION_NUMBER_ROOM];
	const char *value = NULL;
	for (size_t i = 0; (value = value_of(build, id, i, room)); i++)
		arguments_print_pair(to, key, value);
}

/* all: not only what says what is in the image, but what is to be done with it too. */
static void print_config(FILE *to, struct build *build, bool all)
{
	print_values(to, build, "program", PACK_PROGRAM);
	print_values(to, build, "arg", PACK_ARGUMENT);
	for (const struct option_row *row = rows; row->name; row++) {
		char name[OPTION_NAME_ROOM];
		if (*row->name && row->id != PRINT_CONFIG &&
		    (all || row->id == FORMAT || row->id == COMPRESS ||
		     (row->id < PACK_END && row->id != PACK_PARTS)))
			print_values(to, build, option_name(row, name), row->id);
	}
}

static int choose_format(struct build *build, char **made, struct diag *why)
{
	const char *name = pack_options_program_name(&build->pack);
	build->to = emit_choose_format(build->format, build->output, why);
	if (!build->to)
		return -1;
	if (build->output)
		return 0;
	if (asprintf(made, "%s.%.*s", name, (int)strcspn(build->to->suffixes, " "),
		     build->to->suffixes) < 0) {
		*made = NULL;
		return diag_set(why, "out of memory");
	}
	build->output = *made;
	return 0;
}

static void print_result(const struct build *build, const struct pack *pack,
			 const struct emitted *done)
{
	char hex[HEX_ROOM];
	digest_hex(done->digest, hex);
	if (!build->pack.request.quiet && !build->json)
		fprintf(stderr, "wrote %s: %s, %" PRIu64 " bytes\n", build->output,
			build->to->name, done->size);
	if (build->pack.request.verbose && !build->json)
		fwrite(pack->manifest, 1, pack->manifest_size, stderr);
	if (build->json)
		printf("{\"format\":\"%s\",\"size\":%" PRIu64 ",\"sha256\":\"%s\"}\n",
		       build->to->name, done->size, hex);
	else
		printf("%s\n", hex);
}

static int write_statements(struct build *build, const struct pack *pack,
			    const struct emitted *done, struct diag *why)
{
	char *configuration = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&configuration, &size);
	if (!memory)
		return diag_set(why, "out of memory");
	print_config(memory, build, false);
	struct statement statement = {.image = build->output, .done = done, .pack = pack};
	int rc = fclose(memory) ? diag_set(why, "out of memory") : 0;
	statement.configuration = configuration;
	if (!rc)
		rc = statements_write(&build->statements, &statement, why);
	free(configuration);
	return rc;
}

static int write_image(struct build *build, struct pack *pack, struct diag *why)
{
	struct image_parts parts = {0};
	struct emitted done;
	bool quiet = build->pack.request.quiet || build->json;
	progress_begin(quiet);
	int status = pack_make(pack, &build->pack.request, why);
	if (status)
		return status;
	if (!quiet)
		fprintf(stderr, "packed %u files and folders, %" PRIu64 " bytes\n",
			pack->rootfs.inode_count, pack->rootfs.extents.size);
	if ((build->compress ? build->compressed : build->to->compress) &&
	    pack_compress(pack, &pack->bundle, why))
		return EXIT_FAILED;
	pack_image_parts(pack, &parts);
	int rc = emit_image(&done, build->output, build->to, &parts, &pack->tree, why);
	if (!rc)
		rc = write_statements(build, pack, &done, why);
	progress_end();
	if (rc)
		return EXIT_FAILED;
	print_result(build, pack, &done);
	return EXIT_DONE;
}

static int build_main(const struct command *command, int argc, char **argv,
		      struct diag *why)
{
	struct build build = {0};
	struct arguments arguments = {
		.command = command, .take = take, .context = &build};
	struct pack pack = {0};
	char *made = NULL;
	int status = EXIT_USAGE;
	pack_options_init(&build.pack);
	if (arguments_read(&arguments, argc, argv, why))
		goto out;
	const char *program = build.pack.request.program;
	if (!arguments.help && (!program || !*program)) {
		diag_set(why, "no program given");
		goto out;
	}
	if (!arguments.help &&
	    (choose_format(&build, &made, why) || pack_options_choose(&build.pack, why)))
		goto out;
	status = EXIT_DONE;
	if (arguments.help)
		emit_help_formats();
	else if (build.print_config)
		print_config(stdout, &build, true);
	else
		status = write_image(&build, &pack, why);
out:
	pack_free(&pack);
	pack_options_free(&build.pack);
	arguments_free(&arguments);
	free(made);
	return status;
}

const struct command cmd_build = {
	"build",
	"PROGRAM [-o FILE] [-f FORMAT] [--http[=PORT] | --serve PORT] [-- ARG...]",
	"pack a program into a bootable image", rows, build_main};
