/* libcurl.h: the functions of libcurl that transport.c calls, found when it opens:
 * loading libcurl and the thirty libraries it stands on takes longer than most commands
 * run, and only publish speaks HTTP. */
#ifndef ELFPACK_AWS_LIBCURL_H
#define ELFPACK_AWS_LIBCURL_H

#include <curl/curl.h>

#include "imgfmt/diag.h"

/* clang-format off */
#define LIBCURL_FUNCTIONS(F) \
	F(global_init) F(easy_init) F(easy_reset) F(easy_setopt) F(easy_getinfo) F(easy_strerror) \
	F(easy_cleanup) F(slist_append) F(slist_free_all) \
	F(multi_init) F(multi_setopt) F(multi_add_handle) F(multi_remove_handle) \
	F(multi_perform) F(multi_poll) F(multi_info_read) F(multi_cleanup)
/* clang-format on */

/* curl_easy_init is libcurl.easy_init, and so on; all NULL before libcurl_load. */
struct libcurl {
#define F(name) __typeof__(curl_##name) *name;
	LIBCURL_FUNCTIONS(F)
#undef F
};

extern struct libcurl libcurl;

/* Loads and starts libcurl, once. 0, or -1 with why when there is none that fits. */
int libcurl_load(struct diag *why);

#endif
