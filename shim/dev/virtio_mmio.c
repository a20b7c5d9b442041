/* virtio_mmio.c: the MMIO transport. Sections are virtio 1.2's. */
#include "shim/dev/virtio_mmio.h"

#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/device_map.h"
#include "shim/dev/virtio.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/mm/kmem.h"

#define MAGIC            0x74726976u /* "virt" */
#define CONFIG_READS_MAX 16u

/* 4.2.2; 4.2.4 for the legacy ones; all 32 bits */
enum mmio_register {
	MAGIC_VALUE = 0x000,
	VERSION = 0x004,   /* 1: legacy, 2 */
	DEVICE_ID = 0x008, /* 0: an empty place */
	DEVICE_FEATURES = 0x010,
	DEVICE_FEATURES_SELECT = 0x014,
	DRIVER_FEATURES = 0x020,
	DRIVER_FEATURES_SELECT = 0x024,
	GUEST_PAGE_SIZE = 0x028, /* legacy */
	QUEUE_SELECT = 0x030,
	QUEUE_SIZE_MAX = 0x034,
	QUEUE_SIZE = 0x038,
	QUEUE_ALIGN = 0x03c, /* legacy */
	QUEUE_PFN = 0x040,   /* legacy */
	QUEUE_READY = 0x044,
	QUEUE_NOTIFY = 0x050,
	INTERRUPT_STATUS = 0x060,
	INTERRUPT_ACK = 0x064,
	STATUS = 0x070,
	QUEUE_DESC = 0x080, /* and the upper half after it, as the next two */
	QUEUE_DRIVER = 0x090,
	QUEUE_DEVICE = 0x0a0,
	CONFIG_GENERATION = 0x0fc,
	CONFIG = 0x100,
};

struct virtio_mmio {
	struct virtio_device device;
	volatile uint8_t *base;
	uint64_t size;
	unsigned gsi;
	bool level, active_low;
};

static struct virtio_mmio *of(struct virtio_device *device)
{
	return device->transport_state;
}

static uint32_t get(struct virtio_device *device, unsigned offset)
{
	return *(volatile uint32_t *)(of(device)->base + offset);
}

static void put(struct virtio_device *device, unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(of(device)->base + offset) = value;
}

static void put64(struct virtio_device *device, unsigned offset, uint64_t value)
{
	put(device, offset, (uint32_t)value);
	put(device, offset + 4, (uint32_t)(value >> 32));
}

static uint8_t status(struct virtio_device *device)
{
	return (uint8_t)get(device, STATUS);
}

/* A reset also forgets the legacy page size. */
static void set_status(struct virtio_device *device, uint8_t value)
{
	put(device, STATUS, value);
	if (value == VIRTIO_ACKNOWLEDGE && device->legacy)
		put(device, GUEST_PAGE_SIZE, (uint32_t)PAGE_SIZE);
}

static uint64_t features(struct virtio_device *device)
{
	put(device, DEVICE_FEATURES_SELECT, 0);
	uint64_t offered = get(device, DEVICE_FEATURES);
	if (device->legacy)
		return offered;
	put(device, DEVICE_FEATURES_SELECT, 1);
	return offered | (uint64_t)get(device, DEVICE_FEATURES) << 32;
}

static void accept(struct virtio_device *device, uint64_t accepted)
{
	put(device, DRIVER_FEATURES_SELECT, 0);
	put(device, DRIVER_FEATURES, (uint32_t)accepted);
	if (device->legacy)
		return;
	put(device, DRIVER_FEATURES_SELECT, 1);
	put(device, DRIVER_FEATURES, (uint32_t)(accepted >> 32));
}

static uint16_t queue_max(struct virtio_device *device, uint16_t index)
{
	put(device, QUEUE_SELECT, index);
	uint32_t most = get(device, QUEUE_SIZE_MAX);
	return most > UINT16_MAX ? UINT16_MAX : (uint16_t)most;
}

