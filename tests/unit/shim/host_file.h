/* host_file.h: a file of pages, all there; each begins with the number FILE_WORD(index).
 */
#ifndef TESTS_HOST_FILE_H
#define TESTS_HOST_FILE_H

#include <stdint.h>

#define FILE_PAGES       16u
#define FILE_WORD(index) (0xf11e0000u + (index))

struct vnode;
struct vnode *host_file_make(void);
uint32_t host_file_refs(const struct vnode *file);
void host_file_free(struct vnode *file);

#endif
