/* console.h: the serial console, COM1: for the kernel's own lines and for the streams of
 * a program that runs once. Output waits for the device, but not for ever; input comes by
 * interrupt. COM1 may be absent: then writing is nothing and reading is the end of file.
 */
#ifndef SHIM_DEV_CONSOLE_H
#define SHIM_DEV_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/proc/wait.h"

void console_early_init(void);                      /* before memory: polling only */
void console_input_init(void);                      /* routes its interrupt */
void console_write(const char *bytes, size_t size); /* LF becomes CR LF */
void console_put(const char *bytes, size_t size);   /* as they are */
/* Bytes typed so far, at most size; 0: none now. */
size_t console_read(char *out, size_t size);
bool console_is_present(void);
/* Woken when console_read would give something. */
struct waitq *console_waitq(void);

#endif
