/* cmd_build.c: packs a program into a bootable image. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/pack.h"
#include "imgfmt/raw.h"

enum build_option {
	OUTPUT = 1,
	FORMAT,
	HTTP,
	SERVE,
	FILES,
	FOLDERS,
	ARCHIVES,
	ENVIRONMENT,
	CWD,
	EXCLUDE,
	MEMORY,
	PARTS,
	PROFILE,
	NO_PROFILE,
	QUIET,
	VERBOSE,
	JSON,
	HELP,
#define LIMIT(key, unit, initial, help) LIMIT_##key,
#include "imgfmt/limits.def"
#undef LIMIT
};

#define LIMIT(key, unit, initial, help)                                                  \
	{"http_" #key, 0, LIMIT_##key, OPTION_NEEDED, #unit, help " (" #initial ")"},

static struct option_row rows[] = {
	{"output", 'o', OUTPUT, OPTION_NEEDED, "FILE", "where the image goes (NAME.img)"},
	{"format", 'f', FORMAT, OPTION_NEEDED, "FORMAT",
	 "raw, or pvh: a folder with shim.elf and bundle for qemu -kernel and -initrd"},
	{"http", 0, HTTP, OPTION_BY_EQUALS, "PORT",
	 "serve the program over HTTP (port 80)"},
	{"serve", 0, SERVE, OPTION_NEEDED, "PORT",
	 "the program itself accepts connections"},
	{"file", 0, FILES, OPTION_NEEDED, "SRC[:DEST]", "pack a file"},
	{"dir", 0, FOLDERS, OPTION_NEEDED, "SRC[:DEST]", "pack a folder's contents"},
	{"archive", 0, ARCHIVES, OPTION_NEEDED, "SRC[:DEST]", "pack a tar, zip or cpio"},
	{"env", 0, ENVIRONMENT, OPTION_NEEDED, "K=V", "set a variable"},
	{"cwd", 0, CWD, OPTION_NEEDED, "DIR", "working directory in the image (/work)"},
	{"exclude", 0, EXCLUDE, OPTION_NEEDED, "GLOB",
	 "leave out of --dir and --archive"},
	{"memory", 0, MEMORY, OPTION_NEEDED, "SIZE", "memory of a job: 256M"},
	{"parts", 0, PARTS, OPTION_NEEDED, "DIR", "elfpack's parts (../libexec/elfpack)"},
	{"profile", 0, PROFILE, OPTION_NEEDED, "NAME|FILE",
	 "what belongs to the program (the profile that is for its name)"},
	{"no-profile", 0, NO_PROFILE, OPTION_NONE, NULL,
	 "the program and its libraries only"},
	{"quiet", 'q', QUIET, OPTION_NONE, NULL, "say nothing but errors"},
	{"verbose", 'v', VERBOSE, OPTION_NONE, NULL, "say more"},
	{"json", 0, JSON, OPTION_NONE, NULL, "the result as JSON"},
	{"help", 'h', HELP, OPTION_NONE, NULL, "this text"},
#include "imgfmt/limits.def"
	{NULL, 0, 0, OPTION_NONE, NULL, NULL}};
#undef LIMIT

struct build {
	struct pack_request request;
	struct profile profile;
	const char *output, *format, *profile_name;
	bool no_profile;
	bool quiet, verbose, json, help;
};

/* The flags of limits.def are written with dashes. */
static void name_limits(void)
{
	static char names[sizeof(rows) / sizeof(rows[0])][32];
	for (size_t i = 0; rows[i].name; i++) {
		if (!strchr(rows[i].name, '_'))
			continue;
		snprintf(names[i], sizeof(names[i]), "%s", rows[i].name);
		for (char *c = names[i]; (c = strchr(c, '_'));)
			*c = '-';
		rows[i].name = names[i];
	}
}

static int set_port(struct build *build, enum manifest_mode mode, const char *text,
		    struct diag *why)
{
	uint64_t port = 80;
	if (build->request.mode != MODE_RUN)
		return diag_set(why, "--http and --serve exclude each other");
	if (text && (option_number(text, &port) || !port || port > 65535))
		return diag_set(why, "%s: not a port", text);
	build->request.mode = mode;
	build->request.port = (uint16_t)port;
	return 0;
}

