/* dispatch.c: from a system call's number to its handler. */
#include "shim/sys/dispatch.h"

#include <stddef.h>

#include "shim/arch/x86_64/cpu.h"
#include "shim/lib/print.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/sys/trace.h"

typedef long (*syscall_handler)(const struct sysargs *a);

#define SYSCALL(number, name, trace) [SYSCALL_SLOT(number)] = sys_##name,
static const syscall_handler handlers[SYSCALL_SLOTS] = {
#include "shim/sys/syscalls.def"
};
#undef SYSCALL

/* What a lean Linux refuses to a program without privileges; nothing to say about it. */
#define REFUSED(number, name, error) [SYSCALL_SLOT(number)] = error,
static const uint8_t refusals[SYSCALL_SLOTS] = {
#include "shim/sys/refused.def"
};
#undef REFUSED

static uint64_t counts[SYSCALL_SLOTS]; /* kernel lock */
static uint64_t unknown_count;

static bool has_slot(uint32_t number)
{
	return number < SYSCALL_LINUX_MAX ||
	       (number >= SYSCALL_JOB_FIRST &&
		number - SYSCALL_JOB_FIRST < SYSCALL_SLOTS - SYSCALL_LINUX_MAX);
}

/* Said once a job and number; numbers beyond the table share its last bit. */
static long answer_unknown(uint32_t number)
{
	struct process *process = process_current();
	struct job *job = process->job;
	uint32_t bit = number < SYSCALL_SLOTS - 1 ? number : SYSCALL_SLOTS - 1;
	uint64_t mask = 1ull << (bit % 64);
	unknown_count++;
	if (!(job->unknown_logged[bit / 64] & mask)) {
		job->unknown_logged[bit / 64] |= mask;
		kprint("elfpack: job %u: %s: system call %u is not supported\n", job->id,
		       process->comm, number);
	}
	return -ENOSYS;
}

void syscall_enter(struct trapframe *frame)
{
	uint32_t number = (uint32_t)frame->error; /* as Linux: the low half of rax */
	syscall_handler handler =
		has_slot(number) ? handlers[SYSCALL_SLOT(number)] : NULL;
	struct sysargs args = {
		.arg = {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8,
			frame->r9},
		.frame = frame,
	};
	if (!handler) {
		int refusal = has_slot(number) ? refusals[SYSCALL_SLOT(number)] : 0;
		frame->rax = (uint64_t)(refusal ? -refusal : answer_unknown(number));
		return;
	}
	counts[SYSCALL_SLOT(number)]++;
	if (trace_wanted())
		frame->rax = (uint64_t)trace_call(number, handler, &args);
	else
		frame->rax = (uint64_t)handler(&args);
}

uint64_t syscall_count_unknown(void)
{
	return unknown_count;
}

uint64_t syscall_count(uint32_t number)
{
	return has_slot(number) ? counts[SYSCALL_SLOT(number)] : 0;
}
