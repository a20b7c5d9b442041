/* dhcp.c: the DHCP client (RFC 2131, options of RFC 2132): gets an address, renews,
 * rebinds and gives it up. Answers are hostile until they carry our transaction's number.
 * Pure. */
#include "shim/net/stack.h"
#include "shim/net/wire.h"

#define SECOND_NS     1000000000ull
#define BROADCAST     0xffffffffu
#define MESSAGE_FIXED 236u
#define MESSAGE_SIZE  300u /* as BOOTP: some servers ignore shorter ones */
#define MAGIC         0x63825363u
enum { UDP_HEADER = 8, CLIENT_PORT = 68, SERVER_PORT = 67 };
enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK };
enum {
	OPT_PAD = 0,
	OPT_MASK = 1,
	OPT_ROUTER = 3,
	OPT_REQUESTED = 50,
	OPT_LEASE = 51,
	OPT_OVERLOAD = 52,
	OPT_TYPE = 53,
	OPT_SERVER = 54,
	OPT_WANTED = 55,
	OPT_SIZE = 57,
	OPT_RENEW = 58,
	OPT_REBIND = 59,
	OPT_END = 255
};

struct answer {
	uint8_t type, overload;
	uint32_t address, mask, router, server, lease, renew, rebind;
};

static void parse_options(struct answer *out, const uint8_t *p, size_t size)
{
	for (size_t at = 0; at < size && p[at] != OPT_END;) {
		const uint8_t code = p[at++];
		if (code == OPT_PAD)
			continue;
		if (at >= size || p[at] > size - at - 1)
			return;
		const uint8_t length = p[at++];
		const uint8_t *value = p + at;
		at += length;
		if (code == OPT_TYPE && length == 1)
			out->type = value[0];
		else if (code == OPT_OVERLOAD && length == 1)
			out->overload = value[0];
		if (length < 4)
			continue;
		uint32_t *to = code == OPT_MASK     ? &out->mask
			       : code == OPT_ROUTER ? &out->router
			       : code == OPT_LEASE  ? &out->lease
			       : code == OPT_SERVER ? &out->server
			       : code == OPT_RENEW  ? &out->renew
			       : code == OPT_REBIND ? &out->rebind
						    : NULL;
		if (to)
			*to = get32(value);
	}
}

/* Is it an answer to us, and what does it say? */
static bool parse(const struct net_stack *stack, const uint8_t *m, size_t size,
		  struct answer *out)
{
	memset(out, 0, sizeof(*out));
	if (size < MESSAGE_FIXED + 4 || m[0] != 2 || m[1] != 1 || m[2] != 6 ||
	    get32(m + 4) != stack->dhcp.xid || memcmp(m + 28, stack->mac, 6) ||
	    get32(m + MESSAGE_FIXED) != MAGIC)
		return false;
	out->address = get32(m + 16);
	parse_options(out, m + MESSAGE_FIXED + 4, size - MESSAGE_FIXED - 4);
	if (out->overload & 1)
		parse_options(out, m + 108, 128); /* the file field */
	if (out->overload & 2)
		parse_options(out, m + 44, 64); /* the server name's */
	return true;
}

static uint8_t *option32(uint8_t *p, uint8_t code, uint32_t value)
{
	p[0] = code;
	p[1] = 4;
	put32(p + 2, value);
	return p + 6;
}

