/* signal_frame.c: what a signal handler finds on its stack, and the way back. The layout
 * is Linux' (asm/sigcontext.h, asm/ucontext.h), which unwinders and JITs read and change.
 */
#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/layout.h"
#include "shim/arch/x86_64/pagetable.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/usercopy.h"
#include "shim/proc/process.h"
#include "shim/proc/signal_state.h"

#define RED_ZONE          128u /* psABI 3.2.2: below rsp, still the program's */
#define XSTATE_MAGIC1     0x46505853u
#define XSTATE_MAGIC2     0x46505845u
#define XSTATE_ALIGN      64u
#define FXSAVE_SIZE       512u
#define XSAVE_HEADER_SIZE 64u
#define FPU_AREA_MAX      12288u /* AMX included */

enum { UC_FP_XSTATE = 1, UC_SIGCONTEXT_SS = 2, UC_STRICT_RESTORE_SS = 4 };
enum { FLAG_CF = 1, FLAG_FIXED = 2, FLAG_TF = 0x100, FLAG_IF = 0x200, FLAG_DF = 0x400 };
#define FLAG_RF        0x10000ull
/* What sigreturn may set: CF PF AF ZF SF TF DF OF RF AC. */
#define FLAGS_SETTABLE 0x50dd5ull

struct sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t error, vector, old_mask, cr2;
	uint64_t fpstate;
	uint64_t reserved[8];
};
_Static_assert(sizeof(struct sigcontext) == 256, "Linux ABI");

struct stack_words {
	uint64_t base;
	uint32_t flags, padding;
	uint64_t size;
};

struct signal_frame {
	uint64_t return_address;
	uint64_t flags, link;
	struct stack_words stack;
	struct sigcontext context;
	struct signal_mask mask;
	struct siginfo_bytes info;
};
_Static_assert(sizeof(struct signal_frame) == 440, "Linux ABI");

/* In the bytes 464..511 of the FXSAVE area, which the CPU leaves to software. */
#define SOFTWARE_BYTES_AT 464u
struct xstate_description {
	uint32_t magic1, extended_size;
	uint64_t features;
	uint32_t size, padding[7];
};
_Static_assert(sizeof(struct xstate_description) == 48, "Linux ABI");

static uint8_t returned_area[FPU_AREA_MAX] __attribute__((aligned(64))); /* kernel lock */

size_t signal_frame_size_max(void)
{
	size_t room = sizeof(struct signal_frame) + 16 + RED_ZONE + XSTATE_ALIGN +
		      fpu_area_size() + sizeof(uint32_t);
	return (room + 63) & ~(size_t)63;
}

bool signal_on_altstack(const struct thread *thread, uint64_t sp)
{
	const struct signal_stack *stack = &thread->altstack;
	if (stack->flags & SS_AUTODISARM)
		return false;
	return stack->size && sp > stack->base && sp - stack->base <= stack->size;
}

static void put32(struct siginfo_bytes *out, size_t at, uint32_t value)
{
	memcpy(&out->b[at], &value, sizeof(value));
}

static void put64(struct siginfo_bytes *out, size_t at, uint64_t value)
{
	memcpy(&out->b[at], &value, sizeof(value));
}

/* Which members siginfo_t's union has follows from number and code: sigaction(2). */
void signal_info_encode(struct siginfo_bytes *out, const struct signal_info *info)
{
	bool fault = info->code > 0 && info->code != SI_KERNEL &&
		     (info->signo == SIGILL || info->signo == SIGFPE ||
		      info->signo == SIGSEGV || info->signo == SIGBUS ||
		      info->signo == SIGTRAP);
	memset(out, 0, sizeof(*out));
	put32(out, 0, (uint32_t)info->signo);
	put32(out, 4, (uint32_t)info->error);
	put32(out, 8, (uint32_t)info->code);
	if (fault) {
		put64(out, 16, info->value);
		return;
	}
	if (info->from_file) {
		put64(out, 16, info->value);
		put32(out, 24, (uint32_t)info->status);
		return;
	}
	put32(out, 16, (uint32_t)info->pid);
	put32(out, 20, info->uid);
	if (info->signo == SIGCHLD && info->code > 0)
		put32(out, 24, (uint32_t)info->status);
	else
		put64(out, 24, info->value);
}

