/* kmem.h: kernel objects, from slabs that belong to one account each: what a job makes
 * the kernel allocate is paid for by the job, and its slabs are gone when it is. An empty
 * slab returns its page at once. Under the kernel lock. */
#ifndef SHIM_MM_KMEM_H
#define SHIM_MM_KMEM_H

#include <stddef.h>

#include "shim/mm/account.h"

/* size bytes, aligned to 16 (a multiple of 64 from 64 on for power-of-two sizes), NULL
 * when the account cannot pay. Sizes over 2,048 are rounded up to a power of two pages;
 * at most 4 MiB. kzalloc's are zero. */
void *kmalloc(struct account *account, size_t size);
void *kzalloc(struct account *account, size_t size);
void kfree(void *object); /* NULL is legal */
/* As ISO C realloc; on failure the old object stays and NULL is returned. */
void *krealloc(struct account *account, void *object, size_t size);
/* The bytes that may be used of an object. */
size_t kmem_size(const void *object);

#endif
