/* console.c: stage 2's messages, on the screen and on COM1. */
#include "loader/bios/bios.h"
#include "loader/message.h"

static void put_char(char c)
{
	struct bios_registers screen = {.eax = 0x0e00u | (uint8_t)c, .ebx = 7};
	bios_call(0x10, &screen);
	com1_put(c);
}

void fail(const char *format, ...)
{
	va_list args;
	com1_open();
	va_start(args, format);
	message_format(put_char, format, args);
	va_end(args);
	for (;;)
		__asm__ volatile("cli; hlt");
}
