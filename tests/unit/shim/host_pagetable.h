/* host_pagetable.h: what test_vm.c wants to know of the pretended page tables and files.
 */
#ifndef TESTS_HOST_PAGETABLE_H
#define TESTS_HOST_PAGETABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/mm/vm.h"

/* A file of pages, all there; each page begins with the number FILE_WORD(index). */
#define FILE_PAGES       16u
#define FILE_WORD(index) (0xf11e0000u + (index))
struct vnode *host_file_make(void);
uint32_t host_file_refs(const struct vnode *file);
void host_file_free(struct vnode *file);

/* How many mappings will still be made before pt_map says -ENOMEM, once. */
extern uint64_t host_pt_maps_left;

#endif
