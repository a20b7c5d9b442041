/* namespaces.h: may we make the namespaces and layers that a sandbox on Linux needs? */
#ifndef ELFPACK_CLI_NAMESPACES_H
#define ELFPACK_CLI_NAMESPACES_H

#include <stdbool.h>

/* Tries it, in a process of its own, with the folder as the lower layer; scratch is an
 * empty folder beside it. */
bool namespaces_work(const char *lower, const char *scratch);

#endif
