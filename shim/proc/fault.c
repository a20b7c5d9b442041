/* fault.c: what becomes of an exception in ring 3, and everything that is due at a return
 * to it: signals, stops, the end, another thread's turn. */
#include "shim/arch/x86_64/cpu.h"
#include "shim/lib/string.h"
#include "shim/mm/vm.h"
#include "shim/proc/process.h"
#include "shim/proc/sched.h"
#include "shim/proc/signal_state.h"
#include "shim/proc/thread.h"
#include "shim/sys/sys.h"

enum vector {
	VECTOR_DIVIDE,
	VECTOR_DEBUG,
	VECTOR_BREAKPOINT = 3,
	VECTOR_OVERFLOW,
	VECTOR_BOUND,
	VECTOR_OPCODE,
	VECTOR_NO_FPU,
	VECTOR_OLD_FPU = 9,
	VECTOR_TSS,
	VECTOR_ABSENT,
	VECTOR_STACK,
	VECTOR_PROTECTION,
	VECTOR_PAGE,
	VECTOR_X87 = 16,
	VECTOR_ALIGNMENT,
	VECTOR_SIMD = 19,
	VECTOR_CONTROL = 21,
	VECTOR_COUNT = 32,
};

enum {
	FPE_INTDIV = 1,
	FPE_FLTDIV = 3,
	FPE_FLTOVF,
	FPE_FLTUND,
	FPE_FLTRES,
	FPE_FLTINV,
	ILL_ILLOPN = 2,
	TRAP_TRACE = 2,
	BUS_ADRALN = 1,
	BUS_ADRERR = 2,
	SEGV_MAPERR = 1,
	SEGV_ACCERR = 2,
};
enum { ERROR_WRITE = 2, ERROR_FETCH = 16 };

/* As Linux' traps.c; the address is rip where at_rip says so, else 0. */
static const struct {
	uint8_t signo, code;
	bool at_rip;
} reports[VECTOR_COUNT] = {
	[VECTOR_DIVIDE] = {SIGFPE, FPE_INTDIV, true},
	[VECTOR_DEBUG] = {SIGTRAP, TRAP_TRACE, true},
	[VECTOR_BREAKPOINT] = {SIGTRAP, SI_KERNEL, false},
	[VECTOR_OVERFLOW] = {SIGSEGV, SI_KERNEL, false},
	[VECTOR_BOUND] = {SIGSEGV, SI_KERNEL, false},
	[VECTOR_OPCODE] = {SIGILL, ILL_ILLOPN, true},
	[VECTOR_NO_FPU] = {SIGSEGV, SI_KERNEL, false},
	[VECTOR_OLD_FPU] = {SIGFPE, SI_KERNEL, false},
	[VECTOR_TSS] = {SIGSEGV, SI_KERNEL, false},
	[VECTOR_ABSENT] = {SIGBUS, SI_KERNEL, false},
	[VECTOR_STACK] = {SIGBUS, SI_KERNEL, false},
	[VECTOR_PROTECTION] = {SIGSEGV, SI_KERNEL, false},
	[VECTOR_X87] = {SIGFPE, FPE_FLTINV, true},
	[VECTOR_ALIGNMENT] = {SIGBUS, BUS_ADRALN, false},
	[VECTOR_SIMD] = {SIGFPE, FPE_FLTINV, true},
	[VECTOR_CONTROL] = {SIGSEGV, SI_KERNEL, false},
};

static void report(int signo, int code, uint64_t address)
{
	struct signal_info info = {.signo = signo, .code = code, .value = address};
	signal_force(&info);
}

/* Which unmasked exception it was: the x87 status and control words, or MXCSR, in the
 * state just saved (SDM 1, 10.5.1.2). */
