/* job.c: the calls by which front runs payloads: imgfmt/abi/job.h. From any other job
 * they are calls that do not exist. */
#include "shim/sys/job.h"

#include "imgfmt/bundle_read.h"
#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/page.h"
#include "shim/net/net.h"
#include "shim/proc/exec.h"
#include "shim/proc/process.h"
#include "shim/sys/dispatch.h"
#include "shim/sys/sys.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/path.h"

static struct bundle_part rootfs;
static const uint8_t *image_digest;

void job_image_set(const struct bundle_view *bundle)
{
	rootfs = bundle->part[BUNDLE_ROOTFS];
	image_digest = bundle->digest;
}

/* The job as an open file. */

static uint32_t job_file_poll(struct file *file, struct poll_table *table)
{
	struct job *job = file->data;
	poll_add(table, &job->changed);
	return job->ended ? POLLIN | POLLRDNORM : 0;
}

static void job_file_release(struct file *file)
{
	struct job *job = file->data;
	job_abandon(job);
	job_put(job);
}

static const struct file_ops job_file_ops = {
	.name = "anon_inode:[job]",
	.poll = job_file_poll,
	.release = job_file_release,
};

/* The job behind a descriptor; *out holds the file, which holds the job. */
static int job_of(const struct sysargs *a, struct file **out, struct job **job)
{
	if (!job_current()->front)
		return -ENOSYS;
	struct file *file = fdtable_lookup(process_current()->fds, (int)a->arg[0]);
	if (!file)
		return -EBADF;
	if (file->ops != &job_file_ops) {
		file_put(file);
		return -EINVAL;
	}
	*out = file;
	*job = file->data;
	return 0;
}

long sys_job_create(const struct sysargs *a)
{
	struct process *self = process_current();
	struct job_limits limits;
	if (!self->job->front)
		return -ENOSYS;
	if (a->arg[1] != sizeof(limits))
		return -EINVAL;
	if (copy_from_user(&limits, arg_user(a, 0), sizeof(limits)) < 0)
		return -EFAULT;
	struct job *job = job_make(&limits, rootfs.bytes, rootfs.size);
	if (!job)
		return -ENOMEM;
	struct file *file = file_make(&self->job->account, &job_file_ops, O_RDWR, job);
	if (!file) {
		job_abandon(job);
		job_put(job);
		return -ENOMEM;
	}
	int fd = fdtable_install(self->fds, file, 0, true);
	if (fd < 0)
		file_put(file);
	return fd;
}

static int open_in_job(struct job *job, const char *path, int flags, uint32_t mode,
		       struct file **out)
{
	struct path_context paths = {.root = job->rootfs,
				     .cwd = rootfs_vnode(job->rootfs)};
	if (job->started && !job->ended)
		return -EBUSY;
	if (job->ended && ((unsigned)flags & (O_ACCMODE | O_CREAT | O_TRUNC)))
		return -EROFS;
	if (path[0] != '/')
		return -EINVAL;
	bool create = (unsigned)flags & O_CREAT;
	if (create && path[strlen(path) - 1] == '/') /* a folder: all of it is parents */
		flags = O_RDONLY | O_DIRECTORY;
	int rc = path_open(&paths, path, PATH_NO_SYMLINKS, flags, mode & MODE_BITS, out);
	if (rc == -ENOENT && create) {
		rc = path_make_parents(&paths, path);
		if (rc == 0)
			rc = path_open(&paths, path, PATH_NO_SYMLINKS, flags,
				       mode & MODE_BITS, out);
	}
	return rc;
}

long sys_job_openat(const struct sysargs *a)
{
	struct job *job;
	struct file *holder, *file;
	struct path_text path;
	int flags = (int)a->arg[2];
	long rc = job_of(a, &holder, &job);
	if (rc < 0)
		return rc;
	rc = path_text_get(&path, arg_user(a, 1));
	if (rc < 0)
		goto out;
	rc = open_in_job(job, path.text, flags, (uint32_t)a->arg[3], &file);
	path_text_put(&path);
	if (rc < 0)
		goto out;
	rc = fdtable_install(process_current()->fds, file, 0,
			     (unsigned)flags & O_CLOEXEC);
	if (rc < 0)
		file_put(file);
out:
	file_put(holder);
	return rc;
}

