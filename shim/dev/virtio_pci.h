/* virtio_pci.h: virtio devices on PCI through the modern interface (virtio 1.2, 4.1),
 * which transitional devices have too. */
#ifndef SHIM_DEV_VIRTIO_PCI_H
#define SHIM_DEV_VIRTIO_PCI_H

#include "shim/dev/pci.h"

extern const struct pci_driver virtio_pci_driver;

#endif
