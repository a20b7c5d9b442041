/* vdso.h: the vDSO in programs' address spaces: a data page, then the image's own. */
#ifndef SHIM_MM_VDSO_H
#define SHIM_MM_VDSO_H

struct vmspace;

/* Maps it and sets vm->vdso, the image's address (AT_SYSINFO_EHDR). 0 or -ENOMEM. */
int vdso_map(struct vmspace *vm);
/* For whoever changes clock_scale_get()'s or clock_realtime_offset_ns()'s answer. */
void vdso_clock_changed(void);

#endif
