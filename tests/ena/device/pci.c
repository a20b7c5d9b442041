/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pci.c: what QEMU knows of the device: its BARs, its MSI-X vectors, its type. */
#include "qemu/osdep.h"

#include "device.h"
#include "qapi/error.h"
#include "qemu/module.h"

void interrupt_admin(EnaState *s)
{
	if (!s->interrupt_masked)
		msix_notify(&s->parent, 0);
}

void interrupt_io(EnaState *s)
{
	if (s->vector_masked) {
		s->vector_pending = true;
		return;
	}
	s->vector_masked = true;
	s->vector_pending = false;
	msix_notify(&s->parent, 1);
}

void interrupt_io_unmask(EnaState *s, bool unmask)
{
	s->vector_masked = !unmask;
	if (s->vector_pending)
		interrupt_io(s);
}

static NetClientInfo net_info = {
	.type = NET_CLIENT_DRIVER_NIC,
	.size = sizeof(NICState),
	.can_receive = rx_can_receive,
	.receive = rx_receive,
};

static void realize(PCIDevice *pci, Error **errp)
{
	EnaState *s = ENA(pci);
	Error *error = NULL;
	object_property_add_uint64_ptr(OBJECT(s), "dropped", &s->dropped,
				       OBJ_PROP_FLAG_READ);
	memory_region_init_io(&s->registers, OBJECT(s), &register_ops, s, "ena-registers",
			      REGISTERS_SIZE);
	memory_region_init_ram(&s->window, OBJECT(s), "ena-window", WINDOW_SIZE, &error);
	if (error)
		return error_propagate(errp, error);
	pci_register_bar(pci, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->registers);
	pci_register_bar(pci, 2,
			 PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64 |
				 PCI_BASE_ADDRESS_MEM_PREFETCH,
			 &s->window);
	if (msix_init_exclusive_bar(pci, 2, 1, errp))
		return;
	msix_vector_use(pci, 0);
	msix_vector_use(pci, 1);
	qemu_macaddr_default_if_unset(&s->conf.macaddr);
	s->nic = qemu_new_nic(&net_info, &s->conf, TYPE_ENA, DEVICE(s)->id,
			      &DEVICE(s)->mem_reentrancy_guard, s);
	s->soon = timer_new_ms(QEMU_CLOCK_VIRTUAL, tx_flush_held, s);
	device_forget(s);
	events_start(s);
}

static void class_init(ObjectClass *class, void *data)
{
	PCIDeviceClass *pci = PCI_DEVICE_CLASS(class);
	pci->realize = realize;
	pci->vendor_id = 0x1d0f;
	pci->device_id = 0xec20;
	pci->class_id = PCI_CLASS_NETWORK_ETHERNET;
	faults_add_properties(class);
}

static const TypeInfo info = {
	.name = TYPE_ENA,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(EnaState),
	.class_init = class_init,
	.interfaces = (InterfaceInfo[]){{INTERFACE_CONVENTIONAL_PCI_DEVICE}, {}},
};

static void register_types(void)
{
	type_register_static(&info);
}
type_init(register_types)
