/* kmain.c: from a running machine to a running image: the bundle is checked, the devices
 * started, and the first job made: front in HTTP mode, else the packed program itself. */
#include "shim/kmain.h"
#include "shim/kmain_sections.h"

#include "imgfmt/bundle_read.h"
#include "imgfmt/manifest.h"
#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"
#include "shim/dev/cmdline.h"
#include "shim/dev/console.h"
#include "shim/dev/devices.h"
#include "shim/dev/power.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/net/net.h"
#include "shim/proc/process.h"
#include "shim/proc/sched.h"
#include "shim/sys/job.h"
#include "shim/vfs/devfs.h"
#include "shim/vfs/vnode.h"

/* What a machine that could not start its program answers (env's 125). */
#define STATUS_CANNOT_START 125

static struct bundle_view bundle;
static struct manifest manifest;

static _Noreturn void refuse(const char *what, const char *why)
{
	kprint("elfpack: %s: %s\n", what, why);
	machine_power_off(STATUS_CANNOT_START);
}

static void bundle_find(const struct bootinfo *info)
{
	const char *why;
	if (!le64_get(info->bundle_phys))
		refuse("boot", "no bundle was loaded with the kernel (-initrd)");
	if (bundle_open(&bundle, phys_to_virt(le64_get(info->bundle_phys)),
			(size_t)le64_get(info->bundle_size), &why) < 0)
		refuse("bundle", why);
}

static void manifest_read(void)
{
	const struct bundle_part *part = &bundle.part[BUNDLE_MANIFEST];
	const char *why;
	unsigned line;
	if (!bundle_part_intact(part))
		refuse("manifest", SECTION_DAMAGED);
	if (manifest_parse(&manifest, (const char *)part->bytes, part->size, &why,
			   &line) == 0)
		return;
	kprint("elfpack: manifest: line %u: %s\n", line, why);
	machine_power_off(STATUS_CANNOT_START);
}

/* Starts the other CPUs; they and this one make plain what came deflated, and hash the
 * large sections. */
static void sections_check(const struct packed_bundle *packed)
{
	static struct section_check check;
	static struct bundle_view came;
	const char *why;
	if (packed->end && bundle_open(&came, phys_to_virt(packed->start),
				       (size_t)(packed->end - packed->start), &why) < 0)
		refuse("bundle", why);
	for (int kind = BUNDLE_FRONT; kind <= BUNDLE_ROOTFS; kind++)
		section_check_add(&check, &bundle.part[kind],
				  came.part[kind].is_packed ? &came.part[kind] : NULL);
	smp_start(section_check_run, &check);
	for (unsigned i = 0; i < check.count; i++)
		if ((why = section_check_end(&check, i)))
			refuse(bundle_kind_name(BUNDLE_FRONT + i), why);
	page_give(PAGE_ROUND_UP(packed->start), PAGE_ROUND_DOWN(packed->end));
}

/* The values of a list in the manifest, NULL-terminated: argv and envp. */
static char **manifest_list(const char *wanted, uint32_t count)
{
	static char value[MANIFEST_VALUE_MAX + 1];
	const struct bundle_part *part = &bundle.part[BUNDLE_MANIFEST];
	struct manifest_cursor cursor = {(const char *)part->bytes, part->size, 0, 0};
	char **list = kzalloc(&kernel_account, (count + 1) * sizeof(*list));
	const char *key;
	size_t key_size, value_size;
	uint32_t n = 0;
	while (list && n < count &&
	       manifest_next(&cursor, &key, &key_size, value, &value_size) == 1) {
		if (key_size != strlen(wanted) || memcmp(key, wanted, key_size) != 0)
			continue;
		list[n] = kmalloc(&kernel_account, value_size + 1);
		if (!list[n])
			return NULL;
		memcpy(list[n++], value, value_size + 1);
	}
	return list;
}

static void start(struct job *job, const char *path, char **argv, char **envp,
		  const char *cwd)
{
	if (!argv || !envp)
		refuse(path, "no memory to start it");
	int rc = job_start_program(job, path, argv, envp, cwd, NULL);
	if (rc == 0)
		return;
	kprint("elfpack: %s: cannot be started: error %d\n", path, -rc);
	machine_power_off(STATUS_CANNOT_START);
}

/* The machine ends with this job, and with its status as a shell would show it. */
static struct job *machine_job;

/* As Linux, which sends what a program that has ended wrote before; but then it goes off.
 */
#define LAST_BYTES_NS       2000000000ull
#define LAST_BYTES_CHECK_NS 5000000ull
static int machine_status;
static uint64_t machine_end_ns;

