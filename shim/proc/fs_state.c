/* fs_state.c: working directory and file mode creation mask, counted. */
#include "shim/proc/fs_state.h"

#include "shim/mm/kmem.h"
#include "shim/vfs/vnode.h"

struct fs_state *fs_state_make(struct account *account, struct vnode *cwd, uint32_t umask)
{
	struct fs_state *fs = kmalloc(account, sizeof(*fs));
	if (!fs)
		return NULL;
	*fs = (struct fs_state){.refs = 1, .umask = umask, .cwd = cwd};
	vnode_get(cwd);
	return fs;
}

struct fs_state *fs_state_copy(struct account *account, const struct fs_state *from)
{
	return fs_state_make(account, from->cwd, from->umask);
}

void fs_state_put(struct fs_state *fs)
{
	if (!fs || --fs->refs)
		return;
	vnode_put(fs->cwd);
	kfree(fs);
}
