/* sys/getrandom.c: getrandom(2). The generator is lib/random.c's. */
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/proc/thread.h"
#include "shim/proc/wait.h"
#include "shim/sys/sys.h"

long sys_getrandom(const struct sysargs *a)
{
	enum { NONBLOCK = 1, RANDOM = 2, INSECURE = 4 };
	uint64_t size = a->arg[1], done = 0;
	unsigned flags = (unsigned)a->arg[2];
	uint8_t bytes[256];
	if ((flags & ~(unsigned)(NONBLOCK | RANDOM | INSECURE)) ||
	    (flags & (RANDOM | INSECURE)) == (RANDOM | INSECURE))
		return -EINVAL;
	if (size > 0x7fffffff)
		size = 0x7fffffff;
	while (done < size) {
		size_t n = size - done < sizeof(bytes) ? (size_t)(size - done)
						       : sizeof(bytes);
		random_bytes(bytes, n);
		size_t put =
			copy_to_user_partial(uaddr_add(arg_user(a, 0), done), bytes, n);
		done += put;
		if (put < n)
			return done ? (long)done : -EFAULT;
		/* Other threads' turn, and the end of a job, in the midst of a long
		 * request. */
		if (done % 65536 == 0 && done < size) {
			if (wait_interrupted())
				break;
			thread_yield();
		}
	}
	memset(bytes, 0, sizeof(bytes));
	return (long)done;
}
