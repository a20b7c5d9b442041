/* virtio_pci.c: the modern PCI transport. Sections are virtio 1.2's. */
#include "shim/dev/virtio_pci.h"

#include "shim/dev/virtio.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/mm/kmem.h"

/* 4.1.2 */
enum id {
	VENDOR = 0x1af4,
	DEVICE_TRANSITIONAL = 0x1000, /* to 0x103f: the subsystem says the type */
	DEVICE_MODERN = 0x1040,       /* + the type */
	DEVICE_LAST = 0x107f,
};

enum structure {
	COMMON = 1,
	NOTIFY = 2,
	INTERRUPT = 3,
	CONFIG = 4,
	STRUCTURES = 5
}; /* 4.1.4 */

/* struct virtio_pci_cap */
enum capability_register {
	CAP_TYPE = 0, /* type in bits 24..31 */
	CAP_BAR = 4,  /* BAR number in bits 0..7 */
	CAP_OFFSET = 8,
	CAP_LENGTH = 12,
	CAP_NOTIFY_MULTIPLIER = 16,
};

/* 4.1.4.3; 32 bits, but where the name's comment says otherwise */
enum common_register {
	DEVICE_FEATURE_SELECT = 0x00,
	DEVICE_FEATURE = 0x04,
	DRIVER_FEATURE_SELECT = 0x08,
	DRIVER_FEATURE = 0x0c,
	CONFIG_MSIX_VECTOR = 0x10,  /* 16 */
	QUEUE_COUNT = 0x12,         /* 16 */
	DEVICE_STATUS = 0x14,       /* 8 */
	CONFIG_GENERATION = 0x15,   /* 8 */
	QUEUE_SELECT = 0x16,        /* 16 */
	QUEUE_SIZE = 0x18,          /* 16 */
	QUEUE_MSIX_VECTOR = 0x1a,   /* 16 */
	QUEUE_ENABLE = 0x1c,        /* 16 */
	QUEUE_NOTIFY_OFFSET = 0x1e, /* 16 */
	QUEUE_DESC = 0x20,          /* 64, as two of 32 */
	QUEUE_DRIVER = 0x28,        /* 64 */
	QUEUE_DEVICE = 0x30,        /* 64 */
	COMMON_SIZE = 0x38,
};

#define NO_VECTOR        0xffffu
#define CONFIG_READS_MAX 16u

struct region {
	volatile uint8_t *base;
	uint32_t size;
};

struct virtio_pci {
	struct virtio_device device;
	struct pci_function *function;
	struct region region[STRUCTURES];
	uint32_t notify_multiplier;
};

static struct virtio_pci *of(struct virtio_device *device)
{
	return device->transport_state;
}

static uint16_t get16(struct virtio_pci *v, enum common_register offset)
{
	return *(volatile uint16_t *)(v->region[COMMON].base + offset);
}

static void put16(struct virtio_pci *v, enum common_register offset, uint16_t value)
{
	*(volatile uint16_t *)(v->region[COMMON].base + offset) = value;
}

static uint32_t get32(struct virtio_pci *v, enum common_register offset)
{
	return *(volatile uint32_t *)(v->region[COMMON].base + offset);
}

static void put32(struct virtio_pci *v, unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(v->region[COMMON].base + offset) = value;
}

static void put64(struct virtio_pci *v, enum common_register offset, uint64_t value)
{
	put32(v, offset, (uint32_t)value); /* 4.1.3.1: two accesses, the lower first */
	put32(v, offset + 4u, (uint32_t)(value >> 32));
}

static uint8_t status(struct virtio_device *device)
{
	return of(device)->region[COMMON].base[DEVICE_STATUS];
}

static void set_status(struct virtio_device *device, uint8_t value)
{
	of(device)->region[COMMON].base[DEVICE_STATUS] = value;
}

static uint64_t features(struct virtio_device *device)
{
	struct virtio_pci *v = of(device);
	put32(v, DEVICE_FEATURE_SELECT, 0);
	uint64_t low = get32(v, DEVICE_FEATURE);
	put32(v, DEVICE_FEATURE_SELECT, 1);
	return low | (uint64_t)get32(v, DEVICE_FEATURE) << 32;
}

static void accept(struct virtio_device *device, uint64_t accepted)
{
	struct virtio_pci *v = of(device);
	put32(v, DRIVER_FEATURE_SELECT, 0);
	put32(v, DRIVER_FEATURE, (uint32_t)accepted);
	put32(v, DRIVER_FEATURE_SELECT, 1);
	put32(v, DRIVER_FEATURE, (uint32_t)(accepted >> 32));
}

static uint16_t queue_max(struct virtio_device *device, uint16_t index)
{
	struct virtio_pci *v = of(device);
	if (index >= get16(v, QUEUE_COUNT))
		return 0;
	put16(v, QUEUE_SELECT, index);
	return get16(v, QUEUE_SIZE);
}

