/* credentials.c: the order of places, the environment and the shared files. Places that
 * are reached over HTTP are credential_places.c's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "aws/credentials.h"
#include "aws/profile.h"

#define FILE_MAX ((size_t)4 << 20)

static const char *env(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

char *read_whole_file(const char *path, size_t *size)
{
	FILE *from = fopen(path, "re");
	char *text = from ? malloc(FILE_MAX + 1) : NULL;
	*size = text ? fread(text, 1, FILE_MAX, from) : 0;
	int problem = from && text && ferror(from) ? errno : 0;
	if (text)
		text[*size] = '\0';
	if (from)
		fclose(from);
	if (!problem)
		return text;
	free(text);
	errno = problem;
	return NULL;
}

static int read_shared(struct shared_file *file, const char *variable, const char *name,
		       struct diag *why)
{
	char *path = NULL;
	const char *home = env("HOME"), *said = env(variable);
	if (!said && !home)
		return 0;
	if (asprintf(&path, "%s%s%s", said ? said : home, said ? "" : "/.aws/",
		     said ? "" : name) < 0)
		return diag_set(why, "out of memory");
	file->text = read_whole_file(path, &file->size);
	int rc = file->text || errno == ENOENT || errno == ENOTDIR
			 ? 0
			 : diag_errno(why, "%s", path);
	free(path);
	return rc;
}

static const char *profile_name(const struct places *places)
{
	const char *said = places->profile;
	if (!said)
		said = env("AWS_PROFILE");
	if (!said)
		said = env("AWS_DEFAULT_PROFILE");
	return said ? said : "default";
}

/* A profile is [profile NAME] in config, but [default] too. */
static char *config_section(const struct places *places)
{
	char *section = NULL;
	const char *name = profile_name(places);
	bool bare = strcmp(name, "default") == 0 &&
		    profile_exists(places->config.text, places->config.size, "default");
	return asprintf(&section, "%s%s", bare ? "" : "profile ", name) < 0 ? NULL
									    : section;
}

char *places_value(const struct places *places, const char *section, const char *key)
{
	const struct shared_file *config = &places->config;
	char *own = section ? NULL : config_section(places), *value = NULL;
	if ((section || own) && config->text)
		value = profile_value(config->text, config->size, section ? section : own,
				      key);
	free(own);
	return value;
}

static bool is_region(const char *text)
{
	size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return size && !text[size] && size < REGION_ROOM;
}

static int find_region(struct places *places, const char *given, struct diag *why)
{
	char *profiles = places_value(places, NULL, "region");
	const char *said = given;
	if (!said)
		said = env("AWS_REGION");
	if (!said)
		said = env("AWS_DEFAULT_REGION");
	if (!said)
		said = profiles;
	int rc = 0;
	if (said && !is_region(said))
		rc = diag_set(why, "%s: not a region's name", said);
	else if (said)
		snprintf(places->region, sizeof(places->region), "%s", said);
	free(profiles);
	if (rc || places->region[0] || region_from_instance(places))
		return rc;
	diag_hint(why, "say --region NAME, or set AWS_REGION or a profile's region");
	return diag_set(why, "no region");
}

int places_open(struct places *places, const char *profile, const char *region,
		const char *endpoint, struct diag *why)
{
	*places = (struct places){.profile = profile, .endpoint = endpoint};
	if (transport_open(&places->transport, why) ||
	    read_shared(&places->config, "AWS_CONFIG_FILE", "config", why) ||
	    read_shared(&places->credentials, "AWS_SHARED_CREDENTIALS_FILE",
			"credentials", why))
		return -1;
	return find_region(places, region, why);
}

static int set_keys(struct keys *keys, const char *id, const char *secret,
		    const char *token, struct diag *why)
{
	const char *said[] = {id, secret, token ? token : ""};
	char *to[] = {keys->key_id, keys->secret, keys->token};
	size_t room[] = {sizeof(keys->key_id), sizeof(keys->secret), sizeof(keys->token)};
	for (size_t i = 0; i < 3; i++)
		if ((size_t)snprintf(to[i], room[i], "%s", said[i]) >= room[i] ||
		    strpbrk(said[i], "\r\n"))
			return diag_set(why, "%s: no access key looks like that",
					keys->source);
	keys->expires_s = 0;
	return 1;
}

static int from_environment(struct keys *keys, struct diag *why)
{
	const char *id = env("AWS_ACCESS_KEY_ID"), *secret = env("AWS_SECRET_ACCESS_KEY");
	snprintf(keys->source, sizeof(keys->source), "environment");
	if (!id && !secret)
		return 0;
	if (!id || !secret)
		return diag_set(why,
				"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: only one "
				"of them is set");
	return set_keys(keys, id, secret, env("AWS_SESSION_TOKEN"), why);
}

