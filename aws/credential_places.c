/* credential_places.c: access keys that are asked for over HTTP: STS for a web identity,
 * the SSO portal, a container's endpoint, the instance's metadata (version 2). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "aws/credentials.h"
#include "aws/encode.h"
#include "aws/rows.h"
#include "aws/service.h"

#define CONTAINER_HOST   "http://169.254.170.2"
#define INSTANCE_HOST    "http://169.254.169.254"
#define ANSWER_LIMIT_S   10L
#define METADATA_LIMIT_S 2L /* elsewhere than on an instance nobody answers */
#define TRIES            4u

static const char *env(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* Seconds since the epoch of 2015-08-30T12:36:00Z; 0: not read. */
static int64_t read_time(const char *text)
{
	struct tm tm = {0};
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	return end ? (int64_t)timegm(&tm) : 0;
}

/* Asks and waits, again where that may help. 0, or -1 without an answer. */
static int ask(struct places *places, struct exchange *exchange, struct diag *why)
{
	for (unsigned attempts = 1;; attempts++) {
		if (transport_start(&places->transport, exchange, why))
			return -1;
		while (!transport_wait(&places->transport, 1000))
			;
		bool lost = exchange->code != CURLE_OK;
		if ((!lost && exchange->status < 500) || attempts == TRIES ||
		    exchange->code == CURLE_COULDNT_CONNECT ||
		    exchange->code == CURLE_OPERATION_TIMEDOUT)
			return lost ? -1 : 0;
		service_pause_ms(100u << attempts);
	}
}

static int refused(const struct keys *keys, const char *what,
		   const struct exchange *exchange, struct diag *why)
{
	return exchange->code != CURLE_OK
		       ? diag_set(why, "%s: %s: %s", keys->source, what,
				  exchange->problem)
		       : diag_set(why, "%s: %s: answers %ld, without keys", keys->source,
				  what, exchange->status);
}

/* Takes keys out of a document by the paths of its members. 1 or -1. */
static int take_keys(struct keys *keys, const struct rows *rows,
		     const char *const path[4])
{
	char *to[] = {keys->key_id, keys->secret, keys->token};
	size_t room[] = {sizeof(keys->key_id), sizeof(keys->secret), sizeof(keys->token)};
	for (size_t i = 0; i < 3; i++) {
		const char *value = rows_find(rows, path[i]);
		if (!value || (size_t)snprintf(to[i], room[i], "%s", value) >= room[i] ||
		    strpbrk(value, "\r\n"))
			return -1;
	}
	const char *expires = rows_find(rows, path[3]);
	keys->expires_s = expires && strlen(expires) == 13 && !strchr(expires, '-')
				  ? strtoll(expires, NULL, 10) / 1000
				  : read_time(expires);
	return 1;
}

static int take_document(struct keys *keys, const char *what,
			 const struct exchange *exchange, const char *const path[4],
			 int (*read)(struct rows *, const char *, size_t),
			 struct diag *why)
{
	struct rows rows = {0};
	int rc = exchange->code == CURLE_OK && exchange->status == 200 &&
				 exchange->reply &&
				 !read(&rows, exchange->reply, exchange->reply_size)
			 ? take_keys(keys, &rows, path)
			 : -1;
	rows_free(&rows);
	if (exchange->reply)
		OPENSSL_cleanse(exchange->reply, exchange->reply_size);
	return rc > 0 ? rc : refused(keys, what, exchange, why);
}

static const char *const document_paths[] = {"AccessKeyId", "SecretAccessKey", "Token",
					     "Expiration"};

/* What STS says when it says no. */
static int refused_by_sts(const struct keys *keys, const char *url,
			  const struct exchange *exchange, struct diag *why)
{
	struct rows rows = {0};
	const char *code = NULL, *message = NULL;
	if (exchange->code == CURLE_OK && exchange->reply &&
	    !rows_read_xml(&rows, exchange->reply, exchange->reply_size)) {
		code = rows_find(&rows, "Error/Code");
		message = rows_find(&rows, "Error/Message");
	}
	int rc = code ? diag_set(why, "%s: AssumeRoleWithWebIdentity: %s: %s",
				 keys->source, code, message ? message : "")
		      : refused(keys, url, exchange, why);
	rows_free(&rows);
	return rc;
}

static char *identity_form(const char *role, const char *session, const char *token)
{
	char *form = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&form, &size);
	if (!to)
		return NULL;
	fputs("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=", to);
	encode_form(to, role);
	fputs("&RoleSessionName=", to);
	encode_form(to, session ? session : "elfpack");
	fputs("&WebIdentityToken=", to);
	encode_form(to, token);
	if (!fclose(to))
		return form;
	free(form);
	return NULL;
}

