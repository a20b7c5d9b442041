/* identity.c: users, groups and capabilities. There is one user, 0, without any
 * capability: other ids do not exist, as in a user namespace that maps only one (EINVAL).
 */
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/sys.h"

static long get_zero(void)
{
	return 0;
}

/* -1 leaves an id as it is. */
static long set_ids(const struct sysargs *a, int count, bool may_keep)
{
	for (int i = 0; i < count; i++)
		if ((uint32_t)a->arg[i] != 0 &&
		    !(may_keep && (uint32_t)a->arg[i] == UINT32_MAX))
			return -EINVAL;
	return 0;
}

static long put_three_zeros(const struct sysargs *a)
{
	uint32_t zero = 0;
	for (int i = 0; i < 3; i++)
		if (copy_to_user(arg_user(a, i), &zero, sizeof(zero)) < 0)
			return -EFAULT;
	return 0;
}

#define GET_ID(name)                                                                     \
	long sys_##name(const struct sysargs *a)                                         \
	{                                                                                \
		(void)a;                                                                 \
		return get_zero();                                                       \
	}
#define SET_ID(name, count, may_keep)                                                    \
	long sys_##name(const struct sysargs *a)                                         \
	{                                                                                \
		return set_ids(a, count, may_keep);                                      \
	}

GET_ID(getuid)
GET_ID(getgid)
GET_ID(geteuid)
GET_ID(getegid)
GET_ID(setfsuid) /* these answer the id before, and no error */
GET_ID(setfsgid)
SET_ID(setuid, 1, false)
SET_ID(setgid, 1, false)
SET_ID(setreuid, 2, true)
SET_ID(setregid, 2, true)
SET_ID(setresuid, 3, true)
SET_ID(setresgid, 3, true)

long sys_getresuid(const struct sysargs *a)
{
	return put_three_zeros(a);
}

long sys_getresgid(const struct sysargs *a)
{
	return put_three_zeros(a);
}

long sys_getgroups(const struct sysargs *a)
{
	return (int)a->arg[0] < 0 ? -EINVAL : 0;
}

long sys_setgroups(const struct sysargs *a)
{
	return (int)a->arg[0] == 0 ? 0 : -EPERM;
}

/* capget(2): two sets of 32 from version 2 on. */
struct cap_header {
	uint32_t version;
	int32_t pid;
};
#define CAP_VERSION_1 0x19980330u
#define CAP_VERSION_2 0x20071026u
#define CAP_VERSION_3 0x20080522u

static int cap_header_read(const struct sysargs *a, struct cap_header *header,
			   size_t *words)
{
	if (copy_from_user(header, arg_user(a, 0), sizeof(*header)) < 0)
		return -EFAULT;
	if (header->version == CAP_VERSION_1) {
		*words = 3;
		return 0;
	}
	*words = 6;
	if (header->version == CAP_VERSION_2 || header->version == CAP_VERSION_3)
		return 0;
	uint32_t known = CAP_VERSION_3;
	if (copy_to_user(arg_user(a, 0), &known, sizeof(known)) < 0)
		return -EFAULT;
	return -EINVAL;
}

long sys_capget(const struct sysargs *a)
{
	struct cap_header header;
	uint32_t none[6] = {0};
	size_t words;
	int rc = cap_header_read(a, &header, &words);
	if (rc == -EINVAL && !a->arg[1])
		return 0; /* only asked for the version */
	if (rc < 0)
		return rc;
	if (header.pid < 0)
		return -EINVAL;
	if (header.pid && !process_find(job_current(), header.pid))
		return -ESRCH;
	return a->arg[1] ? copy_to_user(arg_user(a, 1), none, words * sizeof(none[0]))
			 : 0;
}

long sys_capset(const struct sysargs *a)
{
	struct cap_header header;
	uint32_t wanted[6];
	size_t words;
	int rc = cap_header_read(a, &header, &words);
	if (rc < 0)
		return rc;
	if (header.pid && header.pid != process_current()->pid)
		return -EPERM;
	if (copy_from_user(wanted, arg_user(a, 1), words * sizeof(wanted[0])) < 0)
		return -EFAULT;
	for (size_t i = 0; i < words; i++)
		if (wanted[i])
			return -EPERM;
	return 0;
}
