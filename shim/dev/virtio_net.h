/* virtio_net.h: network devices (virtio 1.2, 5.1). */
#ifndef SHIM_DEV_VIRTIO_NET_H
#define SHIM_DEV_VIRTIO_NET_H

#include "shim/dev/virtio.h"

extern const struct virtio_driver virtio_net_driver;

#endif
