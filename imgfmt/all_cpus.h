/* all_cpus.h: one work by as many threads as there are CPUs. */
#ifndef ELFPACK_ALL_CPUS_H
#define ELFPACK_ALL_CPUS_H

#include <stddef.h>

/* Calls work(context) on this thread and others, most of them at most, at the same time;
 * returns when all have. Where no thread can be started this one does it all. */
void on_all_cpus(void *(*work)(void *), void *context, size_t most);

#endif
