/* sandbox_init.h: the process that stands above a job's program on Linux. */
#ifndef ELFPACK_FRONT_SANDBOX_INIT_H
#define ELFPACK_FRONT_SANDBOX_INIT_H

#include <stdbool.h>
#include <stdnoreturn.h>

#include "front/sandbox.h"

struct init_plan {
	const struct sandbox_start *start;
	const struct job_limits *limits;
	const char *directory; /* the job's own */
	bool layered;          /* its root is directory/root, in namespaces of its own */
	int null_fd;
	int group_fd;  /* where the program enters the job's cgroup; -1: there is none */
	int report_fd; /* takes one struct job_result */
	int error_fd;  /* takes an errno when the program cannot be run */
};

/* In the new process: runs the program, waits, reports, ends. */
noreturn void sandbox_init_run(const struct init_plan *plan);

#endif