static int set_limit(struct build *build, int id, const char *flag, const char *value,
		     struct diag *why)
{
#define LIMIT(key, unit, initial, help)                                                  \
	if (id == LIMIT_##key)                                                           \
		return (strcmp(#unit, "ms") == 0                                         \
				? option_duration_ms(value, &build->request.limits.key)  \
				: option_number(value, &build->request.limits.key))      \
			       ? diag_set(why, "--%s %s: not a number (" #unit ")",      \
					  flag, value)                                   \
			       : 0;
#include "imgfmt/limits.def"
#undef LIMIT
	return -1;
}

static const char *flag_name(int id)
{
	const struct option_row *row = rows;
	while (row->name && row->id != id)
		row++;
	return row->name;
}

static int set_env(struct build *build, const char *value, struct diag *why)
{
	if (!strchr(value, '=') || value[0] == '=')
		return diag_set(why, "--env %s: not NAME=VALUE", value);
	return words_add(&build->request.env, value, why);
}

static int take(struct build *build, int id, const char *value, struct diag *why)
{
	struct pack_request *request = &build->request;
	switch (id) {
	case OPTION_WORD:
		if (request->program)
			return diag_set(why, "%s: one program at a time", value);
		request->program = value;
		return 0;
	case OUTPUT:
		build->output = value;
		return 0;
	case FORMAT:
		build->format = value;
		return 0;
	case HTTP:
		return set_port(build, MODE_HTTP, value, why);
	case SERVE:
		return set_port(build, MODE_SERVE, value, why);
	case FILES:
		return words_add(&request->files, value, why);
	case FOLDERS:
		return words_add(&request->folders, value, why);
	case ARCHIVES:
		return words_add(&request->archives, value, why);
	case ENVIRONMENT:
		return set_env(build, value, why);
	case CWD:
		request->cwd = value;
		return value[0] == '/' ? 0
				       : diag_set(why, "--cwd %s: not absolute", value);
	case EXCLUDE:
		return words_add(&request->exclude, value, why);
	case MEMORY:
		return set_limit(build, LIMIT_memory_bytes, "memory", value, why);
	case PARTS:
		request->parts = value;
		return 0;
	case PROFILE:
		build->profile_name = value;
		return 0;
	case NO_PROFILE:
		build->no_profile = true;
		return 0;
	case QUIET:
		build->quiet = true;
		return 0;
	case VERBOSE:
		build->verbose = true;
		return 0;
	case JSON:
		build->json = true;
		return 0;
	case HELP:
		build->help = true;
		return 0;
	default:
		return set_limit(build, id, flag_name(id), value, why);
	}
}

static int read_arguments(struct build *build, int argc, char **argv, struct diag *why)
{
	struct option_reader reader = {.rows = rows, .argv = argv, .argc = argc};
	const char *value = NULL;
	int id = 0;
	while ((id = option_next(&reader, &value, why)) >= 0)
		if (take(build, id, value, why))
			return -1;
	for (; id == -1 && reader.at < argc; reader.at++)
		if (words_add(&build->request.args, argv[reader.at], why))
			return -1;
	if (id == -1 && !build->help &&
	    (!build->request.program || !*build->request.program))
		return diag_set(why, "no program given");
	return id == -1 ? 0 : -1;
}

static const char *program_name(const struct build *build)
{
	const char *slash = strrchr(build->request.program, '/');
	return slash ? slash + 1 : build->request.program;
}

/* Flags win over the profile, and both over the defaults. */
static void merge_limits(struct build *build)
{
	struct limits *limits = &build->request.limits, initial;
	limits_default(&initial);
#define LIMIT(key, unit, standard, help)                                                 \
	if (limits->key == LIMIT_UNSET)                                                  \
		limits->key = build->profile.limits.key != LIMIT_UNSET                   \
				      ? build->profile.limits.key                        \
				      : initial.key;
#include "imgfmt/limits.def"
#undef LIMIT
}

static int choose_profile(struct build *build, struct diag *why)
{
	char folder[4096];
	int rc = 0;
	if (build->no_profile && build->profile_name)
		return diag_set(why, "--profile and --no-profile exclude each other");
	if (!build->no_profile) {
		if (pack_own_folder(folder, sizeof(folder), "/../share/elfpack/profiles",
				    why))
			return -1;
		if (build->profile_name)
			rc = profile_load(&build->profile, folder, build->profile_name,
					  why)
				     ? -1
				     : 1;
		else
			rc = profile_find(&build->profile, folder, program_name(build),
					  why);
		if (rc > 0)
			build->request.profile = &build->profile;
	}
	merge_limits(build);
	return rc < 0 ? -1 : 0;
}

static int write_raw(const struct build *build, const struct pack *pack,
		     uint8_t digest[SHA256_BYTES], uint64_t *size, struct diag *why)
{
	struct layout *layout = malloc(sizeof(*layout));
	struct image_parts parts = {.stage1 = pack->stage1.bytes,
				    .stage1_size = pack->stage1.size,
				    .stage2 = pack->stage2.bytes,
				    .stage2_size = pack->stage2.size,
				    .bundle = &pack->bundle};
	if (!layout)
		return diag_set(why, "out of memory");
	int rc = layout_plan(layout, &parts, why);
	if (!rc) {
		extents_hash(&layout->extents, digest);
		*size = layout->extents.size;
		rc = raw_emit(build->output, &layout->extents, why);
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
		extents_hash(&pack->bundle.extents, digest);
		*size = pack->bundle.extents.size;
		rc = raw_emit(kernel, &shim, why) ||
		     raw_emit(bundle, &pack->bundle.extents, why);
	}
	extents_free(&shim);
	free(kernel);
	free(bundle);
	return rc ? -1 : 0;
}

static int choose_format(struct build *build, char **made, struct diag *why)
{
	const char *name = program_name(build);
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
	if (!build->quiet && !build->json)
		fprintf(stderr, "%s: %s, %llu bytes, %u files and folders\n",
			build->output, build->format, (unsigned long long)size,
			pack->rootfs.inode_count);
	if (build->verbose && !build->json)
		fwrite(pack->manifest, 1, pack->manifest_size, stderr);
	if (build->json)
		printf("{\"format\":\"%s\",\"size\":%llu,\"sha256\":\"%s\"}\n",
		       build->format, (unsigned long long)size, hex);
	else
		printf("%s\n", hex);
}

static int build_main(const struct command *command, int argc, char **argv,
		      struct diag *why)
{
	struct build build = {.request = {.mode = MODE_RUN, .cwd = "/work"}};
	struct pack *pack = calloc(1, sizeof(*pack));
	uint8_t digest[SHA256_BYTES];
	uint64_t size = 0;
	char *made = NULL;
	int status = EXIT_USAGE;
	profile_init(&build.profile);
	build.request.limits = build.profile.limits; /* all unset */
	name_limits();
	if (!pack || read_arguments(&build, argc, argv, why))
		goto out;
	if (build.help) {
		printf("usage: elfpack %s %s\n\n", command->name, command->usage);
		option_help(rows);
		status = EXIT_DONE;
		goto out;
	}
	if (choose_format(&build, &made, why) || choose_profile(&build, why))
		goto out;
	status = pack_make(pack, &build.request, why);
	if (!status && (strcmp(build.format, "pvh") == 0
				? write_pvh(&build, pack, digest, &size, why)
				: write_raw(&build, pack, digest, &size, why)))
		status = EXIT_FAILED;
	if (!status)
		print_result(&build, pack, digest, size);
	pack_free(pack);
out:
	profile_free(&build.profile);
	free(build.request.args.list);
	free(build.request.env.list);
	free(build.request.files.list);
	free(build.request.folders.list);
	free(build.request.archives.list);
	free(build.request.exclude.list);
	free(made);
	free(pack);
	return status;
}

const struct command cmd_build = {
	"build",
	"PROGRAM [-o FILE] [-f FORMAT] [--http[=PORT] | --serve PORT] [-- ARG...]",
	"pack a program into a bootable image", rows, build_main};
