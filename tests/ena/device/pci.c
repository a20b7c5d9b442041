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

/* One interrupt, then silence until the driver unmasks the vector. */
void interrupt_io(EnaState *s, const struct queue *q)
{
	if (s->vector_masked[q->vector]) {
		s->vector_pending[q->vector] = q;
		return;
	}
	s->vector_masked[q->vector] = true;
	s->vector_pending[q->vector] = NULL;
	s->interrupts[q->number % 2]++;
	msix_notify(&s->parent, q->vector);
}

void interrupt_io_unmask(EnaState *s, uint32_t vector, bool unmask)
{
	s->vector_masked[vector] = !unmask;
	if (s->vector_pending[vector])
		interrupt_io(s, s->vector_pending[vector]);
}

static NetClientInfo net_info = {
	.type = NET_CLIENT_DRIVER_NIC,
	.size = sizeof(NICState),
	.receive = rx_receive,
};

static void realize(PCIDevice *pci, Error **errp)
{
	EnaState *s = ENA(pci);
	Error *error = NULL;
	if (!s->pairs || s->pairs > PAIRS_MOST || s->depth > RING_MOST)
		return error_setg(errp, "too many or no queues or entries");
	faults_add_counters(s);
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
	if (msix_init_exclusive_bar(pci, 1 + s->pairs, 1, errp))
		return;
	for (unsigned i = 0; i <= s->pairs; i++)
		msix_vector_use(pci, i);
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
