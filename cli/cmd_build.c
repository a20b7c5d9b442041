/* cmd_build.c: packs a program into a bootable image. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/pack_options.h"
#include "cli/progress.h"
#include "imgfmt/raw.h"

enum build_option { OUTPUT = PACK_END, FORMAT, MEMORY, QUIET, VERBOSE, JSON };
enum { PRINT_CONFIG = OPTION_LINE_ONLY };

static const struct option_row rows[] = {
	{"output", 'o', OUTPUT, OPTION_NEEDED, "FILE", "where the image goes (NAME.img)"},
	{"format", 'f', FORMAT, OPTION_NEEDED, "FORMAT",
	 "raw, or pvh: a folder with shim.elf and bundle for qemu -kernel and -initrd"},
	ARGUMENTS_ROWS,
	{"print-config", 0, PRINT_CONFIG, OPTION_NONE, NULL,
	 "show all that was said as a configuration, and build nothing"},
	{"memory", 0, MEMORY, OPTION_NEEDED, "SIZE", "memory of a job: 256M"},
	{"quiet", 'q', QUIET, OPTION_NONE, NULL, "say nothing but errors"},
	{"verbose", 'v', VERBOSE, OPTION_NONE, NULL, "say more"},
	{"json", 0, JSON, OPTION_NONE, NULL, "the result as JSON"},
#include "cli/pack_option_rows.def"
	{NULL, 0, 0, OPTION_NONE, NULL, NULL}};

struct build {
	struct pack_options pack;
	const char *output, *format;
	bool print_config, json;
};

static int take(void *context, int id, const char *value, enum argument_source source,
		struct diag *why)
{
	struct build *build = context;
	build->pack.source = source;
	switch (id) {
	case OUTPUT:
		build->output = value;
		return 0;
	case FORMAT:
		build->format = value;
		return 0;
	case MEMORY:
		return pack_options_take(&build->pack, PACK_LIMIT_memory_bytes, value,
					 why);
	case PRINT_CONFIG:
		build->print_config = true;
		return 0;
	case QUIET:
		build->pack.request.quiet = true;
		return 0;
	case VERBOSE:
		build->pack.request.verbose = true;
		return 0;
	case JSON:
		build->json = true;
		return 0;
	default:
		return pack_options_take(&build->pack, id, value, why);
	}
}

/* The option's value of that index, NULL: none. */
static const char *value_of(const struct build *build, int id, size_t index, char *room)
{
	const bool *flag = id == QUIET     ? &build->pack.request.quiet
			   : id == VERBOSE ? &build->pack.request.verbose
			   : id == JSON    ? &build->json
					   : NULL;
	if (id < PACK_END)
		return pack_options_value(&build->pack, id, index, room);
	if (index)
		return NULL;
	if (flag)
		return *flag ? "yes" : NULL;
	return id == OUTPUT ? build->output : id == FORMAT ? build->format : NULL;
}

static void print_values(const struct build *build, const char *key, int id)
{
	char room[OPTION_NUMBER_ROOM];
	const char *value = NULL;
	for (size_t i = 0; (value = value_of(build, id, i, room)); i++)
		arguments_print_pair(stdout, key, value);
}

static void print_config(const struct build *build)
{
	print_values(build, "program", PACK_PROGRAM);
	print_values(build, "arg", PACK_ARGUMENT);
	for (const struct option_row *row = rows; row->name; row++) {
		char name[OPTION_NAME_ROOM];
		if (*row->name)
			print_values(build, option_name(row, name), row->id);
	}
}

