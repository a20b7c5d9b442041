/* power.c: the end of the machine, by every way there is, the most exact first. */
#include "shim/arch/x86_64/acpi_parse.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/device_map.h"
#include "shim/arch/x86_64/insn.h"

enum {
	DEBUG_EXIT_PORT = 0x501, /* -device isa-debug-exit,iobase=0x501,iosize=1 (or 2) */
	DEBUG_BYTE_PORT = 0x502, /* -device isa-debugcon,iobase=0x502,chardev=... */
	DEBUG_BYTE_READBACK = 0xe9,
	SLEEP_ENABLE = 1 << 13, /* PM1 control (ACPI 6.4, 4.8.3.2.1); SCI_EN is bit 0 */
	SLEEP_REGISTER_ENABLE = 1 << 5, /* 4.8.3.7 */
	WAIT_READS = 100000,
};

/* isa-debug-exit reads as 0; where nothing is, a bus reads ones. */
static void debug_exit(int status)
{
	if (in8(DEBUG_BYTE_PORT) == DEBUG_BYTE_READBACK)
		out8(DEBUG_BYTE_PORT, (uint8_t)status);
	if (in8(DEBUG_EXIT_PORT) == 0)
		out8(DEBUG_EXIT_PORT, (uint8_t)status);
}

static void acpi_mode_enter(void)
{
	if (in16(acpi_info.pm1a_control) & 1 || !acpi_info.smi_command ||
	    !acpi_info.acpi_enable)
		return;
	out8(acpi_info.smi_command, acpi_info.acpi_enable);
	for (int i = 0; i < WAIT_READS && !(in16(acpi_info.pm1a_control) & 1); i++)
		cpu_relax();
}

static void register_write(uint8_t space, uint64_t address, uint8_t value)
{
	if (space == 1)
		out8((uint16_t)address, value);
	volatile uint8_t *memory =
		space == 0 ? device_map(address, 1, DEVICE_UNCACHED) : NULL;
	if (memory)
		*memory = value;
}

static void acpi_sleep(void)
{
	if (!acpi_info.s5)
		return;
	if (acpi_info.hardware_reduced) {
		register_write(
			acpi_info.sleep_space, acpi_info.sleep_address,
			(uint8_t)(acpi_info.sleep_type[0] << 2 | SLEEP_REGISTER_ENABLE));
		return;
	}
	if (!acpi_info.pm1a_control)
		return;
	acpi_mode_enter();
	out16(acpi_info.pm1a_control,
	      (uint16_t)(acpi_info.sleep_type[0] << 10 | SLEEP_ENABLE));
	if (acpi_info.pm1b_control)
		out16(acpi_info.pm1b_control,
		      (uint16_t)(acpi_info.sleep_type[1] << 10 | SLEEP_ENABLE));
}

/* Power goes off some time after the write. */
static void wait_a_moment(void)
{
	for (int i = 0; i < WAIT_READS; i++)
		in8(0x80);
}

_Noreturn void machine_stop(int status)
{
	__asm__ volatile("cli");
	debug_exit(status);
	for (;;)
		__asm__ volatile("hlt");
}

_Noreturn void machine_power_off(int status)
{
	__asm__ volatile("cli");
	debug_exit(status);
	acpi_sleep();
	if (acpi_info.s5)
		wait_a_moment();
	if (acpi_info.reset_space != 0xff)
		register_write(acpi_info.reset_space, acpi_info.reset_address,
			       acpi_info.reset_value);
	for (int i = 0; i < WAIT_READS && in8(0x64) & 2; i++)
		cpu_relax();
	out8(0x64,
	     0xfe); /* the keyboard controller pulses RESET; Firecracker's way out */
	wait_a_moment();
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) nothing = {0, 0};
	__asm__ volatile("lidt %0; int3" : : "m"(nothing)); /* triple fault */
	for (;;)
		__asm__ volatile("hlt");
}
