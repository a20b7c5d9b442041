/* sys/job.h: what kmain tells the job calls. */
#ifndef SHIM_SYS_JOB_H
#define SHIM_SYS_JOB_H

struct bundle_part;

/* The packed file system below every job's root. */
void job_rootfs_set(const struct bundle_part *rootfs);

#endif
