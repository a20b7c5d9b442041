/* virtio_mmio.h: virtio devices at fixed addresses (virtio 1.2, 4.2), as QEMU's microvm
 * and Firecracker have them, with the current and the legacy register layout. */
#ifndef SHIM_DEV_VIRTIO_MMIO_H
#define SHIM_DEV_VIRTIO_MMIO_H

#include "shim/dev/mmio_device.h"

void virtio_mmio_probe(const struct mmio_device *where);

#endif
