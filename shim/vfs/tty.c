/* tty.c: the line discipline: what becomes of bytes between a keyboard and programs. Who
 * may read and write, and the ioctls, are tty_control.c's. */
#include "shim/vfs/tty.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/abi.h"

/* Beside a byte in tty->input. */
enum {
	ENDS_LINE = 0x100,
	IS_EOF = 0x200, /* ends a line and is no part of it */
};
#define TENTH_NS 100000000ull /* VTIME's unit */

void tty_init(struct tty *tty, const struct tty_ops *ops)
{
	static const struct linux_termios sane = {
		.iflag = ICRNL | IXON,
		.oflag = OPOST | ONLCR,
		.cflag = 0xbf, /* B38400, CS8, CREAD */
		.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
		.cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22},
		.input_speed = 38400,
		.output_speed = 38400,
	};
	tty->ops = ops;
	tty->refs = 1;
	tty->termios = sane;
	waitq_init(&tty->changed);
}

void tty_get(struct tty *tty)
{
	tty->refs++;
}

void tty_put(struct tty *tty)
{
	if (--tty->refs == 0)
		tty->ops->free(tty);
}

static bool canonical(const struct tty *tty)
{
	return tty->termios.lflag & ICANON;
}

static bool local(const struct tty *tty, uint32_t flag)
{
	return tty->termios.lflag & flag;
}

/* Is byte this special character? 0 is none: _POSIX_VDISABLE. */
static bool is_special(const struct tty *tty, uint8_t byte, int which)
{
	return byte && tty->termios.cc[which] == byte;
}

static uint32_t used(const struct tty *tty)
{
	return tty->head - tty->tail;
}

/* Output. */

/* The bytes that one becomes, 0 to 2 of them. */
static size_t process_output(const struct tty *tty, char byte, char out[2])
{
	uint32_t flags = tty->termios.oflag;
	out[0] = byte;
	if (!(flags & OPOST))
		return 1;
	if (byte == '\n' && (flags & ONLCR)) {
		memcpy(out, "\r\n", 2);
		return 2;
	}
	if (byte == '\r' && (flags & OCRNL))
		out[0] = '\n';
	return 1;
}

/* Echo for which there is no room is lost. */
static void echo(struct tty *tty, uint8_t byte)
{
	char out[2] = {'^', (char)(byte ^ 0x40)};
	size_t size = 2;
	bool control = byte < ' ' || byte == 127;
	if (!control || byte == '\n' || byte == '\t' || !local(tty, ECHOCTL))
		size = process_output(tty, (char)byte, out);
	if (tty->ops->room(tty) >= size)
		tty->ops->put(tty, out, size);
}

static void echo_text(struct tty *tty, const char *text)
{
	size_t size = strlen(text);
	if (tty->ops->room(tty) >= size)
		tty->ops->put(tty, text, size);
}

/* Input. */

bool tty_has_input_room(const struct tty *tty)
{
	return used(tty) < TTY_INPUT_SIZE;
}

static void keep(struct tty *tty, uint16_t entry)
{
	/* A line longer than the buffer is handed on in pieces. */
	if (canonical(tty) && tty->lines == 0 && used(tty) == TTY_INPUT_SIZE - 1)
		entry |= ENDS_LINE;
	tty->input[tty->head++ % TTY_INPUT_SIZE] = entry;
	if (entry & ENDS_LINE) {
		tty->line_start = tty->head;
		tty->lines++;
	}
	if ((entry & ENDS_LINE) || !canonical(tty))
		waitq_wake(&tty->changed, POLLIN | POLLRDNORM);
}

void tty_flush_input(struct tty *tty)
{
	tty->tail = tty->line_start = tty->head;
	tty->lines = 0;
	tty->literal_next = false;
	tty->ops->input_taken(tty);
}

static uint8_t last_byte(const struct tty *tty)
{
	return (uint8_t)tty->input[(tty->head - 1) % TTY_INPUT_SIZE];
}