static struct stack_words altstack_words(const struct thread *thread, uint64_t sp)
{
	const struct signal_stack *stack = &thread->altstack;
	struct stack_words words = {.base = stack->base, .size = stack->size};
	words.flags = (stack->flags & SS_AUTODISARM) |
		      (uint32_t)(!stack->size                     ? SS_DISABLE
				 : signal_on_altstack(thread, sp) ? SS_ONSTACK
								  : 0);
	return words;
}

static void context_save(struct sigcontext *out, const struct trapframe *f,
			 const struct thread *thread)
{
	*out = (struct sigcontext){
		.r8 = f->r8,
		.r9 = f->r9,
		.r10 = f->r10,
		.r11 = f->r11,
		.r12 = f->r12,
		.r13 = f->r13,
		.r14 = f->r14,
		.r15 = f->r15,
		.rdi = f->rdi,
		.rsi = f->rsi,
		.rbp = f->rbp,
		.rbx = f->rbx,
		.rdx = f->rdx,
		.rax = f->rax,
		.rcx = f->rcx,
		.rsp = f->rsp,
		.rip = f->rip,
		.rflags = f->rflags,
		.cs = (uint16_t)f->cs,
		.ss = (uint16_t)f->ss,
		.error = thread->fault_error,
		.vector = thread->fault_vector,
		.cr2 = thread->fault_address,
		.old_mask = thread->mask.bits,
	};
}

static bool fpu_push(struct thread *self, uint64_t at)
{
	size_t size = fpu_area_size();
	uint32_t magic2 = XSTATE_MAGIC2;
	struct xstate_description description = {
		.magic1 = XSTATE_MAGIC1,
		.extended_size = (uint32_t)(size + sizeof(magic2)),
		.features = fpu_features(),
		.size = (uint32_t)size,
	};
	fpu_save(&self->arch);
	if (copy_to_user((uaddr){at}, self->arch.fpu, size) < 0)
		return false;
	return size == FXSAVE_SIZE || /* a CPU without XSAVE */
	       (copy_to_user((uaddr){at + SOFTWARE_BYTES_AT}, &description,
			     sizeof(description)) == 0 &&
		copy_to_user((uaddr){at + size}, &magic2, sizeof(magic2)) == 0);
}

bool signal_frame_push(struct trapframe *frame, const struct signal_action *action,
		       const struct signal_info *info)
{
	struct thread *self = thread_current();
	struct signal_frame out = {.return_address = action->restorer};
	bool on_altstack = signal_on_altstack(self, frame->rsp), entering = false;
	uint64_t sp = frame->rsp - RED_ZONE;
	if (!(action->flags & SA_RESTORER))
		return false; /* as Linux on x86-64: there is no other way back */
	if ((action->flags & SA_ONSTACK) && self->altstack.size && !on_altstack) {
		sp = self->altstack.base + self->altstack.size;
		entering = true;
	}
	uint64_t fpstate =
		(sp - fpu_area_size() - sizeof(uint32_t)) & ~(uint64_t)(XSTATE_ALIGN - 1);
	sp = ((fpstate - sizeof(out)) & ~15ull) - 8; /* as after a call: psABI 3.2.2 */
	/* A frame that would run out of the alternate stack's lower end is not written.
	 */
	if ((entering || on_altstack) && (sp < self->altstack.base || sp > fpstate))
		return false;
	out.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	if (fpu_area_size() > FXSAVE_SIZE)
		out.flags |= UC_FP_XSTATE;
	out.stack = altstack_words(self, frame->rsp);
	context_save(&out.context, frame, self);
	out.context.fpstate = fpstate;
	out.mask = self->restore_mask ? self->saved_mask : self->mask;
	signal_info_encode(&out.info, info);
	if (!fpu_push(self, fpstate) || copy_to_user((uaddr){sp}, &out, sizeof(out)) < 0)
		return false;
	if (self->altstack.flags & SS_AUTODISARM)
		self->altstack = (struct signal_stack){0, 0, 0};
	frame->rsp = sp;
	frame->rip = action->handler;
	frame->rdi = (uint64_t)info->signo;
	frame->rsi = sp + offsetof(struct signal_frame, info);
	frame->rdx = sp + offsetof(struct signal_frame, flags);
	frame->rax = 0;
	frame->cs = SEL_USER_CODE;
	frame->ss = SEL_USER_DATA;
	frame->rflags &= ~(FLAG_DF | FLAG_TF | FLAG_RF);
	frame->vector = 0; /* no call is to be made again on this frame */
	return frame->rip < USER_ADDRESS_END;
}

