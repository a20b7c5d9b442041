/* console.c: stage 2's messages. They are rare: all of them are the last. */
#include <stdarg.h>

#include "loader/bios/bios.h"
#include "loader/bios/port.h"

enum { COM1 = 0x3f8, COM1_LINE_STATUS = COM1 + 5, LINE_CAN_SEND = 0x20 };

static void serial_open(void)
{
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 0x83); /* divisor latch, 8N1 */
	out8(COM1, 1);        /* 115,200 baud */
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 0x03);
}

static void put_char(char c)
{
	struct bios_registers screen = {.eax = 0x0e00u | (uint8_t)c, .ebx = 7};
	bios_call(0x10, &screen);
	/* COM1 may be absent (reads ff) or stuck. */
	for (int i = 0; i < 100000 && !(in8(COM1_LINE_STATUS) & LINE_CAN_SEND); i++)
		;
	out8(COM1, (uint8_t)c);
}

static void put_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put_char('\r');
		put_char(*text);
	}
}

static void put_number(uint32_t n, uint32_t radix)
{
	char digits[11];
	char *at = digits + sizeof(digits) - 1;
	*at = 0;
	do {
		*--at = "0123456789abcdef"[n % radix];
		n /= radix;
	} while (n);
	put_text(at);
}

void fail(const char *format, ...)
{
	va_list args;
	serial_open();
	put_text("elfpack: ");
	va_start(args, format);
	for (const char *at = format; *at; at++) {
		if (*at != '%') {
			put_char(*at);
			continue;
		}
		switch (*++at) {
		case 's':
			put_text(va_arg(args, const char *));
			break;
		case 'u':
			put_number(va_arg(args, uint32_t), 10);
			break;
		default:
			put_number(va_arg(args, uint32_t), 16);
		}
	}
	va_end(args);
	put_text("\n");
	for (;;)
		__asm__ volatile("cli; hlt");
}