/* Takes the last character of the line being edited away, and off the screen. */
static void erase_character(struct tty *tty)
{
	uint8_t byte;
	do {
		byte = last_byte(tty);
		tty->head--;
	} while ((tty->termios.iflag & IUTF8) && (byte & 0xc0) == 0x80 &&
		 tty->head != tty->line_start);
	if (!local(tty, ECHO))
		return;
	if (!local(tty, ECHOE)) {
		echo(tty, tty->termios.cc[VERASE]);
		return;
	}
	if (byte < ' ' || byte == 127) {
		if (!local(tty, ECHOCTL))
			return;
		echo_text(tty, "\b \b");
	}
	echo_text(tty, "\b \b");
}

static bool is_word(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z') || byte == '_' || byte >= 0x80;
}

static void erase_word(struct tty *tty)
{
	while (tty->head != tty->line_start && !is_word(last_byte(tty)))
		erase_character(tty);
	while (tty->head != tty->line_start && is_word(last_byte(tty)))
		erase_character(tty);
}

static void erase_line(struct tty *tty)
{
	const uint32_t visibly = ECHOK | ECHOKE | ECHOE;
	if ((tty->termios.lflag & visibly) == visibly) {
		while (tty->head != tty->line_start)
			erase_character(tty);
		return;
	}
	tty->head = tty->line_start;
	if (local(tty, ECHO)) {
		echo(tty, tty->termios.cc[VKILL]);
		if (local(tty, ECHOK))
			echo(tty, '\n');
	}
}

static void reprint_line(struct tty *tty)
{
	echo(tty, tty->termios.cc[VREPRINT]);
	echo(tty, '\n');
	for (uint32_t at = tty->line_start; at != tty->head; at++)
		echo(tty, (uint8_t)tty->input[at % TTY_INPUT_SIZE]);
}

/* Signals and flow control. Was the byte one of theirs? */
static bool receive_control(struct tty *tty, uint8_t byte)
{
	static const struct {
		int character, signo;
	} signals[] = {{VINTR, SIGINT}, {VQUIT, SIGQUIT}, {VSUSP, SIGTSTP}};
	if ((tty->termios.iflag & IXON) &&
	    (is_special(tty, byte, VSTART) || is_special(tty, byte, VSTOP))) {
		tty->stopped = !is_special(tty, byte, VSTART);
		waitq_wake(&tty->changed, 0);
		return true;
	}
	for (size_t i = 0; local(tty, ISIG) && i < sizeof(signals) / sizeof(signals[0]);
	     i++) {
		if (!is_special(tty, byte, signals[i].character))
			continue;
		if (!local(tty, NOFLSH))
			tty_flush_input(tty);
		tty->stopped = false;
		if (local(tty, ECHO))
			echo(tty, byte);
		tty_signal_foreground(tty, signals[i].signo);
		waitq_wake(&tty->changed, 0);
		return true;
	}
	return false;
}

/* Editing of the line. Was the byte one of its characters? */
static bool receive_editing(struct tty *tty, uint8_t byte)
{
	bool extended = local(tty, IEXTEN), any = tty->head != tty->line_start;
	if (is_special(tty, byte, VERASE)) {
		if (any)
			erase_character(tty);
	} else if (is_special(tty, byte, VKILL)) {
		erase_line(tty);
	} else if (extended && is_special(tty, byte, VWERASE)) {
		erase_word(tty);
	} else if (extended && is_special(tty, byte, VLNEXT)) {
		tty->literal_next = true;
		if (local(tty, ECHO) && local(tty, ECHOCTL))
			echo_text(tty, "^\b");
	} else if (extended && local(tty, ECHO) && is_special(tty, byte, VREPRINT)) {
		reprint_line(tty);
	} else {
		return false;
	}
	return true;
}

static void receive_end(struct tty *tty, uint8_t byte)
{
	if (is_special(tty, byte, VEOF)) {
		keep(tty, ENDS_LINE | IS_EOF);
		return;
	}
	if (local(tty, ECHO) || (byte == '\n' && local(tty, ECHONL)))
		echo(tty, byte);
	keep(tty, byte | ENDS_LINE);
}

