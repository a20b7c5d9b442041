/* fs_state.h: where relative paths begin and what new files may not have: shared by the
 * threads of a process, and by processes with CLONE_FS. Under the kernel lock. */
#ifndef SHIM_PROC_FS_STATE_H
#define SHIM_PROC_FS_STATE_H

#include <stdint.h>

#include "shim/mm/account.h"

struct vnode;

struct fs_state {
	uint32_t refs;
	uint32_t umask;
	struct vnode *cwd; /* counted */
};

/* With a reference of their own to cwd; NULL: no memory. */
struct fs_state *fs_state_make(struct account *account, struct vnode *cwd,
			       uint32_t umask);
struct fs_state *fs_state_copy(struct account *account, const struct fs_state *from);
void fs_state_put(struct fs_state *fs); /* NULL is nothing */

#endif
