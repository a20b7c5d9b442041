/* socket.h: sockets of every family behind one file type.
 *
 * A family embeds struct socket first in its own object and gives a table of socket_ops.
 * socket.c makes the open file (its file_ops are read, write, poll, ioctl, stat and
 * release by way of the table); sys/socket.c, sockopt.c and message.c unpack the calls.
 * inet.c is the network's family, vfs/unix_socket.c AF_UNIX's. All under the kernel lock.
 */
#ifndef SHIM_NET_SOCKET_H
#define SHIM_NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/mm/usercopy.h"
#include "shim/vfs/file.h"

enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10 };
enum {
	SOCK_STREAM = 1,
	SOCK_DGRAM = 2,
	SOCK_RAW = 3,
	SOCK_SEQPACKET = 5,
	SOCK_TYPE_MASK = 15
};
enum { SOCK_NONBLOCK = 04000, SOCK_CLOEXEC = 02000000 };
enum { SHUT_RD, SHUT_WR, SHUT_RDWR };
enum { SOL_SOCKET = 1, IPPROTO_IP = 0, IPPROTO_TCP = 6, IPPROTO_UDP = 17 };

/* flags of send and recv, as Linux numbers them */
enum {
	MSG_OOB = 1,
	MSG_PEEK = 2,
	MSG_DONTROUTE = 4,
	MSG_CTRUNC = 8,
	MSG_TRUNC = 0x20,
	MSG_DONTWAIT = 0x40,
	MSG_EOR = 0x80,
	MSG_WAITALL = 0x100,
	MSG_NOSIGNAL = 0x4000,
	MSG_MORE = 0x8000,
	MSG_CMSG_CLOEXEC = 0x40000000,
};

/* setsockopt and getsockopt at SOL_SOCKET */
enum {
	SO_REUSEADDR = 2,
	SO_TYPE = 3,
	SO_ERROR = 4,
	SO_BROADCAST = 6,
	SO_SNDBUF = 7,
	SO_RCVBUF = 8,
	SO_KEEPALIVE = 9,
	SO_PRIORITY = 12,
	SO_LINGER = 13,
	SO_REUSEPORT = 15,
	SO_PASSCRED = 16,
	SO_PEERCRED = 17,
	SO_RCVLOWAT = 18,
	SO_RCVTIMEO = 20,
	SO_SNDTIMEO = 21,
	SO_ACCEPTCONN = 30,
	SO_SNDBUFFORCE = 32,
	SO_RCVBUFFORCE = 33,
	SO_PROTOCOL = 38,
	SO_DOMAIN = 39,
	SO_INCOMING_CPU = 49,
};

/* poll bits, as Linux numbers them */
enum {
	SOCKET_POLLIN = 0x1,
	SOCKET_POLLPRI = 0x2,
	SOCKET_POLLOUT = 0x4,
	SOCKET_POLLERR = 0x8,
	SOCKET_POLLHUP = 0x10,
	SOCKET_POLLRDNORM = 0x40,
	SOCKET_POLLWRNORM = 0x100,
	SOCKET_POLLRDHUP = 0x2000,
};

/* struct sockaddr_storage, family first. */
#define SOCKET_ADDRESS_MAX 128u
struct socket_address {
	uint8_t bytes[SOCKET_ADDRESS_MAX];
	uint32_t size; /* 0: none */
};
static inline uint16_t socket_address_family(const struct socket_address *a)
{
	return (uint16_t)(a->size < 2 ? AF_UNSPEC : a->bytes[0] | a->bytes[1] << 8);
}

/* One send or receive. */
struct socket_message {
	struct uio *uio;
	uint32_t flags;     /* MSG_* asked for; DONTWAIT is set for O_NONBLOCK too */
	uint32_t flags_out; /* receive: MSG_TRUNC, MSG_CTRUNC, MSG_EOR that happened */
	struct socket_address
		*address;      /* send: the destination; receive: who sent; or NULL */
	uaddr control;         /* ancillary data: struct cmsghdr of ring 3 */
	uint64_t control_size; /* receive: the room, then the bytes written */
};

struct socket;

/* NULL members answer -EOPNOTSUPP. Calls that may sleep end with -EINTR when interrupted;
 * sys/socket.c turns that into a restart where Linux does. */
struct socket_ops {
	const char *name;
	int (*bind)(struct socket *socket, const struct socket_address *address);
	int (*connect)(struct socket *socket, const struct socket_address *address,
		       bool wait);
	int (*listen)(struct socket *socket, int backlog);
	/* A new socket of the same family, not yet in a file; -EAGAIN at once unless
	 * wait. */
	int (*accept)(struct socket *socket, bool wait, struct socket **out);
	int (*pair)(struct socket *a, struct socket *b); /* socketpair */
	int (*name_get)(struct socket *socket, bool peer, struct socket_address *out);
	long (*send)(struct socket *socket, struct socket_message *message);
	long (*receive)(struct socket *socket, struct socket_message *message);
	int (*shutdown)(struct socket *socket, int how);
	/* value is in kernel memory; get: *size is the room, then the value's size. What
	 * socket.c answers by itself (SO_TYPE, SO_DOMAIN, SO_PROTOCOL, timeouts) does not
	 * come here. -ENOPROTOOPT for unknown options. */
	int (*option_set)(struct socket *socket, int level, int option, const void *value,
			  uint32_t size);
	int (*option_get)(struct socket *socket, int level, int option, void *value,
			  uint32_t *size);
	long (*ioctl)(struct socket *socket, uint32_t command, uint64_t argument);
	uint32_t (*poll)(struct socket *socket, struct poll_table *table);
	void (*release)(struct socket *socket); /* frees the object */
};

struct socket {
	const struct socket_ops *ops;
	int family, type, protocol;
	/* SO_RCVTIMEO, SO_SNDTIMEO as durations; 0: wait for ever. */
	uint64_t receive_timeout_ns, send_timeout_ns;
};

/* A family of sockets. make returns a socket with family, type, protocol and ops set;
 * -EPROTONOSUPPORT, -ESOCKTNOSUPPORT, -EACCES, -ENOMEM. */
struct socket_family {
	int family;
	int (*make)(int type, int protocol, struct socket **out);
};
extern const struct socket_family inet_family; /* net/inet.c */
extern const struct socket_family unix_family; /* vfs/unix_socket.c */

int socket_make(int family, int type, int protocol, struct socket **out);
/* An open file over the socket, which it takes over; NULL without memory (the socket
 * stays the caller's). flags: O_NONBLOCK or 0. */
struct file *socket_file(struct socket *socket, uint32_t flags);
/* The socket of a file; NULL when it is not one (ENOTSOCK). */
struct socket *socket_of_file(const struct file *file);
/* send and receive of the family, with restarts as signal(7) has them. */
long socket_send(struct socket *socket, struct socket_message *message);
long socket_receive(struct socket *socket, struct socket_message *message);
/* The moment a wait that begins now has to end. */
uint64_t socket_deadline_ns(uint64_t timeout_ns);

#endif
