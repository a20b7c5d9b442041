/* libcurl.c: libcurl, loaded when it is first needed. */
#include <dlfcn.h>
#include <stdbool.h>

#include "aws/libcurl.h"

#define SONAME "libcurl.so.4" /* the ABI of every version since 7.16 */

struct libcurl libcurl;

static const struct {
	const char *name;
	void *place;
} functions[] = {
#define F(name) {"curl_" #name, &libcurl.name},
	LIBCURL_FUNCTIONS(F)
#undef F
};

int libcurl_load(struct diag *why)
{
	static bool started;
	if (started)
		return 0;
	void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return diag_set(why, "libcurl is missing: %s", dlerror());
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		/* Through an object pointer, as POSIX has it of dlsym. */
		void **place = functions[i].place;
		if (!(*place = dlsym(library, functions[i].name)))
			return diag_set(why, "libcurl is too old: %s", dlerror());
	}
	if (libcurl.global_init(CURL_GLOBAL_DEFAULT))
		return diag_set(why, "libcurl does not start");
	started = true;
	return 0;
}
