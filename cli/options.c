/* options.c: reading command lines by table. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

static int wrong(struct diag *why, const char *format, const char *what)
{
	char text[512];
	snprintf(text, sizeof(text), "%s", what);
	diag_set(why, format, text);
	return -2;
}

static const struct option_row *by_letter(const struct option_row *rows, char letter)
{
	for (; rows->name; rows++)
		if (rows->letter == letter)
			return rows;
	return NULL;
}

const char *option_name(const struct option_row *row, char *room)
{
	snprintf(room, OPTION_NAME_ROOM, "%s", row->name);
	for (char *c = room; (c = strchr(c, '_'));)
		*c = '-';
	return room;
}

const struct option_row *option_find(const struct option_row *rows, const char *name,
				     size_t size)
{
	char own[OPTION_NAME_ROOM];
	for (; rows->name; rows++)
		if (size && strlen(option_name(rows, own)) == size &&
		    memcmp(own, name, size) == 0)
			return rows;
	return NULL;
}

static int take_argument(struct option_reader *reader, const struct option_row *row,
			 const char **value, struct diag *why)
{
	char name[OPTION_NAME_ROOM];
	if (row->argument == OPTION_NEEDED && !*value) {
		if (reader->at == reader->argc)
			return wrong(why, "--%s needs an argument",
				     option_name(row, name));
		*value = reader->argv[reader->at++];
	}
	if (row->argument == OPTION_NONE && *value)
		return wrong(why, "--%s takes no argument", option_name(row, name));
	return row->id;
}

static int read_letter(struct option_reader *reader, const char **value, struct diag *why)
{
	char text[2] = {*reader->cluster, '\0'};
	const struct option_row *row = by_letter(reader->rows, *reader->cluster++);
	if (!row)
		return wrong(why, "unknown option -%s", text);
	*value = NULL;
	if (row->argument == OPTION_NEEDED) {
		if (*reader->cluster)
			*value = reader->cluster;
		reader->cluster = NULL;
	} else if (!*reader->cluster) {
		reader->cluster = NULL;
	}
	return take_argument(reader, row, value, why);
}

int option_next(struct option_reader *reader, const char **value, struct diag *why)
{
	if (reader->cluster)
		return read_letter(reader, value, why);
	if (reader->at == reader->argc)
		return -1;
	const char *word = reader->argv[reader->at++];
	*value = word;
	if (word[0] != '-' || !word[1])
		return OPTION_WORD;
	if (word[1] != '-') {
		reader->cluster = word + 1;
		return read_letter(reader, value, why);
	}
	if (!word[2])
		return -1;
	const char *equals = strchr(word, '=');
	size_t size = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
	const struct option_row *row = option_find(reader->rows, word + 2, size);
	if (!row)
		return wrong(why, "unknown option %s", word);
	*value = equals ? equals + 1 : NULL;
	return take_argument(reader, row, value, why);
}

void option_help(const struct option_row *rows)
{
	for (; rows->name; rows++) {
		char left[64], letter[8] = "    ", name[OPTION_NAME_ROOM];
		const char *form = rows->argument == OPTION_BY_EQUALS ? "--%s[=%s]"
				   : rows->argument == OPTION_NEEDED  ? "--%s %s"
								      : "--%s%s";
		if (!*rows->name) {
			printf("\n%s\n", rows->help);
			continue;
		}
		if (rows->letter)
			snprintf(letter, sizeof(letter), "-%c, ", rows->letter);
		snprintf(left, sizeof(left), form, option_name(rows, name),
			 rows->placeholder ? rows->placeholder : "");
		printf("  %s%-30s %s\n", letter, left, rows->help);
	}
}

static int number_and_unit(const char *text, uint64_t *number, char **unit)
{
	errno = 0;
	if (!isdigit((unsigned char)*text))
		return -1;
	*number = strtoull(text, unit, 10);
	return errno ? -1 : 0;
}

int option_number(const char *text, uint64_t *number)
{
	static const char units[] = "KMGT";
	char *unit = NULL;
	if (number_and_unit(text, number, &unit))
		return -1;
	if (!*unit)
		return 0;
	const char *found = strchr(units, toupper((unsigned char)*unit));
	if (!found || (unit[1] && strcmp(unit + 1, "iB") != 0))
		return -1;
	unsigned shift = 10 * (unsigned)(found - units + 1);
	if (*number > UINT64_MAX >> shift)
		return -1;
	*number <<= shift;
	return 0;
}

int option_duration_ms(const char *text, uint64_t *ms)
{
	char *unit = NULL;
	if (number_and_unit(text, ms, &unit))
		return -1;
	uint64_t times = !*unit || strcmp(unit, "ms") == 0 ? 1
			 : strcmp(unit, "s") == 0          ? 1000
			 : strcmp(unit, "m") == 0          ? 60000
							   : 0;
	if (!times || *ms > UINT64_MAX / times)
		return -1;
	*ms *= times;
	return 0;
}