static bool ends_line(const struct tty *tty, uint8_t byte)
{
	return byte == '\n' || is_special(tty, byte, VEOF) ||
	       is_special(tty, byte, VEOL) ||
	       (local(tty, IEXTEN) && is_special(tty, byte, VEOL2));
}

bool tty_receive(struct tty *tty, uint8_t byte)
{
	uint32_t flags = tty->termios.iflag;
	if (!tty_has_input_room(tty))
		return false;
	if (flags & ISTRIP)
		byte &= 0x7f;
	bool literal = tty->literal_next;
	tty->literal_next = false;
	if (!literal) {
		if (receive_control(tty, byte))
			return true;
		if (tty->stopped && (flags & IXON) && (flags & IXANY)) {
			tty->stopped = false;
			waitq_wake(&tty->changed, 0);
		}
		if (byte == '\r' && (flags & IGNCR))
			return true;
		if (byte == '\r' && (flags & ICRNL))
			byte = '\n';
		else if (byte == '\n' && (flags & INLCR))
			byte = '\r';
		if (canonical(tty) && receive_editing(tty, byte))
			return true;
		if (canonical(tty) && ends_line(tty, byte)) {
			receive_end(tty, byte);
			return true;
		}
	}
	if (local(tty, ECHO))
		echo(tty, byte);
	keep(tty, byte);
	return true;
}

/* Reading. */

uint32_t tty_readable(const struct tty *tty)
{
	return canonical(tty) ? tty->line_start - tty->tail : used(tty);
}

static uint16_t take(struct tty *tty)
{
	uint16_t entry = tty->input[tty->tail++ % TTY_INPUT_SIZE];
	if (entry & ENDS_LINE)
		tty->lines--;
	if ((int32_t)(tty->line_start - tty->tail) < 0)
		tty->line_start = tty->tail;
	return entry;
}

void tty_mode_changed(struct tty *tty)
{
	if (!canonical(tty) || tty->line_start == tty->head) {
		waitq_wake(&tty->changed, POLLIN | POLLRDNORM);
		return;
	}
	tty->input[(tty->head - 1) % TTY_INPUT_SIZE] |= ENDS_LINE;
	tty->line_start = tty->head;
	tty->lines++;
}

/* Up to a line in canonical mode, whatever there is in raw mode. */
static long take_bytes(struct tty *tty, struct uio *uio)
{
	bool lines = canonical(tty);
	long done = 0;
	for (bool ended = false; !ended && uio->left && tty_readable(tty);) {
		char bytes[128];
		size_t n = 0;
		while (!ended && n < sizeof(bytes) && n < uio->left &&
		       tty_readable(tty)) {
			uint16_t entry = take(tty);
			ended = lines && (entry & ENDS_LINE);
			if (!(lines && (entry & IS_EOF)))
				bytes[n++] = (char)entry;
		}
		long moved = n ? uio_write_out(uio, bytes, n) : 0;
		if (moved < 0)
			return done ? done : moved;
		done += moved;
	}
	/* An end of file right behind what filled the buffer belongs to it. */
	if (lines && done && uio->left == 0 && tty->lines &&
	    (tty->input[tty->tail % TTY_INPUT_SIZE] & IS_EOF))
		take(tty);
	tty->ops->input_taken(tty);
	return done;
}

/* When is there enough? Raw mode has VMIN and VTIME: termios(3). */
static bool is_enough(const struct tty *tty, uint64_t wanted)
{
	if (canonical(tty))
		return tty->lines > 0;
	uint64_t least = tty->termios.cc[VMIN];
	if (least > wanted)
		least = wanted;
	return used(tty) >= least && (used(tty) || tty->termios.cc[VTIME] == 0);
}

/* VTIME counts from the last byte; without VMIN from the start, which since_ns is then.
 */
