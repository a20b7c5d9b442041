/* tty.h: terminals: the line discipline (termios(3)), job control and sessions, shared by
 * pseudo-terminals (pty.c) and the serial console (console_file.c).
 *
 *   keyboard side ── tty_receive() ─> input ── read(2) ─> programs
 *     ops->put() <── echo, output processing <── write(2) ──┘
 *
 * Under the kernel lock. */
#ifndef SHIM_VFS_TTY_H
#define SHIM_VFS_TTY_H

#include "shim/proc/wait.h"
#include "shim/vfs/file.h"

struct job;
struct process;
struct tty;

/* struct termios2 of the kernel's ABI, whose head is struct termios. */
struct linux_termios {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line, cc[19];
	uint32_t input_speed, output_speed;
};
_Static_assert(sizeof(struct linux_termios) == 44, "Linux ABI");
#define TERMIOS_HEAD_SIZE 36u

enum {
	ISTRIP = 040,
	INLCR = 0100,
	IGNCR = 0200,
	ICRNL = 0400,
	IXON = 02000,
	IXANY = 04000,
	IUTF8 = 040000
};
enum { OPOST = 1, ONLCR = 4, OCRNL = 010 };
enum {
	ISIG = 1,
	ICANON = 2,
	ECHO = 010,
	ECHOE = 020,
	ECHOK = 040,
	ECHONL = 0100,
	NOFLSH = 0200,
	TOSTOP = 0400,
	ECHOCTL = 01000,
	ECHOKE = 04000,
	IEXTEN = 0100000
};
enum {
	VINTR,
	VQUIT,
	VERASE,
	VKILL,
	VEOF,
	VTIME,
	VMIN,
	VSWTC,
	VSTART,
	VSTOP,
	VSUSP,
	VEOL,
	VREPRINT,
	VDISCARD,
	VWERASE,
	VLNEXT,
	VEOL2
};

struct window_size {
	uint16_t rows, columns, width, height;
};

struct tty_ops {
	/* Gives file what reads and writes the tty, counted: /dev/tty. */
	void (*open)(struct tty *tty, struct file *file);
	/* How much output fits now, and taking size bytes of it, which do fit. Room that
	 * comes back is told by waking tty->changed. */
	size_t (*room)(const struct tty *tty);
	void (*put)(struct tty *tty, const char *bytes, size_t size);
	/* Input was read: there is room for more. */
	void (*input_taken)(struct tty *tty);
	void (*free)(struct tty *tty); /* the last reference is gone */
};

#define TTY_INPUT_SIZE 4096u /* a power of two; Linux' N_TTY_BUF_SIZE */

/* Beside a byte in tty->input. */
enum {
	TTY_ENDS_LINE = 0x100,
	TTY_IS_EOF = 0x200, /* ends a line and is no part of it */
};

struct tty {
	const struct tty_ops *ops;
	struct job *job;
	uint32_t refs;
	struct linux_termios termios;
	struct window_size window;
	uint32_t device;   /* its number, as /proc shows it */
	int session;       /* whose controlling terminal it is; 0: nobody's */
	int foreground;    /* the process group that may read */
	bool hung_up;      /* for good: the other side is gone */
	bool stopped;      /* by VSTOP or TCOOFF: no output */
	bool literal_next; /* after VLNEXT */
	uint16_t input[TTY_INPUT_SIZE]; /* bytes and TTY_* */
	uint32_t head, tail;            /* free-running */
	uint32_t line_start; /* what is being edited begins here; ends at head */
	uint32_t lines;      /* whole ones in input */
	struct waitq changed;
};

static inline bool tty_is_canonical(const struct tty *tty)
{
	return tty->termios.lflag & ICANON;
}
static inline uint32_t tty_used(const struct tty *tty) /* of input */
{
	return tty->head - tty->tail;
}

void tty_init(struct tty *tty, const struct tty_ops *ops);
void tty_get(struct tty *tty);
void tty_put(struct tty *tty);

/* tty_input.c. A byte that was typed; false: there is no room for it now. */
bool tty_receive(struct tty *tty, uint8_t byte);
bool tty_has_input_room(const struct tty *tty);
void tty_flush_input(struct tty *tty);

/* tty.c */
uint32_t tty_readable(const struct tty *tty); /* bytes that a read would find now */
/* The bytes that one becomes when it is written or echoed, 0 to 2 of them. */
size_t tty_process_output(const struct tty *tty, char byte, char out[2]);
/* After ICANON was switched on or off: what is there can be read either way. */
void tty_mode_changed(struct tty *tty);
/* As file_ops. */
long tty_read(struct tty *tty, struct file *file, struct uio *uio);
long tty_write(struct tty *tty, struct file *file, struct uio *uio);
uint32_t tty_poll(struct tty *tty, struct poll_table *table);
/* tty_control.c. master: asked by a pseudo-terminal's other side. */
long tty_ioctl(struct tty *tty, uint32_t command, uint64_t argument, bool master);

/* May the caller go on, or is it in the background: then signo (SIGTTIN, SIGTTOU) was
 * sent to its group, or the answer is -EIO. */
int tty_check_foreground(struct tty *tty, int signo);
void tty_signal_foreground(struct tty *tty, int signo);
/* open(2) of a terminal by a session's leader without one. */
void tty_opened(struct tty *tty, const struct file *file);
void tty_make_controlling(struct tty *tty, struct process *process);
/* The other side is gone: the session loses it. */
void tty_hang_up(struct tty *tty);
/* The process ends, or becomes the leader of a new session. */
void tty_process_left(struct process *process);
void tty_process_ended(struct process *process);

#endif
