/* pack_manifest.c: what an image's manifest says: the program, its variables, its limits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/pack.h"

struct text {
	char *bytes;
	size_t size;
};

static int emit(struct text *text, const char *key, const char *value)
{
	size_t size = strlen(value), need = manifest_emit(NULL, 0, key, value, size);
	char *more = realloc(text->bytes, text->size + need);
	if (!more)
		return -1;
	text->bytes = more;
	text->size += manifest_emit(more + text->size, need, key, value, size);
	return 0;
}

static int emit_number(struct text *text, const char *key, uint64_t value)
{
	char digits[24];
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	return emit(text, key, digits);
}

/* Is the variable that the text begins with, up to its "=", among them? */
static bool env_set(const struct words *env, const char *text)
{
	size_t size = strcspn(text, "=") + 1;
	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->list[i], text, size) == 0)
			return true;
	return false;
}

static int emit_limits(struct text *text, const struct limits *limits)
{
	struct limits initial;
	int rc = 0;
	limits_default(&initial);
#define LIMIT(key, unit, standard, help)                                                 \
	if (!rc && limits->key != initial.key)                                           \
		rc = emit_number(text, "limit." #key, limits->key);
#include "imgfmt/limits.def"
#undef LIMIT
	return rc;
}

int pack_environment(struct words *env, const struct pack_request *request,
		     struct diag *why)
{
	const struct words *own = &request->env;
	const struct words none = {0};
	const struct words *theirs = request->profile ? &request->profile->env : &none;
	env->list = calloc(own->count + theirs->count + 3, sizeof(*env->list));
	env->count = 0;
	if (!env->list)
		return diag_set(why, "out of memory");
	if (!env_set(own, "PATH="))
		env->list[env->count++] = "PATH=" PACK_DEFAULT_PATH;
	if (!env_set(own, "HOME="))
		env->list[env->count++] = "HOME=/";
	for (size_t i = 0; i < own->count; i++)
		env->list[env->count++] = own->list[i];
	for (size_t i = 0; i < theirs->count; i++)
		if (!env_set(own, theirs->list[i]))
			env->list[env->count++] = theirs->list[i];
	return 0;
}

static int emit_http(struct text *text, const struct pack_request *request)
{
	int rc = 0;
	for (int key = 0; key < HTTP_KEY_COUNT; key++) {
		const struct words *words = &request->http.list[key];
		if (!words->count && request->profile)
			words = &request->profile->http.list[key];
		for (size_t i = 0; !rc && i < words->count; i++)
			rc = emit(text, http_key_name((enum http_key)key),
				  words->list[i]);
	}
	return rc;
}

/* A file's name without its folder and suffix: where it lay is this machine's affair. */
static int emit_profile_name(struct text *text, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *name = strdup(slash ? slash + 1 : file);
	size_t size = name ? strlen(name) : 0;
	if (size > 5 && strcmp(name + size - 5, ".conf") == 0)
		name[size - 5] = '\0';
	int rc = name ? emit(text, "profile", name) : -1;
	free(name);
	return rc;
}

static int emit_all(struct text *text, const struct pack_request *request,
		    const char *path, const struct words *env)
{
	static const char *const modes[] = {
		[MODE_RUN] = "run", [MODE_HTTP] = "http", [MODE_SERVE] = "serve"};
	const char *name = strrchr(path, '/') + 1;
	int rc = emit(text, "version", "1") || emit(text, "mode", modes[request->mode]) ||
		 emit(text, "exec", path) || emit(text, "arg", name);
	for (size_t i = 0; !rc && i < request->args.count; i++)
		rc = emit(text, "arg", request->args.list[i]);
	for (size_t i = 0; !rc && i < env->count; i++)
		rc = emit(text, "env", env->list[i]);
	if (!rc && request->profile && request->profile->example)
		rc = emit(text, "example", request->profile->example);
	if (!rc && request->profile && request->profile->name)
		rc = emit_profile_name(text, request->profile->name);
	return rc || (request->mode == MODE_HTTP && emit_http(text, request)) ||
	       emit(text, "cwd", request->cwd) || emit(text, "program", name) ||
	       (request->mode != MODE_RUN && emit_number(text, "port", request->port)) ||
	       emit_limits(text, &request->limits);
}

int pack_manifest(struct pack *pack, const struct pack_request *request, const char *path,
		  struct diag *why)
{
	const char *reason = "";
	struct text text = {0};
	struct words env = {0};
	unsigned line = 0;
	int rc = pack_environment(&env, request, why) ||
		 emit_all(&text, request, path, &env);
	free(env.list);
	pack->manifest = text.bytes;
	pack->manifest_size = text.size;
	if (rc)
		return diag_set(why, "out of memory");
	struct manifest *parsed = malloc(sizeof(*parsed));
	rc = parsed ? manifest_parse(parsed, text.bytes, text.size, &reason, &line) : -1;
	free(parsed);
	return rc ? diag_set(why, "the image's manifest, line %u: %s", line, reason) : 0;
}
