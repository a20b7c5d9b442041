/* arp.c: ARP (RFC 826) as far as a host needs it that never speaks first: it answers for
 * its own address and announces it (RFC 5227, 3). Nobody's address is cached, so there is
 * no cache to fill or to poison: answers go where the question came from. Pure. */
#include "shim/net/stack.h"
#include "shim/net/wire.h"

#define ARP_SIZE 28u
enum { ARP_REQUEST = 1, ARP_REPLY = 2 };

static void arp_send(struct net_stack *stack, uint16_t operation, const uint8_t to_mac[6],
		     const uint8_t target_mac[6], uint32_t target)
{
	uint8_t frame[60] = {0}; /* the least Ethernet carries */
	memcpy(frame, to_mac, 6);
	memcpy(frame + 6, stack->mac, 6);
	put16(frame + 12, ETH_ARP);
	uint8_t *arp = frame + ETH_HEADER;
	put16(arp, 1);
	put16(arp + 2, ETH_IPV4);
	arp[4] = 6;
	arp[5] = 4;
	put16(arp + 6, operation);
	memcpy(arp + 8, stack->mac, 6);
	put32(arp + 14, stack->address);
	memcpy(arp + 18, target_mac, 6);
	put32(arp + 24, target);
	net_transmit(stack, frame, sizeof(frame));
}

void arp_announce(struct net_stack *stack)
{
	static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
	static const uint8_t unknown[6];
	arp_send(stack, ARP_REQUEST, everyone, unknown, stack->address);
}

void arp_input(struct net_stack *stack, const uint8_t *frame, size_t size)
{
	const uint8_t *arp = frame + ETH_HEADER;
	if (size < ETH_HEADER + ARP_SIZE || get16(arp) != 1 ||
	    get16(arp + 2) != ETH_IPV4 || arp[4] != 6 || arp[5] != 4) {
		stack->counters.rx_dropped++;
		return;
	}
	if (get16(arp + 6) != ARP_REQUEST || !stack->address ||
	    get32(arp + 24) != stack->address || arp[8] & 1)
		return;
	uint8_t asker[6];
	memcpy(asker, arp + 8, 6);
	arp_send(stack, ARP_REPLY, asker, asker, get32(arp + 14));
}
