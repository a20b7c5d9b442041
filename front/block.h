/* block.h: memory in pieces that are used again without asking the kernel.
 *
 * A request takes and gives back a handful of blocks; an allocator that returns empty
 * groups to the kernel would turn each into system calls. Single-threaded, as all of
 * front is. */
#ifndef ELFPACK_FRONT_BLOCK_H
#define ELFPACK_FRONT_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#define BLOCK_SMALL  4096u
#define BLOCK_MIDDLE 16384u
#define BLOCK_LARGE  65536u

/* Returns at least size bytes, rounded up in *room, or NULL. */
void *block_get(size_t size, size_t *room);

/* Gives back a block; room is what block_get said. NULL is ignored. */
void block_put(void *block, size_t room);

/* Are any kept that nobody uses? Trimming gives those back to the kernel. */
bool block_any_free(void);
void block_trim(void);

/* No more than this is lent at a time: memory that is not there must be refused here, for
 * touching it would end the process. */
void block_limit_set(size_t bytes);

/* The same account for memory that others hold: bytes are taken from it, or there are not
 * that many. */
bool block_lend(size_t bytes);
void block_return(size_t bytes);

/* Bytes out on loan: what the server's memory budget counts. */
size_t block_bytes_used(void);

#endif