static void dhcp_send(struct net_stack *stack, uint8_t type)
{
	struct dhcp *d = &stack->dhcp;
	static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
	uint8_t frame[ETH_HEADER + IP_HEADER + UDP_HEADER + MESSAGE_SIZE] = {0};
	uint8_t *udp = frame + ETH_HEADER + IP_HEADER, *m = udp + UDP_HEADER;
	const bool held = d->state == DHCP_RENEWING || d->state == DHCP_REBINDING;
	const bool direct = d->state == DHCP_RENEWING;
	const uint32_t source = held ? stack->address : 0;
	const uint32_t destination = direct ? d->server : BROADCAST;
	const uint64_t seconds = (stack->now_ns - d->began_ns) / SECOND_NS;

	m[0] = m[1] = 1;
	m[2] = 6;
	put32(m + 4, d->xid);
	put16(m + 8, seconds > 0xffff ? 0xffff : (uint32_t)seconds);
	put32(m + 12, source);
	memcpy(m + 28, stack->mac, 6);
	put32(m + MESSAGE_FIXED, MAGIC);
	uint8_t *p = m + MESSAGE_FIXED + 4;
	*p++ = OPT_TYPE;
	*p++ = 1;
	*p++ = type;
	if (d->state == DHCP_REQUESTING) {
		p = option32(p, OPT_REQUESTED, d->offered);
		p = option32(p, OPT_SERVER, d->server);
	}
	*p++ = OPT_SIZE;
	*p++ = 2;
	put16(p, 576);
	p += 2;
	static const uint8_t wanted[] = {OPT_WANTED, 5,         OPT_MASK,  OPT_ROUTER,
					 OPT_LEASE,  OPT_RENEW, OPT_REBIND};
	memcpy(p, wanted, sizeof(wanted));
	p[sizeof(wanted)] = OPT_END;

	put16(udp, CLIENT_PORT);
	put16(udp + 2, SERVER_PORT);
	put16(udp + 4, UDP_HEADER + MESSAGE_SIZE);
	uint64_t sum =
		checksum_pseudo(source, destination, 17, UDP_HEADER + MESSAGE_SIZE);
	sum = checksum_add(sum, udp, UDP_HEADER + MESSAGE_SIZE);
	const uint16_t checksum = (uint16_t)~checksum_fold(sum);
	put16(udp + 6, checksum ? checksum : 0xffff);
	ip_header(stack, frame, direct ? d->server_mac : everyone, source, destination,
		  17, UDP_HEADER + MESSAGE_SIZE);
	if (type == REQUEST)
		d->request_ns = stack->now_ns;
	net_transmit(stack, frame, sizeof(frame));
}

static void step_at(struct net_stack *stack, uint64_t deadline_ns)
{
	stack->dhcp.deadline_ns = deadline_ns;
	net_wake_by(stack, deadline_ns);
}

/* 4.1: 4, 8, 16, 32, 64 s, each give or take a second; the first is sooner, since a
 * guest's device may drop what is sent before its link is up. */
static void retry_later(struct net_stack *stack)
{
	struct dhcp *d = &stack->dhcp;
	const uint64_t base = d->tries == 0
				      ? SECOND_NS
				      : 2 * SECOND_NS << (d->tries > 5 ? 5 : d->tries);
	const uint64_t jitter =
		net_random(stack) % (d->tries == 0 ? SECOND_NS : 2 * SECOND_NS);
	d->tries++;
	step_at(stack, stack->now_ns + base + jitter - (d->tries == 1 ? 0 : SECOND_NS));
}

static void discover(struct net_stack *stack)
{
	struct dhcp *d = &stack->dhcp;
	d->state = DHCP_SELECTING;
	d->xid = (uint32_t)net_random(stack);
	d->began_ns = stack->now_ns;
	d->tries = 0;
	dhcp_send(stack, DISCOVER);
	retry_later(stack);
}

void net_dhcp_start(struct net_stack *stack)
{
	net_clock(stack);
	discover(stack);
}

static uint64_t after(uint64_t from_ns, uint64_t seconds)
{
	return from_ns + seconds * SECOND_NS;
}

