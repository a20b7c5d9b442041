/* socket.c: open files over sockets, and what is the same for every family: making them,
 * blocking, time limits and restarts. */
#include "shim/net/socket.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/proc/process.h"
#include "shim/proc/wait.h"
#include "shim/sys/sys.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/vnode.h"

static const struct socket_family *const families[] = {&inet_family, &unix_family};

int socket_make(int family, int type, int protocol, struct socket **out)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i]->family == family)
			return families[i]->make(type, protocol, out);
	return -EAFNOSUPPORT;
}

uint64_t socket_deadline_ns(uint64_t timeout_ns)
{
	return timeout_ns ? clock_now_ns() + timeout_ns : WAIT_FOREVER;
}

/* A signal restarts the call unless it has a time limit (signal(7)). */
static long interrupted(long result, uint64_t timeout_ns)
{
	return result == -EINTR && !timeout_ns ? -ERESTARTSYS : result;
}

long socket_send(struct socket *socket, struct socket_message *message)
{
	if (!socket->ops->send)
		return -EOPNOTSUPP;
	return interrupted(socket->ops->send(socket, message), socket->send_timeout_ns);
}

long socket_receive(struct socket *socket, struct socket_message *message)
{
	if (!socket->ops->receive)
		return -EOPNOTSUPP;
	return interrupted(socket->ops->receive(socket, message),
			   socket->receive_timeout_ns);
}

static uint32_t dont_wait(const struct file *file, const struct uio *uio)
{
	return file_io_flags(file, uio) & O_NONBLOCK ? MSG_DONTWAIT : 0;
}

static long socket_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct socket_message message = {.uio = uio, .flags = dont_wait(file, uio)};
	(void)pos;
	return uio->left ? socket_receive(file->data, &message) : 0;
}

static long socket_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	struct socket_message message = {.uio = uio, .flags = dont_wait(file, uio)};
	(void)pos;
	return socket_send(file->data, &message);
}

static uint32_t socket_poll(struct file *file, struct poll_table *table)
{
	struct socket *socket = file->data;
	return socket->ops->poll(socket, table);
}

static long socket_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
	struct socket *socket = file->data;
	return socket->ops->ioctl ? socket->ops->ioctl(socket, command, argument)
				  : -ENOTTY;
}

static int socket_stat(struct file *file, struct stat_values *out)
{
	(void)file;
	*out = (struct stat_values){
		.mode = S_IFSOCK | 0777, .links = 1, .block_size = 4096};
	return 0;
}

static void socket_release(struct file *file)
{
	struct socket *socket = file->data;
	socket->ops->release(socket);
}

static const struct file_ops socket_file_ops = {
	.name = "socket",
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.async = FILE_ASYNC_SOCKET,
	.ioctl = socket_ioctl,
	.stat = socket_stat,
	.release = socket_release,
};

struct file *socket_file(struct socket *socket, uint32_t flags)
{
	return file_make(&job_current()->account, &socket_file_ops, O_RDWR | flags,
			 socket);
}

struct socket *socket_of_file(const struct file *file)
{
	return file->ops == &socket_file_ops ? file->data : NULL;
}
