/* pipe.h: pipes and FIFOs. */
#ifndef SHIM_VFS_PIPE_H
#define SHIM_VFS_PIPE_H

#include <stdbool.h>
#include <stdint.h>

struct file;
struct pipe;
struct uio;

#define PIPE_BUF 4096u

int pipe_make(uint32_t flags, struct file **reader, struct file **writer);
/* Opens a FIFO: *slot is the pipe of the FIFO's node while anybody has it open. May
 * sleep. */
int pipe_open_fifo(void **slot, struct file *file);
bool pipe_is(const struct file *file);
/* Makes file another end of the pipe that source is one of (open of /proc/self/fd/N). */
void pipe_reopen(struct file *source, struct file *file);
/* F_GETPIPE_SZ, F_SETPIPE_SZ: bytes or -errno. */
long pipe_size_get(const struct file *file);
long pipe_size_set(struct file *file, uint64_t size);
uint64_t pipe_inode(const struct file *file);

/* splice(2). Bytes that a write takes without sleeping; -EPIPE, with its signal, when
 * nobody reads. */
long pipe_room(struct file *file);
/* Reads bytes that are there, at most a page, without taking them; 0 at the end, -EAGAIN.
 */
long pipe_peek(struct file *file, struct uio *uio);
void pipe_skip(struct file *file, uint64_t size); /* takes so many of those */

/* tee(2): copies up to size bytes that are there from one pipe to another, without taking
 * them; sleeps unless nonblock. */
long pipe_tee(struct file *from, struct file *to, uint64_t size, bool nonblock);

#endif
