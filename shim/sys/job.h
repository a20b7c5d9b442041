/* sys/job.h: what kmain tells the job calls. */
#ifndef SHIM_SYS_JOB_H
#define SHIM_SYS_JOB_H

struct bundle_view;

/* The image: its packed file system lies below every job's root. The bytes stay where
 * they are. */
void job_image_set(const struct bundle_view *bundle);

#endif
