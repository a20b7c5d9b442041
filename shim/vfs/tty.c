/* tty.c: the programs' side of the line discipline: reading what was typed, a line or
 * some bytes at a time, and writing. What is typed is tty_input.c's; who may read and
 * write, and the ioctls, are tty_control.c's. */
#include "shim/vfs/tty.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/proc/process.h"
#include "shim/sys/sys.h"
#include "shim/vfs/abi.h"

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

/* Reading. */

uint32_t tty_readable(const struct tty *tty)
{
	return tty_is_canonical(tty) ? tty->line_start - tty->tail : tty_used(tty);
}

static uint16_t take(struct tty *tty)
{
	uint16_t entry = tty->input[tty->tail++ % TTY_INPUT_SIZE];
	if (entry & TTY_ENDS_LINE)
		tty->lines--;
	if ((int32_t)(tty->line_start - tty->tail) < 0)
		tty->line_start = tty->tail;
	return entry;
}

void tty_mode_changed(struct tty *tty)
{
	if (!tty_is_canonical(tty) || tty->line_start == tty->head) {
		waitq_wake(&tty->changed, POLLIN | POLLRDNORM);
		return;
	}
	tty->input[(tty->head - 1) % TTY_INPUT_SIZE] |= TTY_ENDS_LINE;
	tty->line_start = tty->head;
	tty->lines++;
}

/* Up to a line in canonical mode, whatever there is in raw mode. */
static long take_bytes(struct tty *tty, struct uio *uio)
{
	bool lines = tty_is_canonical(tty);
	long done = 0;
	for (bool ended = false; !ended && uio->left && tty_readable(tty);) {
		char bytes[128];
		size_t n = 0;
		while (!ended && n < sizeof(bytes) && n < uio->left &&
		       tty_readable(tty)) {
			uint16_t entry = take(tty);
			ended = lines && (entry & TTY_ENDS_LINE);
			if (!(lines && (entry & TTY_IS_EOF)))
				bytes[n++] = (char)entry;
		}
		long moved = n ? uio_write_out(uio, bytes, n) : 0;
		if (moved < 0)
			return done ? done : moved;
		done += moved;
	}
	/* An end of file right behind what filled the buffer belongs to it. */
	if (lines && done && uio->left == 0 && tty->lines &&
	    (tty->input[tty->tail % TTY_INPUT_SIZE] & TTY_IS_EOF))
		take(tty);
	tty->ops->input_taken(tty);
	return done;
}

/* When is there enough? Raw mode has VMIN and VTIME: termios(3). */
static bool is_enough(const struct tty *tty, uint64_t wanted)
{
	if (tty_is_canonical(tty))
		return tty->lines > 0;
	uint64_t least = tty->termios.cc[VMIN];
	if (least > wanted)
		least = wanted;
	return tty_used(tty) >= least && (tty_used(tty) || tty->termios.cc[VTIME] == 0);
}

/* VTIME counts from the last byte; without VMIN from the start, which since_ns is then.
 */
static uint64_t read_deadline(const struct tty *tty, uint64_t since_ns)
{
	uint64_t tenths = tty->termios.cc[VTIME];
	if (tty_is_canonical(tty) || tenths == 0)
		return WAIT_FOREVER;
	return tty_used(tty) || tty->termios.cc[VMIN] == 0 ? since_ns + tenths * TENTH_NS
							   : WAIT_FOREVER;
}

long tty_read(struct tty *tty, struct file *file, struct uio *uio)
{
	uint64_t since_ns = clock_now_ns();
	uint32_t seen = tty_used(tty);
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
		if (tty_used(tty) != seen)
			since_ns = clock_now_ns();
		seen = tty_used(tty);
	}
	if (rc < 0)
		return rc == -EINTR ? -ERESTARTSYS : rc;
	return take_bytes(tty, uio);
}

/* Writing. */

#define WRITE_PIECE 256u

size_t tty_process_output(const struct tty *tty, char byte, char out[2])
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

/* Puts out what fits of size bytes, at most WRITE_PIECE; how many it were. */
static size_t put_processed(struct tty *tty, const char *bytes, size_t size)
{
	char out[2 * WRITE_PIECE];
	size_t done = 0, used_out = 0, room = tty->ops->room(tty);
	if (tty->stopped)
		return 0;
	while (done < size && used_out + 2 <= sizeof(out)) {
		size_t n = tty_process_output(tty, bytes[done], out + used_out);
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
	if (tty_is_canonical(tty) ? tty->lines > 0 : tty_used(tty) >= least)
		events |= POLLIN | POLLRDNORM;
	if (!tty->stopped && tty->ops->room(tty) >= 2)
		events |= POLLOUT | POLLWRNORM;
	return events;
}
