/* stack.h: the IPv4 stack that only accepts, and what it asks of its surroundings.
 *
 *   netdev -> net_input -> arp.c | ip.c -> icmp.c | dhcp.c (UDP port 68 alone) |
 * tcp_input.c; early.c keeps what comes before there is an address
 *
 * Pure: no globals, no clock, no memory but by struct net_env, so it runs in the kernel
 * (glue.c) and in tests with a fake clock and frames in memory. It never looks up a next
 * hop: what it sends answers something, and goes to the link address which that came
 * from. Addresses are in host byte order. Not reentrant: one caller at a time. */
#ifndef SHIM_NET_STACK_H
#define SHIM_NET_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/dev/netdev.h"

struct net_env {
	uint64_t (*now_ns)(void *context); /* monotonic */
	int (*transmit)(void *context,
			const struct netdev_frame *frame); /* as netdev_ops */
	void *(*allocate)(void *context, size_t size);     /* NULL: none */
	void (*release)(void *context, void *memory);
	void (*random)(void *context, void *out, size_t size);
	void (*wake_at)(void *context,
			uint64_t deadline_ns); /* net_timers is due by then */
	void (*address)(void *context); /* the stack's address changed; 0: it has none */
};

/* Events allowed in the second that begins at start_ns. */
struct net_rate {
	uint64_t start_ns;
	uint32_t count;
};

enum dhcp_state {
	DHCP_OFF,
	DHCP_SELECTING,
	DHCP_REQUESTING,
	DHCP_BOUND,
	DHCP_RENEWING,
	DHCP_REBINDING
};

struct dhcp {
	enum dhcp_state state;
	uint32_t xid;
	uint32_t offered, server;
	uint8_t server_mac[6]; /* where the ACK came from: next hop of a renewal */
	uint32_t tries;
	uint64_t deadline_ns; /* of the next step; 0: none */
	uint64_t began_ns;    /* this exchange, for the secs field */
	uint64_t request_ns;  /* the lease counts from the request: RFC 2131, 4.4.1 */
	uint64_t renew_ns, rebind_ns, expire_ns; /* UINT64_MAX: never */
};

#define NET_EARLY_FRAMES 8u
#define NET_EARLY_SIZE   94u /* Ethernet, IP and TCP header, 40 bytes of options */
struct net_early {
	bool over;      /* somebody has listened */
	uint32_t count; /* kept, of which the last NET_EARLY_FRAMES are there */
	struct early_frame {
		uint8_t size;
		bool checksum_good;
		uint8_t bytes[NET_EARLY_SIZE];
	} frames[NET_EARLY_FRAMES];
};

struct net_counters {
	uint64_t rx_dropped, rx_fragments, rx_bad_checksum, icmp_limited;
	uint64_t tcp_accepted, tcp_retransmits, tcp_cookies_sent, tcp_cookies_bad;
	uint64_t tcp_resets_sent, tcp_challenges, tcp_backlog_full, tcp_no_memory;
};

struct tcp;
struct tcp_listener;
#define TCP_WHEEL_SLOTS  512u /* tcp_timer.c */
#define TCP_RESETS_KNOWN 64u

struct net_stack {
	const struct net_env *env;
	void *context;
	uint64_t now_ns; /* as read at entry */
	uint8_t mac[6];
	uint16_t mtu;
	uint32_t features; /* enum netdev_features */
	uint32_t address, netmask, gateway;
	struct net_counters counters;
	struct net_rate icmp_rate, reset_rate, challenge_rate;
	uint16_t ip_id;
	struct dhcp dhcp;
	struct net_early early;
	/* TCP */
	uint64_t hash_key[2], cookie_key[2], stamp_key[2];
	struct tcp **table; /* connections by peer and ports, chained */
	uint32_t table_mask;
	uint32_t connection_count;
	struct tcp_listener *listeners;
	struct tcp *pending,
		*pending_last; /* have something to send once the batch is done */
	struct tcp *wheel[TCP_WHEEL_SLOTS];
	uint64_t wheel_tick; /* slots up to this one are done */
	uint32_t wheel_count;
	struct tcp *wait_first, *wait_last; /* TIME-WAIT, oldest first */
	uint32_t wait_count;
	uint64_t memory_used, memory_limit; /* connections and their buffers */
	uint32_t buffer_limit;              /* default of one buffer */
	uint32_t resets[TCP_RESETS_KNOWN],
		reset_next; /* connections that we have reset of late */
	uint64_t wake_ns;   /* asked of env->wake_at; UINT64_MAX: nothing */
};

