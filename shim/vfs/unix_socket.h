/* unix_socket.h: inside AF_UNIX, for unix_*.c alone; proc/job.c calls unix_job_ended.
 *
 *   unix_socket.c   sockets from making to release: connecting, listening, poll
 *   unix_option.c   options and ioctls
 *   unix_name.c     names: in the job's tree and abstract
 *   unix_message.c  sending and receiving
 *   unix_queue.c    what is sent and not yet received
 *   unix_control.c  descriptors and credentials that travel with it
 *
 * Names, connections and messages stay in one job: every look-up compares the job, and
 * what is in flight when the job ends goes with it. All under the kernel lock. */
#ifndef SHIM_VFS_UNIX_SOCKET_H
#define SHIM_VFS_UNIX_SOCKET_H

#include "shim/lib/list.h"
#include "shim/net/socket.h"
#include "shim/vfs/abi.h"

struct job;
struct vnode;

#define UNIX_PATH_MAX       108u
#define UNIX_ADDRESS_MAX    (2u + UNIX_PATH_MAX)
#define UNIX_RIGHTS_MAX     253u /* descriptors in one message: SCM_MAX_FD */
#define UNIX_BUFFER_DEFAULT 212992u
#define UNIX_EVENTS_WRITE   (POLLOUT | POLLWRNORM | POLLWRBAND)
/* Queued before strangers have to wait (max_dgram_qlen). */
#define UNIX_DATAGRAMS_MAX  10u

/* A name, shared by the socket that is bound, those accepted from it, and its datagrams.
 */
struct unix_name {
	uint32_t refs;
	uint32_t size; /* of the address, family included */
	uint8_t bytes[UNIX_ADDRESS_MAX + 1];
};

/* struct ucred of ring 3. */
struct unix_credentials {
	int32_t pid;
	uint32_t uid, gid;
};
_Static_assert(sizeof(struct unix_credentials) == 12, "Linux ABI");

/* What goes with the bytes of one message. */
struct unix_ancillary {
	struct file **files; /* counted references, file_count of them */
	uint32_t file_count;
	bool has_credentials;
	struct unix_credentials credentials;
};

/* Bytes follow in the same object, or, when they do not fit one slab, in pieces of a
 * page. */
struct unix_message {
	struct list link;       /* in socket->queue */
	struct unix_name *from; /* counted; NULL: the sender has no name */
	struct unix_ancillary with;
	uint32_t size, taken; /* taken: bytes already received of a stream */
	uint32_t piece_count; /* 0: the bytes follow */
	uint8_t *piece[];
};

enum unix_state { UNIX_CLOSED, UNIX_LISTENING, UNIX_CONNECTED };

struct unix_socket {
	struct socket socket;
	struct job *job;
	uint32_t refs;   /* of its file (or its listener), peers, and sleeping senders */
	struct list all; /* every socket that was not released */
	enum unix_state state; /* of streams and sequential packets */
	bool dead;             /* released: only peers still look at it */
	bool read_shut, write_shut, pass_credentials;
	int error;                /* SO_ERROR */
	struct unix_socket *peer; /* counted */
	struct list clients; /* datagrams: sockets whose peer this is, by client_link */
	struct list client_link;
	struct unix_name *name;
	bool bound;          /* name is its own, not its listener's */
	struct vnode *vnode; /* counted: the name in the tree */
	struct unix_credentials peer_credentials; /* of a listener: its own */
	struct list queue;                        /* messages to receive, oldest first */
	uint32_t queue_count;
	uint64_t queue_bytes; /* with their heads, so that empty ones count */
	struct list pending;  /* listening: connected, not accepted; by pending_link */
	struct list pending_link;
	uint32_t pending_count, backlog;
	uint32_t send_buffer, receive_buffer;
	uint32_t option_bits;  /* switches that are kept and do nothing here */
	struct waitq readable; /* messages, connections, and every change of state */
	struct waitq writable; /* room where this one sends */
	struct waitq
		senders;    /* threads that wait for room here without being connected */
	struct file *file;  /* known while in_flight */
	uint32_t in_flight; /* references to file that messages hold */
	bool reached;       /* unix_control.c: not garbage */
};

