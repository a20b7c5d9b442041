/* exec.c: replacing the program of a process, and starting a job's first. The new memory
 * is made whole beside the old; until exec_commit nothing has happened. */
#include "shim/proc/exec.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/layout.h"
#include "shim/lib/errno.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/vdso.h"
#include "shim/mm/vm.h"
#include "shim/proc/futex.h"
#include "shim/proc/posix_timer.h"
#include "shim/proc/sched.h"
#include "shim/proc/signal_state.h"
#include "shim/proc/thread.h"
#include "shim/vfs/abi.h"

#define BRK_RANDOM_BYTES 0x2000000u /* as Linux: 32 MiB */
#define FLAGS_START      0x202u     /* IF, and bit 1 that is always set */

/* Without ADDR_NO_RANDOMIZE vm_make has chosen already. */
static void place_fixed(struct vmspace *vm)
{
	vm->stack_top = USER_ADDRESS_END - PAGE_SIZE;
	vm->mmap_top = vm->stack_top - VM_STACK_SIZE - (64ull << 20);
}

static void place_heap(struct vmspace *vm, const struct exec_image *program,
		       bool randomize)
{
	uint64_t start = PAGE_ROUND_UP(program->bias + program->plan->high);
	if (randomize)
		start += PAGE_ROUND_DOWN(random_u64() % BRK_RANDOM_BYTES);
	vm->brk_start = vm->brk = start < USER_ADDRESS_END ? start : 0;
}

static char *exe_path_make(struct process *process, struct vnode *vnode)
{
	struct account *account = &process->job->account;
	char small[256], *large = NULL;
	const char *path = small;
	int rc = vnode_path(process->job->rootfs, vnode, small, sizeof(small));
	if (rc == -ERANGE) {
		large = kmalloc(account, PATH_MAX);
		if (!large)
			return NULL;
		path = large;
		rc = vnode_path(process->job->rootfs, vnode, large, PATH_MAX);
	}
	if (rc < 0)
		path = "/ (deleted)";
	size_t size = strlen(path) + 1;
	char *made = kmalloc(account, size);
	if (made)
		memcpy(made, path, size);
	kfree(large);
	return made;
}

static int load_space(struct exec_loaded *out, struct process *process, const char *name,
		      struct exec_args *args, struct exec_image *program,
		      struct exec_image *interpreter)
{
	bool randomize = !(process->personality & ADDR_NO_RANDOMIZE);
	struct vmspace *vm = out->vm = vm_make(&process->job->account);
	if (!vm)
		return -ENOMEM;
	if (!randomize)
		place_fixed(vm);
	struct exec_stack stack = {.args = args,
				   .name = name,
				   .program = program,
				   .interpreter = interpreter,
				   .randomize = randomize};
	int rc = exec_place(program, interpreter, vm, randomize);
	if (rc == 0)
		rc = exec_image_map(program, vm);
	if (rc == 0 && interpreter->vnode)
		rc = exec_image_map(interpreter, vm);
	if (rc == 0)
		rc = vdso_map(vm);
	if (rc == 0)
		rc = exec_stack_build(&stack, vm);
	if (rc < 0)
		return rc;
	place_heap(vm, program, randomize);
	const struct exec_image *first = interpreter->vnode ? interpreter : program;
	out->entry = first->bias + first->plan->entry;
	out->sp = stack.sp;
	out->arg_start = stack.arg_start, out->arg_end = stack.arg_end;
	out->env_start = stack.env_start, out->env_end = stack.env_end;
	memcpy(out->auxv, stack.auxv, stack.auxv_bytes);
	out->auxv_bytes = stack.auxv_bytes;
	return out->entry < USER_ADDRESS_END ? 0 : -EINVAL;
}

int exec_load(struct exec_loaded *out, struct process *process, struct vnode *file,
	      const char *name, struct exec_args *args)
{
	struct path_context paths = process_paths(process);
	struct exec_image program = {0}, interpreter = {0};
	*out = (struct exec_loaded){0};
	if (file)
		vnode_get(file);
	int rc = file ? 0 : path_lookup(&paths, name, PATH_FOLLOW, &file);
	if (rc < 0)
		return rc;
	if (args->argc == 0)
		rc = exec_args_replace_first(
			args, (const char *const[]){"", NULL}); /* as Linux */
	if (rc == 0)
		rc = exec_image_find(&program, &paths, file, name, args);
	if (rc == 0)
		rc = exec_image_interpreter(&interpreter, &paths, &program);
	if (rc == 0)
		rc = load_space(out, process, name, args, &program, &interpreter);
	if (rc == 0) {
		const char *base = strrchr(name, '/');
		(void)strlcpy(out->comm, base ? base + 1 : name, sizeof(out->comm));
		out->exe_path = exe_path_make(process, program.vnode);
		if (!out->exe_path)
			rc = -ENOMEM;
	}
	exec_image_put(&program);
	exec_image_put(&interpreter);
	vnode_put(file);
	if (rc < 0)
		exec_discard(out);
	return rc;
}

