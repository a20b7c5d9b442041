/* power.h: the ACPI power button, by which hypervisors and clouds ask a machine to end.
 */
#ifndef SHIM_DEV_POWER_H
#define SHIM_DEV_POWER_H

/* Calls pressed, from an interrupt under the kernel lock, each time the fixed power
 * button is pressed. Does nothing where there is none. */
void power_button_init(void (*pressed)(void));

#endif
