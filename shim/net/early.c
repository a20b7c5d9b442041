/* early.c: SYNs that come before they can be answered: the lease is on its way, or nobody
 * listens yet. Their clients would ask again after a second (RFC 6298, 2.1), so the
 * latest few are kept and answered as soon as may be. Pure. */
#include "shim/net/stack.h"
#include "shim/net/wire.h"

enum { TCP_HEADER = 20, TCP_FLAGS = 13, FLAGS_SYN = 2 };

bool early_keep(struct net_stack *stack, const struct ip_packet *packet)
{
	struct net_early *early = &stack->early;
	const uint8_t *frame = packet->header - ETH_HEADER;
	const size_t size = (size_t)(packet->payload - frame) + packet->size;
	if ((stack->address && early->over) || packet->broadcast ||
	    packet->size < TCP_HEADER || packet->payload[TCP_FLAGS] != FLAGS_SYN ||
	    size > NET_EARLY_SIZE)
		return false;
	if (early->count >= NET_EARLY_FRAMES)
		stack->counters.rx_dropped++; /* the oldest */
	struct early_frame *to = &early->frames[early->count++ % NET_EARLY_FRAMES];
	to->size = (uint8_t)size;
	to->checksum_good = packet->checksum_good;
	memcpy(to->bytes, frame, size);
	return true;
}

/* The newest first: who sent the others may have gone. */
void early_release(struct net_stack *stack)
{
	struct net_early *early = &stack->early;
	if (!stack->address || !early->over)
		return;
	net_clock(stack);
	for (uint32_t left = NET_EARLY_FRAMES; early->count && left; left--) {
		const struct early_frame *frame =
			&early->frames[--early->count % NET_EARLY_FRAMES];
		ip_input(stack, frame->bytes, frame->size, frame->checksum_good);
	}
	early->count = 0;
}
