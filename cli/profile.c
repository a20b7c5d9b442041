/* profile.c: reading profiles. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ini_file.h"
#include "cli/options.h"
#include "cli/profile.h"

#define INCLUDES_MAX 8 /* deep */

struct parser {
	struct profile *profile;
	struct diag why;
	const char *problem; /* static, or why's */
};

static int add(struct words *words, const char *word, size_t size)
{
	const char **list = realloc(words->list, (words->count + 1) * sizeof(*list));
	if (!list)
		return -1;
	words->list = list;
	list[words->count] = strndup(word, size);
	return list[words->count++] ? 0 : -1;
}

static int add_row(struct words *words, const char *text)
{
	return *text ? add(words, text, strlen(text)) : 0;
}

static int add_words(struct words *words, const char *text)
{
	while (*(text += strspn(text, " \t"))) {
		size_t size = strcspn(text, " \t");
		if (add(words, text, size))
			return -1;
		text += size;
	}
	return 0;
}

static int set_example(struct profile *profile, const char *text)
{
	free(profile->example);
	return (profile->example = strdup(text)) ? 0 : -1;
}

static int add_env(struct profile *profile, const char *name, const char *value)
{
	char *text = NULL;
	if (asprintf(&text, "%s=%s", name, value) < 0)
		return -1;
	int rc = add_row(&profile->env, text);
	free(text);
	return rc;
}

/* The names of limits.def, with dashes. */
static bool is_limit(const char *name, const char *key)
{
	for (; *name && *key; name++, key++)
		if (*name != (*key == '_' ? '-' : *key))
			return false;
	return !*name && !*key;
}

static int set_limit(struct parser *parser, const char *name, const char *value)
{
#define LIMIT(key, unit, initial, help)                                                  \
	if (is_limit(name, #key)) {                                                      \
		uint64_t *limit = &parser->profile->limits.key;                          \
		if (strcmp(#unit, "ms") == 0 ? option_duration_ms(value, limit)          \
					     : option_number(value, limit))              \
			parser->problem = "not a number (" #unit ")";                    \
		return 0;                                                                \
	}
#include "imgfmt/limits.def"
#undef LIMIT
	parser->problem = "unknown limit";
	return 0;
}

static int add_http_key(struct parser *parser, const char *name, const char *value)
{
	enum http_key key = http_key_find(name);
	if (key == HTTP_KEY_COUNT) {
		parser->problem = "unknown key";
		return 0;
	}
	if (http_keys_add(&parser->profile->http, key, value, &parser->why))
		parser->problem = parser->why.message;
	return 0;
}

static int take(struct parser *parser, const char *section, const char *name,
		const char *value)
{
	struct profile *profile = parser->profile;
	const struct {
		const char *section, *name;
		int (*add)(struct words *words, const char *text);
		struct words *to;
	} keys[] = {
		{"profile", "match", add_words, &profile->match},
		{"profile", "include", add_words, &profile->include},
		{"pack", "programs", add_row, &profile->programs},
		{"pack", "optional", add_row, &profile->optional},
		{"pack", "files", add_words, &profile->files},
		{"pack", "need", add_row, &profile->needs},
		{"pack", "exclude", add_words, &profile->exclude},
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i].section, section) == 0 &&
		    strcmp(keys[i].name, name) == 0)
			return keys[i].add(keys[i].to, value);
	if (strcmp(section, "env") == 0)
		return add_env(profile, name, value);
	if (strcmp(section, "limits") == 0)
		return set_limit(parser, name, value);
	if (strcmp(section, "http") == 0)
		return add_http_key(parser, name, value);
	if (strcmp(section, "profile") == 0 && strcmp(name, "example") == 0)
		return set_example(profile, value);
	parser->problem = "unknown key";
	return 0;
}

static int on_pair(void *context, const char *section, const char *name,
		   const char *value, struct diag *why)
{
	struct parser parser = {.profile = context};
	if (take(&parser, section, name, value))
		return diag_set(why, "out of memory");
	return parser.problem ? diag_set(why, "%s: %s", name, parser.problem) : 0;
}

