/* cmd_inspect.c: what is inside an image. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/extract.h"
#include "cli/image.h"
#include "cli/image_diff.h"
#include "cli/image_tree.h"
#include "cli/output.h"
#include "imgfmt/digest_hex.h"

enum inspect_option { OUTPUT = 1, SECTION, JSON, HELP };

static const struct option_row rows[] = {
	{"output", 'o', OUTPUT, OPTION_NEEDED, "DIR", "extract: the new folder"},
	{"section", 0, SECTION, OPTION_NEEDED, "NAME",
	 "cat: a section (shim, front, rootfs, manifest), not a file"},
	{"json", 0, JSON, OPTION_NONE, NULL, "the result as JSON"},
	{"help", 'h', HELP, OPTION_NONE, NULL, "this text"},
	{NULL, 0, 0, OPTION_NONE, NULL, NULL}};

struct inspect {
	const char *words[3];
	unsigned word_count;
	const char *output, *section;
	bool json, help;
	struct image image;
	struct erofs fs;
	/* counted by a walk */
	unsigned files, folders, links, listed;
	uint64_t file_bytes;
};

static int open_rootfs(struct inspect *inspect, struct diag *why)
{
	const struct bundle_part *part = &inspect->image.bundle.part[BUNDLE_ROOTFS];
	if (erofs_open(&inspect->fs, part->bytes, part->size)) {
		diag_set(why, "%s: the packed file system is damaged",
			 inspect->image.path);
		return EXIT_UNSUITABLE;
	}
	return EXIT_DONE;
}

static int count_file(void *context, const struct image_file *file, struct diag *why)
{
	struct inspect *inspect = context;
	(void)why;
	if (S_ISDIR(file->inode.mode)) {
		inspect->folders++;
	} else if (S_ISLNK(file->inode.mode)) {
		inspect->links++;
	} else {
		inspect->files++;
		inspect->file_bytes += file->inode.size;
	}
	return 0;
}

static int count_files(struct inspect *inspect, struct diag *why)
{
	struct image_walk walk = {
		.fs = &inspect->fs, .enter = count_file, .context = inspect};
	int status = open_rootfs(inspect, why);
	if (!status && image_walk(&walk, "/", why))
		status = EXIT_UNSUITABLE;
	return status;
}

static const char *mode_name(enum manifest_mode mode)
{
	return mode == MODE_HTTP ? "http" : mode == MODE_SERVE ? "serve" : "run";
}

static void print_sections(const struct inspect *inspect)
{
	const struct image *image = &inspect->image;
	char hex[HEX_ROOM];
	for (enum bundle_kind kind = BUNDLE_SHIM; kind <= BUNDLE_MANIFEST; kind++) {
		const struct bundle_part *part = &image->bundle.part[kind];
		const uint8_t *stored = image->stored.part[kind].bytes;
		uint64_t at = stored ? (uint64_t)(stored - image->view.bytes) : 0;
		const char *name = bundle_kind_name(kind);
		digest_hex(part->digest, hex);
		if (inspect->json)
			printf("%s{\"name\":\"%s\",\"offset\":%" PRIu64
			       ",\"size\":%zu,\"digest\":\"%s\"}",
			       kind == BUNDLE_SHIM ? "" : ",", name, at, part->size, hex);
		else
			printf("%-9s %10zu bytes at %10" PRIu64 "  %s\n", name,
			       part->size, at, hex);
	}
}

static int print_image(struct inspect *inspect, struct diag *why)
{
	const struct image *image = &inspect->image;
	const struct manifest *manifest = &image->manifest;
	uint8_t digest[SHA256_BYTES];
	char hex[HEX_ROOM];
	int status = count_files(inspect, why);
	if (status)
		return status;
	sha256_of(image->file, image->file_size, digest);
	digest_hex(digest, hex);
	if (!inspect->json) {
		printf("%s: %s, %zu bytes, sha256 %s\n", image->path, image->format->name,
		       image->file_size, hex);
		printf("program   %s, mode %s", manifest->exec,
		       mode_name(manifest->mode));
		if (manifest->mode != MODE_RUN)
			printf(", port %u", manifest->port);
		printf("\nfiles     %u files, %" PRIu64 " bytes, %u folders, %u links\n",
		       inspect->files, inspect->file_bytes, inspect->folders,
		       inspect->links);
		printf("digest    %s\n", digest_hex(image->bundle.digest, hex));
		print_sections(inspect);
		return EXIT_DONE;
	}
	printf("{\"format\":\"%s\",\"size\":%zu,\"sha256\":\"%s\",\"program\":",
	       image->format->name, image->file_size, hex);
	output_json(stdout, manifest->exec, strlen(manifest->exec));
	printf(",\"digest\":\"%s\"", digest_hex(image->bundle.digest, hex));
	printf(",\"mode\":\"%s\",\"port\":%u,\"files\":%u,\"file_bytes\":%" PRIu64
	       ",\"folders\":%u,\"links\":%u,\"sections\":[",
	       mode_name(manifest->mode), manifest->port, inspect->files,
	       inspect->file_bytes, inspect->folders, inspect->links);
	print_sections(inspect);
	printf("]}\n");
	return EXIT_DONE;
}