static uint64_t read_deadline(const struct tty *tty, uint64_t since_ns)
{
	uint64_t tenths = tty->termios.cc[VTIME];
	if (canonical(tty) || tenths == 0)
		return WAIT_FOREVER;
	return used(tty) || tty->termios.cc[VMIN] == 0 ? since_ns + tenths * TENTH_NS
						       : WAIT_FOREVER;
}

long tty_read(struct tty *tty, struct file *file, struct uio *uio)
{
	uint64_t since_ns = clock_now_ns();
	uint32_t seen = used(tty);
	if (uio->left == 0 || tty->hung_up)
		return 0;
	int rc = tty_check_foreground(tty, SIGTTIN);
	while (rc == 0 && !is_enough(tty, uio->left)) {
		if (tty->hung_up)
			return 0;
		rc = file_io_flags(file, uio) & O_NONBLOCK
			     ? -EAGAIN
			     : wait_on(&tty->changed, read_deadline(tty, since_ns));
		if (rc == 0)
			rc = tty_check_foreground(tty, SIGTTIN);
		else if (rc == -ETIMEDOUT || tty_readable(tty))
			return take_bytes(tty, uio); /* less than VMIN */
		if (used(tty) != seen)
			since_ns = clock_now_ns();
		seen = used(tty);
	}
	if (rc < 0)
		return rc == -EINTR ? -ERESTARTSYS : rc;
	return take_bytes(tty, uio);
}

/* Writing. */

#define WRITE_PIECE 256u

/* Puts out what fits of size bytes, at most WRITE_PIECE; how many it were. */
static size_t put_processed(struct tty *tty, const char *bytes, size_t size)
{
	char out[2 * WRITE_PIECE];
	size_t done = 0, used_out = 0, room = tty->ops->room(tty);
	if (tty->stopped)
		return 0;
	while (done < size && used_out + 2 <= sizeof(out)) {
		size_t n = process_output(tty, bytes[done], out + used_out);
		if (used_out + n > room)
			break;
		used_out += n;
		done++;
	}
	if (used_out)
		tty->ops->put(tty, out, used_out);
	return done;
}

/* All of it, sleeping for room; what went out before an error counts. */
static long put_all(struct tty *tty, const char *bytes, size_t size, bool wait)
{
	size_t done = 0;
	for (;;) {
		if (tty->hung_up)
			return done ? (long)done : -EIO;
		done += put_processed(tty, bytes + done, size - done);
		if (done == size)
			return (long)done;
		int rc = wait ? wait_on(&tty->changed, WAIT_FOREVER) : -EAGAIN;
		if (rc < 0 && done)
			return (long)done;
		if (rc < 0)
			return rc == -EINTR ? -ERESTARTSYS : rc;
	}
}

long tty_write(struct tty *tty, struct file *file, struct uio *uio)
{
	char bytes[WRITE_PIECE];
	long done = 0;
	int rc = tty->termios.lflag & TOSTOP ? tty_check_foreground(tty, SIGTTOU) : 0;
	if (tty->hung_up)
		return -EIO;
	if (rc < 0)
		return rc;
	while (uio->left) {
		bool wait = !(file_io_flags(file, uio) & O_NONBLOCK);
		long got = uio_read_in(uio, bytes, sizeof(bytes));
		if (got <= 0)
			return done ? done : got;
		long put = put_all(tty, bytes, (size_t)got, wait);
		if (put < 0)
			return done ? done : put;
		done += put;
		if (put < got || wait_interrupted())
			break;
	}
	return done;
}

uint32_t tty_poll(struct tty *tty, struct poll_table *table)
{
	uint32_t events = 0;
	poll_add(table, &tty->changed);
	if (tty->hung_up)
		return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLERR | POLLHUP;
	uint64_t least = tty->termios.cc[VTIME] || !tty->termios.cc[VMIN]
				 ? 1
				 : tty->termios.cc[VMIN];
	if (canonical(tty) ? tty->lines > 0 : used(tty) >= least)
		events |= POLLIN | POLLRDNORM;
	if (!tty->stopped && tty->ops->room(tty) >= 2)
		events |= POLLOUT | POLLWRNORM;
	return events;
}