int keys_from_web_identity(struct keys *keys, struct places *places, const char *role,
			   const char *token_file, const char *session, struct diag *why)
{
	static const char result[] = "AssumeRoleWithWebIdentityResult/Credentials/";
	static const struct sigv4_header type = {
		"content-type", "application/x-www-form-urlencoded; charset=utf-8"};
	char url[SERVICE_URL_ROOM], path[4][96];
	const char *names[] = {"AccessKeyId", "SecretAccessKey", "SessionToken",
			       "Expiration"},
		   *paths[4];
	size_t size = 0;
	char *token = read_whole_file(token_file, &size);
	snprintf(keys->source, sizeof(keys->source), "web identity");
	if (!token)
		return diag_errno(why, "%s: %s", keys->source, token_file);
	token[strcspn(token, "\r\n")] = '\0';
	char *form = identity_form(role, session, token);
	service_url(url, "sts", places->region, places->endpoint, "/");
	struct exchange exchange = {.method = "POST",
				    .url = url,
				    .headers = &type,
				    .header_count = 1,
				    .body = form,
				    .body_size = form ? strlen(form) : 0,
				    .limit_s = ANSWER_LIMIT_S};
	for (size_t i = 0; i < 4; i++) {
		snprintf(path[i], sizeof(path[i]), "%s%s", result, names[i]);
		paths[i] = path[i];
	}
	int rc = form ? 0 : diag_set(why, "out of memory");
	if (!rc && (ask(places, &exchange, why) || exchange.status != 200))
		rc = refused_by_sts(keys, url, &exchange, why);
	if (!rc)
		rc = take_document(keys, url, &exchange, paths, rows_read_xml, why);
	exchange_free(&exchange);
	OPENSSL_cleanse(token, size);
	free(token);
	free(form);
	return rc;
}

/* The file where `aws sso login` left its token: named by the SHA-1 of the session's
 * name, or of the start URL in profiles of the older kind. */
static char *sso_cache_path(const char *of)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	char hex[41] = "", *path = NULL;
	const char *home = env("HOME");
	if (!home || EVP_Digest(of, strlen(of), digest, &size, EVP_sha1(), NULL) != 1)
		return NULL;
	for (unsigned i = 0; i < 20; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return asprintf(&path, "%s/.aws/sso/cache/%s.json", home, hex) < 0 ? NULL : path;
}

struct sso {
	char *session, *start_url, *region, *account, *role;
};

static void sso_read(struct sso *sso, const struct places *places)
{
	char *section = NULL;
	sso->session = places_value(places, NULL, "sso_session");
	if (sso->session && asprintf(&section, "sso-session %s", sso->session) < 0)
		section = NULL;
	sso->start_url = places_value(places, section, "sso_start_url");
	sso->region = places_value(places, section, "sso_region");
	sso->account = places_value(places, NULL, "sso_account_id");
	sso->role = places_value(places, NULL, "sso_role_name");
	free(section);
}

static int ask_portal(struct keys *keys, struct places *places, const struct sso *sso,
		      const char *token, struct diag *why)
{
	static const char *const paths[] = {
		"roleCredentials/accessKeyId", "roleCredentials/secretAccessKey",
		"roleCredentials/sessionToken", "roleCredentials/expiration"};
	const struct sigv4_header header = {"x-amz-sso_bearer_token", token};
	char url[SERVICE_URL_ROOM], *target = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&target, &size);
	if (!to)
		return diag_set(why, "out of memory");
	fputs("/federation/credentials?role_name=", to);
	encode_percent(to, sso->role, "");
	fputs("&account_id=", to);
	encode_percent(to, sso->account, "");
	if (fclose(to))
		return diag_set(why, "out of memory");
	service_url(url, "portal.sso", sso->region, places->endpoint, target);
	free(target);
	struct exchange exchange = {.method = "GET",
				    .url = url,
				    .headers = &header,
				    .header_count = 1,
				    .limit_s = ANSWER_LIMIT_S};
	ask(places, &exchange, why);
	int rc = take_document(keys, "SSO portal", &exchange, paths, rows_read_json, why);
	exchange_free(&exchange);
	return rc;
}

int keys_from_sso(struct keys *keys, struct places *places, const char *profile,
		  struct diag *why)
{
	struct sso sso = {0};
	struct rows rows = {0};
	size_t size = 0;
	sso_read(&sso, places);
	int rc = 0;
	if (sso.start_url && sso.region && sso.account && sso.role) {
		char *path = sso_cache_path(sso.session ? sso.session : sso.start_url);
		char *text = path ? read_whole_file(path, &size) : NULL;
		const char *token = text && !rows_read_json(&rows, text, size)
					    ? rows_find(&rows, "accessToken")
					    : NULL;
		if (token && read_time(rows_find(&rows, "expiresAt")) > time(NULL))
			rc = ask_portal(keys, places, &sso, token, why);
		else
			rc = diag_set(why,
				      "%s: the SSO session is over, or was never begun",
				      keys->source);
		if (rc < 0)
			diag_hint(why, "aws sso login --profile %s", profile);
		if (text)
			OPENSSL_cleanse(text, size);
		free(text);
		free(path);
	}
	rows_free(&rows);
	free(sso.session);
	free(sso.start_url);
	free(sso.region);
	free(sso.account);
	free(sso.role);
	return rc;
}