static int fpu_code(struct thread *self, bool simd)
{
	uint16_t control, status;
	uint32_t mxcsr;
	fpu_save(&self->arch);
	const uint8_t *area = self->arch.fpu;
	memcpy(&control, area, sizeof(control));
	memcpy(&status, area + 2, sizeof(status));
	memcpy(&mxcsr, area + 24, sizeof(mxcsr));
	uint32_t raised =
		simd ? mxcsr & ~(mxcsr >> 7) : (uint32_t)status & ~(uint32_t)control;
	if (raised & 1)
		return FPE_FLTINV;
	if (raised & 4)
		return FPE_FLTDIV;
	if (raised & 8)
		return FPE_FLTOVF;
	if (raised & (2 | 16))
		return FPE_FLTUND;
	return raised & 32 ? FPE_FLTRES : 0;
}

static void count_fault(struct thread *thread)
{
	thread->usage.faults++;
	thread->process->usage.faults++;
}

static void page_fault(struct thread *self, uint64_t error, uint64_t address)
{
	enum vm_access access = error & ERROR_FETCH   ? VM_EXEC
				: error & ERROR_WRITE ? VM_WRITE
						      : VM_READ;
	switch (vm_fault(self->process->vm, address, access)) {
	case VM_OK:
		count_fault(self);
		break;
	case VM_UNMAPPED:
		report(SIGSEGV, SEGV_MAPERR, address);
		break;
	case VM_FORBIDDEN:
		report(SIGSEGV, SEGV_ACCERR, address);
		break;
	case VM_PAST_END:
		report(SIGBUS, BUS_ADRERR, address);
		break;
	case VM_NO_MEMORY:
		job_end(self->job, JOB_OOM, SIGKILL);
		break;
	}
}

void user_fault(struct trapframe *frame, uint64_t address)
{
	struct thread *self = thread_current();
	self->fault_vector = frame->vector;
	self->fault_error = frame->error;
	if (frame->vector == VECTOR_PAGE) {
		self->fault_address = address;
		page_fault(self, frame->error, address);
		return;
	}
	int signo = SIGSEGV, code = SI_KERNEL;
	uint64_t where = 0;
	if (frame->vector < VECTOR_COUNT && reports[frame->vector].signo) {
		signo = reports[frame->vector].signo;
		code = reports[frame->vector].code;
		where = reports[frame->vector].at_rip ? frame->rip : 0;
	}
	if (frame->vector == VECTOR_X87 || frame->vector == VECTOR_SIMD)
		code = fpu_code(self, frame->vector == VECTOR_SIMD);
	report(signo, code, where);
}

bool kernel_user_fault(uint64_t address, bool write)
{
	struct thread *self = thread_current();
	if (!self->process || !self->process->vm)
		return false;
	enum vm_fault_result result =
		vm_fault(self->process->vm, address, write ? VM_WRITE : VM_READ);
	if (result == VM_OK)
		count_fault(self);
	if (result == VM_NO_MEMORY)
		job_end(self->job, JOB_OOM, SIGKILL);
	return result == VM_OK;
}

/* By a signal: signal_deliver makes it again, or ends it. */
static bool call_was_cut_off(const struct trapframe *frame)
{
	return frame->vector == TRAP_SYSCALL &&
	       -frame->rax - ERESTARTSYS <= ERESTARTNOHAND - ERESTARTSYS;
}

/* Has anything to be done before ring 3 goes on? */
static bool work_is_due(const struct thread *self, const struct trapframe *frame)
{
	return thread_must_die(self) || self->process->stopped || signal_pending(self) ||
	       self->restore_mask || self->rseq.due || call_was_cut_off(frame);
}

void user_return(struct trapframe *frame)
{
	struct thread *self = thread_current();
	do {
		while (work_is_due(self, frame)) {
			if (thread_must_die(self))
				thread_exit(0);
			if (self->process->stopped) {
				signal_stay_stopped(self);
				continue; /* the call that was interrupted is restarted
					     below */
			}
			signal_deliver(frame);
			if (!rseq_resume(frame))
				report(SIGSEGV, SI_KERNEL, 0);
		}
	} while (sched_preempt(frame)); /* much may have happened meanwhile */
}
