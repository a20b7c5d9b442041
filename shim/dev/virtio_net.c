/* virtio_net.c: one receive and one transmit queue. Sections are virtio 1.2's.
 *
 * Descriptor n of a queue has buffer n for good: received frames are handed over where
 * they lie, frames to send are copied. A frame to send that is longer than a buffer (TSO)
 * takes a chain; free descriptors and chains are kept here and never read back from the
 * ring. */
#include "shim/dev/virtio_net.h"

#include "shim/dev/nic.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"

/* 5.1.3: bit numbers */
enum net_feature {
	NET_CSUM = 0,
	NET_GUEST_CSUM = 1,
	NET_MTU = 3,
	NET_MAC = 5,
	NET_HOST_TSO4 = 11,
	NET_STATUS = 16,
};
#define HAS(net, bit) ((net)->device->features >> (bit)&1)

enum net_config { CONFIG_MAC = 0, CONFIG_MTU = 10 }; /* 5.1.4 */
enum net_queue { QUEUE_RECEIVE = 0, QUEUE_TRANSMIT = 1 };

/* 5.1.6; a legacy device leaves the last field out */
struct net_header {
	uint8_t flags, segment_type;
	uint16_t header_size, segment_size, checksum_start, checksum_offset, buffers;
};
_Static_assert(sizeof(struct net_header) == 12, "virtio 1.2, 5.1.6");
#define HEADER_SIZE        12u
#define HEADER_SIZE_LEGACY 10u

enum net_header_flags { HEADER_NEEDS_CHECKSUM = 1, HEADER_DATA_VALID = 2 };
#define SEGMENT_TCP4 1u

#define RX_BUFFER      2048u
#define TX_BUFFER      4096u
#define MTU_MOST       (RX_BUFFER - HEADER_SIZE - ETHERNET_HEADER - ETHERNET_TAG)
#define TSO_SIZE_MOST  (HEADER_SIZE + ETHERNET_HEADER + 65535u)
#define TSO_RING_LEAST 64u /* entries; smaller rings would hold three such frames */

struct virtio_net {
	struct netdev netdev;
	struct virtio_device *device;
	uint32_t header_size;
	uint32_t transmit_most; /* bytes, our header included */
	bool stalled;           /* the stack waits for room */
	struct virtqueue rx, tx;
	struct nic_pool rx_pool, tx_pool; /* a buffer a descriptor */
	uint16_t tx_next[VIRTQUEUE_MAX];  /* chains of frames under way */
};

static void rx_post(struct virtio_net *net, uint16_t id)
{
	virtqueue_describe(&net->rx, id, nic_pool_buffer(&net->rx_pool, id), RX_BUFFER,
			   VIRTQ_WRITE, 0);
	virtqueue_offer(&net->rx, id);
}

static void rx_frame(struct virtio_net *net, uint16_t id, uint32_t size)
{
	const struct net_header *header =
		(const struct net_header *)nic_pool_buffer(&net->rx_pool, id);
	if (size < net->header_size + ETHERNET_HEADER || size > RX_BUFFER) {
		net->netdev.drops++;
		return;
	}
	size -= net->header_size;
	/* 5.1.6.4: a frame that still needs its checksum never left the host; its bytes
	 * are good. Without GUEST_CSUM the flags mean nothing. */
	bool good = HAS(net, NET_GUEST_CSUM) &&
		    header->flags & (HEADER_NEEDS_CHECKSUM | HEADER_DATA_VALID);
	nic_receive(&net->netdev, (const uint8_t *)header + net->header_size, size, good);
}

static void tx_reclaim(struct virtio_net *net)
{
	uint16_t id;
	uint32_t size;
	while (virtqueue_take(&net->tx, &id, &size))
		for (uint16_t next; id != NIC_NONE; id = next) {
			next = net->tx_next[id];
			nic_pool_return(&net->tx_pool, id);
		}
}

static void tx_resume(struct virtio_net *net)
{
	tx_reclaim(net);
	if (!net->stalled || net->tx_pool.free_count < net->tx.size / 4)
		return;
	net->stalled = false;
	virtqueue_silence(&net->tx);
	netdev_tx_ready(&net->netdev);
}