static void machine_end(struct timer *self)
{
	if (!net_stack() || !tcp_owes(net_stack()) || clock_now_ns() >= machine_end_ns)
		machine_power_off(machine_status);
	timer_set(self, clock_now_ns() + LAST_BYTES_CHECK_NS);
}

static bool job_changed(struct waiter *self, uint32_t events)
{
	(void)self;
	(void)events;
	const struct job_result *result = &machine_job->result;
	static struct timer end = {.fire = machine_end};
	if (!machine_job->ended || machine_end_ns)
		return false;
	if (result->outcome == JOB_OOM)
		kprint("elfpack: %s: out of memory\n", manifest.program);
	machine_status =
		result->outcome == JOB_EXITED ? result->exit_code : 128 + result->signal;
	machine_end_ns = clock_now_ns() + LAST_BYTES_NS;
	machine_end(&end);
	return false;
}

static struct job *machine_job_make(const struct job_limits *limits,
				    const struct bundle_part *rootfs)
{
	static struct waiter waiter = {.wake = job_changed};
	struct job *job = job_make(limits, rootfs ? rootfs->bytes : NULL,
				   rootfs ? rootfs->size : 0);
	if (!job)
		refuse("boot", "no memory for the first job");
	machine_job = job;
	job->has_console = true;
	waitq_add(&job->changed, &waiter);
	return job;
}

/* The power button asks the program to end, as an init would: front drains. */
static void power_pressed(void)
{
	if (machine_job && machine_job->leader)
		signal_send_process(machine_job->leader,
				    &(struct signal_info){.signo = SIGTERM});
}

/* The program itself, with all that the machine has: run once, or serve. */
static void start_payload(void)
{
	struct job_limits limits = {
		.memory_bytes = UINT64_MAX,
		.file_bytes = UINT64_MAX,
		.processes = 32768,
		.open_files = (uint32_t)manifest.limits.open_files,
	};
	struct job *job = machine_job_make(&limits, &bundle.part[BUNDLE_ROOTFS]);
	job->listens = manifest.mode == MODE_SERVE;
	start(job, manifest.exec, manifest_list("arg", manifest.arg_count),
	      manifest_list("env", manifest.env_count), manifest.cwd);
}

static void start_front(void)
{
	static char *argv[] = {"front", NULL}, *envp[] = {NULL};
	struct job_limits limits = {
		.memory_bytes = UINT64_MAX,
		.file_bytes = UINT64_MAX,
		.processes = 1,
		.open_files = (uint32_t)(manifest.limits.connections * 2 + 1024),
	};
	const struct bundle_part *front = &bundle.part[BUNDLE_FRONT];
	const struct bundle_part *text = &bundle.part[BUNDLE_MANIFEST];
	struct job *job = machine_job_make(&limits, NULL);
	job->front = job->listens = true;
	job->account.uses_reserve = true;
	if (!front->size)
		refuse("bundle", "has no front end, but its manifest says mode=http");
	if (rootfs_add_image_file(job->rootfs, "/front", front->bytes, front->size,
				  0555) < 0 ||
	    rootfs_add_image_file(job->rootfs, "/manifest", text->bytes, text->size,
				  0444) < 0)
		refuse("boot", "no memory for the front end");
	start(job, "/front", argv, envp, "/");
	sched_rest_in(job->leader->vm);
}

/* A program that serves may do without: that is for it to say. */
static void net_start(void)
{
	int rc = net_init();
	if (rc < 0 && manifest.mode == MODE_HTTP)
		refuse(rc == -ENODEV ? "no network device" : "no memory for a network",
		       "--http needs one");
}

/* The kernel and front keep an eighth of memory, at most RESERVE_MAX, from payloads. */
#define RESERVE_MAX (8ull << 20)

_Noreturn void kmain(const struct bootinfo *info, const struct packed_bundle *packed)
{
	bundle_find(info);
	manifest_read();
	uint64_t reserve = page_count_free() / 8;
	if (reserve > RESERVE_MAX / PAGE_SIZE)
		reserve = RESERVE_MAX / PAGE_SIZE;
	page_reserve_set(reserve);
	console_input_init();
	console_file_init();
	devices_init(cmdline_text());
	power_button_init(power_pressed);
	sections_check(packed);
	if (manifest.mode == MODE_HTTP && cpu_reads_through())
		kprint("elfpack: on this CPU a program can read other requests' data "
		       "(Meltdown)\n"
		       "hint: use one that has RDCL_NO, or run trusted programs only\n");
	if (manifest.mode != MODE_RUN)
		net_start();
	job_image_set(&bundle);
	if (manifest.mode == MODE_HTTP)
		start_front();
	else
		start_payload();
	sched_idle();
}
