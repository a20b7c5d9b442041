/* message.c: formatted text, and COM1 without interrupts. */
#include <stdint.h>

#include "shim/arch/x86_64/port.h"

#include "loader/message.h"

enum { COM1 = 0x3f8, COM1_LINE_STATUS = COM1 + 5, LINE_CAN_SEND = 0x20 };

void com1_open(void)
{
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 0x83); /* divisor latch, 8N1 */
	out8(COM1, 1);        /* 115,200 baud */
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 0x03);
}

void com1_put(char c)
{
	/* COM1 may be absent (reads ff) or stuck. */
	for (int i = 0; i < 100000 && !(in8(COM1_LINE_STATUS) & LINE_CAN_SEND); i++)
		;
	out8(COM1, (uint8_t)c);
}

static void put_text(void (*put)(char c), const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
}

static void put_number(void (*put)(char c), uint32_t n, uint32_t radix)
{
	char digits[11];
	char *at = digits + sizeof(digits) - 1;
	*at = 0;
	do {
		*--at = "0123456789abcdef"[n % radix];
		n /= radix;
	} while (n);
	put_text(put, at);
}

void message_format(void (*put)(char c), const char *format, va_list args)
{
	put_text(put, "elfpack: ");
	for (const char *at = format; *at; at++) {
		if (*at != '%') {
			put(*at);
			continue;
		}
		switch (*++at) {
		case 's':
			put_text(put, va_arg(args, const char *));
			break;
		case 'u':
			put_number(put, va_arg(args, uint32_t), 10);
			break;
		default:
			put_number(put, va_arg(args, uint32_t), 16);
		}
	}
	put_text(put, "\n");
}