static bool poll(struct netdev *dev, unsigned budget)
{
	struct virtio_net *net = dev->driver;
	uint16_t id;
	uint32_t size;
	tx_resume(net);
	bool more = true;
	for (unsigned n = 0; n < budget && more; n++) {
		more = virtqueue_take(&net->rx, &id, &size);
		if (!more)
			break;
		rx_frame(net, id, size);
		rx_post(net, id);
	}
	virtqueue_notify(&net->rx);
	return more || virtqueue_listen(&net->rx);
}

static void on_interrupt(struct virtio_device *device)
{
	struct virtio_net *net = device->driver;
	virtqueue_silence(&net->rx); /* until poll has found the ring empty */
	netdev_interrupt(&net->netdev);
}

static void silence(struct netdev *dev)
{
	struct virtio_net *net = dev->driver;
	virtqueue_silence(&net->rx);
}

static bool arrived(struct netdev *dev)
{
	const struct virtio_net *net = dev->driver;
	return virtqueue_has_used(&net->rx);
}

/* Copies pieces one after the other into a chain of buffers. */
struct tx_writer {
	struct virtio_net *net;
	uint16_t head, last;
	uint32_t used; /* bytes in last */
};

static uint16_t tx_take(struct virtio_net *net)
{
	uint16_t id = nic_pool_take(&net->tx_pool);
	net->tx_next[id] = NIC_NONE;
	return id;
}

static void tx_write(struct tx_writer *w, const void *bytes, uint32_t size)
{
	struct virtio_net *net = w->net;
	const uint8_t *from = bytes;
	while (size) {
		if (w->used == TX_BUFFER) {
			uint16_t id = tx_take(net);
			virtqueue_describe(&net->tx, w->last,
					   nic_pool_buffer(&net->tx_pool, w->last),
					   TX_BUFFER, VIRTQ_NEXT, id);
			net->tx_next[w->last] = id;
			w->last = id;
			w->used = 0;
		}
		uint32_t n = TX_BUFFER - w->used < size ? TX_BUFFER - w->used : size;
		memcpy(nic_pool_buffer(&net->tx_pool, w->last) + w->used, from, n);
		w->used += n;
		from += n;
		size -= n;
	}
}

static struct net_header tx_header(const struct netdev_frame *frame)
{
	struct net_header header = {0};
	if (frame->checksum) {
		header.flags = HEADER_NEEDS_CHECKSUM;
		header.checksum_start = frame->checksum_start;
		header.checksum_offset = frame->checksum_offset;
	}
	if (frame->segment_size) {
		header.segment_type = SEGMENT_TCP4;
		header.segment_size = frame->segment_size;
		header.header_size = (uint16_t)frame->header_size;
	}
	return header;
}

/* Is there room for count buffers? If not, the device is asked to say when. */
static bool tx_room(struct virtio_net *net, uint32_t count)
{
	if (net->tx_pool.free_count >= count)
		return true;
	tx_reclaim(net);
	if (net->tx_pool.free_count >= count)
		return true;
	virtqueue_notify(&net->tx);
	net->stalled = true;
	if (virtqueue_listen(&net->tx))
		tx_reclaim(net);
	if (net->tx_pool.free_count < count)
		return false;
	net->stalled = false;
	virtqueue_silence(&net->tx);
	return true;
}

static int transmit(struct netdev *dev, const struct netdev_frame *frame)
{
	struct virtio_net *net = dev->driver;
	uint32_t payload = frame->payload ? frame->payload_size : 0;
	uint64_t size = (uint64_t)net->header_size + frame->header_size + payload;
	if (size > net->transmit_most) {
		dev->drops++;
		return -EMSGSIZE;
	}
	if (!tx_room(net, (uint32_t)((size + TX_BUFFER - 1) / TX_BUFFER)))
		return -ENOBUFS;
	struct net_header header = tx_header(frame);
	struct tx_writer w = {.net = net};
	w.head = w.last = tx_take(net);
	tx_write(&w, &header, net->header_size);
	tx_write(&w, frame->header, frame->header_size);
	tx_write(&w, frame->payload, payload);
	virtqueue_describe(&net->tx, w.last, nic_pool_buffer(&net->tx_pool, w.last),
			   w.used, 0, 0);
	virtqueue_offer(&net->tx, w.head);
	dev->tx_packets++;
	dev->tx_bytes += size - net->header_size;
	return 0;
}

static void flush(struct netdev *dev)
{
	struct virtio_net *net = dev->driver;
	virtqueue_notify(&net->tx);
}

