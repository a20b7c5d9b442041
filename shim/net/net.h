/* net.h: the kernel's one network stack: made by net_init over the device that
 * registered. */
#ifndef SHIM_NET_NET_H
#define SHIM_NET_NET_H

#include "shim/net/stack.h"

/* Starts the stack and DHCP on the registered device; says so when there is none:
 * -ENODEV, -ENOMEM. */
int net_init(void);
/* The stack; NULL without a device. Users call net_left after they have
 * used it outside of its own callbacks: it sends what became due (net_flush). */
struct net_stack *net_stack(void);
void net_left(void);

/* For shim_info. */
struct net_summary {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, drops, resets;
	uint64_t tcp_accepted, tcp_retransmits, tcp_cookies_bad;
	uint32_t ipv4; /* network byte order; 0: no address yet */
};
struct net_summary net_summary(void);

#endif
