/* ena.h: Amazon's Elastic Network Adapter, the network device of EC2's Nitro machines. */
#ifndef SHIM_DEV_ENA_H
#define SHIM_DEV_ENA_H

#include "shim/dev/pci.h"

extern const struct pci_driver ena_driver;

#endif
