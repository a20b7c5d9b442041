/* async.h: files that signal their owner when they can be read or written: O_ASYNC, of
 * fcntl(2). */
#ifndef SHIM_VFS_ASYNC_H
#define SHIM_VFS_ASYNC_H

#include <stdbool.h>

struct file;
struct job;

/* O_ASYNC on or off, by descriptor fd, which the signals will name. 0; also where no such
 * file has it, and then the flag stays off, as on Linux. -ENOMEM. */
int async_set(struct file *file, int fd, bool on);
/* A write found no room: for terminals and sockets that is when room is told of. */
void async_no_room(struct file *file);
/* The last reference to file is gone. */
void async_forget_file(struct file *file);
/* The job is gone, though files that it used may not be. */
void async_job_ended(const struct job *job);

/* F_SETOWN and F_SETOWN_EX: whom to signal; id 0: nobody. */
enum { ASYNC_OWNER_THREAD, ASYNC_OWNER_PROCESS, ASYNC_OWNER_GROUP };
int async_owner_set(struct file *file, int type, int id); /* 0 or -ESRCH */
/* Its number; 0 when there is none, or it is gone. */
int async_owner(const struct file *file);

#endif
