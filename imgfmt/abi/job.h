/* job.h: the private system calls by which front runs payloads.
 *
 * A job is a process tree with its own root file system (the packed one below, its own
 * memory above), memory account, deadline and limits. A job is held by a file descriptor;
 * closing the last copy ends every thread in it and frees every page. Only the process
 * that the kernel started as front may make these calls; from any other they are ENOSYS.
 * front reaches them through front/sandbox.h alone. The numbers lie far above Linux' own.
 *
 * Structures are passed with their size; a size the kernel does not know is EINVAL. */
#ifndef ELFPACK_ABI_JOB_H
#define ELFPACK_ABI_JOB_H

#include <stdint.h>

/* int job_create(const struct job_limits *, size_t) -> job descriptor (close-on-exec).
 * The root file system is empty above, the packed one below. ENOMEM, EMFILE. */
#define SYS_JOB_CREATE 5000

/* int job_openat(int job, const char *path, int flags, mode_t mode) -> file descriptor.
 * Opens a file or directory of the job's root file system; path is absolute. Symbolic
 * links are never followed (ELOOP). O_CREAT also makes missing parent directories (0755),
 * and a path with a slash at its end as one of them, which is opened for reading. Legal
 * before the start and after the end of the program, EBUSY while it runs; after it only
 * for reading. What is written is charged to the job: ENOSPC past its limits. */
#define SYS_JOB_OPENAT 5001

/* int job_start(int job, const struct job_start *, size_t). Loads the program and lets it
 * run; once a job. The deadline counts from here. Errors are execve's. */
#define SYS_JOB_START 5002

/* int job_result(int job, struct job_result *, size_t). EAGAIN while the job runs. A job
 * descriptor polls as readable when its program has ended; everything else in the job has
 * been ended by then too. */
#define SYS_JOB_RESULT 5003

/* int job_kill(int job). Ends a running job, outcome JOB_CANCELLED. */
#define SYS_JOB_KILL 5004

/* int shim_info(struct shim_info *, size_t). The kernel's counters. */
#define SYS_SHIM_INFO 5005

struct job_limits {
	uint64_t memory_bytes; /* user pages, page tables, files, kernel objects: all of
				  it */
	uint64_t wall_ns;      /* from job_start; 0: none */
	uint64_t file_bytes;   /* in the upper layer; counts towards memory too */
	uint32_t processes;    /* threads count as processes, as RLIMIT_NPROC has it */
	uint32_t open_files;   /* a process */
};
_Static_assert(sizeof(struct job_limits) == 32, "job ABI");

struct job_start {
	uint64_t path;    /* const char *: the program, absolute in the job's root */
	uint64_t argv;    /* char *const *: NULL-terminated, argv[0] included */
	uint64_t envp;    /* char *const *: NULL-terminated */
	uint64_t cwd;     /* const char *: absolute */
	int32_t stdio[3]; /* front's descriptors that become 0, 1, 2; -1: /dev/null */
	uint32_t flags;   /* 0 */
};
_Static_assert(sizeof(struct job_start) == 48, "job ABI");

enum job_outcome {
	JOB_EXITED = 1,
	JOB_SIGNALED,
	JOB_TIMEOUT,   /* wall_ns passed */
	JOB_OOM,       /* ended because the job's memory was used up */
	JOB_CANCELLED, /* job_kill */
};

struct job_result {
	uint32_t outcome;  /* enum job_outcome */
	int32_t exit_code; /* JOB_EXITED: 0..255 */
	int32_t signal;    /* JOB_SIGNALED: the signal's number */
	uint32_t flags;    /* 0 */
	uint64_t wall_ns, cpu_ns;
	uint64_t peak_bytes; /* most memory charged at once */
};
_Static_assert(sizeof(struct job_result) == 40, "job ABI");

struct shim_info {
	uint64_t pages_total, pages_free,
		pages_leaked; /* 4 KiB; leaked: by jobs that ended */
	uint64_t jobs_started, jobs_running;
	uint64_t load_ns; /* from the loader's first instruction to the kernel's */
	uint64_t boot_ns; /* from the loader's first instruction to front's */
	uint64_t uptime_ns;
	uint64_t unknown_syscalls; /* answered ENOSYS */
	uint64_t net_rx_packets, net_rx_bytes, net_tx_packets, net_tx_bytes, net_drops;
	uint64_t net_resets; /* of a network device that had stopped working */
	uint64_t tcp_accepted, tcp_retransmits, tcp_syn_cookies_bad;
	uint32_t cpus;
	uint32_t net_ready; /* 1 once an address is held */
	uint32_t ipv4;      /* network byte order, 0 when none */
	uint32_t reserved;
	uint8_t image_digest[32]; /* struct bundle_header's sha256 */
};
_Static_assert(sizeof(struct shim_info) == 192, "job ABI");

#endif
