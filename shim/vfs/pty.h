/* pty.h: pseudo-terminals: /dev/ptmx makes one, /dev/pts/N is its other side. */
#ifndef SHIM_VFS_PTY_H
#define SHIM_VFS_PTY_H

#include <stdbool.h>
#include <stdint.h>

struct file;

#define PTS_MAJOR 136u

/* Opens of the device nodes: give file its ops and data. 0 or -errno. */
int ptmx_open(struct file *file);
int pts_open(uint32_t number, struct file *file);

#endif
