/* tcp_ring.c: byte queues addressed by sequence number, of a size that is a power of two
 * and grows on demand: a connection without bytes costs no buffer. Pure. */
#include "shim/net/tcp_internal.h"

/* The run of bytes that lie in one piece from seq on. */
void *tcp_ring_at(const struct tcp_ring *ring, uint32_t seq, uint32_t *run)
{
	const uint32_t offset = (seq - ring->base) & (ring->size - 1);
	*run = ring->size - offset;
	return ring->bytes + offset;
}

void tcp_ring_write(struct tcp_ring *ring, uint32_t seq, const uint8_t *data,
		    uint32_t size)
{
	uint32_t run;
	void *at = tcp_ring_at(ring, seq, &run);
	if (run > size)
		run = size;
	memcpy(at, data, run);
	memcpy(ring->bytes, data + run, size - run);
}

/* Makes the ring hold need bytes from first on; [first, end) is in it and stays. */
bool tcp_ring_reserve(struct net_stack *stack, struct tcp_ring *ring, uint32_t need,
		      uint32_t first, uint32_t end)
{
	if (first == end)
		ring->base = first;
	if (need <= ring->size)
		return true;
	if (need > TCP_RING_MAX)
		return false;
	struct tcp_ring larger = {.size = ring->size ? ring->size : TCP_RING_MIN,
				  .base = first};
	while (larger.size < need)
		larger.size *= 2;
	/* The last eighth is for connections, which take turns as long as there are some.
	 */
	if (stack->memory_used + larger.size >
	    stack->memory_limit - stack->memory_limit / 8)
		return false;
	larger.bytes = net_allocate(stack, larger.size);
	if (!larger.bytes)
		return false;
	for (uint32_t seq = first, run; seq != end; seq += run) {
		const void *from = tcp_ring_at(ring, seq, &run);
		run = min32(run, end - seq);
		tcp_ring_write(&larger, seq, from, run);
	}
	tcp_ring_free(stack, ring);
	*ring = larger;
	return true;
}

void tcp_ring_free(struct net_stack *stack, struct tcp_ring *ring)
{
	net_release(stack, ring->bytes, ring->size);
	ring->bytes = NULL;
	ring->size = 0;
}
