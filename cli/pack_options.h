/* pack_options.h: the options that say what an image is to hold, for every command that
 * packs a program, from its command line and from configuration files. */
#ifndef ELFPACK_CLI_PACK_OPTIONS_H
#define ELFPACK_CLI_PACK_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/arguments.h"
#include "cli/pack.h"

/* Ids of options; a command's own begin at PACK_END. The rows for its table are in
 * pack_option_rows.def. */
enum pack_option {
	PACK_PROGRAM = OPTION_WORD,
	PACK_ARGUMENT, /* behind -- */
#define PACK_OPTION(id, ...) PACK_##id,
#include "cli/pack_options.def"
#undef PACK_OPTION
#define HTTP_KEY(key, ...) PACK_KEY_##key,
#include "imgfmt/http_keys.def"
#undef HTTP_KEY
#define LIMIT(key, unit, initial, help) PACK_LIMIT_##key,
#include "imgfmt/limits.def"
#undef LIMIT
	PACK_END
};

struct pack_options {
	struct pack_request request; /* its limits are LIMIT_UNSET until the choice */
	struct profile profile;
	const char *profile_name;
	bool no_profile;
	enum argument_source source; /* of what comes now */
	enum argument_source program_source, args_source, mode_source, profile_source;
	enum argument_source http_source[HTTP_KEY_COUNT];
};

void pack_options_init(struct pack_options *options);
void pack_options_free(struct pack_options *options);
/* Takes an option's value, which must outlive the options; *why speaks of the value. */
int pack_options_take(struct pack_options *options, int id, const char *value,
		      struct diag *why);
/* Once all are taken: the profile is found, and limits get their values. */
int pack_options_choose(struct pack_options *options, struct diag *why);
/* The option's value of that index as a text, NULL: there is none. room:
 * OPTION_NUMBER_ROOM bytes. */
const char *pack_options_value(const struct pack_options *options, int id, size_t index,
			       char *room);
/* The program's last name. */
const char *pack_options_program_name(const struct pack_options *options);

#endif
