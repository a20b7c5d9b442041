/* one.h: a stack with one accepted connection, for tests of single rules. */
#ifndef TESTS_UNIT_NET_ONE_H
#define TESTS_UNIT_NET_ONE_H

#include "tests/unit/net/lan.h"

struct one {
	struct lan lan;
	struct lan_peer peer;
	struct tcp *tcp;
};

void one_open(struct one *one, const char *options);
void one_close(struct one *one);
void one_write(struct one *one, const void *data, size_t size);
uint8_t one_state(const struct one *one);
/* A segment with numbers of its own. */
void one_send_at(struct one *one, uint8_t flags, uint32_t seq, uint32_t ack,
		 const void *data, size_t size);

#endif
