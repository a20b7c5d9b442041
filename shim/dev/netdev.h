/* netdev.h: what a network driver and the network stack want of each other.
 *
 * Frames are Ethernet without FCS. The stack owns no device memory: rx gives a frame for
 * the length of the call; transmit copies or takes what it is given before it returns.
 * Under the kernel lock. */
#ifndef SHIM_DEV_NETDEV_H
#define SHIM_DEV_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netdev;

/* A frame to send: header bytes, then payload bytes (payload may be NULL). */
struct netdev_frame {
	const void *header;
	uint32_t header_size;
	const void *payload;
	uint32_t payload_size;
	/* NETDEV_TX_CHECKSUM: sum from checksum_start, store at checksum_start + offset.
	 */
	uint16_t checksum_start, checksum_offset;
	uint16_t segment_size; /* TSO: payload bytes a segment, 0: none */
	bool checksum;
};

enum netdev_features { NETDEV_TX_CHECKSUM = 1, NETDEV_RX_CHECKSUM = 2, NETDEV_TSO = 4 };

struct netdev_ops {
	const char *name;
	/* 0; -ENOBUFS when the ring is full (the stack tries again after tx_ready). */
	int (*transmit)(struct netdev *dev, const struct netdev_frame *frame);
	void (*flush)(struct netdev *dev); /* notify the device of what transmit queued */
	/* Hands received frames to netdev_receive, at most budget; true: there may be
	 * more. */
	bool (*poll)(struct netdev *dev, unsigned budget);
	/* Both or none. silence: frames need not interrupt until poll says that there
	 * are none; arrived, without the kernel lock: would poll find one? */
	void (*silence)(struct netdev *dev);
	bool (*arrived)(struct netdev *dev);
};

struct netdev {
	const struct netdev_ops *ops;
	uint8_t mac[6];
	uint16_t mtu; /* IP bytes a frame */
	uint32_t features;
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, drops;
	uint64_t resets; /* of a device that had stopped working */
	void *driver;    /* the driver's */
};

/* net/'s side, called by drivers: an interrupt says work is there; a frame was received
 * (checksum_good: the device vouches for the TCP or UDP checksum); room to send again. */
void netdev_interrupt(struct netdev *dev);
void netdev_receive(struct netdev *dev, const void *frame, size_t size,
		    bool checksum_good);
void netdev_tx_ready(struct netdev *dev);
/* A driver found a device, whose ops are set, and asks before it starts it: false, said
 * in the log, when another one is used. Taken back when it does not start. */
bool netdev_register(struct netdev *dev);
void netdev_unregister(struct netdev *dev);

#endif
