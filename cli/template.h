/* template.h: a set of files that `elfpack init` writes into a folder, with values in the
 * place of marks. template.c reads what a template says of itself and fills in;
 * template_files.c reads its files and writes them.
 *
 *   share/elfpack/init/NAME/template.conf
 *     [template]  summary = WORD...         for the list of templates
 *                 next = TEXT               what to do with the files, for people
 *     [values]    KEY = DEFAULT | WORD...   what it is; without a default it must be said
 *   share/elfpack/init/NAME/files/...  each @KEY@ in a file, or a file's path, is the
 *                                           value; any other @ is itself */
#ifndef ELFPACK_CLI_TEMPLATE_H
#define ELFPACK_CLI_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "imgfmt/diag.h"

#define TEMPLATE_VALUES_MAX 24u

struct template_value {
	char *key, *text /* NULL: must be said */, *help;
};

struct template_file {
	char *path; /* below the new folder */
	mode_t mode;
	char *text;
	size_t size;
};

struct template
{
	char *folder; /* where it is installed */
	char *summary, *next;
	struct template_value values[TEMPLATE_VALUES_MAX];
	size_t value_count;
	struct template_file *files; /* template_read_files */
	size_t file_count;
};

/* The template NAME of the folder of templates. 0 or -1; template_free in any case. */
int template_load(struct template *template, const char *folder, const char *name,
		  struct diag *why);
void template_free(struct template *template);

bool template_has(const struct template *template, const char *key);
/* A value goes as it is into YAML, HCL, XML, units and shell: letters, digits and few
 * other signs are all it may have. */
int template_set(struct template *template, const char *key, const char *text,
		 struct diag *why);
/* -1 when there is no value for a key, all of them named. */
int template_check_values(const struct template *template, struct diag *why);
/* Text with values for marks, on the heap; NULL: out of memory. */
char *template_fill(const struct template *template, const char *text, size_t size,
		    size_t *filled_size);

/* Reads and fills all files. */
int template_read_files(struct template *template, struct diag *why);
/* Writes them below an existing or a new folder: all, or none. Nothing is overwritten. */
int template_write_files(const struct template *template, const char *to,
			 struct diag *why);

#endif
