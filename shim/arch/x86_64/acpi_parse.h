/* acpi_parse.h: what MADT, FADT and _S5 say, for the rest of arch. */
#ifndef SHIM_ARCH_X86_64_ACPI_PARSE_H
#define SHIM_ARCH_X86_64_ACPI_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#define ACPI_CPUS_MAX    256u
#define ACPI_IOAPICS_MAX 16u

struct acpi_ioapic {
	uint32_t phys, gsi_base;
};

/* The route of an ISA interrupt; as by default where the MADT overrides nothing. */
struct acpi_isa_route {
	uint32_t gsi;
	bool level, active_low;
};

struct acpi_info {
	bool found; /* tables at all */
	uint32_t cpu_count, ioapic_count;
	uint32_t cpu_apic_id[ACPI_CPUS_MAX]; /* usable ones, in the table's order */
	struct acpi_ioapic ioapic[ACPI_IOAPICS_MAX];
	struct acpi_isa_route isa[16];
	uint32_t pm_timer_port; /* 0: none */
	bool pm_timer_32bit;
	bool hardware_reduced;
	uint16_t pm1a_control, pm1b_control; /* ports, 0: none */
	uint16_t smi_command;                /* port; takes acpi_enable where not 0 */
	uint8_t acpi_enable;
	uint16_t sleep_type[2]; /* of S5, for each; valid with s5 */
	bool s5;
	uint8_t reset_space, reset_value; /* ACPI 6.4, 5.2.3.2; 0xff: none */
	uint64_t reset_address;
	uint8_t sleep_space; /* of hardware-reduced machines; 0xff: none */
	uint64_t sleep_address;
};
extern struct acpi_info acpi_info;

#endif