/* 0 or -ENOMEM. memory_limit bounds what all connections hold. */
int net_stack_init(struct net_stack *stack, const struct net_env *env, void *context,
		   const uint8_t mac[6], uint16_t mtu, uint32_t features,
		   uint64_t memory_limit);
void net_stack_destroy(struct net_stack *stack);
/* A frame; then, after the last one of a batch, net_flush sends what became due. */
void net_input(struct net_stack *stack, const void *frame, size_t size,
	       bool checksum_good);
void net_flush(struct net_stack *stack);
/* Does what is due and asks for the next call by env->wake_at. */
void net_timers(struct net_stack *stack);
void net_dhcp_start(struct net_stack *stack);
/* Takes an address, or gives it up (0): connections of another one are gone. */
void net_address_set(struct net_stack *stack, uint32_t address, uint32_t netmask,
		     uint32_t gateway);

/* Between the files of the stack. */
struct ip_packet {
	uint32_t source, destination;
	const uint8_t *source_mac;
	const uint8_t *header; /* whole packet, for ICMP errors */
	const uint8_t *payload;
	uint32_t size; /* of the payload */
	uint8_t protocol;
	bool checksum_good, broadcast;
};
void net_clock(struct net_stack *stack);
void net_wake_by(struct net_stack *stack, uint64_t deadline_ns);
bool net_rate_take(struct net_stack *stack, struct net_rate *rate, uint32_t per_second);
uint64_t net_random(struct net_stack *stack);
void *net_allocate(struct net_stack *stack,
		   size_t size); /* counted; NULL past the limit */
void net_release(struct net_stack *stack, void *memory, size_t size);
int net_transmit(struct net_stack *stack, const uint8_t *header, uint32_t header_size);
void arp_input(struct net_stack *stack, const uint8_t *frame, size_t size);
void arp_announce(struct net_stack *stack);
void ip_input(struct net_stack *stack, const uint8_t *frame, size_t size,
	      bool checksum_good);
/* Keeps a SYN that nobody can answer yet; false: it is none, or can be answered. */
bool early_keep(struct net_stack *stack, const struct ip_packet *packet);
/* Answers what was kept if there are an address and a listener now. */
void early_release(struct net_stack *stack);
/* Fills Ethernet and IP header at frame (34 bytes); size: of what follows them. */
void ip_header(struct net_stack *stack, uint8_t *frame, const uint8_t mac[6],
	       uint32_t source, uint32_t destination, uint8_t protocol, uint32_t size);
void icmp_input(struct net_stack *stack, const struct ip_packet *packet);
void icmp_unreachable(struct net_stack *stack, const struct ip_packet *packet,
		      uint8_t code);
void dhcp_input(struct net_stack *stack, const struct ip_packet *packet,
		const uint8_t *message, size_t size);
void dhcp_timer(struct net_stack *stack);
void tcp_segment_input(struct net_stack *stack, const struct ip_packet *packet);
int tcp_init(struct net_stack *stack);
void tcp_destroy(struct net_stack *stack);
void tcp_timers(struct net_stack *stack);
void tcp_abort_all(struct net_stack *stack);
bool tcp_owes(
	const struct net_stack *stack); /* bytes that a peer has not acknowledged? */

#endif
