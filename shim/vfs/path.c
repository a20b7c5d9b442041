/* path.c: walking paths: components, links, "..". path_open.c opens what is found. */
#include "shim/vfs/path_walk.h"

#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"

static void step_to(struct walk *walk, struct vnode *vnode)
{
	vnode_put(walk->at);
	walk->at = vnode;
}

/* To where a link leads, or to one more name. */
static int step_far(struct walk *walk, struct vnode *vnode)
{
	if ((walk->flags & PATH_NO_XDEV) && vnode->ops != walk->at->ops) {
		vnode_put(vnode);
		return -EXDEV;
	}
	step_to(walk, vnode);
	return 0;
}

static int step_to_top(struct walk *walk)
{
	if (walk->flags & PATH_BENEATH)
		return -EXDEV;
	vnode_get(walk->top);
	return step_far(walk, walk->top);
}

/* The links of /proc that lead to an object itself; "self" is but short for a name. */
static int enter_object(struct walk *walk, struct vnode *link)
{
	bool magic = link->parent && !link->parent->mount;
	struct vnode *to;
	if (magic && (walk->flags & PATH_NO_MAGIC))
		return -ELOOP;
	if (magic && (walk->flags & (PATH_BENEATH | PATH_IN_ROOT)))
		return -EXDEV;
	int rc = link->ops->follow(link, &to);
	return rc < 0 ? rc : step_far(walk, to);
}

/* Leaves texts that are used up. */
static void leave_finished(struct walk *walk)
{
	for (;;) {
		while (walk->path < walk->end && *walk->path == '/')
			walk->path++;
		if (walk->path < walk->end || walk->depth == 0)
			return;
		walk->depth--;
		vnode_put(walk->outer[walk->depth].link);
		walk->path = walk->outer[walk->depth].rest;
		walk->end = walk->outer[walk->depth].end;
	}
}

/* The next component; false at the end. *last: no other follows it. */
static bool next_component(struct walk *walk, const char **name, size_t *size, bool *last)
{
	leave_finished(walk);
	const char *start = walk->path, *at = start;
	if (at == walk->end)
		return false;
	while (at < walk->end && *at != '/')
		at++;
	*name = start;
	*size = (size_t)(at - start);
	walk->path = at;
	/* Is there anything but slashes in this text and in those outside of it? */
	const char *rest = at, *end = walk->end;
	unsigned depth = walk->depth;
	walk->slash = false;
	for (;;) {
		while (rest < end && *rest == '/') {
			walk->slash = true;
			rest++;
		}
		if (rest < end || depth == 0)
			break;
		depth--;
		rest = walk->outer[depth].rest;
		end = walk->outer[depth].end;
	}
	*last = rest == end;
	return true;
}

int walk_enter_link(struct walk *walk, struct vnode *link)
{
	size_t size;
	if (walk->flags & PATH_NO_SYMLINKS)
		return -ELOOP;
	if (walk->links++ >= SYMLINKS_MAX)
		return -ELOOP;
	if (link->ops->follow)
		return enter_object(walk, link);
	const char *text = link->ops->link_text(link, &size);
	if (!text || size == 0)
		return -ENOENT;
	vnode_get(link);
	walk->outer[walk->depth].link = link;
	walk->outer[walk->depth].rest = walk->path;
	walk->outer[walk->depth].end = walk->end;
	walk->depth++;
	walk->path = text;
	walk->end = text + size;
	return *text == '/' ? step_to_top(walk) : 0;
}

static bool is_dot(const char *name, size_t size)
{
	return size == 1 && name[0] == '.';
}
static bool is_dot_dot(const char *name, size_t size)
{
	return size == 2 && name[0] == '.' && name[1] == '.';
}

static int step_component(struct walk *walk, const char *name, size_t size, bool follow)
{
	struct vnode *next;
	if (!vnode_is_directory(walk->at))
		return -ENOTDIR;
	if (is_dot(name, size))
		return 0;
	if (is_dot_dot(name, size)) {
		next = walk->at->parent;
		if (!next || walk->at == walk->top)
			return walk->flags & PATH_BENEATH ? -EXDEV : 0;
		vnode_get(next);
		return step_far(walk, next);
	}
	int rc = walk->at->ops->lookup(walk->at, name, size, &next);
	if (rc < 0)
		return rc;
	if (mode_is(next->mode, S_IFLNK) && follow) {
		rc = walk_enter_link(walk, next);
		vnode_put(next);
		return rc;
	}
	return step_far(walk, next);
}

void walk_end(struct walk *walk)
{
	while (walk->depth > 0)
		vnode_put(walk->outer[--walk->depth].link);
}

int walk_start(struct walk *walk, const struct path_context *context, const char *path,
	       unsigned flags)
{
	walk->context = context;
	walk->flags = flags;
	walk->path = path;
	walk->end = path + strlen(path);
	walk->links = walk->depth = 0;
	walk->slash = false;
	bool inside = flags & (PATH_BENEATH | PATH_IN_ROOT);
	walk->top = inside ? context->cwd : rootfs_vnode(context->root);
	walk->at = *path == '/' ? walk->top : context->cwd;
	if (*path == '/' && (flags & PATH_BENEATH))
		return -EXDEV;
	if (*path == '\0')
		return -ENOENT;
	if (walk->end - path >= PATH_MAX)
		return -ENAMETOOLONG;
	vnode_get(walk->at);
	return 0;
}