static int write_raw(const struct build *build, const struct pack *pack,
		     uint8_t digest[SHA256_BYTES], uint64_t *size, struct diag *why)
{
	struct layout *layout = malloc(sizeof(*layout));
	struct image_parts parts = {.stage1 = pack->stage1.bytes,
				    .stage1_size = pack->stage1.size,
				    .stage2 = pack->stage2.bytes,
				    .stage2_size = pack->stage2.size,
				    .system_partition = &pack->system.fat.extents,
				    .bundle = &pack->bundle};
	if (!layout)
		return diag_set(why, "out of memory");
	int rc = layout_plan(layout, &parts, why);
	if (!rc) {
		*size = layout->extents.size;
		rc = raw_emit_hashed(build->output, &layout->extents, digest, why);
		layout_free(layout);
	}
	free(layout);
	return rc;
}

static int write_pvh(const struct build *build, const struct pack *pack,
		     uint8_t digest[SHA256_BYTES], uint64_t *size, struct diag *why)
{
	struct extents shim = {0};
	char *kernel = NULL, *bundle = NULL;
	int rc = -1;
	if (mkdir(build->output, 0777) && errno != EEXIST)
		return diag_errno(why, "%s", build->output);
	if (asprintf(&kernel, "%s/shim.elf", build->output) < 0 ||
	    asprintf(&bundle, "%s/bundle", build->output) < 0 ||
	    extents_add(&shim, 0, pack->shim.bytes, pack->shim.size)) {
		diag_set(why, "out of memory");
	} else {
		*size = pack->bundle.extents.size;
		rc = raw_emit(kernel, &shim, why) ||
		     raw_emit_hashed(bundle, &pack->bundle.extents, digest, why);
	}
	extents_free(&shim);
	free(kernel);
	free(bundle);
	return rc ? -1 : 0;
}

static int choose_format(struct build *build, char **made, struct diag *why)
{
	const char *name = pack_options_program_name(&build->pack);
	const char *suffix = build->output ? strrchr(build->output, '.') : NULL;
	if (!build->format)
		build->format = suffix && strcmp(suffix, ".pvh") == 0 ? "pvh" : "raw";
	bool pvh = strcmp(build->format, "pvh") == 0;
	if (!pvh && strcmp(build->format, "raw") != 0)
		return diag_set(why, "-f %s: unknown format; there are raw and pvh",
				build->format);
	if (build->output)
		return 0;
	if (asprintf(made, "%s.%s", name, pvh ? "pvh" : "img") < 0)
		return diag_set(why, "out of memory");
	build->output = *made;
	return 0;
}

static void print_result(const struct build *build, const struct pack *pack,
			 const uint8_t digest[SHA256_BYTES], uint64_t size)
{
	char hex[2 * SHA256_BYTES + 1];
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	if (!build->pack.request.quiet && !build->json)
		fprintf(stderr, "wrote %s: %s, %" PRIu64 " bytes\n", build->output,
			build->format, size);
	if (build->pack.request.verbose && !build->json)
		fwrite(pack->manifest, 1, pack->manifest_size, stderr);
	if (build->json)
		printf("{\"format\":\"%s\",\"size\":%llu,\"sha256\":\"%s\"}\n",
		       build->format, (unsigned long long)size, hex);
	else
		printf("%s\n", hex);
}

static int write_image(const struct build *build, struct pack *pack, struct diag *why)
{
	uint8_t digest[SHA256_BYTES];
	uint64_t size = 0;
	bool quiet = build->pack.request.quiet || build->json;
	progress_begin(quiet);
	int status = pack_make(pack, &build->pack.request, why);
	if (status)
		return status;
	if (!quiet)
		fprintf(stderr, "packed %u files and folders, %" PRIu64 " bytes\n",
			pack->rootfs.inode_count, pack->rootfs.extents.size);
	int rc = strcmp(build->format, "pvh") == 0
			 ? write_pvh(build, pack, digest, &size, why)
			 : write_raw(build, pack, digest, &size, why);
	progress_end();
	if (rc)
		return EXIT_FAILED;
	if (tree_check_unchanged(&pack->tree, why)) {
		unlink(build->output);
		return EXIT_FAILED;
	}
	print_result(build, pack, digest, size);
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
	if (build.print_config && !arguments.help)
		print_config(&build);
	else if (!arguments.help)
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