/* Takes the program's word for its FPU state, as far as the CPU does. */
static bool fpu_pop(struct thread *self, uint64_t at)
{
	struct xstate_description description;
	uint32_t magic2 = 0;
	size_t size = FXSAVE_SIZE;
	if (!at) {
		fpu_reset(&self->arch);
		return true;
	}
	if (copy_from_user(&description, (uaddr){at + SOFTWARE_BYTES_AT},
			   sizeof(description)) < 0)
		return false;
	if (description.magic1 == XSTATE_MAGIC1 && description.size <= fpu_area_size() &&
	    description.size >= FXSAVE_SIZE + XSAVE_HEADER_SIZE &&
	    copy_from_user(&magic2, (uaddr){at + description.size}, sizeof(magic2)) ==
		    0 &&
	    magic2 == XSTATE_MAGIC2)
		size = description.size;
	if (copy_from_user(returned_area, (uaddr){at}, size) < 0)
		return false;
	if (size > FXSAVE_SIZE && size < fpu_area_size()) {
		/* Made by less than this CPU has: what is not there is zero. */
		memset(returned_area + size, 0, fpu_area_size() - size);
		size = fpu_area_size();
	}
	return fpu_restore_checked(&self->arch, returned_area, size);
}

static bool context_restore(struct trapframe *f, const struct sigcontext *in,
			    uint64_t uc_flags)
{
	bool own_segments =
		in->cs == SEL_USER_CODE &&
		(in->ss == SEL_USER_DATA || !(uc_flags & UC_STRICT_RESTORE_SS));
	if (!own_segments || in->rip >= USER_ADDRESS_END)
		return false;
	f->r8 = in->r8, f->r9 = in->r9, f->r10 = in->r10, f->r11 = in->r11;
	f->r12 = in->r12, f->r13 = in->r13, f->r14 = in->r14, f->r15 = in->r15;
	f->rdi = in->rdi, f->rsi = in->rsi, f->rbp = in->rbp, f->rbx = in->rbx;
	f->rdx = in->rdx, f->rax = in->rax, f->rcx = in->rcx, f->rsp = in->rsp;
	f->rip = in->rip;
	f->cs = SEL_USER_CODE;
	f->ss = SEL_USER_DATA;
	f->rflags = (in->rflags & FLAGS_SETTABLE) | (f->rflags & ~FLAGS_SETTABLE) |
		    FLAG_IF | FLAG_FIXED;
	f->vector = 0; /* rax may look like a call to be made again; it is none */
	return true;
}

long signal_frame_pop(struct trapframe *frame)
{
	struct thread *self = thread_current();
	struct signal_frame in;
	struct signal_info fault = {.signo = SIGSEGV, .code = SI_KERNEL};
	/* The handler's ret has taken the return address off. */
	if (copy_from_user(&in, (uaddr){frame->rsp - 8}, sizeof(in)) < 0)
		goto refused;
	KASSERT(fpu_area_size() <= sizeof(returned_area));
	self->mask.bits =
		in.mask.bits & ~(signal_bit(SIGKILL).bits | signal_bit(SIGSTOP).bits);
	if (!context_restore(frame, &in.context, in.flags) ||
	    !fpu_pop(self, in.context.fpstate))
		goto refused;
	if (in.stack.flags & SS_DISABLE)
		self->altstack = (struct signal_stack){0, 0, 0};
	else if (!signal_on_altstack(self, frame->rsp))
		self->altstack = (struct signal_stack){in.stack.base, in.stack.size,
						       in.stack.flags & SS_AUTODISARM};
	return (long)frame->rax;
refused:
	signal_force(&fault);
	return 0;
}
