/* cmd_init.c: files for those who run images: pipelines, Terraform, Kubernetes, units. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/image.h"
#include "cli/pack.h"
#include "cli/template.h"
#include "imgfmt/digest_hex.h"

enum init_option { IMAGE = 1, SET, VALUES, QUIET, HELP };

static const struct option_row rows[] = {
	{"image", 0, IMAGE, OPTION_NEEDED, "IMAGE",
	 "take program, port, sha256, image and name from an image"},
	{"set", 's', SET, OPTION_NEEDED, "KEY=VALUE", "a value; may be given again"},
	{"values", 0, VALUES, OPTION_NONE, NULL,
	 "list the template's values, write nothing"},
	{"quiet", 'q', QUIET, OPTION_NONE, NULL, "say nothing but errors and the files"},
	{"help", 'h', HELP, OPTION_NONE, NULL, "this text"},
	{NULL, 0, 0, OPTION_NONE, NULL, NULL}};

#define SETTINGS_MAX 32u

struct init {
	const char *name, *folder, *image_path;
	const char *settings[SETTINGS_MAX]; /* KEY=VALUE */
	size_t setting_count;
	bool values, quiet, help;
	struct template template;
	struct image image;
};

static int take(struct init *init, int id, const char *value, struct diag *why)
{
	switch (id) {
	case OPTION_WORD:
		if (init->folder)
			return diag_set(why, "%s: one word too many", value);
		*(init->name ? &init->folder : &init->name) = value;
		return 0;
	case IMAGE:
		init->image_path = value;
		return 0;
	case SET:
		if (!strchr(value, '=') || init->setting_count == SETTINGS_MAX)
			return diag_set(why, "%s: not KEY=VALUE, or too many", value);
		init->settings[init->setting_count++] = value;
		return 0;
	case VALUES:
		init->values = true;
		return 0;
	case QUIET:
		init->quiet = true;
		return 0;
	default:
		init->help = true;
		return 0;
	}
}

static int read_arguments(struct init *init, int argc, char **argv, struct diag *why)
{
	struct option_reader reader = {.rows = rows, .argv = argv, .argc = argc};
	const char *value = NULL;
	int id = 0;
	while ((id = option_next(&reader, &value, why)) >= 0)
		if (take(init, id, value, why))
			return -1;
	for (; id == -1 && reader.at < argc; reader.at++)
		if (take(init, OPTION_WORD, argv[reader.at], why))
			return -1;
	if (id != -1)
		return -1;
	/* The name becomes part of a path. */
	if (init->name && (strchr(init->name, '/') || init->name[0] == '.'))
		return diag_set(why, "%s: not a template's name", init->name);
	return 0;
}

