/* tcp.h: TCP as its users see it: listeners, and connections that peers have opened.
 * There is no way to open one from here. Pure, as stack.h; the kernel's sockets (inet.c)
 * and the tests are its users.
 *
 * A connection is held by its user from tcp_accept to tcp_release; the stack keeps it
 * after that for as long as TCP needs. Calls never sleep: what would have to wait returns
 * -EAGAIN and an event says when to try again. */
#ifndef SHIM_NET_TCP_H
#define SHIM_NET_TCP_H

#include "shim/net/stack.h"

enum tcp_event {
	TCP_READABLE = 1,
	TCP_WRITABLE = 2,
	TCP_PEER_CLOSED = 4,
	TCP_FAILED = 8,
	TCP_CLOSED_BOTH = 16
};

/* What a user wants to know; called from within net_input, net_flush and net_timers. */
struct tcp_user_ops {
	void (*acceptable)(void *user); /* of a listener: tcp_accept has one */
	void (*event)(void *user, unsigned events); /* of a connection: enum tcp_event */
};

struct tcp_endpoint {
	uint32_t address; /* host byte order */
	uint16_t port;
};

/* Listens on a port of any address (local.address 0) or of one. -EADDRINUSE, -ENOMEM.
 * backlog: established connections that wait to be accepted; more are dropped when they
 * complete. */
int tcp_listen(struct net_stack *stack, struct tcp_endpoint local, uint32_t backlog,
	       const struct tcp_user_ops *ops, void *user, struct tcp_listener **out);
void tcp_backlog_set(struct tcp_listener *listener, uint32_t backlog);
/* Connections not yet accepted are reset. */
void tcp_unlisten(struct tcp_listener *listener);
/* The oldest waiting connection, NULL: none. Its events go to user from now on. */
struct tcp *tcp_accept(struct tcp_listener *listener, const struct tcp_user_ops *ops,
		       void *user);
bool tcp_acceptable(const struct tcp_listener *listener);
/* Changes whom the events of an accepted connection go to. */
void tcp_user_set(struct tcp *tcp, const struct tcp_user_ops *ops, void *user);

/* Bytes that can be read without a copy: *run of them at the address returned. *run 0:
 * none now (see tcp_state_events), or the peer has closed and all was read. */
const void *tcp_read_peek(struct tcp *tcp, size_t *run);
void tcp_read_done(struct tcp *tcp, size_t size); /* bytes taken; opens the window */
size_t tcp_readable(const struct tcp *tcp);       /* bytes in order, FIONREAD */
/* Room to write into without a copy: *room bytes; then tcp_write_done queues size of
 * them. */
void *tcp_write_space(struct tcp *tcp, size_t *room);
void tcp_write_done(struct tcp *tcp, size_t size, bool more); /* more: MSG_MORE, cork */
size_t tcp_unsent(const struct tcp *tcp); /* bytes not yet acknowledged, SIOCOUTQ */

/* enum tcp_event bits that hold now. */
unsigned tcp_state_events(const struct tcp *tcp);
/* ECONNRESET, ETIMEDOUT, EPIPE...: a positive errno, 0 for none; taken by asking. */
int tcp_error_take(struct tcp *tcp);

int tcp_shutdown(struct tcp *tcp, bool read, bool write); /* 0 or -ENOTCONN */
/* The user is gone: sends what is queued, then FIN; unread bytes or linger 0 make it a
 * reset (RFC 9293, 3.10.4; RFC 2525, 2.17). linger_s < 0: the default. */
void tcp_release(struct tcp *tcp, int linger_s);

enum tcp_option {
	TCP_OPTION_NODELAY,
	TCP_OPTION_CORK,
	TCP_OPTION_KEEPALIVE,
	TCP_OPTION_KEEP_IDLE_S,
	TCP_OPTION_KEEP_INTERVAL_S,
	TCP_OPTION_KEEP_COUNT,
	TCP_OPTION_USER_TIMEOUT_MS,
	TCP_OPTION_SEND_BUFFER,
	TCP_OPTION_RECEIVE_BUFFER,
	TCP_OPTION_MSS
};
int tcp_option_set(struct tcp *tcp, enum tcp_option option,
		   uint32_t value); /* 0, -EINVAL */
uint32_t tcp_option_get(const struct tcp *tcp, enum tcp_option option);

struct tcp_endpoint tcp_local(const struct tcp *tcp);
struct tcp_endpoint tcp_peer(const struct tcp *tcp);
/* For TCP_INFO: microseconds, bytes. */
struct tcp_status {
	uint8_t state; /* as Linux numbers them: 1 established, 4 FIN-WAIT-1 ... 10 listen
			*/
	uint32_t rtt_us, rttvar_us, rto_us, mss, window_bytes, congestion_bytes,
		retransmits;
};
struct tcp_status tcp_status(const struct tcp *tcp);

#endif