static char type_letter(uint32_t mode)
{
	return S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISREG(mode) ? '-' : '?';
}

static int list_file(void *context, const struct image_file *file, struct diag *why)
{
	struct inspect *inspect = context;
	const char *path = *file->path ? file->path : "/";
	char target[PATH_MAX] = "";
	bool link = S_ISLNK(file->inode.mode);
	if (link && image_link_target(&inspect->fs, &file->inode, target, sizeof(target)))
		return diag_set(why, "%s: a damaged link", path);
	if (!inspect->json) {
		printf("%c%04o %10" PRIu64 " ", type_letter(file->inode.mode),
		       file->inode.mode & 07777, file->inode.size);
		output_name(stdout, path, strlen(path));
		if (link) {
			printf(" -> ");
			output_name(stdout, target, strlen(target));
		}
		putchar('\n');
		return 0;
	}
	printf("%s\n{\"type\":\"%c\",\"mode\":%u,\"size\":%" PRIu64
	       ",\"links\":%u,\"path\":",
	       inspect->listed++ ? "," : "", type_letter(file->inode.mode),
	       file->inode.mode & 07777, file->inode.size, file->inode.links);
	output_json(stdout, path, strlen(path));
	if (link) {
		printf(",\"target\":");
		output_json(stdout, target, strlen(target));
	}
	putchar('}');
	return 0;
}

static int inspect_ls(struct inspect *inspect, struct diag *why)
{
	struct image_walk walk = {
		.fs = &inspect->fs, .enter = list_file, .context = inspect};
	int status = open_rootfs(inspect, why);
	if (status)
		return status;
	if (inspect->json)
		putchar('[');
	status = image_walk(&walk, inspect->word_count > 1 ? inspect->words[1] : "/", why)
			 ? EXIT_UNSUITABLE
			 : EXIT_DONE;
	if (inspect->json)
		printf("]\n");
	return status;
}

static int cat_section(struct inspect *inspect, struct diag *why)
{
	for (enum bundle_kind kind = BUNDLE_SHIM; kind <= BUNDLE_MANIFEST; kind++) {
		const struct bundle_part *part = &inspect->image.bundle.part[kind];
		if (strcmp(inspect->section, bundle_kind_name(kind)) != 0)
			continue;
		if (fwrite(part->bytes, 1, part->size, stdout) == part->size)
			return EXIT_DONE;
		diag_errno(why, "standard output");
		return EXIT_FAILED;
	}
	diag_set(why, "--section %s: there are shim, front, rootfs and manifest",
		 inspect->section);
	return EXIT_USAGE;
}

static int inspect_cat(struct inspect *inspect, struct diag *why)
{
	struct erofs_inode inode;
	if (inspect->section)
		return cat_section(inspect, why);
	if (inspect->word_count < 2) {
		diag_set(why, "cat: which file?");
		return EXIT_USAGE;
	}
	int status = open_rootfs(inspect, why);
	if (status)
		return status;
	if (image_find(&inspect->fs, inspect->words[1], &inode, why))
		return EXIT_FAILED;
	if (!S_ISREG(inode.mode)) {
		diag_set(why, "%s: not a file", inspect->words[1]);
		return EXIT_FAILED;
	}
	return extract_bytes(&inspect->fs, &inode, STDOUT_FILENO, "standard output", why)
		       ? EXIT_FAILED
		       : EXIT_DONE;
}

static int inspect_extract(struct inspect *inspect, struct diag *why)
{
	if (!inspect->output) {
		diag_set(why, "extract: -o DIR says where to");
		return EXIT_USAGE;
	}
	int status = open_rootfs(inspect, why);
	if (status)
		return status;
	return extract_tree(&inspect->fs,
			    inspect->word_count > 1 ? inspect->words[1] : "/",
			    inspect->output, why)
		       ? EXIT_FAILED
		       : EXIT_DONE;
}

/* Every section by its digest, then every file by its place. All damage is named at once.
 */
