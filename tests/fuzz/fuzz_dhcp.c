/* fuzz_dhcp.c: a DHCP server that says anything: options and headers are the fuzzer's,
 * the transaction and our address in it are right. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/net/stack.h"
#include "shim/net/wire.h"

struct machine {
	struct net_stack stack;
	uint64_t now_ns, wake_ns;
};

static uint64_t now_ns(void *context)
{
	return ((struct machine *)context)->now_ns;
}

static int transmit(void *context, const struct netdev_frame *frame)
{
	(void)context;
	if (frame->header_size + frame->payload_size > 14 + 1500)
		abort();
	return 0;
}

static void *allocate(void *context, size_t size)
{
	(void)context;
	return malloc(size);
}

static void release(void *context, void *memory)
{
	(void)context;
	free(memory);
}

static void random_bytes(void *context, void *out, size_t size)
{
	(void)context;
	memset(out, 0x5a, size);
}

static void wake_at(void *context, uint64_t deadline_ns)
{
	((struct machine *)context)->wake_ns = deadline_ns;
}

static void address(void *context)
{
	const struct net_stack *s = &((struct machine *)context)->stack;
	/* An address that no host can have is never taken. */
	if (s->address && (s->address >> 24 == 127 || s->address >> 28 >= 14))
		abort();
}

static const struct net_env env = {
	.now_ns = now_ns,
	.transmit = transmit,
	.allocate = allocate,
	.release = release,
	.random = random_bytes,
	.wake_at = wake_at,
	.address = address,
};

static void answer(struct machine *m, const uint8_t *data, size_t size)
{
	const size_t total = 14 + 20 + 8 + 240 + size;
	uint8_t *frame = calloc(1, total), *ip = frame + 14, *udp = ip + 20,
		*message = udp + 8;
	memset(frame, 255, 6);
	memcpy(frame + 6, "\2\0\0\0\0\1\10", 7);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)total - 14);
	ip[9] = 17;
	put32(ip + 12, 0x0a000001);
	put32(ip + 16, 0xffffffff);
	put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, 20)));
	put16(udp, 67);
	put16(udp + 2, 68);
	put16(udp + 4, (uint32_t)total - 34);
	memcpy(message, "\2\1\6", 3);
	put32(message + 4, m->stack.dhcp.xid);
	if (size >= 4)
		memcpy(message + 16, data, 4);
	memcpy(message + 28, m->stack.mac, 6);
	put32(message + 236, 0x63825363);
	memcpy(message + 44, data, size < 192 ? size : 192); /* names: option overload */
	memcpy(message + 240, data, size);
	net_input(&m->stack, frame, total, true);
	free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
	struct machine m = {.now_ns = 1000000000000, .wake_ns = UINT64_MAX};
	if (net_stack_init(&m.stack, &env, &m, mac, 1500, 0, 1 << 20))
		abort();
	net_dhcp_start(&m.stack);
	while (size >= 2) {
		size_t piece = data[0] + 1u;
		const uint8_t seconds = data[1];
		data += 2;
		size -= 2;
		piece = piece < size ? piece : size;
		answer(&m, data, piece);
		data += piece;
		size -= piece;
		m.now_ns += (uint64_t)seconds * seconds * 100000000;
		if (m.wake_ns <= m.now_ns) {
			m.wake_ns = UINT64_MAX;
			net_timers(&m.stack);
		}
	}
	net_stack_destroy(&m.stack);
	return 0;
}