static int queue_start(struct virtio_device *device, struct virtqueue *q)
{
	uint64_t at = virt_to_phys((const void *)q->desc);
	put(device, QUEUE_SELECT, q->index);
	put(device, QUEUE_SIZE, q->size);
	if (device->legacy) {
		if (at >> PAGE_SHIFT > UINT32_MAX)
			return -ENOMEM;
		put(device, QUEUE_ALIGN, (uint32_t)PAGE_SIZE);
		put(device, QUEUE_PFN, (uint32_t)(at >> PAGE_SHIFT));
		return 0;
	}
	put64(device, QUEUE_DESC, at);
	put64(device, QUEUE_DRIVER, virt_to_phys((const void *)q->available));
	put64(device, QUEUE_DEVICE, virt_to_phys((const void *)q->used));
	put(device, QUEUE_READY, 1);
	return 0;
}

static void notify(struct virtio_device *device, const struct virtqueue *q)
{
	put(device, QUEUE_NOTIFY, q->index);
}

/* 2.5.1: read again when it changed meanwhile; by bytes, which both layouts allow. */
static void config(struct virtio_device *device, unsigned offset, void *out, size_t size)
{
	struct virtio_mmio *v = of(device);
	uint8_t *to = out;
	for (unsigned tries = 0; tries < CONFIG_READS_MAX; tries++) {
		uint32_t before = device->legacy ? 0 : get(device, CONFIG_GENERATION);
		for (size_t i = 0; i < size; i++)
			to[i] = CONFIG + offset + i < v->size
					? v->base[CONFIG + offset + i]
					: 0;
		if (device->legacy || get(device, CONFIG_GENERATION) == before)
			return;
	}
}

static int interrupt(struct virtio_device *device, int vector)
{
	const struct virtio_mmio *v = of(device);
	int rc = irq_route_gsi(v->gsi, vector, v->level, v->active_low);
	if (rc < 0)
		kprint("elfpack: %s: no I/O APIC has its line %u\n", device->name,
		       v->gsi);
	return rc;
}

static void acknowledge(struct virtio_device *device)
{
	put(device, INTERRUPT_ACK, get(device, INTERRUPT_STATUS));
}

static void release(struct virtio_device *device)
{
	(void)device;
}

static const struct virtio_transport transport = {
	.status = status,
	.set_status = set_status,
	.features = features,
	.accept = accept,
	.queue_max = queue_max,
	.queue_start = queue_start,
	.notify = notify,
	.config = config,
	.interrupt = interrupt,
	.acknowledge = acknowledge,
	.release = release,
};

void virtio_mmio_probe(const struct mmio_device *where)
{
	if (where->size <= CONFIG || where->address & 3)
		return;
	struct virtio_mmio *v = kzalloc(&kernel_account, sizeof(*v));
	if (!v || !(v->base = device_map(where->address, where->size, DEVICE_UNCACHED))) {
		kprint("elfpack: virtio-mmio 0x%lx: no memory\n",
		       (unsigned long)where->address);
		kfree(v);
		return;
	}
	v->size = where->size;
	v->gsi = where->gsi;
	v->level = where->level;
	v->active_low = where->active_low;
	v->device.transport = &transport;
	v->device.transport_state = v;
	ksnprintf(v->device.name, sizeof(v->device.name), "virtio-mmio 0x%lx",
		  (unsigned long)where->address);
	uint32_t version = get(&v->device, VERSION);
	uint32_t id = get(&v->device, DEVICE_ID);
	v->device.legacy = version == 1;
	v->device.id = (uint16_t)id;
	bool known =
		get(&v->device, MAGIC_VALUE) == MAGIC && (version == 1 || version == 2);
	if (!known)
		kprint("elfpack: %s: no virtio device of version 1 or 2 is there\n",
		       v->device.name);
	if (known && id <= UINT16_MAX && virtio_attach(&v->device) == 0)
		return;
	kfree(v);
}
