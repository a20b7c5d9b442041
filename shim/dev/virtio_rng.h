/* virtio_rng.h: entropy devices (virtio 1.2, 5.4): read once, at boot. */
#ifndef SHIM_DEV_VIRTIO_RNG_H
#define SHIM_DEV_VIRTIO_RNG_H

#include "shim/dev/virtio.h"

extern const struct virtio_driver virtio_rng_driver;

#endif
