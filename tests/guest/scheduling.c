/* Who a program is and how it is run: users, groups, capabilities, policies, processors,
 * locked memory, barriers. As root without capabilities, which in an image is all there
 * is. */
#include "show.h"

#include <linux/capability.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CALL(name, ...) syscall(SYS_##name, __VA_ARGS__)

static void identities(void)
{
	uid_t u[3] = {9, 9, 9};
	gid_t g[3] = {9, 9, 9};
	SHOW(CALL(getresuid, &u[0], &u[1], &u[2]));
	printf("%u %u %u\n", u[0], u[1], u[2]);
	SHOW(CALL(getresgid, &g[0], &g[1], &g[2]));
	printf("%u %u %u\n", g[0], g[1], g[2]);
	SHOW(CALL(getresuid, 1, 1, 1));
	SHOW(CALL(setuid, 0));
	SHOW(CALL(setgid, 0));
	SHOW(CALL(setuid, -1));
	SHOW(CALL(setreuid, 0, 0));
	SHOW(CALL(setregid, -1, 0));
	SHOW(CALL(setresuid, 0, -1, 0));
	SHOW(CALL(setresgid, 0, 0, -1));
	SHOW(CALL(setfsuid, 0));
	SHOW(CALL(setfsgid, 0));
	SHOW(CALL(setfsuid, -1));
	SHOW(CALL(getgroups, -1, NULL));
	SHOW(CALL(getgroups, 0, NULL) >= 0);
	SHOW(CALL(setgroups, 70000, NULL));
	SHOW(CALL(setfsuid, 1000));
	SHOW(CALL(setfsuid, -1));
}

static void capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	SHOW(CALL(capget, &head, data));
	SHOW(CALL(capset, &head, data)); /* what it has already */
	head.version = 1;
	SHOW(CALL(capget, &head, data));
	SHOW(head.version == _LINUX_CAPABILITY_VERSION_3);
	head.pid = -1;
	SHOW(CALL(capget, &head, data));
	SHOW(CALL(personality, 0xffffffff));
	SHOW(CALL(personality, ADDR_NO_RANDOMIZE));
	SHOW(CALL(personality, 0xffffffff) == ADDR_NO_RANDOMIZE);
	SHOW(CALL(personality, 0) == ADDR_NO_RANDOMIZE);
}

static void policies(void)
{
	struct sched_param param = {.sched_priority = 9};
	struct timespec slice = {9, 9};
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = {0};
	SHOW(CALL(sched_getparam, 0, &param));
	SHOW(param.sched_priority);
	SHOW(CALL(sched_setparam, 0, &param));
	param.sched_priority = 1;
	SHOW(CALL(sched_setparam, 0, &param));
	SHOW(CALL(sched_setscheduler, 0, SCHED_OTHER, &param));
	SHOW(CALL(sched_setscheduler, 0, 77, &param));
	param.sched_priority = 0;
	SHOW(CALL(sched_setscheduler, 0, SCHED_OTHER, &param));
	SHOW(CALL(sched_getparam, 4000000, &param));
	SHOW(CALL(sched_getparam, -1, &param));
	SHOW(CALL(sched_get_priority_min, SCHED_FIFO));
	SHOW(CALL(sched_get_priority_min, SCHED_OTHER));
	SHOW(CALL(sched_get_priority_min, 77));
	SHOW(CALL(sched_rr_get_interval, 0, &slice));
	SHOW(slice.tv_sec);
	SHOW(CALL(sched_rr_get_interval, -1, &slice));
	SHOW(CALL(sched_getattr, 0, &attr, sizeof(attr), 0));
	printf("%u %u %d %u\n", attr.size, attr.policy, attr.nice, attr.priority);
	SHOW(CALL(sched_getattr, 0, &attr, 8, 0));
	SHOW(CALL(sched_getattr, 0, &attr, sizeof(attr), 1));
	attr.nice = 3;
	SHOW(CALL(sched_setattr, 0, &attr, 0));
	SHOW(getpriority(PRIO_PROCESS, 0));
	struct {
		__typeof__(attr) attr;
		char rest[32];
	} longer = {.attr = attr};
	longer.attr.size = 47;
	SHOW(CALL(sched_setattr, 0, &longer, 0));
	longer.attr.size = 5000;
	SHOW(CALL(sched_setattr, 0, &longer, 0));
	longer.attr.size = sizeof(longer);
	SHOW(CALL(sched_setattr, 0, &longer, 0));
	longer.rest[20] = 1;
	SHOW(CALL(sched_setattr, 0, &longer, 0));
	longer.attr.size = 0;
	SHOW(CALL(sched_setattr, 0, &longer, 0));
	attr.nice = -5;
	SHOW(CALL(sched_setattr, 0, &attr, 0));
	attr.policy = SCHED_FIFO;
	attr.priority = 5;
	SHOW(CALL(sched_setattr, 0, &attr, 0));
	param.sched_priority = 5;
	SHOW(CALL(sched_setscheduler, 0, SCHED_RR, &param));
	SHOW(setpriority(PRIO_PROCESS, 0, -1));
	attr.policy = 77;
	SHOW(CALL(sched_setattr, 0, &attr, 0));
	param.sched_priority = 0;
	SHOW(CALL(sched_setscheduler, 0, SCHED_BATCH, &param));
	SHOW(CALL(sched_getscheduler, 0));
	SHOW(CALL(sched_setscheduler, 0, SCHED_BATCH | SCHED_RESET_ON_FORK, &param));
	SHOW(CALL(sched_getscheduler, 0));
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit((int)CALL(sched_getscheduler, 0));
	waitpid(child, &status, 0);
	SHOW(WEXITSTATUS(status));
	SHOW(CALL(sched_setscheduler, 0, SCHED_BATCH, &param));
	SHOW(CALL(sched_setscheduler, 0, SCHED_IDLE | SCHED_RESET_ON_FORK, &param));
	SHOW(CALL(sched_setscheduler, 0, SCHED_OTHER | SCHED_RESET_ON_FORK, &param));
	SHOW(CALL(sched_getattr, 0, &attr, sizeof(attr), 0));
	printf("%u %u %d\n", attr.policy, (unsigned)attr.flags, attr.nice);
}

