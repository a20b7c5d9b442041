/* virtio.h: virtio 1.2 devices and their split queues, over PCI (virtio_pci.c) and MMIO
 * (virtio_mmio.c); the sections named here and beside are that standard's.
 *
 * A queue is one run of pages in the layout that the legacy interface prescribes (2.7.2)
 * and the others allow: descriptors, 16 bytes each | available ring | pad to 4096 | used
 * ring What the device writes is input: an entry counts only when its head was offered
 * and not yet returned. All under the kernel lock. */
#ifndef SHIM_DEV_VIRTIO_H
#define SHIM_DEV_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/mm/page.h"

/* 2.1 */
enum virtio_status {
	VIRTIO_ACKNOWLEDGE = 1,
	VIRTIO_DRIVER = 2,
	VIRTIO_DRIVER_OK = 4,
	VIRTIO_FEATURES_OK = 8,
	VIRTIO_NEEDS_RESET = 64,
	VIRTIO_FAILED = 128,
};

#define VIRTIO_F_ANY_LAYOUT      (1ull << 27) /* 6.3, legacy only */
#define VIRTIO_F_EVENT_IDX       (1ull << 29) /* 6 */
#define VIRTIO_F_VERSION_1       (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)
#define VIRTIO_F_ORDER_PLATFORM  (1ull << 36)

enum virtio_id { VIRTIO_ID_NET = 1, VIRTIO_ID_RNG = 4 }; /* 5 */

struct virtio_device;
struct virtqueue;

struct virtio_transport {
	uint8_t (*status)(struct virtio_device *device);
	void (*set_status)(struct virtio_device *device, uint8_t status);
	uint64_t (*features)(struct virtio_device *device);
	void (*accept)(struct virtio_device *device, uint64_t features);
	/* The most entries queue index may have; 0: there is none. */
	uint16_t (*queue_max)(struct virtio_device *device, uint16_t index);
	/* Hands the queue to the device. 0 or -errno. */
	int (*queue_start)(struct virtio_device *device, struct virtqueue *queue);
	void (*notify)(struct virtio_device *device, const struct virtqueue *queue);
	void (*config)(struct virtio_device *device, unsigned offset, void *out,
		       size_t size);
	/* Connects the device's interrupt to the vector. 0 or -errno. */
	int (*interrupt)(struct virtio_device *device, int vector);
	void (*acknowledge)(struct virtio_device *device); /* NULL: not needed */
	void (*release)(struct virtio_device *device);     /* it was reset: no more DMA */
};

struct virtio_device {
	const struct virtio_transport *transport;
	void *transport_state;
	char name[28];     /* for the log: what and where */
	uint16_t id;       /* enum virtio_id */
	bool legacy;       /* 1.4: guest-endian, 32 feature bits, no FEATURES_OK */
	uint64_t features; /* negotiated */
	uint64_t nonsense; /* used entries that no sane device writes */
	void (*on_interrupt)(struct virtio_device *device);
	void *driver;
};

struct virtio_driver {
	const char *name;
	uint16_t id;
	/* Takes the device over: 0; or -errno after it said why and stopped the device.
	 */
	int (*probe)(struct virtio_device *device);
};

bool virtio_is_driven(uint16_t id);
/* Gives a device that a transport found to its driver. The device is the transport's own
 * memory and stays for ever when this returns 0. */
int virtio_attach(struct virtio_device *device);

/* 3.1.1, steps 1 to 6: reset, and agree on features: those wanted, and the ring and
 * platform features that virtio.c itself knows. -ENODEV, said in the log, when the device
 * refuses. */
int virtio_negotiate(struct virtio_device *device, uint64_t wanted);
int virtio_interrupt_start(struct virtio_device *device,
			   void (*on_interrupt)(struct virtio_device *device));
void virtio_ready(struct virtio_device *device); /* step 8 */
/* Resets the device: afterwards it touches no memory of ours. */
void virtio_stop(struct virtio_device *device);
void virtio_config(struct virtio_device *device, unsigned offset, void *out, size_t size);

enum virtq_flags { VIRTQ_NEXT = 1, VIRTQ_WRITE = 2 }; /* 2.7.5 */
#define VIRTQ_NO_INTERRUPT 1u                         /* 2.7.6, of the available ring */
#define VIRTQ_NO_NOTIFY    1u                         /* 2.7.8, of the used ring */
#define VIRTQUEUE_MAX      256u

/* Host-endian structs, not le32: the device needs whole 16- and 32-bit accesses. */
struct virtq_desc {
	uint64_t address;
	uint32_t size;
	uint16_t flags, next;
};
struct virtq_available {
	uint16_t flags, index, ring[]; /* ring[size] is the used event (2.7.10) */
};
struct virtq_used_entry {
	uint32_t id, size;
};
struct virtq_used {
	uint16_t flags, index;
	struct virtq_used_entry ring[]; /* a uint16_t after it is the available event */
};

struct virtqueue {
	struct virtio_device *device;
	uint16_t index, size; /* size: a power of two */
	struct page *pages;
	volatile struct virtq_desc *desc; /* written, never read */
	volatile struct virtq_available *available;
	volatile struct virtq_used *used;
	volatile uint16_t *used_event, *available_event;
	bool event_index, quiet; /* quiet: no interrupts wanted */
	uint16_t offered;        /* available.index; free-running, wraps: 2.7.6 */
	uint16_t told;           /* offered when the device was last notified or asked */
	uint16_t seen;           /* used entries taken; free-running */
	uint16_t notify_offset;  /* virtio_pci.c */
	bool posted[VIRTQUEUE_MAX]; /* heads that the device has */
};

/* Makes queue index with at most wanted entries. 0, -ENODEV, -ENOMEM. */
int virtqueue_init(struct virtqueue *q, struct virtio_device *device, uint16_t index,
		   uint16_t wanted);
void virtqueue_free(struct virtqueue *q); /* after virtio_stop */
/* Fills descriptor id; next counts with VIRTQ_NEXT. */
void virtqueue_describe(struct virtqueue *q, uint16_t id, const void *buffer,
			uint32_t size, uint16_t flags, uint16_t next);
void virtqueue_offer(struct virtqueue *q, uint16_t head);
void virtqueue_notify(struct virtqueue *q); /* unless the device does not want it */
/* Takes the next used entry: a head that was offered. false: none. */
bool virtqueue_take(struct virtqueue *q, uint16_t *head, uint32_t *size);
bool virtqueue_has_used(const struct virtqueue *q); /* has take any? at any time */
/* No more interrupts; or interrupts again: then true when entries came meanwhile. */
void virtqueue_silence(struct virtqueue *q);
bool virtqueue_listen(struct virtqueue *q);

#endif
