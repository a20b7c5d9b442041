/* sys/nameio.c: from a *at call's arguments to the file they name. */
#include "shim/sys/nameio.h"

#include "shim/lib/errno.h"
#include "shim/proc/process.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/path.h"

int path_context_at(int directory, const char *path, struct path_context *out,
		    struct file **base)
{
	*base = NULL;
	*out = process_paths(process_current());
	if (*path == '\0')
		return -ENOENT;
	if (*path == '/' || directory == AT_FDCWD)
		return 0;
	struct file *file = fdtable_lookup(process_current()->fds, directory);
	if (!file)
		return -EBADF;
	if (!file->vnode || !vnode_is_directory(file->vnode) ||
	    file->vnode->root != out->root) {
		file_put(file);
		return -ENOTDIR;
	}
	*base = file;
	out->cwd = file->vnode;
	return 0;
}

int name_vnode(int directory, uaddr user_path, unsigned at_flags, struct vnode **out)
{
	struct path_text path;
	struct path_context context;
	struct file *base = NULL;
	int rc = path_text_get(&path, user_path);
	if (rc < 0)
		return rc;
	if (path.text[0] == '\0' && (at_flags & AT_EMPTY_PATH) && directory != AT_FDCWD) {
		struct file *file = fdtable_lookup(process_current()->fds, directory);
		rc = !file ? -EBADF : file->vnode ? 0 : -ENOENT;
		if (rc == 0) {
			*out = file->vnode;
			vnode_get(*out);
		}
		if (file)
			file_put(file);
	} else if (path.text[0] == '\0' && (at_flags & AT_EMPTY_PATH)) {
		*out = process_current()->fs->cwd;
		vnode_get(*out);
	} else {
		rc = path_context_at(directory, path.text, &context, &base);
		if (rc == 0)
			rc = path_lookup(&context, path.text,
					 at_flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW,
					 out);
	}
	if (base)
		file_put(base);
	path_text_put(&path);
	return rc;
}
