/* socket.c: the socket calls: they unpack addresses and messages for shim/net/socket.h.
 */
#include "shim/net/socket.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/sys/time.h"
#include "shim/vfs/abi.h"

/* A descriptor's socket, with a reference to its file. */
static int socket_get(uint64_t fd, struct file **file, struct socket **socket)
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

static int address_in(struct socket_address *address, uaddr from, uint64_t size)
{
	if (size > SOCKET_ADDRESS_MAX)
		return -EINVAL;
	address->size = (uint32_t)size;
	return copy_from_user(address->bytes, from, size);
}

/* As accept(2): at most the room that *size_at says; then *size_at is the whole size. */
static int address_out(uaddr to, uaddr size_at, const struct socket_address *address)
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
	int rc = socket_get(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	rc = address_in(&address, arg_user(a, 1), a->arg[2]);
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
	int rc = socket_get(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	bool wait = !(file->flags & O_NONBLOCK);
	rc = address_in(&address, arg_user(a, 1), a->arg[2]);
	if (rc == 0)
		rc = socket->ops->connect ? socket->ops->connect(socket, &address, wait)
					  : -EOPNOTSUPP;
	file_put(file);
	return rc;
}

long sys_listen(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	int rc = socket_get(a->arg[0], &file, &socket);
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
	long rc = socket_get(a->arg[0], &file, &socket);
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
			rc = address_out(arg_user(a, 1), arg_user(a, 2), &address);
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
	int rc = socket_get(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	rc = socket->ops->name_get ? socket->ops->name_get(socket, peer, &address)
				   : -EOPNOTSUPP;
	if (rc == 0)
		rc = address_out(arg_user(a, 1), arg_user(a, 2), &address);
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
	int rc = socket_get(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	rc = socket->ops->shutdown ? socket->ops->shutdown(socket, (int)a->arg[1])
				   : -EOPNOTSUPP;
	file_put(file);
	return rc;
}

/* Options. */

#define OPTION_MAX 256u
enum { OPTION_SECOND_NS = 1000000000, OPTION_MICROSECOND_NS = 1000 };

static int timeout_in(uint64_t *timeout_ns, const uint8_t *value, uint32_t size)
{
	int64_t pair[2];
	if (size < sizeof(pair))
		return -EINVAL;
	memcpy(pair, value, sizeof(pair));
	if (pair[1] < 0 || pair[1] >= 1000000)
		return -EDOM;
	if (pair[0] < 0 || pair[0] > INT64_MAX / OPTION_SECOND_NS / 2)
		*timeout_ns = 0;
	else
		*timeout_ns = (uint64_t)pair[0] * OPTION_SECOND_NS +
			      (uint64_t)pair[1] * OPTION_MICROSECOND_NS;
	return 0;
}

static int option_set(struct socket *socket, int level, int option, const uint8_t *value,
		      uint32_t size)
{
	if (level == SOL_SOCKET && option == SO_RCVTIMEO)
		return timeout_in(&socket->receive_timeout_ns, value, size);
	if (level == SOL_SOCKET && option == SO_SNDTIMEO)
		return timeout_in(&socket->send_timeout_ns, value, size);
	if (!socket->ops->option_set)
		return -ENOPROTOOPT;
	return socket->ops->option_set(socket, level, option, value, size);
}

long sys_setsockopt(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	uint8_t value[OPTION_MAX];
	int64_t size = (int32_t)a->arg[4];
	int rc = socket_get(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	if (size < 0)
		rc = -EINVAL;
	if (size > (int64_t)sizeof(value))
		size = sizeof(value);
	if (rc == 0)
		rc = copy_from_user(value, arg_user(a, 3), (size_t)size);
	if (rc == 0)
		rc = option_set(socket, (int)a->arg[1], (int)a->arg[2], value,
				(uint32_t)size);
	file_put(file);
	return rc;
}

static void timeout_out(uint64_t timeout_ns, uint8_t *value, uint32_t *size)
{
	int64_t pair[2] = {
		(int64_t)(timeout_ns / OPTION_SECOND_NS),
		(int64_t)(timeout_ns % OPTION_SECOND_NS / OPTION_MICROSECOND_NS)};
	if (*size > sizeof(pair))
		*size = sizeof(pair);
	memcpy(value, pair, *size);
}

static int option_get(struct socket *socket, int level, int option, uint8_t *value,
		      uint32_t *size)
{
	int32_t number;
	if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO)) {
		timeout_out(option == SO_RCVTIMEO ? socket->receive_timeout_ns
						  : socket->send_timeout_ns,
			    value, size);
		return 0;
	}
	if (level == SOL_SOCKET && option == SO_TYPE)
		number = socket->type;
	else if (level == SOL_SOCKET && option == SO_DOMAIN)
		number = socket->family;
	else if (level == SOL_SOCKET && option == SO_PROTOCOL)
		number = socket->protocol;
	else
		return socket->ops->option_get
			       ? socket->ops->option_get(socket, level, option, value,
							 size)
			       : -ENOPROTOOPT;
	if (*size > sizeof(number))
		*size = sizeof(number);
	memcpy(value, &number, *size);
	return 0;
}

long sys_getsockopt(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	uint8_t value[OPTION_MAX] = {0};
	int32_t room;
	int rc = socket_get(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	rc = copy_from_user(&room, arg_user(a, 4), sizeof(room));
	if (rc == 0 && room < 0)
		rc = -EINVAL;
	uint32_t size = rc < 0                        ? 0
			: (uint32_t)room < OPTION_MAX ? (uint32_t)room
						      : OPTION_MAX;
	if (rc == 0)
		rc = option_get(socket, (int)a->arg[1], (int)a->arg[2], value, &size);
	if (rc == 0)
		rc = copy_to_user(arg_user(a, 3), value, size);
	if (rc == 0)
		rc = copy_to_user(arg_user(a, 4), &size, sizeof(size));
	file_put(file);
	return rc;
}

/* Moving bytes. */

static uint32_t with_file_flags(const struct file *file, uint64_t flags)
{
	return (uint32_t)flags | (file->flags & O_NONBLOCK ? MSG_DONTWAIT : 0);
}

long sys_sendto(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	struct socket_address address = {.size = 0};
	struct uio uio;
	struct uio_segment segment;
	long rc = socket_get(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	uio_user(&uio, &segment, arg_user(a, 1), a->arg[2]);
	struct socket_message message = {.uio = &uio,
					 .flags = with_file_flags(file, a->arg[3])};
	if (a->arg[4]) {
		rc = address_in(&address, arg_user(a, 4), a->arg[5]);
		message.address = &address;
	}
	if (rc == 0)
		rc = socket_send(socket, &message);
	file_put(file);
	return rc;
}

long sys_recvfrom(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	struct socket_address address = {.size = 0};
	struct uio uio;
	struct uio_segment segment;
	long rc = socket_get(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	uio_user(&uio, &segment, arg_user(a, 1), a->arg[2]);
	struct socket_message message = {.uio = &uio,
					 .flags = with_file_flags(file, a->arg[3]),
					 .address = a->arg[4] ? &address : NULL};
	rc = socket_receive(socket, &message);
	if (rc >= 0 && a->arg[4] &&
	    address_out(arg_user(a, 4), arg_user(a, 5), &address) < 0)
		rc = -EFAULT;
	file_put(file);
	return rc;
}

/* struct msghdr (recvmsg(2)). */
struct message_header {
	uint64_t name;
	uint32_t name_size, padding;
	uint64_t vector, count, control, control_size;
	uint32_t flags, padding_end;
};
_Static_assert(sizeof(struct message_header) == 56, "Linux ABI");

/* Reads the pieces of a message; *out is to be freed. */
static int vector_in(const struct message_header *header, struct uio *uio,
		     struct uio_segment **out)
{
	*out = NULL;
	*uio = (struct uio){.count = (uint32_t)header->count};
	if (header->count > UIO_SEGMENTS_MAX)
		return -EMSGSIZE;
	if (header->count == 0)
		return 0;
	size_t size = header->count * sizeof(**out);
	*out = kmalloc(&job_current()->account, size);
	if (!*out)
		return -ENOMEM;
	if (copy_from_user(*out, (uaddr){header->vector}, size) < 0)
		return -EFAULT;
	uio->segment = *out;
	for (uint64_t i = 0; i < header->count; i++) {
		if ((*out)[i].size > INT64_MAX - uio->left)
			return -EINVAL;
		uio->left += (*out)[i].size;
	}
	return 0;
}

static long message_send(struct file *file, struct socket *socket, uaddr at,
			 uint64_t flags)
{
	struct message_header header;
	struct socket_address address = {.size = 0};
	struct uio uio;
	struct uio_segment *segments = NULL;
	long rc = copy_from_user(&header, at, sizeof(header));
	if (rc < 0)
		return rc;
	struct socket_message message = {
		.uio = &uio,
		.flags = with_file_flags(file, flags),
		.control = {header.control},
		.control_size = header.control ? header.control_size : 0};
	rc = vector_in(&header, &uio, &segments);
	if (rc == 0 && header.name && header.name_size) {
		rc = address_in(&address, (uaddr){header.name}, header.name_size);
		message.address = &address;
	}
	if (rc == 0)
		rc = socket_send(socket, &message);
	kfree(segments);
	return rc;
}

static long message_receive(struct file *file, struct socket *socket, uaddr at,
			    uint64_t flags)
{
	struct message_header header;
	struct socket_address address = {.size = 0};
	struct uio uio;
	struct uio_segment *segments = NULL;
	long rc = copy_from_user(&header, at, sizeof(header));
	if (rc < 0)
		return rc;
	struct socket_message message = {
		.uio = &uio,
		.flags = with_file_flags(file, flags),
		.address = header.name ? &address : NULL,
		.control = {header.control},
		.control_size = header.control ? header.control_size : 0};
	rc = vector_in(&header, &uio, &segments);
	if (rc == 0)
		rc = socket_receive(socket, &message);
	kfree(segments);
	if (rc < 0)
		return rc;
	if (header.name) {
		uint32_t n =
			address.size < header.name_size ? address.size : header.name_size;
		if (copy_to_user((uaddr){header.name}, address.bytes, n) < 0)
			return -EFAULT;
		header.name_size = address.size;
	}
	header.control_size = message.control_size;
	header.flags = message.flags_out | ((uint32_t)flags & MSG_CMSG_CLOEXEC);
	return copy_to_user(at, &header, sizeof(header)) < 0 ? -EFAULT : rc;
}

static long with_message(const struct sysargs *a,
			 long (*move)(struct file *, struct socket *, uaddr, uint64_t))
{
	struct file *file;
	struct socket *socket;
	long rc = socket_get(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	rc = move(file, socket, arg_user(a, 1), a->arg[2]);
	file_put(file);
	return rc;
}

long sys_sendmsg(const struct sysargs *a)
{
	return with_message(a, message_send);
}

long sys_recvmsg(const struct sysargs *a)
{
	return with_message(a, message_receive);
}

/* struct mmsghdr: a message and the length of what went. */
struct many_header {
	struct message_header message;
	uint32_t length, padding;
};
_Static_assert(sizeof(struct many_header) == 64, "Linux ABI");
#define MSG_WAITFORONE 0x10000u
#define MANY_MAX       1024u /* UIO_MAXIOV, as Linux bounds sendmmsg */

static long many(const struct sysargs *a, uint64_t deadline_ns,
		 long (*move)(struct file *, struct socket *, uaddr, uint64_t))
{
	struct file *file;
	struct socket *socket;
	uint32_t count = (uint32_t)a->arg[2], done = 0;
	uint64_t flags = a->arg[3];
	long rc = socket_get(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	if (count > MANY_MAX)
		count = MANY_MAX;
	while (done < count) {
		uaddr at = uaddr_add(arg_user(a, 1),
				     (uint64_t)done * sizeof(struct many_header));
		rc = move(file, socket, at, flags & ~(uint64_t)MSG_WAITFORONE);
		if (rc < 0)
			break;
		uint32_t length = (uint32_t)rc;
		rc = copy_to_user(uaddr_add(at, sizeof(struct message_header)), &length,
				  sizeof(length));
		if (rc < 0)
			break;
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (clock_now_ns() >= deadline_ns)
			break; /* as recvmmsg(2): looked at after each message */
	}
	file_put(file);
	return done ? (long)done : rc;
}

long sys_sendmmsg(const struct sysargs *a)
{
	return many(a, WAIT_FOREVER, message_send);
}

long sys_recvmmsg(const struct sysargs *a)
{
	uint64_t deadline = WAIT_FOREVER, ns;
	if (a->arg[4]) {
		int rc = time_get_timespec(arg_user(a, 4), &ns);
		if (rc < 0)
			return rc;
		deadline = time_add(clock_now_ns(), ns);
	}
	return many(a, deadline, message_receive);
}
