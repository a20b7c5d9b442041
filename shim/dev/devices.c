/* devices.c: where devices come from, and the table of PCI drivers. Those of virtio
 * devices are in virtio.c. */
#include "shim/dev/devices.h"

#include "shim/dev/pci.h"
#include "shim/dev/virtio_mmio.h"
#include "shim/dev/virtio_pci.h"
#include "shim/lib/print.h"

static const struct pci_driver *const pci_drivers[] = {&virtio_pci_driver};

void devices_init(const char *cmdline)
{
	struct mmio_device device;
	unsigned bad = 0;
	pci_init(pci_drivers, sizeof(pci_drivers) / sizeof(pci_drivers[0]));
	while (mmio_device_next(&cmdline, &device, &bad))
		virtio_mmio_probe(&device);
	if (bad)
		kprint("elfpack: command line: %u virtio_mmio.device= of wrong form; "
		       "hint: <size>@<base>:<irq>\n",
		       bad);
}
