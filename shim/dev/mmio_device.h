/* mmio_device.h: where virtio devices at fixed addresses are: named on the kernel's
 * command line, in Linux' syntax (Documentation/admin-guide/kernel-parameters.txt),
 *   virtio_mmio.device=<size>[KMG]@<base>:<irq>[:<id>]
 * or in the firmware's DSDT, as QEMU's microvm and newer Firecrackers do. Pure. */
#ifndef SHIM_DEV_MMIO_DEVICE_H
#define SHIM_DEV_MMIO_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mmio_device {
	uint64_t address, size; /* bytes */
	unsigned gsi;
	bool level, active_low;
};

/* Takes the next device from *cmdline and moves it behind; false: no more. What is not in
 * the syntax above is skipped and *bad, when not NULL, counts it. Its interrupt is edge
 * triggered, active high. */
bool mmio_device_next(const char **cmdline, struct mmio_device *device, unsigned *bad);

/* Takes the next device with the hardware ID LNRO0005 from AML, starting at *at. AML is
 * not run: a device counts when its resources are constants, a 32-bit range followed by
 * an interrupt (ACPI 6.4, 6.4.3.4 and 6.4.3.6). */
bool mmio_device_next_aml(const uint8_t *aml, size_t size, size_t *at,
			  struct mmio_device *device);

#endif
