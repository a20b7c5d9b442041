/* sys/message.c: the calls that send and receive over sockets. */
#include "shim/arch/x86_64/clock.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/socketio.h"
#include "shim/sys/time.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/async.h"

static uint32_t with_file_flags(const struct file *file, uint64_t flags)
{
	return (uint32_t)flags | (file->flags & O_NONBLOCK ? MSG_DONTWAIT : 0);
}

static long send_out(struct file *file, struct socket *socket,
		     struct socket_message *message)
{
	long rc = socket_send(socket, message);
	if (rc == -EAGAIN)
		async_no_room(file);
	return rc;
}

long sys_sendto(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	struct socket_address address = {.size = 0};
	struct uio uio;
	struct uio_segment segment;
	long rc = socket_of(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	uio_user(&uio, &segment, arg_user(a, 1), a->arg[2]);
	struct socket_message message = {.uio = &uio,
					 .flags = with_file_flags(file, a->arg[3])};
	if (a->arg[4]) {
		rc = socket_address_in(&address, arg_user(a, 4), a->arg[5]);
		message.address = &address;
	}
	if (rc == 0)
		rc = send_out(file, socket, &message);
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
	long rc = socket_of(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	uio_user(&uio, &segment, arg_user(a, 1), a->arg[2]);
	struct socket_message message = {.uio = &uio,
					 .flags = with_file_flags(file, a->arg[3]),
					 .address = a->arg[4] ? &address : NULL};
	rc = socket_receive(socket, &message);
	if (rc >= 0 && a->arg[4] &&
	    socket_address_out(arg_user(a, 4), arg_user(a, 5), &address) < 0)
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

/* As Linux' net.core.optmem_max: what one message may carry beside its bytes. */
#define CONTROL_MAX 20480u

static int header_in(struct message_header *header, uaddr at)
{
	if (copy_from_user(header, at, sizeof(*header)) < 0)
		return -EFAULT;
	if (!header->name)
		header->name_size = 0;
	if (header->name_size > INT32_MAX)
		return -EINVAL;
	if (header->name_size > SOCKET_ADDRESS_MAX)
		header->name_size = SOCKET_ADDRESS_MAX;
	return 0;
}

#define FIELD_OUT(at, header, field)                                                     \
	copy_to_user(uaddr_add(at, offsetof(struct message_header, field)),              \
		     &(header)->field, sizeof((header)->field))

/* What a receiver is told; the rest of the header is its own. */
static int header_out(uaddr at, const struct message_header *header)
{
	int rc = header->name ? FIELD_OUT(at, header, name_size) : 0;
	if (rc == 0)
		rc = FIELD_OUT(at, header, control_size);
	return rc < 0 ? rc : FIELD_OUT(at, header, flags);
}

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
	long rc = header_in(&header, at);
	if (rc < 0)
		return rc;
	struct socket_message message = {
		.uio = &uio,
		.flags = with_file_flags(file, flags),
		.control = {header.control},
		.control_size = header.control ? header.control_size : 0};
	rc = vector_in(&header, &uio, &segments);
	if (rc == 0 && header.name_size) {
		rc = socket_address_in(&address, (uaddr){header.name}, header.name_size);
		message.address = &address;
	}
	if (rc == 0 && message.control_size > CONTROL_MAX)
		rc = -ENOBUFS;
	if (rc == 0)
		rc = send_out(file, socket, &message);
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
	long rc = header_in(&header, at);
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
	return header_out(at, &header) < 0 ? -EFAULT : rc;
}

static long with_message(const struct sysargs *a,
			 long (*move)(struct file *, struct socket *, uaddr, uint64_t))
{
	struct file *file;
	struct socket *socket;
	long rc = socket_of(a->arg[0], &file, &socket);
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
	uint64_t flags = a->arg[3], moved = 0;
	long rc = socket_of(a->arg[0], &file, &socket);
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
		bool turn = moved >> 20 != (moved + length) >> 20;
		moved += length;
		if (turn) /* of others, once a MiB */
			thread_yield();
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