void exec_discard(struct exec_loaded *loaded)
{
	vm_put(loaded->vm);
	kfree(loaded->exe_path);
	*loaded = (struct exec_loaded){0};
}

static void frame_start(struct thread *thread, uint64_t entry, uint64_t sp)
{
	struct trapframe *frame = thread->arch.frame;
	uint64_t vector = frame->vector, error = frame->error;
	*frame = (struct trapframe){.vector = vector,
				    .error = error,
				    .rip = entry,
				    .rsp = sp,
				    .cs = SEL_USER_CODE,
				    .ss = SEL_USER_DATA,
				    .rflags = FLAGS_START};
}

void exec_commit(struct exec_loaded *loaded, struct thread *thread)
{
	struct process *process = thread->process;
	struct vmspace *old = process->vm;
	process->usage = process_usage(process);
	process->vm = loaded->vm;
	if (thread == thread_current())
		sched_space_changed();
	vm_put(old);
	process_vfork_done(process);
	kfree(process->exe_path);
	process->exe_path = loaded->exe_path;
	memcpy(process->comm, loaded->comm, sizeof(process->comm));
	memcpy(thread->comm, loaded->comm, sizeof(thread->comm));
	process->arg_start = loaded->arg_start, process->arg_end = loaded->arg_end;
	process->env_start = loaded->env_start, process->env_end = loaded->env_end;
	memcpy(process->auxv, loaded->auxv, loaded->auxv_bytes);
	process->auxv_bytes = loaded->auxv_bytes;
	process->execed = true;
	process->dumpable = true;
	process->exit_signal = process->exit_signal ? SIGCHLD : 0;
	thread->altstack = (struct signal_stack){0, 0, 0};
	thread->keep_caps = false;
	thread->rseq = (struct rseq_state){0};
	thread->clear_tid = thread->robust_list = 0;
	fpu_reset(&thread->arch);
	arch_set_fs_base(&thread->arch, 0);
	arch_set_gs_base(&thread->arch, 0);
	frame_start(thread, loaded->entry, loaded->sp);
}

/* Tables that a CLONE_FILES or CLONE_SIGHAND process shares become its own. */
static int unshare(struct process *process, struct fdtable **fds,
		   struct signal_actions **actions)
{
	struct account *account = &process->job->account;
	*actions = NULL;
	*fds = fdtable_copy(account, process->fds);
	if (!*fds)
		return -ENOMEM;
	if (process->actions->refs > 1) {
		*actions = signal_actions_copy(account, process->actions);
		if (!*actions) {
			fdtable_put(*fds);
			return -ENOMEM;
		}
	}
	return 0;
}

int exec_replace(struct vnode *file, const char *name, struct exec_args *args)
{
	struct thread *self = thread_current();
	struct process *process = self->process;
	struct exec_loaded loaded;
	struct fdtable *fds = NULL;
	struct signal_actions *actions = NULL;
	int rc = exec_load(&loaded, process, file, name, args);
	if (rc < 0)
		return rc;
	exec_args_free(args); /* charged to a process that is gone in a moment */
	if (process->shares_files)
		rc = unshare(process, &fds, &actions);
	if (rc == 0)
		rc = process_become_single_threaded();
	if (rc < 0) {
		if (fds)
			fdtable_put(fds);
		signal_actions_put(actions);
		exec_discard(&loaded);
		return rc;
	}
	futex_thread_exit(self); /* in the old memory */
	exec_commit(&loaded, self);
	if (fds) {
		fdtable_put(process->fds);
		process->fds = fds;
		process->shares_files = false;
	}
	if (actions) {
		signal_actions_put(process->actions);
		process->actions = actions;
	}
	fdtable_close_on_exec(process->fds);
	signal_actions_reset(process->actions);
	posix_timers_remove_all(process);
	return 0;
}

/* Starting a job. */

static int device_open(struct process *process, const char *path, struct file **out)
{
	struct path_context paths = process_paths(process);
	return path_open(&paths, path, PATH_FOLLOW, O_RDWR | O_NOCTTY, 0, out);
}

