/* acpi.h: the firmware's tables, as far as a machine without AML needs them: MADT (CPUs,
 * I/O APICs, interrupt overrides), MCFG (PCI configuration), FADT and _S5 (power off,
 * power button). ACPI 6.4, 5.2. Absent on microvm and Firecracker without ACPI. */
#ifndef SHIM_ARCH_X86_64_ACPI_H
#define SHIM_ARCH_X86_64_ACPI_H

#include <stddef.h>
#include <stdint.h>

/* Finds and checks the tables; rsdp_phys 0: searches where a BIOS leaves it. */
void acpi_init(uint64_t rsdp_phys);
/* A table by its signature, checksum checked, mapped read-only; NULL: none. */
const void *acpi_table(const char signature[4], size_t *size);

#endif
