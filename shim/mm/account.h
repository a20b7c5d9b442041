/* account.h: who pays for memory. Every page in use is charged to one account: the
 * kernel's, or a job's. An account that reaches its limit gets no more; when a job has
 * been taken apart its account must be at zero, which proc/job.c checks. All fields are
 * under the kernel lock. */
#ifndef SHIM_MM_ACCOUNT_H
#define SHIM_MM_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/lib/list.h"

/* Size classes of kmem.c: 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048 bytes.
 */
#define KMEM_CLASSES 12u

struct account {
	const char *name;
	uint64_t limit_pages;
	uint64_t used_pages;
	uint64_t peak_pages;
	bool uses_reserve; /* the kernel's and front's: may take the last pages */
	bool refused;      /* a page was refused since the account was made */
	struct list slabs[KMEM_CLASSES]; /* kmem.c: pages with room, by size class */
};

extern struct account kernel_account; /* limit: all of memory */

void account_init(struct account *account, const char *name, uint64_t limit_pages);

#endif
