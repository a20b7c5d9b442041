/* icmp.c: ICMP (RFC 792, RFC 1122 3.2.2): answers echo, reports what is not there, both
 * at a bounded rate; obeys nothing that it is told. Pure. */
#include "shim/net/stack.h"
#include "shim/net/wire.h"

#define ICMP_PER_SECOND 1000u
#define ICMP_HEADER     8u
#define ICMP_ECHO_MAX   (1500u - IP_HEADER)
enum { ICMP_ECHO_REPLY = 0, ICMP_UNREACHABLE = 3, ICMP_ECHO = 8 };

static void icmp_send(struct net_stack *stack, const struct ip_packet *to, uint8_t *frame,
		      uint32_t size)
{
	uint8_t *icmp = frame + ETH_HEADER + IP_HEADER;
	if (!net_rate_take(stack, &stack->icmp_rate, ICMP_PER_SECOND)) {
		stack->counters.icmp_limited++;
		return;
	}
	put16(icmp + 2, 0);
	put16(icmp + 2, (uint16_t)~checksum_fold(checksum_add(0, icmp, size)));
	ip_header(stack, frame, to->source_mac, stack->address, to->source, 1, size);
	net_transmit(stack, frame, ETH_HEADER + IP_HEADER + size);
}

void icmp_input(struct net_stack *stack, const struct ip_packet *packet)
{
	uint8_t frame[ETH_HEADER + IP_HEADER + ICMP_ECHO_MAX];
	uint8_t *icmp = frame + ETH_HEADER + IP_HEADER;
	if (packet->size < ICMP_HEADER || packet->size > ICMP_ECHO_MAX ||
	    packet->payload[0] != ICMP_ECHO || packet->payload[1] != 0 ||
	    checksum_fold(checksum_add(0, packet->payload, packet->size)) != 0xffff) {
		stack->counters.rx_dropped++;
		return;
	}
	memcpy(icmp, packet->payload, packet->size);
	icmp[0] = ICMP_ECHO_REPLY;
	icmp_send(stack, packet, frame, packet->size);
}

void icmp_unreachable(struct net_stack *stack, const struct ip_packet *packet,
		      uint8_t code)
{
	uint8_t frame[ETH_HEADER + IP_HEADER + ICMP_HEADER + 68];
	uint8_t *icmp = frame + ETH_HEADER + IP_HEADER;
	const uint32_t header = (uint32_t)(packet->payload - packet->header);
	const uint32_t quoted = header + (packet->size < 8 ? packet->size : 8);
	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = ICMP_UNREACHABLE;
	icmp[1] = code;
	memcpy(icmp + ICMP_HEADER, packet->header, quoted); /* at most 60 + 8 bytes */
	icmp_send(stack, packet, frame, ICMP_HEADER + quoted);
}