static int list_templates(const char *folder, FILE *to, struct diag *why)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, alphasort), rc = 0;
	if (count < 0)
		return diag_errno(why, "%s", folder);
	for (int i = 0; i < count; i++) {
		struct template template = {0};
		if (!rc && entries[i]->d_name[0] != '.') {
			rc = template_load(&template, folder, entries[i]->d_name, why);
			if (!rc)
				fprintf(to, "  %-19s %s\n", entries[i]->d_name,
					template.summary);
			template_free(&template);
		}
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static void list_values(const struct template *template)
{
	for (size_t i = 0; i < template->value_count; i++) {
		const struct template_value *value = &template->values[i];
		printf("%-19s %s [%s]\n", value->key, value->help,
		       value->text ? value->text : "must be said");
	}
}

static int set_if_wanted(struct init *init, const char *key, const char *text,
			 struct diag *why)
{
	return template_has(&init->template, key)
		       ? template_set(&init->template, key, text, why)
		       : 0;
}

/* A program's name as a template's name: busybox of busybox, libreoffice-7 of
 * LibreOffice_7. */
static void name_of_program(const char *program, char *name, size_t room)
{
	size_t used = 0;
	for (const char *c = program; *c && used + 1 < room; c++) {
		char letter = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
		bool is_letter = letter >= 'a' && letter <= 'z';
		bool is_digit = letter >= '0' && letter <= '9';
		if (is_letter || (used && (is_digit || name[used - 1] != '-')))
			name[used++] = is_letter || is_digit ? letter : '-';
	}
	while (used && name[used - 1] == '-')
		used--;
	snprintf(name + used, room - used, "%s", used ? "" : "elfpack");
}

static int values_of_image(struct init *init, struct diag *why)
{
	struct image *image = &init->image;
	uint8_t digest[SHA256_BYTES];
	char hex[HEX_ROOM], port[OPTION_NUMBER_ROOM], name[25];
	int status = image_open(image, init->image_path, why);
	if (status)
		return status;
	/* Of the disk, which is what an AMI is tagged with, whatever file it came in. */
	if (image->view.is_bundle)
		sha256_of(image->file, image->file_size, digest);
	else
		sha256_of(image->view.bytes, image->view.size, digest);
	digest_hex(digest, hex);
	snprintf(port, sizeof(port), "%u", image->manifest.port);
	name_of_program(image->manifest.program, name, sizeof(name));
	const char *pairs[][2] = {{"program", image->manifest.program},
				  {"port", port},
				  {"sha256", hex},
				  {"image", init->image_path},
				  {"name", name}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (set_if_wanted(init, pairs[i][0], pairs[i][1], why))
			return EXIT_UNSUITABLE;
	return EXIT_DONE;
}

static int values_of_settings(struct init *init, struct diag *why)
{
	for (size_t i = 0; i < init->setting_count; i++) {
		const char *equals = strchr(init->settings[i], '=');
		char *key =
			strndup(init->settings[i], (size_t)(equals - init->settings[i]));
		int rc = key ? template_set(&init->template, key, equals + 1, why)
			     : diag_set(why, "out of memory");
		free(key);
		if (rc)
			return EXIT_USAGE;
	}
	return template_check_values(&init->template, why) ? EXIT_USAGE : EXIT_DONE;
}

static int init_folder(struct init *init, const char *templates, struct diag *why)
{
	const char *to = init->folder ? init->folder : ".";
	struct diag ignored = {0};
	int status = EXIT_DONE;
	if (template_load(&init->template, templates, init->name, &ignored)) {
		diag_set(why, "%s: no such template (%s)", init->name, ignored.message);
		diag_hint(why, "`elfpack init` without a name lists them");
		return EXIT_USAGE;
	}
	if (init->image_path)
		status = values_of_image(init, why);
	if (!status && init->values) {
		list_values(&init->template);
		return EXIT_DONE;
	}
	if (!status)
		status = values_of_settings(init, why);
	if (!status && (template_read_files(&init->template, why) ||
			template_write_files(&init->template, to, why)))
		status = EXIT_FAILED;
	if (status)
		return status;
	for (size_t i = 0; i < init->template.file_count; i++)
		printf("%s/%s\n", to, init->template.files[i].path);
	if (init->template.next && !init->quiet) {
		size_t size = strlen(init->template.next);
		char *next =
			template_fill(&init->template, init->template.next, size, &size);
		fprintf(stderr, "%s\n", next ? next : init->template.next);
		free(next);
	}
	return EXIT_DONE;
}

static int init_main(const struct command *command, int argc, char **argv,
		     struct diag *why)
{
	struct init *init = calloc(1, sizeof(*init));
	char templates[4096];
	int status = EXIT_USAGE;
	if (!init) {
		diag_set(why, "out of memory");
		return EXIT_FAILED;
	}
	init->image.fd = -1;
	if (read_arguments(init, argc, argv, why))
		goto out;
	status = EXIT_FAILED;
	if (pack_own_folder(templates, sizeof(templates), "/../share/elfpack/init", why))
		goto out;
	if (init->help || !init->name) {
		printf("usage: elfpack %s %s\n\n", command->name, command->usage);
		if (init->help)
			option_help(rows);
		printf("%stemplates:\n", init->help ? "\n" : "");
		status = list_templates(templates, stdout, why) ? EXIT_FAILED : EXIT_DONE;
		goto out;
	}
	status = init_folder(init, templates, why);
out:
	template_free(&init->template);
	image_close(&init->image);
	free(init);
	return status;
}

const struct command cmd_init = {"init", "[NAME [DIR]] [-s KEY=VALUE]",
				 "write files that run an image elsewhere", rows,
				 init_main};