/* front's descriptors; those that are -1 stay NULL: /dev/null. */
static int stdio_get(const struct job_start *start, struct file *stdio[3])
{
	for (int i = 0; i < 3; i++) {
		if (start->stdio[i] == -1)
			continue;
		stdio[i] = fdtable_lookup(process_current()->fds, start->stdio[i]);
		if (!stdio[i])
			return -EBADF;
	}
	return 0;
}

static int start_with(struct job *job, const struct job_start *start, const char *path,
		      const char *cwd)
{
	struct file *stdio[3] = {NULL, NULL, NULL};
	struct exec_args args;
	/* The job pays for its arguments, as long as they are more than its stack's. */
	exec_args_init(&args, &job->account, UINT64_MAX);
	int rc = stdio_get(start, stdio);
	if (rc == 0)
		rc = exec_args_add_user(&args, (uaddr){start->argv}, false);
	if (rc == 0)
		rc = exec_args_add_user(&args, (uaddr){start->envp}, true);
	if (rc == 0)
		rc = job_start_args(job, path, &args, cwd, stdio);
	exec_args_free(&args);
	for (int i = 0; i < 3; i++)
		if (stdio[i])
			file_put(stdio[i]);
	return rc;
}

long sys_job_start(const struct sysargs *a)
{
	struct job *job;
	struct file *holder;
	struct job_start start;
	struct path_text path, cwd;
	long rc = job_of(a, &holder, &job);
	if (rc < 0)
		return rc;
	rc = -EINVAL;
	if (a->arg[2] != sizeof(start))
		goto out;
	rc = copy_from_user(&start, arg_user(a, 1), sizeof(start));
	if (rc < 0)
		goto out;
	rc = -EINVAL;
	if (start.flags)
		goto out;
	rc = path_text_get(&path, (uaddr){start.path});
	if (rc < 0)
		goto out;
	rc = path_text_get(&cwd, (uaddr){start.cwd});
	if (rc == 0) {
		rc = path.text[0] == '/' && cwd.text[0] == '/'
			     ? start_with(job, &start, path.text, cwd.text)
			     : -EINVAL;
		path_text_put(&cwd);
	}
	path_text_put(&path);
out:
	file_put(holder);
	return rc;
}

long sys_job_result(const struct sysargs *a)
{
	struct job *job;
	struct file *holder;
	long rc = job_of(a, &holder, &job);
	if (rc < 0)
		return rc;
	if (a->arg[2] != sizeof(job->result))
		rc = -EINVAL;
	else if (!job->ended)
		rc = -EAGAIN;
	else
		rc = copy_to_user(arg_user(a, 1), &job->result, sizeof(job->result));
	file_put(holder);
	return rc;
}

long sys_job_kill(const struct sysargs *a)
{
	struct job *job;
	struct file *holder;
	long rc = job_of(a, &holder, &job);
	if (rc < 0)
		return rc;
	job_end(job, JOB_CANCELLED, SIGKILL);
	file_put(holder);
	return 0;
}

long sys_shim_info(const struct sysargs *a)
{
	struct shim_info info = {
		.pages_total = page_count_total(),
		.pages_free = page_count_free(),
		.pages_leaked = job_pages_leaked(),
		.jobs_started = job_count_started(),
		.jobs_running = job_count_running(),
		.load_ns = clock_kernel_entry_ns(),
		.boot_ns =
			job_current()->start_ns, /* the clock starts with the machine */
		.uptime_ns = clock_now_ns(),
		.unknown_syscalls = syscall_count_unknown(),
		.cpus = cpu_count(),
	};
	if (!job_current()->front)
		return -ENOSYS;
	if (a->arg[1] != sizeof(info))
		return -EINVAL;
	struct net_summary net = net_summary();
	info.net_rx_packets = net.rx_packets, info.net_rx_bytes = net.rx_bytes;
	info.net_tx_packets = net.tx_packets, info.net_tx_bytes = net.tx_bytes;
	info.net_drops = net.drops;
	info.net_resets = net.resets;
	info.tcp_accepted = net.tcp_accepted;
	info.tcp_retransmits = net.tcp_retransmits;
	info.tcp_syn_cookies_bad = net.tcp_cookies_bad;
	info.ipv4 = net.ipv4;
	info.net_ready = net.ipv4 != 0;
	memcpy(info.image_digest, image_digest, sizeof(info.image_digest));
	return copy_to_user(arg_user(a, 0), &info, sizeof(info));
}
