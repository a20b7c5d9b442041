/* sandbox_shim.c: jobs by shim's own system calls (imgfmt/abi/job.h). */
#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "front/sandbox.h"

static int returned(long rc)
{
	return rc < 0 ? -errno : (int)rc;
}

static int shim_create(const struct job_limits *limits)
{
	return returned(syscall(SYS_JOB_CREATE, limits, sizeof(*limits)));
}

static int shim_open_at(int job, const char *path, int flags, mode_t mode)
{
	return returned(syscall(SYS_JOB_OPENAT, job, path, flags, mode));
}

static int shim_start(int job, const struct sandbox_start *start)
{
	struct job_start call = {
		.path = (uintptr_t)start->path,
		.argv = (uintptr_t)start->argv,
		.envp = (uintptr_t)start->envp,
		.cwd = (uintptr_t)start->cwd,
		.stdio = {start->stdio[0], start->stdio[1], start->stdio[2]},
	};
	return returned(syscall(SYS_JOB_START, job, &call, sizeof(call)));
}

static int shim_result(int job, struct job_result *result)
{
	return returned(syscall(SYS_JOB_RESULT, job, result, sizeof(*result)));
}

static void shim_destroy(int job)
{
	close(job);
}

static int read_info(struct shim_info *info)
{
	return returned(syscall(SYS_SHIM_INFO, info, sizeof(*info)));
}

static const struct sandbox_ops shim_ops = {
	.name = "shim",
	.create = shim_create,
	.open_at = shim_open_at,
	.start = shim_start,
	.result = shim_result,
	.destroy = shim_destroy,
	.info = read_info,
};

const struct sandbox_ops *sandbox_shim(void)
{
	struct shim_info info;
	return read_info(&info) == 0 ? &shim_ops : NULL;
}
