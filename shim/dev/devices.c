/* devices.c: where devices come from, and the table of PCI drivers. Those of virtio
 * devices are in virtio.c. */
#include "shim/dev/devices.h"

#include "shim/arch/x86_64/acpi.h"
#include "shim/dev/ena.h"
#include "shim/dev/pci.h"
#include "shim/dev/virtio_mmio.h"
#include "shim/dev/virtio_pci.h"
#include "shim/lib/print.h"

static const struct pci_driver *const pci_drivers[] = {&virtio_pci_driver, &ena_driver};

#define MMIO_DEVICES_MAX 32u

/* A device may be named twice, on the command line and in the DSDT. */
struct places {
	uint64_t address[MMIO_DEVICES_MAX];
	unsigned count;
};

static void mmio_add(struct places *places, const struct mmio_device *device)
{
	for (unsigned i = 0; i < places->count; i++)
		if (places->address[i] == device->address)
			return;
	if (places->count == MMIO_DEVICES_MAX)
		return;
	places->address[places->count++] = device->address;
	virtio_mmio_probe(device);
}

void devices_init(const char *cmdline)
{
	struct places places = {.count = 0};
	struct mmio_device device;
	unsigned bad = 0;
	size_t size, at = 0;
	pci_init(pci_drivers, sizeof(pci_drivers) / sizeof(pci_drivers[0]));
	while (mmio_device_next(&cmdline, &device, &bad))
		mmio_add(&places, &device);
	const uint8_t *dsdt = acpi_table("DSDT", &size);
	while (dsdt && mmio_device_next_aml(dsdt, size, &at, &device))
		mmio_add(&places, &device);
	if (bad)
		kprint("elfpack: command line: %u virtio_mmio.device= of wrong form; "
		       "hint: <size>@<base>:<irq>\n",
		       bad);
}
