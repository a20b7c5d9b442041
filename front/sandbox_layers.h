/* sandbox_layers.h: the files that a job sees on Linux: where namespaces are allowed, an
 * overlay over the root with a tmpfs of its own above; elsewhere a fresh directory. */
#ifndef ELFPACK_FRONT_SANDBOX_LAYERS_H
#define ELFPACK_FRONT_SANDBOX_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#define LAYERS_NAME_ROOM 64u

/* Namespaces for front itself, below which jobs get theirs. Returns whether they are
 * allowed here. */
bool layers_prepare(const char *root);

/* Makes a job's directory, whose name goes to directory, of LAYERS_NAME_ROOM bytes: ""
 * when none was made. *root_fd is the root that the job will see. Returns 0 or -errno. */
int layers_make(char *directory, uint64_t file_bytes, int *root_fd);
int layers_make_directory(char *directory, int *root_fd);

void layers_remove(const char *directory);
void layers_remove_directory(const char *directory);

#endif
