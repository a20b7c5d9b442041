/* credentials.h: access keys, from the places where AWS's own tools find them, in their
 * order: the environment, a web identity, the profile (keys, web identity, SSO), the
 * container's endpoint, the instance's metadata. Keys are in no message and no output. */
#ifndef ELFPACK_AWS_CREDENTIALS_H
#define ELFPACK_AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/transport.h"
#include "imgfmt/diag.h"

#define REGION_ROOM 64u

struct keys {
	char key_id[132], secret[260], token[8192]; /* token "": none */
	int64_t expires_s;                          /* since the epoch; 0: never */
	char source[256];                           /* for people: "profile ci" */
};

struct shared_file {
	char *text; /* NULL: there is none */
	size_t size;
};

struct places {
	const char *profile;  /* as given with --profile; NULL: AWS_PROFILE or default */
	const char *endpoint; /* for STS and SSO; NULL: AWS's own */
	char region[REGION_ROOM];
	struct shared_file config, credentials;
	struct transport transport; /* own: keys are renewed while blocks are sent */
};

/* Reads the shared files, and finds the region unless one is given. */
int places_open(struct places *places, const char *profile, const char *region,
		const char *endpoint, struct diag *why);
int keys_find(struct keys *keys, struct places *places, struct diag *why);
void keys_wipe(struct keys *keys);
void places_close(struct places *places);

/* For credential_places.c: each returns 1 when it found keys, 0 when there are none in
 * its place, -1 when the place is there but wrong, with *why. */
int keys_from_web_identity(struct keys *keys, struct places *places, const char *role,
			   const char *token_file, const char *session, struct diag *why);
int keys_from_sso(struct keys *keys, struct places *places, const char *profile,
		  struct diag *why);
int keys_from_container(struct keys *keys, struct places *places, struct diag *why);
int keys_from_instance(struct keys *keys, struct places *places, struct diag *why);
int region_from_instance(struct places *places);
/* The value of a profile's key, malloc'd; section NULL: the profile's own in config. */
char *places_value(const struct places *places, const char *section, const char *key);
/* A whole file, malloc'd with a NUL behind it; NULL with errno. */
char *read_whole_file(const char *path, size_t *size);

#endif