static void bind_lease(struct net_stack *stack, const struct answer *a,
		       const uint8_t *mac)
{
	struct dhcp *d = &stack->dhcp;
	const uint64_t from = d->request_ns;
	uint64_t lease = a->lease < 60 ? 60 : a->lease;
	uint64_t rebind = a->rebind && a->rebind < lease ? a->rebind : lease * 7 / 8;
	uint64_t renew = a->renew && a->renew < rebind ? a->renew : lease / 2;
	if (renew > rebind)
		renew = rebind;
	const bool forever = a->lease == UINT32_MAX;
	d->renew_ns = forever ? UINT64_MAX : after(from, renew);
	d->rebind_ns = forever ? UINT64_MAX : after(from, rebind);
	d->expire_ns = forever ? UINT64_MAX : after(from, lease);
	d->server = a->server;
	memcpy(d->server_mac, mac, 6);
	d->state = DHCP_BOUND;
	/* A mask of ones from the top, else the class-less guess that hides least. */
	uint32_t mask = a->mask;
	if (!mask || (~mask & (~mask + 1)))
		mask = 0xffffff00;
	d->deadline_ns = 0;
	if (!forever)
		step_at(stack, d->renew_ns);
	net_address_set(stack, a->address, mask, a->router);
}

static bool usable(uint32_t address)
{
	return address >> 24 != 0 && address >> 24 != 127 && address >> 28 < 14;
}

void dhcp_input(struct net_stack *stack, const struct ip_packet *packet,
		const uint8_t *message, size_t size)
{
	struct dhcp *d = &stack->dhcp;
	struct answer a;
	if (d->state == DHCP_OFF || d->state == DHCP_BOUND ||
	    !parse(stack, message, size, &a))
		return;
	if (!a.server)
		a.server = packet->source;
	if (d->state == DHCP_SELECTING) {
		if (a.type != OFFER || !usable(a.address) || !a.server)
			return;
		d->offered = a.address;
		d->server = a.server;
		d->state = DHCP_REQUESTING;
		d->tries = 0;
		dhcp_send(stack, REQUEST);
		retry_later(stack);
		return;
	}
	if (d->state != DHCP_REBINDING && a.server != d->server)
		return;
	if (a.type == NAK) {
		net_address_set(stack, 0, 0, 0);
		discover(stack);
	} else if (a.type == ACK && usable(a.address) && a.lease) {
		bind_lease(stack, &a, packet->source_mac);
	}
}

/* 4.4.5: between two requests half of the time that is left, at least a minute. */
static void renew_step(struct net_stack *stack)
{
	struct dhcp *d = &stack->dhcp;
	const uint64_t now = stack->now_ns;
	if (now >= d->expire_ns) {
		net_address_set(stack, 0, 0, 0);
		discover(stack);
		return;
	}
	if (d->state == DHCP_BOUND) {
		d->xid = (uint32_t)net_random(stack);
		d->began_ns = now;
	}
	d->state = now >= d->rebind_ns ? DHCP_REBINDING : DHCP_RENEWING;
	dhcp_send(stack, REQUEST);
	const uint64_t end = d->state == DHCP_RENEWING ? d->rebind_ns : d->expire_ns;
	uint64_t wait = (end - now) / 2;
	if (wait < 60 * SECOND_NS)
		wait = 60 * SECOND_NS;
	step_at(stack, now + wait < end ? now + wait : end);
}

void dhcp_timer(struct net_stack *stack)
{
	struct dhcp *d = &stack->dhcp;
	if (!d->deadline_ns)
		return;
	if (stack->now_ns < d->deadline_ns) {
		net_wake_by(stack, d->deadline_ns);
		return;
	}
	switch (d->state) {
	case DHCP_SELECTING:
		dhcp_send(stack, DISCOVER);
		retry_later(stack);
		break;
	case DHCP_REQUESTING:
		if (d->tries > 3) {
			discover(stack);
			break;
		}
		dhcp_send(stack, REQUEST);
		retry_later(stack);
		break;
	case DHCP_BOUND:
	case DHCP_RENEWING:
	case DHCP_REBINDING:
		renew_step(stack);
		break;
	case DHCP_OFF:
		break;
	}
}
