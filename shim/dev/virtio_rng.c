/* virtio_rng.c: mixes one buffer of the host's randomness into ours and lets the device
 * go. Where the CPU has RDRAND nobody waits for it. */
#include "shim/dev/virtio_rng.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/lib/errno.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"

#define ENTROPY_BYTES      64u
#define WAIT_NS            20000000ull
#define CPUID_1_ECX_RDRAND (1u << 30)

struct virtio_rng {
	struct virtqueue queue;
	uint8_t *bytes;
};

static void finish(struct virtio_device *device)
{
	struct virtio_rng *rng = device->driver;
	device->driver = NULL;
	virtio_stop(device);
	virtqueue_free(&rng->queue);
	kfree(rng->bytes);
	kfree(rng);
}

static bool collect(struct virtio_device *device)
{
	struct virtio_rng *rng = device->driver;
	uint16_t id;
	uint32_t size;
	if (!rng || !virtqueue_take(&rng->queue, &id, &size))
		return false;
	random_mix(rng->bytes, size < ENTROPY_BYTES ? size : ENTROPY_BYTES);
	memset(rng->bytes, 0, ENTROPY_BYTES);
	return true;
}

static void on_interrupt(struct virtio_device *device)
{
	if (collect(device))
		finish(device);
}

static int start(struct virtio_device *device)
{
	struct virtio_rng *rng = device->driver;
	int rc = virtio_negotiate(device, 0);
	if (rc < 0)
		return rc;
	if (!(rng->bytes = kzalloc(&kernel_account, ENTROPY_BYTES)))
		return -ENOMEM;
	if ((rc = virtio_interrupt_start(device, on_interrupt)) < 0 ||
	    (rc = virtqueue_init(&rng->queue, device, 0, 1)) < 0)
		return rc;
	virtqueue_describe(&rng->queue, 0, rng->bytes, ENTROPY_BYTES, VIRTQ_WRITE, 0);
	virtqueue_offer(&rng->queue, 0);
	virtio_ready(device);
	virtqueue_notify(&rng->queue);
	return 0;
}

static int probe(struct virtio_device *device)
{
	struct virtio_rng *rng = kzalloc(&kernel_account, sizeof(*rng));
	if (!rng)
		return -ENOMEM;
	device->driver = rng;
	int rc = start(device);
	if (rc < 0) {
		finish(device);
		return rc;
	}
	if (cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND)
		return 0;
	for (uint64_t deadline = clock_now_ns() + WAIT_NS; clock_now_ns() < deadline;) {
		if (collect(device)) {
			finish(device);
			break;
		}
		cpu_relax();
	}
	return 0;
}

const struct virtio_driver virtio_rng_driver = {
	.name = "virtio-rng", .id = VIRTIO_ID_RNG, .probe = probe};
