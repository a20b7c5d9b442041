/* pack_options.c: from options to a request for pack_make. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/pack_options.h"

void pack_options_init(struct pack_options *options)
{
	memset(options, 0, sizeof(*options));
	options->request.mode = MODE_RUN;
	options->request.cwd = "/work";
	options->source = SOURCE_COMMAND_LINE;
	profile_init(&options->profile);
	options->request.limits = options->profile.limits; /* all unset */
}

static struct words *list_of(struct pack_request *request, int id)
{
	switch (id) {
	case PACK_ARGUMENT:
		return &request->args;
	case PACK_FILE:
		return &request->files;
	case PACK_DIR:
		return &request->folders;
	case PACK_ARCHIVE:
		return &request->archives;
	case PACK_TRACE:
		return &request->traces;
	case PACK_EXCLUDE:
		return &request->exclude;
	case PACK_ENV:
		return &request->env;
	default:
		return NULL;
	}
}

void pack_options_free(struct pack_options *options)
{
	for (int id = 0; id < PACK_END; id++) {
		struct words *words = list_of(&options->request, id);
		if (words)
			free(words->list);
	}
	http_keys_free(&options->request.http);
	profile_free(&options->profile);
}

/* What one source says twice is a mistake; a command line's word wins over a file's. */
static bool said(const struct pack_options *options, bool already,
		 enum argument_source by)
{
	return already && by == options->source;
}

static int set_mode(struct pack_options *options, enum manifest_mode mode,
		    const char *text, struct diag *why)
{
	struct pack_request *request = &options->request;
	uint64_t port = 80;
	bool other = request->mode != MODE_RUN && request->mode != mode;
	if (said(options, other, options->mode_source))
		return diag_set(why, "--http and --serve exclude each other");
	if (text && (option_number(text, &port) || !port || port > 65535))
		return diag_set(why, "not a port");
	request->mode = mode;
	request->port = (uint16_t)port;
	options->mode_source = options->source;
	return 0;
}

static int set_profile(struct pack_options *options, const char *name, struct diag *why)
{
	bool other = name ? options->no_profile : options->profile_name != NULL;
	if (said(options, other, options->profile_source))
		return diag_set(why, "--profile and --no-profile exclude each other");
	options->profile_name = name;
	options->no_profile = !name;
	options->profile_source = options->source;
	return 0;
}

/* A later value of the same name takes the earlier one's place. */
static int set_env(struct words *env, const char *value, struct diag *why)
{
	size_t size = strcspn(value, "=");
	if (!value[size] || !size)
		return diag_set(why, "not NAME=VALUE");
	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->list[i], value, size + 1) == 0) {
			env->list[i] = value;
			return 0;
		}
	return words_add(env, value, why);
}

static int set_program(struct pack_options *options, const char *value, struct diag *why)
{
	struct pack_request *request = &options->request;
	if (said(options, request->program != NULL, options->program_source))
		return diag_set(why, "one program at a time");
	request->program = value;
	options->program_source = options->source;
	return 0;
}

/* Arguments of the command line take the place of a configuration's. */
static int add_argument(struct pack_options *options, const char *value, struct diag *why)
{
	if (options->args_source != options->source)
		options->request.args.count = 0;
	options->args_source = options->source;
	return words_add(&options->request.args, value, why);
}

/* The key of an option, or HTTP_KEY_COUNT. */
static enum http_key http_key_of(int id)
{
	int key = id - PACK_KEY_argv; /* the first row's */
	return key >= 0 && key < HTTP_KEY_COUNT ? (enum http_key)key : HTTP_KEY_COUNT;
}

/* A command line's values take the place of a configuration's. */
static int set_http_key(struct pack_options *options, enum http_key key,
			const char *value, struct diag *why)
{
	struct http_keys *http = &options->request.http;
	if (options->http_source[key] != options->source)
		http_keys_clear(http, key);
	options->http_source[key] = options->source;
	return http_keys_add(http, key, value, why);
}

