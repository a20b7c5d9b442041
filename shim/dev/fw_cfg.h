/* fw_cfg.h: QEMU's firmware configuration device, read through its I/O ports (QEMU
 * docs/specs/fw_cfg). Absent elsewhere. */
#ifndef SHIM_DEV_FW_CFG_H
#define SHIM_DEV_FW_CFG_H

#include <stddef.h>

/* The bytes of a named item, at most room; returns its whole size, 0 when there is none.
 */
size_t fw_cfg_read(const char *name, void *out, size_t room);

#endif
