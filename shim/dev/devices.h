/* devices.h: all devices but the console's and the CPU's own. */
#ifndef SHIM_DEV_DEVICES_H
#define SHIM_DEV_DEVICES_H

/* Starts what is on PCI, and virtio devices that cmdline or the DSDT name. */
void devices_init(const char *cmdline);

#endif
