/* ip.c: IPv4 (RFC 791, RFC 1122). Fragments are dropped and counted: TCP announces an MSS
 * that needs none. Of UDP only answers to the DHCP client are taken. Pure. */
#include "shim/net/stack.h"
#include "shim/net/wire.h"

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };
enum { UDP_HEADER = 8, DHCP_CLIENT_PORT = 68, DHCP_SERVER_PORT = 67 };
enum { UNREACHABLE_PROTOCOL = 2, UNREACHABLE_PORT = 3 };

static bool checksum_ok(const struct ip_packet *packet)
{
	uint64_t sum = checksum_pseudo(packet->source, packet->destination,
				       packet->protocol, packet->size);
	return checksum_fold(checksum_add(sum, packet->payload, packet->size)) == 0xffff;
}

static void udp_input(struct net_stack *stack, const struct ip_packet *packet, bool to_us)
{
	const uint8_t *udp = packet->payload;
	if (packet->size < UDP_HEADER || get16(udp + 4) < UDP_HEADER ||
	    get16(udp + 4) > packet->size) {
		stack->counters.rx_dropped++;
		return;
	}
	struct ip_packet exact = *packet;
	exact.size = get16(udp + 4);
	if (get16(udp + 6) && !packet->checksum_good && !checksum_ok(&exact)) {
		stack->counters.rx_bad_checksum++;
		return;
	}
	if (get16(udp + 2) == DHCP_CLIENT_PORT && get16(udp) == DHCP_SERVER_PORT)
		dhcp_input(stack, packet, udp + UDP_HEADER, exact.size - UDP_HEADER);
	else if (to_us && !packet->broadcast)
		icmp_unreachable(stack, packet, UNREACHABLE_PORT);
}

/* Addresses that no single host has. */
static bool not_a_host(const struct net_stack *stack, uint32_t address)
{
	if (address >> 28 >= 14 || address >> 24 == 127 || address >> 24 == 0)
		return true;
	return stack->address && stack->netmask < 0xfffffffe &&
	       address == (stack->address | ~stack->netmask);
}

void ip_input(struct net_stack *stack, const uint8_t *frame, size_t size,
	      bool checksum_good)
{
	const uint8_t *ip = frame + ETH_HEADER;
	const size_t got = size - ETH_HEADER;
	const size_t header = got < IP_HEADER ? 0 : (size_t)(ip[0] & 15) * 4;
	const size_t total = got < IP_HEADER ? 0 : get16(ip + 2);
	if (got < IP_HEADER || ip[0] >> 4 != 4 || header < IP_HEADER || total < header ||
	    total > got) {
		stack->counters.rx_dropped++;
		return;
	}
	if (checksum_fold(checksum_add(0, ip, header)) != 0xffff) {
		stack->counters.rx_bad_checksum++;
		return;
	}
	if (get16(ip + 6) & 0x3fff) { /* more fragments, or not the first */
		stack->counters.rx_fragments++;
		return;
	}
	const struct ip_packet packet = {
		.source = get32(ip + 12),
		.destination = get32(ip + 16),
		.source_mac = frame + 6,
		.header = ip,
		.payload = ip + header,
		.size = (uint32_t)(total - header),
		.protocol = ip[9],
		.checksum_good = checksum_good,
		.broadcast = frame[0] & 1,
	};
	const bool to_us = stack->address && packet.destination == stack->address;
	if (packet.protocol == PROTOCOL_TCP && (to_us || !stack->address) &&
	    early_keep(stack, &packet))
		return;
	if (packet.protocol == PROTOCOL_UDP) {
		/* Before there is an address, the server's answer carries the one it
		 * offers. */
		udp_input(stack, &packet, to_us && !not_a_host(stack, packet.source));
		return;
	}
	if (!to_us || packet.broadcast || not_a_host(stack, packet.source) ||
	    packet.source == stack->address) {
		stack->counters.rx_dropped++;
		return;
	}
	if (packet.protocol == PROTOCOL_ICMP) {
		icmp_input(stack, &packet);
	} else if (packet.protocol != PROTOCOL_TCP) {
		icmp_unreachable(stack, &packet, UNREACHABLE_PROTOCOL);
	} else if (!checksum_good && !checksum_ok(&packet)) {
		stack->counters.rx_bad_checksum++;
	} else {
		tcp_segment_input(stack, &packet);
	}
}

void ip_header(struct net_stack *stack, uint8_t *frame, const uint8_t mac[6],
	       uint32_t source, uint32_t destination, uint8_t protocol, uint32_t size)
{
	memcpy(frame, mac, 6);
	memcpy(frame + 6, stack->mac, 6);
	put16(frame + 12, ETH_IPV4);
	uint8_t *ip = frame + ETH_HEADER;
	ip[0] = 0x45;
	ip[1] = 0;
	put16(ip + 2, IP_HEADER + size);
	put16(ip + 4, stack->ip_id++);
	put16(ip + 6, 0x4000); /* do not fragment */
	ip[8] = 64;
	ip[9] = protocol;
	put16(ip + 10, 0);
	put32(ip + 12, source);
	put32(ip + 16, destination);
	put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, IP_HEADER)));
}