static int inspect_verify(struct inspect *inspect, struct diag *why)
{
	char damage[256] = "";
	for (enum bundle_kind kind = BUNDLE_SHIM; kind <= BUNDLE_MANIFEST; kind++) {
		const char *name = bundle_kind_name(kind);
		bool intact = bundle_part_intact(&inspect->image.bundle.part[kind]);
		if (!inspect->json)
			printf("%-9s %s\n", name, intact ? "intact" : "damaged");
		if (intact)
			continue;
		size_t used = strlen(damage);
		snprintf(damage + used, sizeof(damage) - used, "%s%s", used ? ", " : "",
			 name);
	}
	if (inspect->json)
		printf("{\"intact\":%s,\"damaged\":\"%s\"}\n", *damage ? "false" : "true",
		       damage);
	if (!*damage)
		return count_files(inspect, why);
	diag_set(why, "%s: damaged: %s: the SHA-256 is wrong", inspect->image.path,
		 damage);
	return EXIT_UNSUITABLE;
}

/* 1: the images differ; then what is wrong with one of them is 2, as in diff(1). */
static int inspect_diff(struct inspect *inspect, struct diag *why)
{
	struct image *other = calloc(1, sizeof(*other));
	int status = EXIT_FAILED;
	if (inspect->word_count < 2)
		diag_set(why, "diff: the second image?");
	else if (!other)
		diag_set(why, "out of memory");
	else if (!(status = image_open(other, inspect->words[1], why)))
		status = image_diff(&inspect->image, other, inspect->json, why);
	if (other && other->path)
		image_close(other);
	free(other);
	return why->message[0] && status != EXIT_UNSUITABLE ? EXIT_USAGE : status;
}

struct action {
	const char *name;
	int (*main)(struct inspect *inspect, struct diag *why);
	unsigned words_max; /* the image counted */
};

static const struct action actions[] = {{"ls", inspect_ls, 2},
					{"cat", inspect_cat, 2},
					{"extract", inspect_extract, 2},
					{"verify", inspect_verify, 1},
					{"diff", inspect_diff, 2}};
static const struct action summary = {"", print_image, 1};

static int take(struct inspect *inspect, int id, const char *value, struct diag *why)
{
	switch (id) {
	case OPTION_WORD:
		if (inspect->word_count == 3)
			return diag_set(why, "%s: one word too many", value);
		inspect->words[inspect->word_count++] = value;
		return 0;
	case OUTPUT:
		inspect->output = value;
		return 0;
	case SECTION:
		inspect->section = value;
		return 0;
	case JSON:
		inspect->json = true;
		return 0;
	default:
		inspect->help = true;
		return 0;
	}
}

/* The action, taken off the words; NULL: *why says. */
static const struct action *read_arguments(struct inspect *inspect, int argc, char **argv,
					   struct diag *why)
{
	struct option_reader reader = {.rows = rows, .argv = argv, .argc = argc};
	const struct action *action = &summary;
	const char *value = NULL;
	int id = 0;
	while ((id = option_next(&reader, &value, why)) >= 0)
		if (take(inspect, id, value, why))
			return NULL;
	for (; id == -1 && reader.at < argc; reader.at++)
		if (take(inspect, OPTION_WORD, argv[reader.at], why))
			return NULL;
	if (id != -1)
		return NULL;
	for (size_t i = 0;
	     inspect->word_count && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(inspect->words[0], actions[i].name) == 0)
			action = &actions[i];
	if (action != &summary) {
		inspect->words[0] = inspect->words[1];
		inspect->words[1] = inspect->words[2];
		inspect->word_count--;
	}
	if (!inspect->word_count && !inspect->help)
		diag_set(why, "no image given");
	else if (inspect->word_count > action->words_max)
		diag_set(why, "%s: one word too many",
			 inspect->words[inspect->word_count - 1]);
	return why->message[0] ? NULL : action;
}

static int inspect_main(const struct command *command, int argc, char **argv,
			struct diag *why)
{
	struct inspect inspect = {.image = {.fd = -1}};
	const struct action *action = read_arguments(&inspect, argc, argv, why);
	if (!action)
		return EXIT_USAGE;
	if (inspect.help) {
		printf("usage: elfpack %s %s\n\n", command->name, command->usage);
		option_help(rows);
		return EXIT_DONE;
	}
	int status = image_open(&inspect.image, inspect.words[0], why);
	if (status == EXIT_FAILED && action->main == inspect_diff)
		status = EXIT_USAGE;
	if (!status)
		status = action->main(&inspect, why);
	image_close(&inspect.image);
	return status;
}

const struct command cmd_inspect = {
	"inspect",
	"[ls | cat | extract -o DIR | verify] IMAGE [PATH] | diff IMAGE IMAGE [--json]",
	"show what is inside an image, or what differs", rows, inspect_main};