extern const struct socket_ops unix_ops;
extern struct list unix_sockets; /* by all */

static inline struct unix_socket *unix_of(struct socket *socket)
{
	return container_of(socket, struct unix_socket, socket);
}
static inline bool unix_is_stream(const struct unix_socket *u)
{
	return u->socket.type == SOCK_STREAM;
}
static inline bool unix_is_datagram(const struct unix_socket *u)
{
	return u->socket.type == SOCK_DGRAM;
}

/* unix_socket.c */
void unix_get(struct unix_socket *u);
void unix_put(struct unix_socket *u);
void unix_peer_set(struct unix_socket *u, struct unix_socket *peer); /* NULL: none */
struct unix_credentials unix_credentials_current(void);
/* Everything that the sockets of a job still hold, in flight, is let go. */
void unix_job_ended(const struct job *job);

/* unix_option.c: as socket_ops. */
int unix_option_set(struct socket *socket, int level, int option, const void *value,
		    uint32_t size);
int unix_option_get(struct socket *socket, int level, int option, void *value,
		    uint32_t *size);
long unix_ioctl(struct socket *socket, uint32_t command, uint64_t argument);

/* unix_name.c */
int unix_bind(struct socket *socket, const struct socket_address *address);
int unix_autobind(struct unix_socket *u); /* an abstract name, unless it has a name */
/* The socket of the job that has the name, with a reference; -ECONNREFUSED, -EPROTOTYPE.
 */
int unix_find(const struct socket_address *address, int type, struct unix_socket **out);
void unix_name_put(struct unix_name *name);
void unix_name_out(const struct unix_name *name, struct socket_address *out);

/* unix_queue.c */
/* A message with room for size bytes; NULL without memory. */
struct unix_message *unix_message_make(uint32_t size);
/* What came with it is the caller's to put back. */
void unix_message_free(struct unix_message *message);
/* Fills a message; where the sender's memory ends it ends too. 0 or -EFAULT. */
int unix_message_fill(struct unix_message *message, struct uio *uio);
/* Bytes from offset on, as many as there is room for; less where the memory ends. */
uint32_t unix_message_read(struct unix_message *message, uint32_t offset,
			   struct uio *uio);
/* Frees messages and lets go of what came with them. */
void unix_discard(struct list *messages);
bool unix_may_send(const struct unix_socket *u, const struct unix_socket *to);
bool unix_is_full(const struct unix_socket *u, const struct unix_socket *to);
void unix_queue_put(struct unix_socket *to, struct unix_message *message);
/* Takes a message off the queue for good; what came with it must have been taken out. */
void unix_queue_consume(struct unix_socket *u, struct unix_message *message);
void unix_queue_discard(struct unix_socket *u);
void unix_queue_take(struct unix_socket *u,
		     struct list *messages); /* all, to the end of it */

/* unix_message.c: as socket_ops. */
long unix_send(struct socket *socket, struct socket_message *message);
long unix_receive(struct socket *socket, struct socket_message *message);

/* unix_control.c */
int unix_ancillary_in(const struct socket_message *message, struct unix_ancillary *out);
void unix_ancillary_out(struct unix_socket *u, struct socket_message *message,
			struct unix_ancillary *with);
void unix_ancillary_put(struct unix_ancillary *with);
/* The files of a message are in flight from being queued until they are taken out. */
void unix_flight_begin(const struct unix_ancillary *with);
void unix_flight_end(const struct unix_ancillary *with);
/* Another reference to each file, for MSG_PEEK; -ENOMEM. */
int unix_ancillary_copy(struct unix_ancillary *to, const struct unix_ancillary *from);
/* Called after each release: now and then finds sockets that only messages refer to which
 * nobody can receive. */
void unix_garbage_collect(void);

#endif
