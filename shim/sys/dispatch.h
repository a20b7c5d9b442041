/* dispatch.h: the system calls as a table, for who counts and traces them. */
#ifndef SHIM_SYS_DISPATCH_H
#define SHIM_SYS_DISPATCH_H

#include <stdint.h>

/* Linux' numbers lie below 480 (6.1), front's own from 5000 on; both have a slot. */
#define SYSCALL_LINUX_MAX 480u
#define SYSCALL_JOB_FIRST 5000u
#define SYSCALL_SLOTS     512u
#define SYSCALL_SLOT(number)                                                             \
	((number) < SYSCALL_LINUX_MAX ? (number)                                         \
				      : (number)-SYSCALL_JOB_FIRST + SYSCALL_LINUX_MAX)

uint64_t syscall_count_unknown(void); /* calls answered ENOSYS because they have no row */
uint64_t syscall_count(uint32_t number);

#endif