static int queue_start(struct virtio_device *device, struct virtqueue *q)
{
	struct virtio_pci *v = of(device);
	put16(v, QUEUE_SELECT, q->index);
	q->notify_offset = get16(v, QUEUE_NOTIFY_OFFSET);
	if ((uint64_t)q->notify_offset * v->notify_multiplier + 2 >
	    v->region[NOTIFY].size)
		return -ENODEV;
	put16(v, QUEUE_SIZE, q->size);
	put16(v, QUEUE_MSIX_VECTOR, 0);
	if (get16(v, QUEUE_MSIX_VECTOR) != 0) /* 4.1.5.1.2.2: it may have no room */
		return -ENOSPC;
	put64(v, QUEUE_DESC, virt_to_phys((const void *)q->desc));
	put64(v, QUEUE_DRIVER, virt_to_phys((const void *)q->available));
	put64(v, QUEUE_DEVICE, virt_to_phys((const void *)q->used));
	put16(v, QUEUE_ENABLE, 1);
	return 0;
}

static void notify(struct virtio_device *device, const struct virtqueue *q)
{
	struct virtio_pci *v = of(device);
	size_t offset = (size_t)q->notify_offset * v->notify_multiplier;
	*(volatile uint16_t *)(v->region[NOTIFY].base + offset) = q->index;
}

/* 2.5.1: read again when it changed meanwhile. */
static void config(struct virtio_device *device, unsigned offset, void *out, size_t size)
{
	struct virtio_pci *v = of(device);
	const struct region *region = &v->region[CONFIG];
	volatile uint8_t *generation = v->region[COMMON].base + CONFIG_GENERATION;
	uint8_t *to = out;
	for (unsigned tries = 0; tries < CONFIG_READS_MAX; tries++) {
		uint8_t before = *generation;
		for (size_t i = 0; i < size; i++)
			to[i] = offset + i < region->size ? region->base[offset + i] : 0;
		if (*generation == before)
			return;
	}
}

static int interrupt(struct virtio_device *device, int vector)
{
	struct virtio_pci *v = of(device);
	int rc = pci_msix_enable(v->function, &vector, 1);
	if (rc < 0) {
		kprint("elfpack: %s: has no usable MSI-X (vectors=0?)\n", device->name);
		return rc;
	}
	put16(v, CONFIG_MSIX_VECTOR, NO_VECTOR);
	pci_master(v->function, true);
	return 0;
}

static void release(struct virtio_device *device)
{
	pci_master(of(device)->function, false);
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
	.release = release,
};

static const uint32_t size_least[STRUCTURES] = {
	[COMMON] = COMMON_SIZE,
	[NOTIFY] = 2,
	[CONFIG] = 1,
};

/* 4.1.4: of several structures of a type the first that can be used; those in I/O BARs
 * (QEMU's modern-pio-notify) are for others. */
static void regions_map(struct virtio_pci *v)
{
	struct pci_walk walk = {0, 0};
	unsigned cap;
	while ((cap = pci_capability(v->function, PCI_CAPABILITY_VENDOR, &walk))) {
		unsigned type = pci_read(v->function, cap + CAP_TYPE) >> 24;
		if (type >= STRUCTURES || !size_least[type] || v->region[type].base)
			continue;
		struct region *region = &v->region[type];
		region->size = pci_read(v->function, cap + CAP_LENGTH);
		if (region->size < size_least[type])
			continue;
		region->base = pci_bar_map(v->function,
					   pci_read(v->function, cap + CAP_BAR) & 0xff,
					   pci_read(v->function, cap + CAP_OFFSET),
					   region->size, DEVICE_UNCACHED);
		if (type == NOTIFY)
			v->notify_multiplier =
				pci_read(v->function, cap + CAP_NOTIFY_MULTIPLIER);
	}
}

static uint16_t type_of(const struct pci_function *f)
{
	if (f->device >= DEVICE_MODERN)
		return (uint16_t)(f->device - DEVICE_MODERN);
	return f->subsystem;
}

static bool match(const struct pci_function *f)
{
	return f->vendor == VENDOR && f->device >= DEVICE_TRANSITIONAL &&
	       f->device <= DEVICE_LAST && virtio_is_driven(type_of(f));
}

static void probe(struct pci_function *f)
{
	struct virtio_pci *v = kzalloc(&kernel_account, sizeof(*v));
	if (!v) {
		kprint("elfpack: virtio-pci %s: no memory\n", pci_name(f));
		return;
	}
	v->function = f;
	v->device.transport = &transport;
	v->device.transport_state = v;
	v->device.id = type_of(f);
	ksnprintf(v->device.name, sizeof(v->device.name), "virtio-pci %s", pci_name(f));
	regions_map(v);
	if (!v->region[COMMON].base || !v->region[NOTIFY].base || !v->region[CONFIG].base)
		kprint("elfpack: %s: has the legacy interface only; hint: start QEMU "
		       "with "
		       "disable-modern=off\n",
		       v->device.name);
	else if (virtio_attach(&v->device) == 0)
		return;
	kfree(v);
}

const struct pci_driver virtio_pci_driver = {
	.name = "virtio-pci", .match = match, .probe = probe};