/* Static keys: of credentials first, then of config. */
static int from_profile_keys(struct keys *keys, const struct places *places,
			     struct diag *why)
{
	static const char *const names[] = {"aws_access_key_id", "aws_secret_access_key",
					    "aws_session_token"};
	const struct shared_file *file = &places->credentials;
	char *said[3] = {NULL};
	bool first = file->text &&
		     profile_exists(file->text, file->size, profile_name(places));
	for (size_t i = 0; i < 3; i++)
		said[i] = first ? profile_value(file->text, file->size,
						profile_name(places), names[i])
				: NULL;
	bool none = !said[0] && !said[1];
	for (size_t i = 0; i < 3 && none; i++)
		said[i] = places_value(places, NULL, names[i]);
	int rc = 0;
	if (said[0] && said[1])
		rc = set_keys(keys, said[0], said[1], said[2], why);
	else if (said[0] || said[1])
		rc = diag_set(why, "%s: has only one of %s and %s", keys->source,
			      names[0], names[1]);
	for (size_t i = 0; i < 3; i++) {
		if (said[i])
			OPENSSL_cleanse(said[i], strlen(said[i]));
		free(said[i]);
	}
	return rc;
}

/* What a profile can say that would need another program or another role. */
static int refuse_others(const struct keys *keys, const struct places *places,
			 struct diag *why)
{
	static const char *const names[] = {"credential_process", "role_arn"};
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof(names) / sizeof(names[0]); i++) {
		char *said = places_value(places, NULL, names[i]);
		if (said)
			rc = diag_set(why, "%s: %s is not followed", keys->source,
				      names[i]);
		free(said);
	}
	if (rc)
		diag_hint(why,
			  "eval \"$(aws configure export-credentials --profile %s "
			  "--format env)\" puts its keys into the environment",
			  profile_name(places));
	return rc;
}

static int from_profile(struct keys *keys, struct places *places, struct diag *why)
{
	const char *name = profile_name(places);
	char *section = config_section(places);
	bool known =
		section &&
		((places->config.text &&
		  profile_exists(places->config.text, places->config.size, section)) ||
		 (places->credentials.text &&
		  profile_exists(places->credentials.text, places->credentials.size,
				 name)));
	free(section);
	snprintf(keys->source, sizeof(keys->source), "profile %s", name);
	if (!known)
		return strcmp(name, "default") == 0
			       ? 0
			       : diag_set(why, "profile %s: there is no such profile",
					  name);
	char *role = places_value(places, NULL, "role_arn"),
	     *file = places_value(places, NULL, "web_identity_token_file"),
	     *session = places_value(places, NULL, "role_session_name");
	int rc = role && file
			 ? keys_from_web_identity(keys, places, role, file, session, why)
			 : 0;
	if (!rc && !role)
		rc = keys_from_sso(keys, places, name, why);
	if (!rc && !role)
		rc = from_profile_keys(keys, places, why);
	free(role);
	free(file);
	free(session);
	return rc ? rc : refuse_others(keys, places, why);
}

int keys_find(struct keys *keys, struct places *places, struct diag *why)
{
	const char *role = env("AWS_ROLE_ARN"),
		   *file = env("AWS_WEB_IDENTITY_TOKEN_FILE");
	int rc = places->profile ? 0 : from_environment(keys, why);
	if (!rc && !places->profile && role && file)
		rc = keys_from_web_identity(keys, places, role, file,
					    env("AWS_ROLE_SESSION_NAME"), why);
	if (!rc)
		rc = from_profile(keys, places, why);
	if (!rc)
		rc = keys_from_container(keys, places, why);
	if (!rc)
		rc = keys_from_instance(keys, places, why);
	if (rc > 0)
		return 0;
	if (!rc) {
		diag_set(why, "no credentials: not in the environment, a profile, a "
			      "container's endpoint or the instance's metadata");
		diag_hint(why, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or say "
			       "--profile NAME");
	}
	return -1;
}

void keys_wipe(struct keys *keys)
{
	OPENSSL_cleanse(keys, sizeof(*keys));
}

static void wipe_file(struct shared_file *file)
{
	if (file->text)
		OPENSSL_cleanse(file->text, file->size);
	free(file->text);
	file->text = NULL;
}

void places_close(struct places *places)
{
	wipe_file(&places->config);
	wipe_file(&places->credentials);
	transport_close(&places->transport);
}
