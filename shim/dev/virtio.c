/* virtio.c: what is the same on every virtio transport: start-up and split queues. */
#include "shim/dev/virtio.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/dev/barrier.h"
#include "shim/dev/virtio_net.h"
#include "shim/dev/virtio_rng.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"

static const struct virtio_driver *const drivers[] = {&virtio_net_driver,
						      &virtio_rng_driver};

#define RESET_LIMIT_NS 100000000ull
#define RING_ALIGN     4096u

static const struct virtio_driver *driver_of(uint16_t id)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (drivers[i]->id == id)
			return drivers[i];
	return NULL;
}

bool virtio_is_driven(uint16_t id)
{
	return driver_of(id) != NULL;
}

int virtio_attach(struct virtio_device *device)
{
	const struct virtio_driver *driver = driver_of(device->id);
	return driver ? driver->probe(device) : -ENODEV;
}

/* 2.4: a device may take its time; 4.1.4.3.2 wants the read back. */
static bool reset(struct virtio_device *device)
{
	uint64_t deadline = clock_now_ns() + RESET_LIMIT_NS;
	device->transport->set_status(device, 0);
	while (device->transport->status(device) != 0) {
		if (clock_now_ns() > deadline)
			return false;
		cpu_relax();
	}
	return true;
}

static int refuse(struct virtio_device *device, const char *why)
{
	uint8_t status = device->transport->status(device);
	device->transport->set_status(device, (uint8_t)(status | VIRTIO_FAILED));
	kprint("elfpack: %s: %s\n", device->name, why);
	return -ENODEV;
}

int virtio_negotiate(struct virtio_device *device, uint64_t wanted)
{
	const struct virtio_transport *t = device->transport;
	if (!reset(device))
		return refuse(device, "does not finish its reset");
	t->set_status(device, VIRTIO_ACKNOWLEDGE);
	t->set_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	uint64_t offered = t->features(device);
	wanted |= VIRTIO_F_EVENT_IDX;
	if (device->legacy) {
		/* Without it the first bytes of a frame need a descriptor of their own
		 * (5.1.6.6); every VMM since 2013 offers it. */
		if (!(offered & VIRTIO_F_ANY_LAYOUT))
			return refuse(device,
				      "its legacy interface lacks VIRTIO_F_ANY_LAYOUT");
		wanted |= VIRTIO_F_ANY_LAYOUT;
	} else {
		if (!(offered & VIRTIO_F_VERSION_1))
			return refuse(device, "does not offer VIRTIO_F_VERSION_1");
		wanted |= VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM |
			  VIRTIO_F_ORDER_PLATFORM;
	}
	device->features = offered & wanted;
	t->accept(device, device->features);
	if (device->legacy)
		return 0;
	t->set_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	if (!(t->status(device) & VIRTIO_FEATURES_OK))
		return refuse(device, "refuses the features it offered");
	return 0;
}

static void handle_interrupt(void *context)
{
	struct virtio_device *device = context;
	/* First, so that what comes after it interrupts again (edges: 4.2.2.1). */
	if (device->transport->acknowledge)
		device->transport->acknowledge(device);
	device->on_interrupt(device);
}

int virtio_interrupt_start(struct virtio_device *device,
			   void (*on_interrupt)(struct virtio_device *device))
{
	device->on_interrupt = on_interrupt;
	int vector = irq_allocate(handle_interrupt, device);
	return vector < 0 ? vector : device->transport->interrupt(device, vector);
}

void virtio_ready(struct virtio_device *device)
{
	uint8_t status = device->transport->status(device);
	device->transport->set_status(device, (uint8_t)(status | VIRTIO_DRIVER_OK));
}

void virtio_stop(struct virtio_device *device)
{
	reset(device);
	device->transport->release(device);
}

void virtio_config(struct virtio_device *device, unsigned offset, void *out, size_t size)
{
	device->transport->config(device, offset, out, size);
}

static uint16_t ring_size(uint16_t wanted, uint16_t most)
{
	uint16_t size = wanted < most ? wanted : most;
	while (size & (size - 1))
		size &= (uint16_t)(size - 1); /* drops the lowest bit */
	return size;
}

