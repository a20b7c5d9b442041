/* unix_name.c: names of AF_UNIX sockets: files of type socket in the job's tree, and
 * abstract names (first byte NUL), which are the job's own too. */
#include "shim/vfs/unix_socket.h"

#include "shim/lib/errno.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/vfs/path.h"

#define AUTOBIND_DIGITS 5u

static struct unix_name *name_make(const void *path, uint32_t size)
{
	struct unix_name *name = kzalloc(&job_current()->account, sizeof(*name));
	if (!name)
		return NULL;
	name->refs = 1;
	name->size = 2 + size;
	name->bytes[0] = AF_UNIX;
	memcpy(name->bytes + 2, path, size);
	return name;
}

void unix_name_put(struct unix_name *name)
{
	if (name && --name->refs == 0)
		kfree(name);
}

void unix_name_out(const struct unix_name *name, struct socket_address *out)
{
	static const uint8_t unnamed[2] = {AF_UNIX};
	out->size = name ? name->size : sizeof(unnamed);
	memcpy(out->bytes, name ? name->bytes : unnamed, out->size);
}

/* The path of an address as a string. *abstract: it is none, and has *size bytes. */
static int address_decode(const struct socket_address *address,
			  char path[UNIX_PATH_MAX + 1], uint32_t *size, bool *abstract)
{
	if (address->size < 2 || address->size > UNIX_ADDRESS_MAX ||
	    socket_address_family(address) != AF_UNIX)
		return -EINVAL;
	*size = address->size - 2;
	memcpy(path, address->bytes + 2, *size);
	path[*size] = '\0';
	*abstract = *size && path[0] == '\0';
	if (!*abstract)
		*size = (uint32_t)strlen(path);
	return 0;
}

static struct unix_socket *find_abstract(const char *path, uint32_t size)
{
	list_for_each(u, &unix_sockets, struct unix_socket, all)
		if (u->job == job_current() && u->bound && !u->vnode &&
		    u->name->size == size + 2 &&
		    memcmp(u->name->bytes + 2, path, size) == 0)
			return u;
	return NULL;
}

static int find_path(const char *path, struct unix_socket **out)
{
	struct path_context paths = process_paths(process_current());
	struct vnode *vnode;
	int rc = path_lookup(&paths, path, PATH_FOLLOW, &vnode);
	if (rc < 0)
		return rc;
	*out = NULL;
	list_for_each(u, &unix_sockets, struct unix_socket, all)
		if (u->job == job_current() && u->vnode == vnode)
			*out = u;
	vnode_put(vnode);
	return 0;
}

int unix_find(const struct socket_address *address, int type, struct unix_socket **out)
{
	char path[UNIX_PATH_MAX + 1];
	uint32_t size;
	bool abstract;
	int rc = address_decode(address, path, &size, &abstract);
	if (rc == 0 && address->size == 2)
		rc = -EINVAL;
	if (rc == 0 && abstract)
		*out = find_abstract(path, size);
	else if (rc == 0)
		rc = find_path(path, out);
	if (rc < 0)
		return rc;
	if (!*out)
		return -ECONNREFUSED;
	if ((*out)->socket.type != type)
		return -EPROTOTYPE;
	unix_get(*out);
	return 0;
}

static int bind_abstract(struct unix_socket *u, const char *path, uint32_t size)
{
	if (find_abstract(path, size))
		return -EADDRINUSE;
	u->name = name_make(path, size);
	u->bound = u->name != NULL;
	return u->bound ? 0 : -ENOMEM;
}

static int make_node(const char *path, struct vnode **out)
{
	struct process *process = process_current();
	struct path_context paths = process_paths(process);
	struct vnode_new what = {.mode = S_IFSOCK | (0777 & ~process->fs->umask)};
	struct path_parent at;
	int rc = path_parent(&paths, path, 0, &at);
	if (rc < 0)
		return rc;
	if (at.last != LAST_NAME)
		rc = -EEXIST;
	else if (at.size > NAME_MAX)
		rc = -ENAMETOOLONG;
	else if (at.slash)
		rc = -ENOENT;
	else if (!at.directory->ops->create)
		rc = -EROFS;
	else
		rc = at.directory->ops->create(at.directory, at.name, at.size, &what,
					       out);
	vnode_put(at.directory);
	return rc == -EEXIST ? -EADDRINUSE : rc;
}

static int bind_path(struct unix_socket *u, const char *path, uint32_t size)
{
	struct unix_name *name = name_make(path, size);
	if (!name)
		return -ENOMEM;
	name->size++; /* the NUL is part of it */
	int rc = make_node(path, &u->vnode);
	if (rc < 0) {
		unix_name_put(name);
		return rc;
	}
	u->name = name;
	u->bound = true;
	return 0;
}

int unix_autobind(struct unix_socket *u)
{
	char path[1 + AUTOBIND_DIGITS] = {0};
	uint64_t first = random_u64();
	if (u->name)
		return 0;
	for (uint32_t i = 0; i < 1u << (4 * AUTOBIND_DIGITS); i++) {
		for (uint32_t k = 0; k < AUTOBIND_DIGITS; k++)
			path[1 + k] = "0123456789abcdef"[(first + i) >> (4 * k) & 15];
		int rc = bind_abstract(u, path, sizeof(path));
		if (rc != -EADDRINUSE)
			return rc;
	}
	return -ENOSPC;
}

int unix_bind(struct socket *socket, const struct socket_address *address)
{
	struct unix_socket *u = unix_of(socket);
	char path[UNIX_PATH_MAX + 1];
	uint32_t size;
	bool abstract;
	int rc = address_decode(address, path, &size, &abstract);
	if (rc < 0)
		return rc;
	if (address->size == 2)
		return unix_autobind(u);
	if (u->name)
		return -EINVAL;
	return abstract ? bind_abstract(u, path, size) : bind_path(u, path, size);
}
