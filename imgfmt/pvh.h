/* pvh.h: the ELF note by which a kernel with a bundle in it says where that is. The
 * kernel has the note (shim/arch/x86_64/head.S) with zeros; the writer fills it in. */
#ifndef ELFPACK_PVH_H
#define ELFPACK_PVH_H

#include "imgfmt/abi/le.h"

#define PVH_NOTE_NAME "elfpack" /* with its NUL: 8 bytes */
#define PVH_NOTE_TYPE 1u

struct pvh_note {
	le32 name_size, bytes_size, type;
	uint8_t name[8];
	le64 bundle_phys, bundle_size;
};
_Static_assert(sizeof(struct pvh_note) == 36, "ELF note");

#endif
