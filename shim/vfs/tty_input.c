/* tty_input.c: the keyboard's side of the line discipline: what is typed becomes input,
 * edits the line, is echoed, or is a signal. */
#include "shim/vfs/tty.h"

#include "shim/lib/string.h"
#include "shim/proc/process.h"
#include "shim/vfs/abi.h"

static bool local(const struct tty *tty, uint32_t flag)
{
	return tty->termios.lflag & flag;
}

/* Is byte this special character? 0 is none: _POSIX_VDISABLE. */
static bool is_special(const struct tty *tty, uint8_t byte, int which)
{
	return byte && tty->termios.cc[which] == byte;
}

/* Echo for which there is no room is lost. */
static void echo(struct tty *tty, uint8_t byte)
{
	char out[2] = {'^', (char)(byte ^ 0x40)};
	size_t size = 2;
	bool control = byte < ' ' || byte == 127;
	if (!control || byte == '\n' || byte == '\t' || !local(tty, ECHOCTL))
		size = tty_process_output(tty, (char)byte, out);
	if (tty->ops->room(tty) >= size)
		tty->ops->put(tty, out, size);
}

static void echo_text(struct tty *tty, const char *text)
{
	size_t size = strlen(text);
	if (tty->ops->room(tty) >= size)
		tty->ops->put(tty, text, size);
}

bool tty_has_input_room(const struct tty *tty)
{
	return tty_used(tty) < TTY_INPUT_SIZE;
}

static void keep(struct tty *tty, uint16_t entry)
{
	/* A line longer than the buffer is handed on in pieces. */
	if (tty_is_canonical(tty) && tty->lines == 0 &&
	    tty_used(tty) == TTY_INPUT_SIZE - 1)
		entry |= TTY_ENDS_LINE;
	tty->input[tty->head++ % TTY_INPUT_SIZE] = entry;
	if (entry & TTY_ENDS_LINE) {
		tty->line_start = tty->head;
		tty->lines++;
	}
	if ((entry & TTY_ENDS_LINE) || !tty_is_canonical(tty))
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
		keep(tty, TTY_ENDS_LINE | TTY_IS_EOF);
		return;
	}
	if (local(tty, ECHO) || (byte == '\n' && local(tty, ECHONL)))
		echo(tty, byte);
	keep(tty, byte | TTY_ENDS_LINE);
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
		if (tty_is_canonical(tty) && receive_editing(tty, byte))
			return true;
		if (tty_is_canonical(tty) && ends_line(tty, byte)) {
			receive_end(tty, byte);
			return true;
		}
	}
	if (local(tty, ECHO))
		echo(tty, byte);
	keep(tty, byte);
	return true;
}