static void processors(void)
{
	unsigned cpu = 999, node = 999;
	uint64_t mask[16] = {0};
	SHOW(CALL(getcpu, &cpu, &node, NULL));
	SHOW(cpu < 999);
	SHOW(node < 999);
	SHOW(CALL(getcpu, NULL, NULL, NULL));
	SHOW(CALL(getcpu, 1, NULL, NULL));
	SHOW(CALL(sched_getaffinity, 0, sizeof(mask), mask) > 0);
	SHOW(CALL(sched_setaffinity, 0, sizeof(mask), mask));
	memset(mask, 0, sizeof(mask));
	SHOW(CALL(sched_setaffinity, 0, sizeof(mask), mask));
	SHOW(CALL(sched_setaffinity, 0, sizeof(mask), 8));
	SHOW(CALL(sched_setaffinity, 4000000, sizeof(mask), mask));
	SHOW(CALL(sched_getaffinity, 0, 4, mask));
	SHOW((CALL(membarrier, MEMBARRIER_CMD_QUERY, 0, 0) & 24) == 24);
	SHOW(CALL(membarrier, MEMBARRIER_CMD_QUERY, 1, 0));
	SHOW(CALL(membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	SHOW(CALL(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	SHOW(CALL(membarrier, 1 << 30, 0, 0));
}

static void limits(void)
{
	struct rlimit limit;
	SHOW(CALL(prlimit64, 0, RLIMIT_CORE, NULL, &limit));
	limit.rlim_cur = 0;
	SHOW(CALL(prlimit64, getpid(), RLIMIT_CORE, &limit, NULL));
	SHOW(CALL(prlimit64, 0, 99, NULL, &limit));
	SHOW(CALL(prlimit64, 4000000, RLIMIT_CORE, NULL, &limit));
	SHOW(CALL(prlimit64, 0, RLIMIT_CORE, 8, NULL));
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	SHOW(CALL(mlock2, page, 8192, MLOCK_ONFAULT));
	SHOW(CALL(mlock2, page, 8192, 2));
	SHOW(CALL(mlock2, 4096, 4096, 0));
	SHOW(munlock(page, 8192));
	SHOW(mlockall(MCL_CURRENT));
	SHOW(mlockall(0));
	SHOW(mlockall(99));
	SHOW(munlockall());
}

static void lists(void)
{
	void *head = NULL;
	size_t size = 0;
	SHOW(CALL(get_robust_list, 0, &head, &size));
	SHOW(size);
	SHOW(CALL(get_robust_list, 4000000, &head, &size));
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	SHOW(CALL(capset, &head, none));
	SHOW(CALL(capget, &head, none));
	SHOW(none[0].effective | none[0].permitted | none[1].effective |
	     none[1].permitted);
}

int main(void)
{
	drop_capabilities();
	identities();
	capabilities();
	policies();
	processors();
	limits();
	lists();
	return 0;
}
