/* tty_control.c: whose terminal it is: sessions, job control, and the ioctls of
 * tty_ioctl(4). */
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/usercopy.h"
#include "shim/proc/process.h"
#include "shim/proc/signal_state.h"
#include "shim/sys/sys.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/tty.h"

enum {
	TCGETS = 0x5401,
	TCSETS,
	TCSETSW,
	TCSETSF,
	TCSBRK = 0x5409,
	TCXONC,
	TCFLSH,
	TIOCSCTTY = 0x540e,
	TIOCGPGRP,
	TIOCSPGRP,
	TIOCOUTQ,
	TIOCGWINSZ = 0x5413,
	TIOCSWINSZ,
	FIONREAD = 0x541b,
	TIOCNOTTY = 0x5422,
	TIOCSETD,
	TIOCGETD,
	TCSBRKP,
	TIOCGSID = 0x5429,
	TCSETS2 = 0x402c542b,
	TCSETSW2,
	TCSETSF2,
};
#define TCGETS2 0x802c542au
enum { TCOOFF, TCOON };
enum { TCIFLUSH, TCOFLUSH, TCIOFLUSH };

static void signal_group(const struct tty *tty, int group, int signo)
{
	struct signal_info info = {.signo = signo, .code = SI_KERNEL};
	if (group)
		signal_send_group(tty->job, group, &info);
}

void tty_signal_foreground(struct tty *tty, int signo)
{
	signal_group(tty, tty->foreground, signo);
}

int tty_check_foreground(struct tty *tty, int signo)
{
	const struct thread *self = thread_current();
	const struct process *process = self->process;
	if (process->tty != tty || !tty->foreground || process->pgid == tty->foreground)
		return 0;
	if ((self->mask.bits & signal_bit(signo).bits) ||
	    process->actions->action[signo - 1].handler == SIG_IGN)
		return signo == SIGTTIN ? -EIO : 0;
	if (signal_group_is_orphaned(process))
		return -EIO;
	signal_group(tty, process->pgid, signo);
	return -ERESTARTSYS;
}

/* Sessions. */

static void leave(struct process *process)
{
	struct tty *tty = process->tty;
	process->tty = NULL;
	if (tty)
		tty_put(tty);
}

static void leave_all(struct tty *tty, int session)
{
	list_for_each(process, &tty->job->processes, struct process, job_link)
		if (process->sid == session && process->tty == tty)
			leave(process);
}

void tty_make_controlling(struct tty *tty, struct process *process)
{
	leave(process);
	process->tty = tty;
	tty_get(tty);
	tty->job = process->job;
	tty->session = process->sid;
	tty->foreground = process->pgid;
}

void tty_opened(struct tty *tty, const struct file *file)
{
	struct process *self = process_current();
	if (!(file->flags & O_NOCTTY) && self->sid == self->pid && !self->tty &&
	    !tty->session)
		tty_make_controlling(tty, self);
}

/* The session of a leader loses its terminal. */
static void end_session(struct tty *tty, int session)
{
	tty_get(tty);
	leave_all(tty, session);
	tty->session = tty->foreground = 0;
	tty_put(tty);
}

void tty_process_left(struct process *process)
{
	leave(process);
}

void tty_process_ended(struct process *process)
{
	struct tty *tty = process->tty;
	bool leads = process->sid == process->pid;
	if (tty && leads && tty->session == process->sid) {
		signal_group(tty, tty->foreground, SIGHUP);
		end_session(tty, process->sid);
	}
	leave(process);
	if (leads && process->hung_up_group) {
		struct signal_info hup = {.signo = SIGHUP}, cont = {.signo = SIGCONT};
		signal_send_group(process->job, process->hung_up_group, &hup);
		signal_send_group(process->job, process->hung_up_group, &cont);
	}
}

void tty_hang_up(struct tty *tty)
{
	struct process *leader = NULL;
	if (tty->session)
		list_for_each(process, &tty->job->processes, struct process, job_link)
			if (process->pid == tty->session && process->tty == tty)
				leader = process;
	tty->hung_up = true;
	if (leader) {
		struct signal_info hup = {.signo = SIGHUP}, cont = {.signo = SIGCONT};
		leader->hung_up_group = tty->foreground;
		signal_send_process(leader, &hup);
		signal_send_process(leader, &cont);
		end_session(tty, leader->sid);
	}
	waitq_wake(&tty->changed, POLLHUP | POLLIN | POLLOUT | POLLERR);
}

static long take_control(struct tty *tty)
{
	struct process *self = process_current();
	bool leads = self->sid == self->pid;
	if (leads && self->tty == tty && tty->session == self->sid)
		return 0;
	/* Taking another session's needs a capability, and there are none. */
	if (!leads || self->tty || tty->session)
		return -EPERM;
	tty_make_controlling(tty, self);
	return 0;
}

static long give_up_control(struct tty *tty)
{
	struct process *self = process_current();
	if (self->tty != tty)
		return -ENOTTY;
	if (self->sid == self->pid) {
		int group = tty->foreground;
		end_session(tty, self->sid);
		signal_group(tty, group, SIGHUP);
		signal_group(tty, group, SIGCONT);
	}
	leave(self);
	return 0;
}

