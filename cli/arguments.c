/* arguments.c: configuration files and command lines, read by a command's table. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/ini_file.h"
#include "cli/pack_options.h"

/* What stands on a command line without a name. */
static const struct option_row unnamed[] = {
	{"program", 0, PACK_PROGRAM, OPTION_NEEDED, "PROGRAM", "what is packed"},
	{"arg", 0, PACK_ARGUMENT, OPTION_NEEDED, "ARG", "an argument of it"},
	{NULL, 0, 0, OPTION_NONE, NULL, NULL}};

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
	return found ? (int)(found - digits) : -1;
}

/* Decodes "..." in place, without its quotes. */
static int unquote(char *text, struct diag *why)
{
	static const char escapes[][2] = {
		{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'"', '"'}, {'\\', '\\'}};
	char *out = text, *in = text + 1;
	while (*in && *in != '"') {
		if (*in != '\\') {
			*out++ = *in++;
			continue;
		}
		in++;
		if (*in == 'x' && hex_digit(in[1]) >= 0 && hex_digit(in[2]) >= 0) {
			*out++ = (char)(hex_digit(in[1]) << 4 | hex_digit(in[2]));
			in += 3;
			continue;
		}
		size_t i = 0;
		while (i < sizeof(escapes) / sizeof(escapes[0]) && escapes[i][0] != *in)
			i++;
		if (i == sizeof(escapes) / sizeof(escapes[0]))
			return diag_set(why, "\\%.1s: not an escape", in);
		*out++ = escapes[i][1];
		in++;
	}
	if (*in != '"' || in[1])
		return diag_set(why, "%s",
				*in ? "text behind the closing quote"
				    : "no closing quote");
	*out = '\0';
	return 0;
}

static char *keep(struct arguments *arguments, const char *value, struct diag *why)
{
	char *copy = strdup(value);
	if (copy && !words_add(&arguments->kept, copy, why))
		return copy;
	free(copy);
	diag_set(why, "out of memory");
	return NULL;
}

static int take_pair(struct arguments *arguments, const struct option_row *row,
		     const char *text, struct diag *why)
{
	struct diag inner = {0};
	char *value = keep(arguments, text, why);
	if (!value || (*value == '"' && unquote(value, why)))
		return -1;
	if (row->argument == OPTION_NONE) {
		if (strcmp(value, "no") == 0)
			return 0;
		if (strcmp(value, "yes") != 0)
			return diag_set(why, "%s = %s: neither yes nor no", row->name,
					value);
	}
	bool empty = row->argument == OPTION_BY_EQUALS && !*value;
	if (!arguments->take(arguments->context, row->id, empty ? NULL : value,
			     SOURCE_CONFIGURATION, &inner))
		return 0;
	char name[OPTION_NAME_ROOM];
	return diag_set(why, "%s = %s: %s", option_name(row, name), value, inner.message);
}

static const struct command *section_command(const char *section)
{
	static const struct command *const with_section[] = {&cmd_build, &cmd_run,
							     &cmd_serve};
	for (size_t i = 0; i < sizeof(with_section) / sizeof(with_section[0]); i++)
		if (strcmp(section, with_section[i]->name) == 0)
			return with_section[i];
	return *section ? NULL : &cmd_build;
}

static int on_pair(void *context, const char *section, const char *key, const char *value,
		   struct diag *why)
{
	struct arguments *arguments = context;
	const struct command *own = arguments->command;
	const struct command *of = section_command(section);
	if (!of)
		return diag_set(why, "[%s]: there are [build], [run] and [serve]",
				section);
	const struct option_row *row = option_find(of->options, key, strlen(key));
	if (!row && of == &cmd_build)
		row = option_find(unnamed, key, strlen(key));
	if (!row)
		return diag_set(why, "%s: unknown key", key);
	if (row->id >= OPTION_HELP)
		return diag_set(why, "%s: an option of command lines only", key);
	if (of != own && (of != &cmd_build || row->id >= PACK_END))
		return 0; /* another command's */
	return take_pair(arguments, row, value, why);
}

static const char *row_name(const struct option_row *rows, int id, char *room)
{
	while (rows->name && rows->id != id)
		rows++;
	return option_name(rows, room);
}

static int take_option(struct arguments *arguments, int id, const char *value,
		       struct diag *why)
{
	struct diag inner = {0};
	char name[OPTION_NAME_ROOM];
	if (!arguments->take(arguments->context, id, value, SOURCE_COMMAND_LINE, &inner))
		return 0;
	if (inner.hint[0])
		diag_hint(why, "%s", inner.hint);
	if (id == OPTION_WORD || id == PACK_ARGUMENT)
		return diag_set(why, "%s: %s", value, inner.message);
	row_name(arguments->command->options, id, name);
	return value ? diag_set(why, "--%s %s: %s", name, value, inner.message)
		     : diag_set(why, "--%s: %s", name, inner.message);
}

static int read_configurations(struct arguments *arguments, int argc, char **argv,
			       struct diag *why)
{
	struct option_reader reader = {
		.rows = arguments->command->options, .argv = argv, .argc = argc};
	const char *value = NULL;
	int id = 0;
	while ((id = option_next(&reader, &value, why)) >= 0) {
		arguments->help |= id == OPTION_HELP;
		if (id == OPTION_CONFIG && ini_file_read(value, on_pair, arguments, why))
			return -1;
	}
	return id == -1 ? 0 : -1;
}

int arguments_read(struct arguments *arguments, int argc, char **argv, struct diag *why)
{
	const struct command *command = arguments->command;
	struct option_reader reader = {
		.rows = command->options, .argv = argv, .argc = argc};
	const char *value = NULL;
	int id = 0;
	if (read_configurations(arguments, argc, argv, why))
		return -1;
	if (arguments->help) {
		printf("usage: elfpack %s %s\n\n", command->name, command->usage);
		option_help(command->options);
		return 0;
	}
	while ((id = option_next(&reader, &value, why)) >= 0)
		if (id != OPTION_CONFIG && take_option(arguments, id, value, why))
			return -1;
	for (; id == -1 && reader.at < argc; reader.at++)
		if (take_option(arguments, PACK_ARGUMENT, argv[reader.at], why))
			return -1;
	return id == -1 ? 0 : -1;
}

void arguments_free(struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->kept.count; i++)
		free((void *)(uintptr_t)arguments->kept.list[i]);
	free(arguments->kept.list);
}

/* Quotes are needed where reading would drop or misread something. */
static bool is_plain(const char *value)
{
	size_t size = strlen(value);
	if (!size || value[0] == '"' || value[0] == ' ' || value[size - 1] == ' ')
		return false;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
			return false;
	return true;
}

void arguments_print_pair(FILE *to, const char *key, const char *value)
{
	if (is_plain(value)) {
		fprintf(to, "%s = %s\n", key, value);
		return;
	}
	fprintf(to, "%s = \"", key);
	for (; *value; value++) {
		unsigned char byte = (unsigned char)*value;
		if (byte < 0x20 || byte == 0x7f)
			fprintf(to, "\\x%02x", byte);
		else
			fprintf(to, byte == '"' || byte == '\\' ? "\\%c" : "%c", byte);
	}
	fputs("\"\n", to);
}
