/* sys/socket.c: the calls that make, name and connect sockets, for shim/net/socket.h.
 * Options are sockopt.c's, what is sent and received message.c's. */
#include "shim/sys/socketio.h"

#include "shim/proc/process.h"
#include "shim/vfs/abi.h"

int socket_of(uint64_t fd, struct file **file, struct socket **socket)
{
	*file = fdtable_lookup(process_current()->fds, (int)fd);
	if (!*file)
		return -EBADF;
	*socket = socket_of_file(*file);
	if (*socket)
		return 0;
	file_put(*file);
	return -ENOTSOCK;
}

int socket_address_in(struct socket_address *address, uaddr from, uint64_t size)
{
	if (size > SOCKET_ADDRESS_MAX)
		return -EINVAL;
	address->size = (uint32_t)size;
	return copy_from_user(address->bytes, from, size);
}

int socket_address_out(uaddr to, uaddr size_at, const struct socket_address *address)
{
	int32_t room;
	if (copy_from_user(&room, size_at, sizeof(room)) < 0)
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	uint32_t n = (uint32_t)room < address->size ? (uint32_t)room : address->size;
	if (copy_to_user(to, address->bytes, n) < 0)
		return -EFAULT;
	return copy_to_user(size_at, &address->size, sizeof(address->size));
}

/* Puts a socket in a descriptor; on failure the socket is gone. */
static long install(struct socket *socket, uint64_t flags)
{
	struct file *file = socket_file(socket, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	if (!file) {
		socket->ops->release(socket);
		return -ENOMEM;
	}
	int fd = fdtable_install(process_current()->fds, file, 0,
				 (flags & SOCK_CLOEXEC) != 0);
	if (fd < 0)
		file_put(file);
	return fd;
}

static bool type_flags_legal(uint64_t type)
{
	return (type & ~(uint64_t)(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC)) == 0;
}

long sys_socket(const struct sysargs *a)
{
	struct socket *socket;
	if (!type_flags_legal(a->arg[1]))
		return -EINVAL;
	int rc = socket_make((int)a->arg[0], (int)(a->arg[1] & SOCK_TYPE_MASK),
			     (int)a->arg[2], &socket);
	return rc < 0 ? rc : install(socket, a->arg[1]);
}

long sys_socketpair(const struct sysargs *a)
{
	struct socket *pair[2];
	int fds[2];
	if (!type_flags_legal(a->arg[1]))
		return -EINVAL;
	for (int i = 0; i < 2; i++) {
		int rc = socket_make((int)a->arg[0], (int)(a->arg[1] & SOCK_TYPE_MASK),
				     (int)a->arg[2], &pair[i]);
		if (rc == 0 && i == 1)
			rc = pair[0]->ops->pair ? pair[0]->ops->pair(pair[0], pair[1])
						: -EOPNOTSUPP;
		if (rc == 0)
			continue;
		for (int k = 0; k < i; k++)
			pair[k]->ops->release(pair[k]);
		return rc;
	}
	struct fdtable *table = process_current()->fds;
	long rc = fds[0] = (int)install(pair[0], a->arg[1]);
	if (rc < 0) {
		pair[1]->ops->release(pair[1]);
		return rc;
	}
	rc = fds[1] = (int)install(pair[1], a->arg[1]);
	if (rc >= 0)
		rc = copy_to_user(arg_user(a, 3), fds, sizeof(fds));
	if (rc < 0) {
		fdtable_close(table, fds[0]);
		if (fds[1] >= 0)
			fdtable_close(table, fds[1]);
	}
	return rc;
}

long sys_bind(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	struct socket_address address;
	int rc = socket_of(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	rc = socket_address_in(&address, arg_user(a, 1), a->arg[2]);
	if (rc == 0)
		rc = socket->ops->bind ? socket->ops->bind(socket, &address)
				       : -EOPNOTSUPP;
	file_put(file);
	return rc;
}

long sys_connect(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	struct socket_address address;
	int rc = socket_of(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	bool wait = !(file->flags & O_NONBLOCK);
	rc = socket_address_in(&address, arg_user(a, 1), a->arg[2]);
	if (rc == 0)
		rc = socket->ops->connect ? socket->ops->connect(socket, &address, wait)
					  : -EOPNOTSUPP;
	if (rc == -EINTR && !socket->send_timeout_ns)
		rc = -ERESTARTSYS;
	file_put(file);
	return rc;
}

long sys_listen(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	int rc = socket_of(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	rc = socket->ops->listen ? socket->ops->listen(socket, (int)a->arg[1])
				 : -EOPNOTSUPP;
	file_put(file);
	return rc;
}

static long accept(const struct sysargs *a, uint64_t flags)
{
	struct file *file;
	struct socket *socket, *made;
	if (flags & ~(uint64_t)(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	long rc = socket_of(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	bool wait = !(file->flags & O_NONBLOCK);
	rc = socket->ops->accept ? socket->ops->accept(socket, wait, &made) : -EOPNOTSUPP;
	if (rc == -EINTR && !socket->receive_timeout_ns)
		rc = -ERESTARTSYS;
	file_put(file);
	if (rc < 0)
		return rc;
	if (a->arg[1]) {
		struct socket_address address = {.size = 0};
		rc = made->ops->name_get(made, true, &address);
		if (rc == -ENOTCONN) /* gone again: Linux still gives the socket */
			rc = 0;
		if (rc == 0)
			rc = socket_address_out(arg_user(a, 1), arg_user(a, 2), &address);
		if (rc < 0) {
			made->ops->release(made);
			return rc;
		}
	}
	return install(made, flags);
}

long sys_accept(const struct sysargs *a)
{
	return accept(a, 0);
}

long sys_accept4(const struct sysargs *a)
{
	return accept(a, a->arg[3]);
}

static long name(const struct sysargs *a, bool peer)
{
	struct file *file;
	struct socket *socket;
	struct socket_address address = {.size = 0};
	int rc = socket_of(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	rc = socket->ops->name_get ? socket->ops->name_get(socket, peer, &address)
				   : -EOPNOTSUPP;
	if (rc == 0)
		rc = socket_address_out(arg_user(a, 1), arg_user(a, 2), &address);
	file_put(file);
	return rc;
}

long sys_getsockname(const struct sysargs *a)
{
	return name(a, false);
}

long sys_getpeername(const struct sysargs *a)
{
	return name(a, true);
}

long sys_shutdown(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	int rc = socket_of(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	rc = socket->ops->shutdown ? socket->ops->shutdown(socket, (int)a->arg[1])
				   : -EOPNOTSUPP;
	file_put(file);
	return rc;
}