static int install_stdio(struct process *process, struct file *stdio[3])
{
	for (int fd = 0; fd < 3; fd++) {
		struct file *file = stdio ? stdio[fd] : NULL;
		int rc = 0;
		if (file)
			file_get(file);
		else
			rc = device_open(process, stdio ? "/dev/null" : "/dev/console",
					 &file);
		if (rc < 0)
			return rc;
		rc = fdtable_install_at(process->fds, file, fd, false);
		if (rc < 0) {
			file_put(file);
			return rc;
		}
	}
	return 0;
}

static void rlimits_default(struct process *process)
{
	const struct job_limits *limits = &process->job->limits;
	for (int i = 0; i < RLIMIT_COUNT; i++)
		process->rlimits[i] = (struct rlimit_pair){UINT64_MAX, UINT64_MAX};
	process->rlimits[3] = (struct rlimit_pair){VM_STACK_SIZE, UINT64_MAX}; /* STACK */
	process->rlimits[4] = (struct rlimit_pair){0, UINT64_MAX};             /* CORE */
	process->rlimits[6] = (struct rlimit_pair){limits->processes, limits->processes};
	process->rlimits[RLIMIT_NOFILE_INDEX] =
		(struct rlimit_pair){limits->open_files, limits->open_files};
	process->rlimits[8] = (struct rlimit_pair){8 << 20, 8 << 20}; /* MEMLOCK */
	process->rlimits[11] = (struct rlimit_pair){limits->processes, limits->processes};
	process->rlimits[12] = (struct rlimit_pair){819200, 819200}; /* MSGQUEUE */
	process->rlimits[13] = (struct rlimit_pair){0, 0};           /* NICE */
	process->rlimits[14] = (struct rlimit_pair){0, 0};           /* RTPRIO */
}

/* The first process of a job, with everything but its memory. */
static int leader_make(struct job *job, const char *cwd, struct file *stdio[3],
		       struct process *process)
{
	struct path_context paths = {.root = job->rootfs,
				     .cwd = rootfs_vnode(job->rootfs)};
	process->pgid = process->sid = process->pid;
	process->exit_signal = SIGCHLD;
	rlimits_default(process);
	process->actions = signal_actions_make(&job->account);
	process->fds = fdtable_make(&job->account, job->limits.open_files);
	if (!process->actions || !process->fds)
		return -ENOMEM;
	struct vnode *folder;
	int rc = path_lookup(&paths, cwd, PATH_FOLLOW, &folder);
	if (rc < 0)
		return rc;
	if ((vnode_mode(folder) & S_IFMT) != S_IFDIR)
		rc = -ENOTDIR;
	else if (!(process->fs = fs_state_make(&job->account, folder, 022)))
		rc = -ENOMEM;
	vnode_put(folder);
	return rc < 0 ? rc : install_stdio(process, stdio);
}

int job_start_args(struct job *job, const char *path, struct exec_args *args,
		   const char *cwd, struct file *stdio[3])
{
	struct thread *self = thread_current(), *thread = NULL;
	struct process *caller = self->process;
	struct exec_loaded loaded;
	if (job->started)
		return -EBUSY;
	struct process *process = process_make(job, NULL);
	if (!process)
		return -ENOMEM;
	/* From here on the new process is the one that opens, reads and pays. Nothing on
	 * this way sleeps, so nobody sees this thread in a foreign process. */
	self->process = process;
	int rc = leader_make(job, cwd, stdio, process);
	if (rc == 0)
		rc = thread_make(process, &thread);
	if (rc == 0)
		rc = exec_load(&loaded, process, NULL, path, args);
	self->process = caller;
	sched_space_changed();
	if (rc < 0) {
		process_unmake(process);
		return rc;
	}
	exec_commit(&loaded, thread);
	process->execed = false; /* as after a fork: setpgid may still move it */
	job_started(job, process);
	sched_start(thread);
	return 0;
}

int job_start_program(struct job *job, const char *path, char *const argv[],
		      char *const envp[], const char *cwd, struct file *stdio[3])
{
	struct exec_args args;
	int rc = 0;
	exec_args_init(&args, &kernel_account, VM_STACK_SIZE);
	for (size_t i = 0; rc == 0 && argv[i]; i++)
		rc = exec_args_add(&args, argv[i], false);
	for (size_t i = 0; rc == 0 && envp[i]; i++)
		rc = exec_args_add(&args, envp[i], true);
	if (rc == 0)
		rc = job_start_args(job, path, &args, cwd, stdio);
	exec_args_free(&args);
	return rc;
}