static int set_limit(struct limits *limits, int id, const char *value, struct diag *why)
{
#define LIMIT(key, unit, initial, help)                                                  \
	if (id == PACK_LIMIT_##key)                                                      \
		return (strcmp(#unit, "ms") == 0                                         \
				? option_duration_ms(value, &limits->key)                \
				: option_number(value, &limits->key))                    \
			       ? diag_set(why, "not a number (" #unit ")")               \
			       : 0;
#include "imgfmt/limits.def"
#undef LIMIT
	return diag_set(why, "not an option of an image");
}

int pack_options_take(struct pack_options *options, int id, const char *value,
		      struct diag *why)
{
	struct pack_request *request = &options->request;
	switch (id) {
	case PACK_PROGRAM:
		return set_program(options, value, why);
	case PACK_ARGUMENT:
		return add_argument(options, value, why);
	case PACK_HTTP:
		return set_mode(options, MODE_HTTP, value, why);
	case PACK_SERVE:
		return set_mode(options, MODE_SERVE, value, why);
	case PACK_ENV:
		return set_env(&request->env, value, why);
	case PACK_FILE:
	case PACK_DIR:
	case PACK_ARCHIVE:
	case PACK_TRACE:
	case PACK_EXCLUDE:
		return words_add(list_of(request, id), value, why);
	case PACK_CWD:
		request->cwd = value;
		return value[0] == '/' ? 0 : diag_set(why, "not absolute");
	case PACK_PARTS:
		request->parts = value;
		return 0;
	case PACK_PROFILE:
		return set_profile(options, value, why);
	case PACK_NO_PROFILE:
		return set_profile(options, NULL, why);
	default:
		if (http_key_of(id) != HTTP_KEY_COUNT)
			return set_http_key(options, http_key_of(id), value, why);
		return set_limit(&request->limits, id, value, why);
	}
}

const char *pack_options_program_name(const struct pack_options *options)
{
	const char *slash = strrchr(options->request.program, '/');
	return slash ? slash + 1 : options->request.program;
}

/* Options win over the profile, and both over the defaults. */
static void merge_limits(struct pack_options *options)
{
	struct limits *limits = &options->request.limits, initial;
	limits_default(&initial);
#define LIMIT(key, unit, standard, help)                                                 \
	if (limits->key == LIMIT_UNSET)                                                  \
		limits->key = options->profile.limits.key != LIMIT_UNSET                 \
				      ? options->profile.limits.key                      \
				      : initial.key;
#include "imgfmt/limits.def"
#undef LIMIT
}

int pack_options_choose(struct pack_options *options, struct diag *why)
{
	char folder[4096];
	int rc = 0;
	if (!options->no_profile) {
		const char *name = options->profile_name;
		if (pack_own_folder(folder, sizeof(folder), "/../share/elfpack/profiles",
				    why))
			return -1;
		if (name)
			rc = profile_load(&options->profile, folder, name, why) ? -1 : 1;
		else
			rc = profile_find(&options->profile, folder,
					  pack_options_program_name(options), why);
		if (rc > 0)
			options->request.profile = &options->profile;
	}
	merge_limits(options);
	return rc < 0 ? -1 : 0;
}

static const char *number_text(char *room, uint64_t number)
{
	snprintf(room, OPTION_NUMBER_ROOM, "%" PRIu64, number);
	return room;
}

static const char *limit_value(const struct limits *limits, int id, char *room)
{
#define LIMIT(key, unit, standard, help)                                                 \
	if (id == PACK_LIMIT_##key)                                                      \
		return number_text(room, limits->key);
#include "imgfmt/limits.def"
#undef LIMIT
	return NULL;
}

const char *pack_options_value(const struct pack_options *options, int id, size_t index,
			       char *room)
{
	struct pack_request request = options->request;
	const struct words *words = list_of(&request, id);
	if (http_key_of(id) != HTTP_KEY_COUNT)
		words = &request.http.given[http_key_of(id)];
	if (words)
		return index < words->count ? words->list[index] : NULL;
	if (index)
		return NULL;
	switch (id) {
	case PACK_PROGRAM:
		return request.program;
	case PACK_HTTP:
		return request.mode == MODE_HTTP ? number_text(room, request.port) : NULL;
	case PACK_SERVE:
		return request.mode == MODE_SERVE ? number_text(room, request.port)
						  : NULL;
	case PACK_CWD:
		return request.cwd;
	case PACK_PARTS:
		return request.parts;
	case PACK_PROFILE:
		return options->profile_name ? options->profile_name
					     : options->profile.name;
	case PACK_NO_PROFILE:
		return request.profile ? NULL : "yes";
	default:
		return limit_value(&request.limits, id, room);
	}
}
