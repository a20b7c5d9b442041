/* nic.h: what drivers of network devices share: ring sizes by memory, MTU bounds, buffers
 * for frames, and the counting of frames received. Under the kernel lock. */
#ifndef SHIM_DEV_NIC_H
#define SHIM_DEV_NIC_H

#include "shim/dev/netdev.h"

#define ETHERNET_HEADER 14u
#define ETHERNET_TAG    4u
#define MTU_DEFAULT     1500u
#define MTU_LEAST       576u /* RFC 791 */

/* Entries of the receive and transmit rings, powers of two: what the machine's memory
 * allows. */
struct nic_rings {
	uint16_t rx, tx;
};
struct nic_rings nic_rings(void);

/* mtu as a device reports it, bounded by what a receive buffer holds. */
uint16_t nic_mtu(uint32_t mtu, uint32_t most);

#define NIC_BUFFERS_MAX 256u
#define NIC_NONE        0xffffu

/* Buffers of one size, a power of two up to a page, that a device knows by their numbers:
 * what it returns counts only if it was given. Zeroed: empty. */
struct nic_pool {
	uint16_t count, free_count;
	uint8_t size_log2; /* of a buffer */
	uint8_t *page[NIC_BUFFERS_MAX];
	uint16_t free[NIC_BUFFERS_MAX]; /* a stack */
	bool given[NIC_BUFFERS_MAX];
};

/* 0 or -ENOMEM; either way nic_pool_free ends it. */
int nic_pool_make(struct nic_pool *pool, uint16_t count, uint32_t size);
void nic_pool_free(struct nic_pool *pool);
uint8_t *nic_pool_buffer(const struct nic_pool *pool, uint16_t id);
uint16_t nic_pool_take(struct nic_pool *pool);            /* NIC_NONE: all are given */
bool nic_pool_return(struct nic_pool *pool, uint16_t id); /* false: was not given */
void nic_pool_return_all(struct nic_pool *pool);

/* Counts a frame and hands it to the stack. */
void nic_receive(struct netdev *dev, const void *frame, uint32_t size,
		 bool checksum_good);

#endif
