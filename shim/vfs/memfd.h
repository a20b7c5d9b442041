/* memfd.h: files without a name, and the seals that may lie on them. */
#ifndef SHIM_VFS_MEMFD_H
#define SHIM_VFS_MEMFD_H

#include <stdbool.h>
#include <stdint.h>

struct file;

#define F_SEAL_SEAL         1u
#define F_SEAL_SHRINK       2u
#define F_SEAL_GROW         4u
#define F_SEAL_WRITE        8u
#define F_SEAL_FUTURE_WRITE 16u

int memfd_make(bool may_seal, uint32_t flags, struct file **out);
int memfd_may_write(uint32_t seals, bool grows); /* 0 or -EPERM */
int memfd_may_resize(struct file *file, uint64_t size);
long memfd_seals_get(struct file *file); /* -EINVAL: has none */
int memfd_seals_add(struct file *file, uint32_t seals);

#endif