void profile_init(struct profile *profile)
{
	memset(profile, 0, sizeof(*profile));
#define LIMIT(key, unit, initial, help) profile->limits.key = LIMIT_UNSET;
#include "imgfmt/limits.def"
#undef LIMIT
}

int profile_parse(struct profile *profile, const char *text, const char *name,
		  struct diag *why)
{
	return ini_file_parse(text, name, on_pair, profile, why);
}

bool profile_matches(const struct profile *profile, const char *program)
{
	for (size_t i = 0; i < profile->match.count; i++)
		if (fnmatch(profile->match.list[i], program, 0) == 0)
			return true;
	return false;
}

/* What a profile says itself stands; what it includes fills up. */
static void restore_own(struct profile *profile, struct limits own, char *example)
{
	if (example) {
		free(profile->example);
		profile->example = example;
	}
#define LIMIT(key, unit, initial, help)                                                  \
	if (own.key != LIMIT_UNSET)                                                      \
		profile->limits.key = own.key;
#include "imgfmt/limits.def"
#undef LIMIT
}

static int load(struct profile *profile, const char *folder, const char *name,
		unsigned depth, struct diag *why)
{
	char *path = NULL;
	if (depth > INCLUDES_MAX)
		return diag_set(why, "profile %s: includes go too deep", name);
	if (strchr(name, '/') ? !(path = strdup(name))
			      : asprintf(&path, "%s/%s.conf", folder, name) < 0)
		return diag_set(why, "out of memory");
	size_t at = profile->include.count;
	int rc = ini_file_read(path, on_pair, profile, why);
	size_t end = profile->include.count;
	struct limits own = profile->limits;
	char *example = profile->example;
	profile->example = NULL;
	for (; !rc && at < end; at++)
		rc = load(profile, folder, profile->include.list[at], depth + 1, why);
	restore_own(profile, own, example);
	free(path);
	return rc;
}

int profile_load(struct profile *profile, const char *folder, const char *name,
		 struct diag *why)
{
	free(profile->name);
	if (!(profile->name = strdup(name)))
		return diag_set(why, "out of memory");
	return load(profile, folder, name, 0, why);
}

static int is_profile(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');
	return dot && strcmp(dot, ".conf") == 0;
}

static int try_profile(struct profile *profile, const char *folder, char *file,
		       const char *program, struct diag *why)
{
	struct profile candidate;
	char *path = NULL;
	int rc = asprintf(&path, "%s/%s", folder, file) < 0
			 ? diag_set(why, "out of memory")
			 : 0;
	profile_init(&candidate);
	rc = rc ? rc : ini_file_read(path, on_pair, &candidate, why);
	if (!rc && profile_matches(&candidate, program)) {
		*strrchr(file, '.') = '\0';
		rc = profile_load(profile, folder, file, why) ? -1 : 1;
	}
	profile_free(&candidate);
	free(path);
	return rc;
}

int profile_find(struct profile *profile, const char *folder, const char *program,
		 struct diag *why)
{
	struct dirent **files = NULL;
	int rc = 0, count = scandir(folder, &files, is_profile, alphasort);
	if (count < 0)
		return errno == ENOENT ? 0 : diag_errno(why, "%s", folder);
	for (int i = 0; i < count; i++) {
		if (!rc)
			rc = try_profile(profile, folder, files[i]->d_name, program, why);
		free(files[i]);
	}
	free(files);
	return rc;
}

void profile_free(struct profile *profile)
{
	struct words *const all[] = {&profile->match,    &profile->include,
				     &profile->programs, &profile->optional,
				     &profile->files,    &profile->needs,
				     &profile->exclude,  &profile->env};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (size_t at = 0; at < all[i]->count; at++)
			free((void *)(uintptr_t)all[i]->list[at]);
		free(all[i]->list);
	}
	http_keys_free(&profile->http);
	free(profile->example);
	free(profile->name);
	profile_init(profile);
}
