/* profile.h: AWS's shared files, ~/.aws/config and ~/.aws/credentials. Pure. */
#ifndef ELFPACK_AWS_PROFILE_H
#define ELFPACK_AWS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

/* The value of a key in [section], malloc'd; NULL: there is none. The last of several
 * counts, and indented lines belong to the key above them. */
char *profile_value(const char *text, size_t size, const char *section, const char *key);
bool profile_exists(const char *text, size_t size, const char *section);

#endif
