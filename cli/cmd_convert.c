/* cmd_convert.c: an image in another format. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/emit.h"
#include "cli/image.h"
#include "cli/pack.h"
#include "imgfmt/digest_hex.h"

enum convert_option { FORMAT = 1, COMPRESS, PARTS, QUIET, JSON, HELP };

static const struct option_row rows[] = {
	{"format", 'f', FORMAT, OPTION_NEEDED, "FORMAT",
	 "OUT's format (below), if not by its suffix"},
	{"compress", 0, COMPRESS, OPTION_BY_EQUALS, "none|deflate",
	 "deflate the files, to be read faster from slow disks (only of an ami)"},
	{"parts", 0, PARTS, OPTION_NEEDED, "DIR",
	 "loaders, where IN has none for OUT (../libexec/elfpack)"},
	{"quiet", 'q', QUIET, OPTION_NONE, NULL, "say nothing but errors"},
	{"json", 0, JSON, OPTION_NONE, NULL, "the result as JSON"},
	{"help", 'h', HELP, OPTION_NONE, NULL, "this text"},
	{NULL, 0, 0, OPTION_NONE, NULL, NULL}};

struct convert {
	const char *in, *out, *format, *loaders;
	const struct format *to;
	bool quiet, json, help, says_compress, compress;
	struct image image;
	struct layout_parts parts, plain; /* plain: of a bundle that was deflated */
	struct pack pack;                 /* loaders, where the image has none */
};

static int take(struct convert *convert, int id, const char *value, struct diag *why)
{
	switch (id) {
	case OPTION_WORD:
		if (convert->out)
			return diag_set(why, "%s: one word too many", value);
		*(convert->in ? &convert->out : &convert->in) = value;
		return 0;
	case FORMAT:
		convert->format = value;
		return 0;
	case COMPRESS:
		convert->says_compress = true;
		return emit_choose_compress(&convert->compress, value, why);
	case PARTS:
		convert->loaders = value;
		return 0;
	case QUIET:
		convert->quiet = true;
		return 0;
	case JSON:
		convert->json = true;
		return 0;
	default:
		convert->help = true;
		return 0;
	}
}

static int read_arguments(struct convert *convert, int argc, char **argv,
			  struct diag *why)
{
	struct option_reader reader = {.rows = rows, .argv = argv, .argc = argc};
	const char *value = NULL;
	int id = 0;
	while ((id = option_next(&reader, &value, why)) >= 0)
		if (take(convert, id, value, why))
			return -1;
	for (; id == -1 && reader.at < argc; reader.at++)
		if (take(convert, OPTION_WORD, argv[reader.at], why))
			return -1;
	if (id != -1)
		return -1;
	if (convert->help)
		return 0;
	if (!convert->out)
		return diag_set(why, "an image and the new file are needed");
	convert->to = emit_choose_format(convert->format, convert->out, why);
	return convert->to ? 0 : -1;
}

/* Makes the bundle plain or deflated, as it is wanted. Its UEFI loader, which starts it
 * and no other, and what else the new file needs and the image has not, are elfpack's
 * own. */
static int change_parts(struct convert *convert, struct diag *why)
{
	struct image_parts *parts = &convert->parts.parts;
	struct image *image = &convert->image;
	struct pack *pack = &convert->pack;
	const struct bundle *bundle = parts->bundle;
	bool compress =
		convert->says_compress ? convert->compress : convert->to->compress;
	bool changes = compress != image->stored.is_packed;
	bool disk = convert->to->disk_multiple && (image->view.is_bundle || changes);
	if (changes && !compress) {
		if (layout_read_bundle(&convert->plain, image->plain.bytes,
				       image->bundle.size, why))
			return -1;
		bundle = convert->plain.parts.bundle;
	}
	if ((disk || convert->to->wants_uefi) &&
	    pack_read_loaders(pack, convert->loaders, why))
		return -1;
	if (changes && compress) {
		if (pack_compress(pack, bundle, why))
			return -1;
		bundle = &pack->packed;
	} else if (disk && uefi_system_make(&pack->system, pack->uefi.bytes,
					    pack->uefi.size, bundle, why)) {
		return -1;
	}
	if (disk)
		pack_image_parts(pack, parts);
	parts->bundle = bundle;
	if (convert->to->wants_uefi) {
		parts->uefi = pack->uefi.bytes;
		parts->uefi_size = pack->uefi.size;
	}
	return 0;
}

static int convert_image(struct convert *convert, struct diag *why)
{
	struct image_parts *parts = &convert->parts.parts;
	struct emitted done;
	char hex[HEX_ROOM];
	int status = image_open(&convert->image, convert->in, why);
	if (status)
		return status;
	if (image_check_sections(&convert->image, why) ||
	    image_parts_of(&convert->parts, &convert->image, why))
		return EXIT_UNSUITABLE;
	if (change_parts(convert, why))
		return EXIT_FAILED;
	if (emit_image(&done, convert->out, convert->to, parts, NULL, why))
		return EXIT_FAILED;
	digest_hex(done.digest, hex);
	if (!convert->quiet && !convert->json)
		fprintf(stderr, "%s: %s, %" PRIu64 " bytes\n", convert->out,
			convert->to->name, done.size);
	if (convert->json)
		printf("{\"format\":\"%s\",\"size\":%" PRIu64 ",\"sha256\":\"%s\"}\n",
		       convert->to->name, done.size, hex);
	else
		printf("%s\n", hex);
	return EXIT_DONE;
}

static int convert_main(const struct command *command, int argc, char **argv,
			struct diag *why)
{
	struct convert *convert = calloc(1, sizeof(*convert));
	int status = EXIT_USAGE;
	if (!convert) {
		diag_set(why, "out of memory");
		return EXIT_FAILED;
	}
	convert->image.fd = -1;
	if (read_arguments(convert, argc, argv, why))
		goto out;
	if (convert->help) {
		printf("usage: elfpack %s %s\n\n", command->name, command->usage);
		option_help(rows);
		emit_help_formats();
		status = EXIT_DONE;
		goto out;
	}
	status = convert_image(convert, why);
out:
	layout_parts_free(&convert->parts);
	layout_parts_free(&convert->plain);
	pack_free(&convert->pack);
	image_close(&convert->image);
	free(convert);
	return status;
}

const struct command cmd_convert = {
	"convert", "IN OUT [-f FORMAT] [--compress[=none|deflate]]",
	"write an image again in another format", rows, convert_main};