static long set_foreground(struct tty *tty, uaddr from)
{
	struct process *self = process_current();
	int32_t group;
	bool any = false, own = false;
	int rc = tty_check_foreground(tty, SIGTTOU);
	if (rc < 0)
		return rc == -EIO ? -ENOTTY : rc;
	if (self->tty != tty || tty->session != self->sid)
		return -ENOTTY;
	if (copy_from_user(&group, from, sizeof(group)) < 0)
		return -EFAULT;
	if (group < 0)
		return -EINVAL;
	list_for_each(process, &self->job->processes, struct process, job_link) {
		any |= process->pgid == group;
		own |= process->pgid == group && process->sid == self->sid;
	}
	if (!own)
		return any ? -EPERM : -ESRCH;
	tty->foreground = group;
	return 0;
}

static long session_ioctl(struct tty *tty, uint32_t command, uaddr user, bool master)
{
	bool own = master || process_current()->tty == tty;
	switch (command) {
	case TIOCSCTTY:
		return master ? -EIO : take_control(tty);
	case TIOCNOTTY:
		return give_up_control(tty);
	case TIOCSPGRP:
		return set_foreground(tty, user);
	case TIOCGPGRP:
		return own ? copy_to_user(user, &tty->foreground, sizeof(int32_t))
			   : -ENOTTY;
	case TIOCGSID:
		return own && tty->session
			       ? copy_to_user(user, &tty->session, sizeof(int32_t))
			       : -ENOTTY;
	default:
		return -ENOTTY;
	}
}

/* Settings. */

static long set_termios(struct tty *tty, uint32_t command, uaddr from)
{
	bool speeds = command >= TCSETS2;
	uint32_t how = speeds ? command - TCSETS2 : command - TCSETS;
	struct linux_termios given = tty->termios;
	if (copy_from_user(&given, from, speeds ? sizeof(given) : TERMIOS_HEAD_SIZE) < 0)
		return -EFAULT;
	if (how == TCSETSF - TCSETS)
		tty_flush_input(tty);
	bool changed = (given.lflag ^ tty->termios.lflag) & ICANON;
	tty->termios = given;
	if (!(given.iflag & IXON) && tty->stopped) {
		tty->stopped = false;
		waitq_wake(&tty->changed, 0);
	}
	if (changed)
		tty_mode_changed(tty);
	return 0;
}

static long set_window(struct tty *tty, uaddr from)
{
	struct window_size given;
	if (copy_from_user(&given, from, sizeof(given)) < 0)
		return -EFAULT;
	if (memcmp(&given, &tty->window, sizeof(given)) == 0)
		return 0;
	tty->window = given;
	tty_signal_foreground(tty, SIGWINCH);
	return 0;
}

static long flush(struct tty *tty, uint64_t which)
{
	if (which > TCIOFLUSH)
		return -EINVAL;
	if (which != TCOFLUSH) /* output has left with the write */
		tty_flush_input(tty);
	return 0;
}

static long flow(struct tty *tty, uint64_t action)
{
	char byte;
	switch (action) {
	case TCOOFF:
	case TCOON:
		tty->stopped = action == TCOOFF;
		waitq_wake(&tty->changed, 0);
		return 0;
	case 2: /* TCIOFF, TCION: the other side shall stop, go on */
	case 3:
		byte = (char)tty->termios.cc[action == 2 ? VSTOP : VSTART];
		if (byte && tty->ops->room(tty))
			tty->ops->put(tty, &byte, 1);
		return 0;
	default:
		return -EINVAL;
	}
}

static long put_number(uaddr user, uint32_t number)
{
	return copy_to_user(user, &number, sizeof(number));
}

/* A background process may not change the terminal: POSIX 11.1.4. */
static bool changes(uint32_t command)
{
	return (command >= TCSETS && command <= TCSETSF) ||
	       (command >= TCSETS2 && command <= TCSETSF2) || command == TCSBRK ||
	       command == TCSBRKP || command == TCXONC || command == TCFLSH;
}

long tty_ioctl(struct tty *tty, uint32_t command, uint64_t argument, bool master)
{
	uaddr user = {argument};
	int rc = changes(command) && !master ? tty_check_foreground(tty, SIGTTOU) : 0;
	if (tty->hung_up)
		return -EIO;
	if (rc < 0)
		return rc;
	switch (command) {
	case TCGETS:
		return copy_to_user(user, &tty->termios, TERMIOS_HEAD_SIZE);
	case TCGETS2:
		return copy_to_user(user, &tty->termios, sizeof(tty->termios));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return set_termios(tty, command, user);
	case TCSBRK: /* output is where it goes when the write is done */
	case TCSBRKP:
		return 0;
	case TCXONC:
		return flow(tty, argument);
	case TCFLSH:
		return flush(tty, argument);
	case TIOCGWINSZ:
		return copy_to_user(user, &tty->window, sizeof(tty->window));
	case TIOCSWINSZ:
		return set_window(tty, user);
	case FIONREAD:
		return put_number(user, tty_readable(tty));
	case TIOCOUTQ:
	case TIOCGETD: /* N_TTY */
		return put_number(user, 0);
	case TIOCSETD:
		return -EINVAL;
	default:
		return session_ioctl(tty, command, user, master);
	}
}
