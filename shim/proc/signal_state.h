/* signal_state.h: what a process does about each signal, and what is waiting for it. */
#ifndef SHIM_PROC_SIGNAL_STATE_H
#define SHIM_PROC_SIGNAL_STATE_H

#include "shim/proc/signal.h"

struct trapframe;

#define SIG_DFL 0ull
#define SIG_IGN 1ull
enum {
	SA_NOCLDSTOP = 1,
	SA_NOCLDWAIT = 2,
	SA_SIGINFO = 4,
	SA_RESTORER = 0x04000000,
	SA_ONSTACK = 0x08000000,
	SA_RESTART = 0x10000000,
	SA_NODEFER = 0x40000000,
};
#define SA_RESETHAND 0x80000000u

/* As struct kernel_sigaction on the wire. */
struct signal_action {
	uint64_t handler, flags, restorer;
	struct signal_mask mask;
};
_Static_assert(sizeof(struct signal_action) == 32, "Linux ABI");

struct signal_actions {
	uint32_t refs;
	struct signal_action action[SIGNAL_COUNT]; /* of signal n at n - 1 */
};

struct account;
struct signal_actions *signal_actions_make(struct account *account);
struct signal_actions *signal_actions_copy(struct account *account,
					   const struct signal_actions *from);
void signal_actions_put(struct signal_actions *actions); /* NULL is legal */
/* exec: handlers become default, ignored ones stay. */
void signal_actions_reset(struct signal_actions *actions);
/* Does the parent not care for its children's ends (SIGCHLD ignored, SA_NOCLDWAIT)? */
bool signal_actions_ignore_children(const struct signal_actions *actions);

void signal_set_clear(struct signal_set *set);
/* Forgets what is pending of these signals, in the process and in each of its threads. */
void signal_forget(struct process *process, struct signal_mask which);
/* Would the process not even notice this signal? */
bool signal_is_ignored(const struct process *process, int signo);
/* Takes the next signal that is in mask out of the thread's or its process' set; 0: none.
 */
int signal_take(struct thread *thread, struct signal_mask mask, struct signal_info *info);

/* What a signal without a handler does. No core is ever written, so those that would
 * write one just terminate, as under RLIMIT_CORE 0. */
enum signal_default_act {
	SIGNAL_TERMINATES,
	SIGNAL_IGNORED,
	SIGNAL_STOPS,
	SIGNAL_CONTINUES
};
enum signal_default_act signal_default(int signo);
/* Stops every thread of it, and tells its parent. */
void signal_stop_process(struct process *process, int signo);

/* A fault of the current thread: cannot be blocked or ignored. */
void signal_force(const struct signal_info *info);

/* signal_deliver.c. While the process is stopped; not beyond the thread's end. */
void signal_stay_stopped(struct thread *self);
/* A signal interrupted the current thread's call: was it but a stop, which is over by
 * now? Then the call goes on: for those with a time limit, which cannot be made again
 * from the start. */
bool signal_was_stop(void);
/* Acts on what is pending, at a return to ring 3; may not return. */
void signal_deliver(struct trapframe *frame);

/* signal_frame.c. Puts a handler's frame on the user stack and makes frame enter it;
 * false when the stack cannot be written. */
bool signal_frame_push(struct trapframe *frame, const struct signal_action *action,
		       const struct signal_info *info);
/* rt_sigreturn: takes the frame off; returns rax as it was, or forces SIGSEGV. */
long signal_frame_pop(struct trapframe *frame);
/* The most that a handler's frame takes of the stack: AT_MINSIGSTKSZ. */
size_t signal_frame_size_max(void);
enum { SS_ONSTACK = 1, SS_DISABLE = 2 };
#define SS_AUTODISARM 0x80000000u
bool signal_on_altstack(const struct thread *thread, uint64_t sp);
/* The 128 bytes of siginfo_t for info. */
struct siginfo_bytes {
	uint8_t b[128];
};
void signal_info_encode(struct siginfo_bytes *out, const struct signal_info *info);

static inline struct signal_mask signal_bit(int signo)
{
	return (struct signal_mask){1ull << (signo - 1)};
}

#endif
