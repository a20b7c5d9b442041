/* cmd_completion.c: what shells and manual pages say of the commands, made from the
 * tables of options. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "imgfmt/format.h"

static const struct option_row rows[] = {{"help", 'h', 1, OPTION_NONE, NULL, "this text"},
					 {NULL, 0, 0, OPTION_NONE, NULL, NULL}};

/* Text with a backslash before each of the signs. */
static void put_escaped(const char *text, const char *signs)
{
	for (; *text; text++) {
		if (strchr(signs, *text))
			putchar('\\');
		putchar(*text);
	}
}

static void bash_options(const struct option_row *row)
{
	char name[OPTION_NAME_ROOM];
	for (; row->name; row++) {
		if (row->letter)
			printf("-%c ", row->letter);
		if (*row->name)
			printf("--%s%s ", option_name(row, name),
			       row->argument == OPTION_BY_EQUALS ? "=" : "");
	}
}

static void write_bash(void)
{
	printf("# bash completion for elfpack\n"
	       "_elfpack() {\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} options\n"
	       "\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; commands[i]; i++) {
		printf("\t%s) options='", commands[i]->name);
		bash_options(commands[i]->options);
		printf("' ;;\n");
	}
	printf("\tesac\n"
	       "\tCOMPREPLY=()\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W '");
	for (size_t i = 0; commands[i]; i++)
		printf("%s ", commands[i]->name);
	printf("--help --version' -- \"$word\"))\n"
	       "\telif [[ $word == -* ]]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
	       "\tfi\n"
	       "}\n"
	       "complete -o default -F _elfpack elfpack\n");
}

static void zsh_option(const struct option_row *row)
{
	char name[OPTION_NAME_ROOM];
	option_name(row, name);
	for (int letter = row->letter ? 1 : 0; letter >= 0; letter--) {
		printf(" \\\n\t\t\t'*");
		if (letter)
			printf("-%c", row->letter);
		else
			printf("--%s", name);
		if (row->argument == OPTION_BY_EQUALS)
			printf("=-");
		else if (row->argument == OPTION_NEEDED && !letter)
			printf("=");
		putchar('[');
		for (const char *c = row->help; *c; c++)
			printf(*c == '\''          ? "'\\''"
			       : strchr("[]:", *c) ? "\\%c"
						   : "%c",
			       *c);
		putchar(']');
		if (row->argument != OPTION_NONE) {
			printf("%s", row->argument == OPTION_BY_EQUALS ? "::" : ":");
			put_escaped(row->placeholder, ":");
			printf(":_files");
		}
		putchar('\'');
	}
}

static void write_zsh(void)
{
	printf("#compdef elfpack\n"
	       "_elfpack() {\n"
	       "\tlocal -a commands=(");
	for (size_t i = 0; commands[i]; i++) {
		printf("\n\t\t'%s:", commands[i]->name);
		for (const char *c = commands[i]->summary; *c; c++)
			printf(*c == '\'' ? "'\\''" : "%c", *c);
		putchar('\'');
	}
	printf(")\n"
	       "\tif ((CURRENT == 2)); then\n"
	       "\t\t_describe command commands\n"
	       "\t\treturn\n"
	       "\tfi\n"
	       "\tlocal command=$words[2]\n"
	       "\twords=($words[1] ${words[3,-1]})\n"
	       "\t((CURRENT--))\n"
	       "\tcase $command in\n");
	for (size_t i = 0; commands[i]; i++) {
		printf("\t%s)\n\t\t_arguments -s", commands[i]->name);
		for (const struct option_row *row = commands[i]->options; row->name;
		     row++)
			if (*row->name)
				zsh_option(row);
		printf(" \\\n\t\t\t'*:file:_files' ;;\n");
	}
	printf("\tesac\n"
	       "}\n"
	       "_elfpack \"$@\"\n");
}

static void write_fish(void)
{
	char name[OPTION_NAME_ROOM];
	printf("# fish completion for elfpack\n");
	for (size_t i = 0; commands[i]; i++) {
		printf("complete -c elfpack -n __fish_use_subcommand -a %s -d '",
		       commands[i]->name);
		put_escaped(commands[i]->summary, "'\\");
		printf("'\n");
		for (const struct option_row *row = commands[i]->options; row->name;
		     row++) {
			if (!*row->name)
				continue;
			printf("complete -c elfpack -n '__fish_seen_subcommand_from %s' "
			       "-l %s",
			       commands[i]->name, option_name(row, name));
			if (row->letter)
				printf(" -s %c", row->letter);
			printf("%s -d '", row->argument == OPTION_NEEDED ? " -r" : "");
			put_escaped(row->help, "'\\");
			printf("'\n");
		}
	}
}

/* Text as roff: no request and no escape of its own. */
static void put_roff(const char *text)
{
	if (strchr(".'", *text))
		printf("\\&");
	for (; *text; text++)
		printf(*text == '\\' ? "\\e" : *text == '-' ? "\\-" : "%c", *text);
}

static void mdoc_option(const struct option_row *row)
{
	char name[OPTION_NAME_ROOM];
	printf(".It ");
	if (row->letter) {
		printf("Fl %c ", row->letter);
		if (row->argument == OPTION_NEEDED)
			printf("Ar %s ", row->placeholder);
		printf(", ");
	}
	printf("Fl -%s", option_name(row, name));
	if (row->argument == OPTION_NEEDED)
		printf(" Ar %s", row->placeholder);
	if (row->argument == OPTION_BY_EQUALS)
		printf(" Ns Oo = Ns Ar %s Oc", row->placeholder);
	putchar('\n');
	put_roff(row->help);
	printf(".\n");
}

static void write_mdoc(const struct command *command)
{
	bool open = false;
	for (const struct option_row *row = command->options; row->name; row++) {
		if (!*row->name) {
			printf("%s.Ss %.*s\n", open ? ".El\n" : "",
			       (int)strcspn(row->help, ":"), row->help);
			open = false;
			continue;
		}
		if (!open)
			printf(".Bl -tag -width Ds\n");
		open = true;
		mdoc_option(row);
	}
	if (open)
		printf(".El\n");
}

static const struct {
	const char *name;
	void (*write)(void);
} shells[] = {{"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};

static void write_mdoc_formats(void)
{
	for (size_t i = 0; i < format_count; i++) {
		const struct format *format = &formats[i];
		printf(".It Cm %s\n", format->name);
		put_roff(format->summary);
		printf(" (suffix %s).\n", format->suffixes);
	}
}

/* mdoc COMMAND and mdoc formats are for the manual's build. */
static int completion_main(const struct command *command, int argc, char **argv,
			   struct diag *why)
{
	if (argc && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
		printf("usage: elfpack %s %s\n\n", command->name, command->usage);
		option_help(rows);
		return EXIT_DONE;
	}
	for (size_t i = 0; argc == 1 && i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(argv[0], shells[i].name) == 0) {
			shells[i].write();
			return EXIT_DONE;
		}
	for (size_t i = 0; argc == 2 && strcmp(argv[0], "mdoc") == 0 && commands[i]; i++)
		if (strcmp(argv[1], commands[i]->name) == 0) {
			write_mdoc(commands[i]);
			return EXIT_DONE;
		}
	if (argc == 2 && strcmp(argv[0], "mdoc") == 0 &&
	    strcmp(argv[1], "formats") == 0) {
		write_mdoc_formats();
		return EXIT_DONE;
	}
	diag_set(why, "there are bash, zsh and fish");
	return EXIT_USAGE;
}

const struct command cmd_completion = {"completion", "bash|zsh|fish",
				       "print a shell's completion of these commands",
				       rows, completion_main};
