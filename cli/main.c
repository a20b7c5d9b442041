/* main.c: the elfpack command. The one place that prints errors and exits. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

const struct command *const commands[] = {
	&cmd_build,   &cmd_run,     &cmd_serve, &cmd_check,      &cmd_inspect,
	&cmd_convert, &cmd_publish, &cmd_init,  &cmd_completion, NULL};

static void usage(FILE *to)
{
	fputs("usage: elfpack COMMAND [ARG...]\n\n", to);
	for (size_t i = 0; commands[i]; i++)
		fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nelfpack COMMAND --help lists a command's options.\n", to);
}

/* A file that is mapped became shorter: the kernel's only way to tell. */
static void on_bus_error(int number)
{
	static const char text[] = "elfpack: a file became shorter while it was read\n";
	(void)number;
	ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)ignored; /* there is nobody else to tell */
	_exit(EXIT_FAILED);
}

int main(int argc, char **argv)
{
	struct diag why = {0};
	/* Names in archives are UTF-8 wherever we run: the same inputs, the same image.
	 */
	setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGBUS, on_bus_error);
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0)
		return printf("elfpack %s\n", ELFPACK_VERSION) < 0 ? EXIT_FAILED
								   : EXIT_DONE;
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		usage(stdout);
		return EXIT_DONE;
	}
	for (size_t i = 0; commands[i]; i++) {
		const struct command *command = commands[i];
		if (strcmp(command->name, argv[1]) != 0)
			continue;
		int status = command->main(command, argc - 2, argv + 2, &why);
		if (!status && fflush(stdout)) {
			diag_errno(&why, "standard output");
			status = EXIT_FAILED;
		}
		if (why.message[0])
			fprintf(stderr, "elfpack: %s: %s\n", command->name, why.message);
		if (why.hint[0])
			fprintf(stderr, "hint: %s\n", why.hint);
		return status;
	}
	fprintf(stderr, "elfpack: %s: no such command\n", argv[1]);
	usage(stderr);
	return EXIT_USAGE;
}
