/* request_map.h: what request.c (heads), request_route.c and request_body.c share. */
#ifndef ELFPACK_FRONT_REQUEST_MAP_H
#define ELFPACK_FRONT_REQUEST_MAP_H

#include "front/request.h"

/* Notes why the request is refused; about may be NULL. Returns -status. */
int request_refuse(struct request *request, int status, const char *why,
		   const char *about);

/* Notes the request's route, and the methods that it allows. path is size bytes, not
 * decoded; admin: it came by the admin port. 0 or -status. */
int request_find_route(struct request *request, const struct http_head *head,
		       const char *path, size_t size, const struct image *image,
		       bool admin);

/* What the controls say about the result and the time for it. */
void request_apply_controls(struct request *request, const struct limits *limits);

/* Are these globs of files that can be returned, and with those there are already not too
 * many? 0 or -status. */
int request_check_outs(struct request *request, char *const *outs, size_t count,
		       const struct limits *limits);

/* Sets variables in an environment of *count entries, each replaced where it is there. 0
 * or -status. */
int request_set_env(struct request *request, const struct image *image, char **envp,
		    size_t *count, char *const *entries, size_t entry_count);

/* Are arguments within the image's policy? 0 or -403. */
int request_check_policy(struct request *request, const struct image *image,
			 char *const *args, size_t count);

#endif