static const struct netdev_ops ops = {.name = "virtio-net",
				      .transmit = transmit,
				      .flush = flush,
				      .poll = poll,
				      .silence = silence,
				      .arrived = arrived};

/* After virtio_stop. */
static void net_free(struct virtio_net *net)
{
	nic_pool_free(&net->rx_pool);
	nic_pool_free(&net->tx_pool);
	virtqueue_free(&net->rx);
	virtqueue_free(&net->tx);
	kfree(net);
}

/* The device's address, or a locally administered one of our own (5.1.5). */
static void mac_choose(struct virtio_net *net)
{
	uint8_t *mac = net->netdev.mac;
	if (HAS(net, NET_MAC)) {
		virtio_config(net->device, CONFIG_MAC, mac, 6);
		return;
	}
	random_bytes(mac, 6);
	mac[0] = (uint8_t)((mac[0] & 0xfe) | 2);
}

static uint16_t mtu_read(struct virtio_net *net)
{
	uint16_t mtu = MTU_DEFAULT;
	if (HAS(net, NET_MTU))
		virtio_config(net->device, CONFIG_MTU, &mtu, sizeof(mtu));
	return nic_mtu(mtu, MTU_MOST);
}

static void netdev_fill(struct virtio_net *net)
{
	struct netdev *dev = &net->netdev;
	mac_choose(net);
	dev->mtu = mtu_read(net);
	net->header_size = net->device->legacy ? HEADER_SIZE_LEGACY : HEADER_SIZE;
	net->transmit_most = net->header_size + ETHERNET_HEADER + ETHERNET_TAG + dev->mtu;
	if (HAS(net, NET_GUEST_CSUM))
		dev->features |= NETDEV_RX_CHECKSUM;
	if (HAS(net, NET_CSUM))
		dev->features |= NETDEV_TX_CHECKSUM;
	if (HAS(net, NET_CSUM) && HAS(net, NET_HOST_TSO4) &&
	    net->tx.size >= TSO_RING_LEAST) {
		dev->features |= NETDEV_TSO;
		net->transmit_most = TSO_SIZE_MOST;
	}
}

static int start(struct virtio_net *net)
{
	struct nic_rings rings = nic_rings();
	uint64_t wanted = 1ull << NET_CSUM | 1ull << NET_GUEST_CSUM | 1ull << NET_MTU |
			  1ull << NET_MAC | 1ull << NET_HOST_TSO4 | 1ull << NET_STATUS;
	int rc = virtio_negotiate(net->device, wanted);
	if (rc < 0)
		return rc;
	if ((rc = virtio_interrupt_start(net->device, on_interrupt)) < 0 ||
	    (rc = virtqueue_init(&net->rx, net->device, QUEUE_RECEIVE, rings.rx)) < 0 ||
	    (rc = virtqueue_init(&net->tx, net->device, QUEUE_TRANSMIT, rings.tx)) < 0)
		return rc;
	if ((rc = nic_pool_make(&net->rx_pool, net->rx.size, RX_BUFFER)) < 0 ||
	    (rc = nic_pool_make(&net->tx_pool, net->tx.size, TX_BUFFER)) < 0)
		return rc;
	netdev_fill(net);
	for (uint16_t i = 0; i < net->rx.size; i++)
		rx_post(net, i);
	virtqueue_silence(&net->tx);
	(void)virtqueue_listen(
		&net->rx); /* nothing can have come: it is not running yet */
	return 0;
}

static int probe(struct virtio_device *device)
{
	struct virtio_net *net = kzalloc(&kernel_account, sizeof(*net));
	if (!net)
		return -ENOMEM;
	net->device = device;
	net->netdev.ops = &ops;
	net->netdev.driver = net;
	device->driver = net;
	if (!netdev_register(&net->netdev)) {
		kfree(net);
		return -EBUSY;
	}
	int rc = start(net);
	if (rc < 0) {
		kprint("elfpack: %s: network not started: error %d\n", device->name, -rc);
		netdev_unregister(&net->netdev);
		virtio_stop(device);
		net_free(net);
		return rc;
	}
	virtio_ready(device);
	virtqueue_notify(&net->rx); /* 3.1.1: only after DRIVER_OK */
	return 0;
}

const struct virtio_driver virtio_net_driver = {
	.name = "virtio-net", .id = VIRTIO_ID_NET, .probe = probe};