int path_lookup(const struct path_context *context, const char *path, unsigned flags,
		struct vnode **out)
{
	struct walk walk;
	const char *name;
	size_t size;
	bool last;
	int rc = walk_start(&walk, context, path, flags);
	if (rc < 0)
		return rc;
	while (rc == 0 && next_component(&walk, &name, &size, &last)) {
		bool slash = walk.slash;
		rc = step_component(&walk, name, size,
				    !last || slash || (flags & PATH_FOLLOW));
		leave_finished(&walk);
		if (rc == 0 && slash && walk.path == walk.end &&
		    !vnode_is_directory(walk.at))
			rc = -ENOTDIR;
	}
	if (rc == 0 && (flags & PATH_NO_SYMLINKS) && mode_is(walk.at->mode, S_IFLNK))
		rc = -ELOOP;
	walk_end(&walk);
	if (rc < 0)
		vnode_put(walk.at);
	else
		*out = walk.at;
	return rc;
}

int walk_to_parent(struct walk *walk, struct path_parent *out)
{
	const char *name;
	size_t size;
	bool last;
	out->last = LAST_ROOT;
	while (next_component(walk, &name, &size, &last)) {
		if (last) {
			out->name = name;
			out->size = size;
			out->slash = walk->slash;
			out->last = is_dot(name, size)       ? LAST_DOT
				    : is_dot_dot(name, size) ? LAST_DOT_DOT
							     : LAST_NAME;
			return vnode_is_directory(walk->at) ? 0 : -ENOTDIR;
		}
		int rc = step_component(walk, name, size, true);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int path_parent(const struct path_context *context, const char *path, unsigned flags,
		struct path_parent *out)
{
	struct walk walk;
	int rc = walk_start(&walk, context, path, flags);
	if (rc < 0)
		return rc;
	rc = walk_to_parent(&walk, out);
	/* The last component is of the path itself: texts of links before it are used up.
	 */
	walk_end(&walk);
	if (rc < 0)
		vnode_put(walk.at);
	else
		out->directory = walk.at;
	return rc;
}

int path_make_parents(const struct path_context *context, const char *path)
{
	struct vnode *at = *path == '/' ? rootfs_vnode(context->root) : context->cwd,
		     *next;
	struct vnode_new what = {.mode = S_IFDIR | 0755};
	vnode_get(at);
	int rc = 0;
	while (rc == 0) {
		while (*path == '/')
			path++;
		const char *end = strchr(path, '/');
		size_t size = end ? (size_t)(end - path) : 0;
		if (!end)
			break;
		if (is_dot(path, size)) {
			path = end;
			continue;
		}
		if (is_dot_dot(path, size) || size > NAME_MAX) {
			rc = size > NAME_MAX ? -ENAMETOOLONG : -EINVAL;
			break;
		}
		rc = at->ops->lookup ? at->ops->lookup(at, path, size, &next) : -ENOTDIR;
		if (rc == -ENOENT && at->ops->create)
			rc = at->ops->create(at, path, size, &what, &next);
		if (rc == 0) {
			vnode_put(at);
			at = next;
			rc = mode_is(at->mode, S_IFLNK) ? -ELOOP
			     : vnode_is_directory(at)   ? 0
							: -ENOTDIR;
		}
		path = end;
	}
	vnode_put(at);
	return rc;
}

int vnode_path(struct rootfs *root, struct vnode *vnode, char *out, size_t room)
{
	char *at = out + room;
	const struct vnode *top = rootfs_vnode(root);
	if (room < 2)
		return -ERANGE;
	*--at = '\0';
	for (const struct vnode *v = vnode; v != top; v = v->parent) {
		if (v->unlinked || !v->parent)
			return -ENOENT;
		if ((size_t)(at - out) < v->name_size + 1u)
			return -ERANGE;
		at -= v->name_size;
		memcpy(at, v->name, v->name_size);
		*--at = '/';
	}
	if (*at == '\0')
		*--at = '/';
	memmove(out, at, (size_t)(out + room - at));
	return 0;
}

int path_text_get(struct path_text *path, uaddr from)
{
	path->large = NULL;
	path->text = path->small;
	long size = copy_string_from_user(path->small, from, sizeof(path->small));
	if (size != -ENAMETOOLONG)
		return size < 0 ? (int)size : 0;
	path->large = kmalloc(&job_current()->account, PATH_MAX);
	if (!path->large)
		return -ENOMEM;
	path->text = path->large;
	size = copy_string_from_user(path->large, from, PATH_MAX);
	if (size >= 0)
		return 0;
	path_text_put(path);
	return (int)size;
}

void path_text_put(struct path_text *path)
{
	kfree(path->large);
	path->large = NULL;
}