int virtqueue_init(struct virtqueue *q, struct virtio_device *device, uint16_t index,
		   uint16_t wanted)
{
	uint16_t most = device->transport->queue_max(device, index);
	uint16_t size = ring_size(wanted, most);
	if (!size || wanted > VIRTQUEUE_MAX)
		return -ENODEV;
	size_t available_at = size * sizeof(struct virtq_desc);
	size_t available_end = available_at + sizeof(uint16_t) * (3u + size);
	size_t used_at = (available_end + RING_ALIGN - 1) & ~(size_t)(RING_ALIGN - 1);
	size_t event_at = used_at + sizeof(struct virtq_used) +
			  size * sizeof(struct virtq_used_entry);
	unsigned order = 0;
	while (PAGE_SIZE << order < event_at + sizeof(uint16_t))
		order++;
	*q = (struct virtqueue){.device = device, .index = index, .size = size};
	q->pages = page_alloc(&kernel_account, order, true);
	if (!q->pages)
		return -ENOMEM;
	uint8_t *base = page_va(q->pages);
	q->desc = (struct virtq_desc *)base;
	q->available = (struct virtq_available *)(base + available_at);
	q->used = (struct virtq_used *)(base + used_at);
	q->used_event = (uint16_t *)(base + available_end) - 1;
	q->available_event = (uint16_t *)(base + event_at);
	q->event_index = device->features & VIRTIO_F_EVENT_IDX;
	int rc = device->transport->queue_start(device, q);
	if (rc < 0)
		virtqueue_free(q);
	return rc;
}

void virtqueue_free(struct virtqueue *q)
{
	if (q->pages)
		page_put(q->pages);
	q->pages = NULL;
}

void virtqueue_describe(struct virtqueue *q, uint16_t id, const void *buffer,
			uint32_t size, uint16_t flags, uint16_t next)
{
	q->desc[id].address = virt_to_phys(buffer);
	q->desc[id].size = size;
	q->desc[id].flags = flags;
	q->desc[id].next = next;
}

static inline void compiler_barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

void virtqueue_offer(struct virtqueue *q, uint16_t head)
{
	q->posted[head] = true;
	q->available->ring[q->offered & (q->size - 1)] = head;
	compiler_barrier(); /* 2.7.13.3: descriptors and ring before the index */
	q->offered++;
	q->available->index = q->offered;
}

void virtqueue_notify(struct virtqueue *q)
{
	if (q->told == q->offered)
		return;
	full_barrier(); /* 2.7.13.4.1: the index before their wishes */
	bool wanted;
	if (q->event_index) {
		uint16_t event = *q->available_event;
		wanted = (uint16_t)(q->offered - event - 1) <
			 (uint16_t)(q->offered - q->told);
	} else {
		wanted = !(q->used->flags & VIRTQ_NO_NOTIFY);
	}
	q->told = q->offered;
	if (wanted)
		q->device->transport->notify(q->device, q);
}

bool virtqueue_take(struct virtqueue *q, uint16_t *head, uint32_t *size)
{
	/* At most one turn around the ring a call, however wrong the index is. */
	for (uint16_t n = 0; n < q->size && q->used->index != q->seen; n++) {
		compiler_barrier(); /* the entry after the index; x86 keeps loads in order
				     */
		volatile struct virtq_used_entry *entry =
			&q->used->ring[q->seen & (q->size - 1)];
		uint32_t id = entry->id;
		*size = entry->size;
		q->seen++;
		if (q->event_index && q->quiet)
			*q->used_event = (uint16_t)(q->seen - 1);
		if (id < q->size && q->posted[id]) {
			q->posted[id] = false;
			*head = (uint16_t)id;
			return true;
		}
		if (q->device->nonsense++ == 0)
			kprint("elfpack: %s: queue %u returns what it was not given\n",
			       q->device->name, q->index);
	}
	return false;
}

bool virtqueue_has_used(const struct virtqueue *q)
{
	return q->used->index != q->seen;
}

/* With event indices the flag must stay 0 (2.7.7.1): an event just passed is the
 * furthest. */
void virtqueue_silence(struct virtqueue *q)
{
	q->quiet = true;
	if (q->event_index)
		*q->used_event = (uint16_t)(q->seen - 1);
	else
		q->available->flags = VIRTQ_NO_INTERRUPT;
}

bool virtqueue_listen(struct virtqueue *q)
{
	q->quiet = false;
	if (q->event_index)
		*q->used_event = q->seen;
	else
		q->available->flags = 0;
	full_barrier(); /* 2.7.7.1: ask first, then look */
	return q->used->index != q->seen;
}
