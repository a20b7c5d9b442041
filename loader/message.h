/* message.h: the loaders' messages, and the first serial port. Messages are rare: all of
 * them are the last. */
#ifndef LOADER_MESSAGE_H
#define LOADER_MESSAGE_H

#include <stdarg.h>

/* "elfpack: ", the text and a new line, by put. "%s", and "%u" and "%x" of 32 bits. */
void message_format(void (*put)(char c), const char *format, va_list args);

void com1_open(void); /* 115,200 baud, 8N1 */
void com1_put(char c);

#endif
