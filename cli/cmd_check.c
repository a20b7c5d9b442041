/* cmd_check.c: can a program be packed, and what does it need? */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/elf_deps.h"
#include "cli/output.h"
#include "cli/pack.h"

enum check_option { JSON = 1, HELP };

static const struct option_row rows[] = {
	{"json", 0, JSON, OPTION_NONE, NULL, "the result as JSON"},
	{"help", 'h', HELP, OPTION_NONE, NULL, "this text"},
	{NULL, 0, 0, OPTION_NONE, NULL, NULL}};

static void print_json(const struct elf_deps *deps)
{
	printf("{\"needs\":[");
	for (size_t i = 1; i < deps->count; i++) {
		const struct elf_dep *dep = &deps->list[i];
		const char *asker = deps->list[dep->needed_by].name;
		printf("%s{\"name\":", i > 1 ? "," : "");
		output_json(stdout, dep->name, strlen(dep->name));
		printf(",\"path\":");
		if (dep->path)
			output_json(stdout, dep->path, strlen(dep->path));
		else
			printf("null");
		printf(",\"needed_by\":");
		output_json(stdout, asker, strlen(asker));
		putchar('}');
	}
	printf("]}\n");
}

static void print_text(const struct elf_deps *deps, const char *name)
{
	if (deps->count < 2)
		printf("%s: static, needs nothing\n", name);
	for (size_t i = 1; i < deps->count; i++)
		printf("%s => %s\n", deps->list[i].name,
		       deps->list[i].path ? deps->list[i].path : "not found");
}

static int read_arguments(int argc, char **argv, const char **program, bool *json,
			  bool *help, struct diag *why)
{
	struct option_reader reader = {.rows = rows, .argv = argv, .argc = argc};
	const char *value = NULL;
	int id = 0;
	while ((id = option_next(&reader, &value, why)) >= 0) {
		*json |= id == JSON;
		*help |= id == HELP;
		if (id == OPTION_WORD && *program)
			return diag_set(why, "%s: one program at a time", value);
		if (id == OPTION_WORD)
			*program = value;
	}
	if (id == -1 && !*help && !*program)
		return diag_set(why, "no program given");
	return id == -1 ? 0 : -1;
}

static int check_main(const struct command *command, int argc, char **argv,
		      struct diag *why)
{
	const char *program = NULL;
	bool json = false, help = false;
	struct elf_deps deps = {0};
	if (read_arguments(argc, argv, &program, &json, &help, why))
		return EXIT_USAGE;
	if (help) {
		printf("usage: elfpack %s %s\n\n", command->name, command->usage);
		option_help(rows);
		return EXIT_DONE;
	}
	int status = pack_check(program, &deps, why);
	if (!status && json)
		print_json(&deps);
	else if (!status)
		print_text(&deps, program);
	if (!status && elf_deps_missing(&deps, why))
		status = EXIT_UNSUITABLE;
	elf_deps_free(&deps);
	return status;
}

const struct command cmd_check = {
	"check", "PROGRAM [--json]",
	"say whether a program can be packed, and what it needs", rows, check_main};