/* Keys are asked for without TLS only where the question does not leave the machine. */
static bool is_local(const char *url)
{
	static const char *const hosts[] = {"localhost", "[::1]", "169.254.170.2",
					    "169.254.170.23", "[fd00:ec2::23]"};
	if (strncmp(url, "https://", 8) == 0)
		return true;
	if (strncmp(url, "http://", 7) != 0)
		return false;
	const char *host = url + 7;
	size_t size = *host == '[' ? strcspn(host, "]/") + 1 : strcspn(host, ":/");
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (strlen(hosts[i]) == size && memcmp(host, hosts[i], size) == 0)
			return true;
	return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == size;
}

int keys_from_container(struct keys *keys, struct places *places, struct diag *why)
{
	const char *relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
		   *full = env("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
		   *token_file = env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
		   *token = env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	char url[SERVICE_URL_ROOM], *read = NULL;
	size_t size = 0;
	snprintf(keys->source, sizeof(keys->source), "container's credentials");
	if (!relative && !full)
		return 0;
	snprintf(url, sizeof(url), "%s%s", relative ? CONTAINER_HOST : "",
		 relative ? relative : full);
	if (!is_local(url))
		return diag_set(why,
				"AWS_CONTAINER_CREDENTIALS_FULL_URI: %s is neither "
				"https nor on this machine",
				url);
	if (token_file && !(read = read_whole_file(token_file, &size)))
		return diag_errno(why, "%s: %s", keys->source, token_file);
	if (read) {
		read[strcspn(read, "\r\n")] = '\0';
		token = read;
	}
	const struct sigv4_header header = {"authorization", token};
	struct exchange exchange = {.method = "GET",
				    .url = url,
				    .headers = &header,
				    .header_count = token ? 1 : 0,
				    .limit_s = ANSWER_LIMIT_S,
				    .no_proxy = true};
	ask(places, &exchange, why);
	int rc = take_document(keys, url, &exchange, document_paths, rows_read_json, why);
	exchange_free(&exchange);
	free(read);
	return rc;
}

/* One question to the instance's metadata service; malloc'd, NULL: no answer. */
static char *ask_instance(struct places *places, const char *method, const char *path,
			  const char *name, const char *value)
{
	struct diag ignored = {0};
	char url[SERVICE_URL_ROOM], *reply = NULL;
	const char *host = env("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
		   *off = env("AWS_EC2_METADATA_DISABLED");
	if (off && strcasecmp(off, "true") == 0)
		return NULL;
	snprintf(url, sizeof(url), "%s%s", host ? host : INSTANCE_HOST, path);
	const struct sigv4_header header = {name, value};
	struct exchange exchange = {.method = method,
				    .url = url,
				    .headers = &header,
				    .header_count = 1,
				    .limit_s = METADATA_LIMIT_S,
				    .no_proxy = true};
	if (!ask(places, &exchange, &ignored) && exchange.status == 200) {
		reply = exchange.reply;
		exchange.reply = NULL;
	}
	exchange_free(&exchange);
	return reply;
}

static char *begin_session(struct places *places)
{
	return ask_instance(places, "PUT", "/latest/api/token",
			    "x-aws-ec2-metadata-token-ttl-seconds", "300");
}

static char *ask_in_session(struct places *places, const char *session, const char *path)
{
	return ask_instance(places, "GET", path, "x-aws-ec2-metadata-token", session);
}

int region_from_instance(struct places *places)
{
	char *session = begin_session(places);
	char *region = session ? ask_in_session(places, session,
						"/latest/meta-data/placement/region")
			       : NULL;
	int found = region && strlen(region) < REGION_ROOM;
	if (found)
		snprintf(places->region, sizeof(places->region), "%s", region);
	free(session);
	free(region);
	return found;
}

int keys_from_instance(struct keys *keys, struct places *places, struct diag *why)
{
	static const char folder[] = "/latest/meta-data/iam/security-credentials/";
	struct rows rows = {0};
	char *path = NULL, *text = NULL, *session = begin_session(places);
	char *role = session ? ask_in_session(places, session, folder) : NULL;
	snprintf(keys->source, sizeof(keys->source), "instance's role");
	if (role) {
		role[strcspn(role, "\r\n")] = '\0';
		if (asprintf(&path, "%s%s", folder, role) < 0)
			path = NULL;
	}
	if (path)
		text = ask_in_session(places, session, path);
	int rc = 0;
	if (role)
		rc = text && !rows_read_json(&rows, text, strlen(text))
			     ? take_keys(keys, &rows, document_paths)
			     : -1;
	if (rc < 0)
		diag_set(why, "%s %s: the instance's metadata has no keys of it",
			 keys->source, role);
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	rows_free(&rows);
	free(text);
	free(path);
	free(role);
	free(session);
	return rc;
}
