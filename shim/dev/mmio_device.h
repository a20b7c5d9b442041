/* mmio_device.h: virtio devices named on the kernel's command line, in Linux' syntax
 * (Documentation/admin-guide/kernel-parameters.txt):
 *   virtio_mmio.device=<size>[KMG]@<base>:<irq>[:<id>]   Pure. */
#ifndef SHIM_DEV_MMIO_DEVICE_H
#define SHIM_DEV_MMIO_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct mmio_device {
	uint64_t address, size; /* bytes */
	unsigned gsi;
};

/* Takes the next device from *cmdline and moves it behind; false: no more. What is not in
 * the syntax above is skipped and *bad, when not NULL, counts it. */
bool mmio_device_next(const char **cmdline, struct mmio_device *device, unsigned *bad);

#endif
