/* inet_options.h: a TCP socket's object and its options: inet.c and inet_options.c. */
#ifndef SHIM_NET_INET_OPTIONS_H
#define SHIM_NET_INET_OPTIONS_H

#include "shim/net/socket.h"
#include "shim/net/tcp.h"

#define INET_OPTION_COUNT (TCP_OPTION_MSS + 1)

struct inet {
	struct socket socket;
	struct tcp_endpoint local;
	bool bound, read_shut, write_shut, reuse_address, reuse_port;
	struct tcp_listener *listener; /* listening */
	struct tcp *tcp;               /* connected: accepted from a listener */
	struct waitq changed;
	int linger_s; /* SO_LINGER; -1: off */
	/* Set before there is a connection; accepted ones get them. */
	uint32_t option[INET_OPTION_COUNT];
	uint32_t options_set; /* bit n: option[n] */
};

/* struct socket_ops option_set and option_get. */
int inet_option_set(struct socket *socket, int level, int option, const void *value,
		    uint32_t size);
int inet_option_get(struct socket *socket, int level, int option, void *value,
		    uint32_t *size);
/* An accepted socket takes over the listener's options. */
void inet_options_inherit(struct inet *accepted, const struct inet *listener);

#endif
