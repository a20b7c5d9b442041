/* console_file.c: the serial console as a terminal, for the machine's first job.
 *
 * It starts without echo, signals and editing: whoever is at the other end may be a
 * person's terminal, which does these itself, or a pipe, whose bytes must arrive as they
 * are. A program that wants more sets it (tcsetattr). */
#include "shim/dev/console.h"
#include "shim/lib/errno.h"
#include "shim/proc/process.h"
#include "shim/vfs/devfs.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/tty.h"

static struct tty console;
static struct waiter input_waiter; /* in console_waitq() */

static size_t output_room(const struct tty *tty)
{
	(void)tty;
	return SIZE_MAX; /* console_write waits for the device */
}

static void output_put(struct tty *tty, const char *bytes, size_t size)
{
	(void)tty;
	console_put(bytes, size);
}

/* Types what the device has, as far as there is room. */
static void feed(struct tty *tty)
{
	static bool
		feeding; /* what is typed may flush the input, which leads here again */
	char byte;
	if (feeding)
		return;
	feeding = true;
	while (tty_has_input_room(tty) && console_read(&byte, 1))
		(void)tty_receive(tty, (uint8_t)byte);
	feeding = false;
}

static bool input_came(struct waiter *self, uint32_t events)
{
	(void)self, (void)events;
	feed(&console);
	return true;
}

static long console_file_read(struct file *file, struct uio *uio, uint64_t *pos)
{
	(void)pos;
	return console_is_present() ? tty_read(&console, file, uio) : 0;
}

static long console_file_write(struct file *file, struct uio *uio, uint64_t *pos)
{
	(void)pos;
	return tty_write(&console, file, uio);
}

static uint32_t console_file_poll(struct file *file, struct poll_table *table)
{
	(void)file;
	return tty_poll(&console, table);
}

static long console_file_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
	(void)file;
	return tty_ioctl(&console, command, argument, false);
}

static int console_file_stat(struct file *file, struct stat_values *out)
{
	if (file->vnode)
		return vnode_stat(file->vnode, out);
	*out = (struct stat_values){.device = 6,
				    .inode = 12,
				    .mode = S_IFCHR | 0620,
				    .links = 1,
				    .block_size = PAGE_SIZE,
				    .device_number = DEVICE(5, 1)};
	return 0;
}

static const struct file_ops console_ops = {
	.name = "console",
	.read = console_file_read,
	.write = console_file_write,
	.poll = console_file_poll,
	.async = FILE_ASYNC_TERMINAL,
	.ioctl = console_file_ioctl,
	.stat = console_file_stat,
};

static void give_ops(struct tty *tty, struct file *file)
{
	(void)tty;
	file->ops = &console_ops;
}

static const struct tty_ops console_tty_ops = {
	.open = give_ops,
	.room = output_room,
	.put = output_put,
	.input_taken = feed,
};

void console_file_init(void)
{
	tty_init(&console, &console_tty_ops);
	console.termios.iflag = ICRNL;
	console.termios.cflag = 0x1cb2; /* B115200, CS8, CREAD, HUPCL, CLOCAL */
	console.termios.lflag = ICANON;
	for (size_t i = 0; i < sizeof(console.termios.cc); i++)
		if (i != VEOF && i != VMIN)
			console.termios.cc[i] = 0;
	console.termios.input_speed = console.termios.output_speed = 115200;
	console.device = DEVICE(5, 1);
	console.window = (struct window_size){24, 80, 0, 0};
	input_waiter.wake = input_came;
	waitq_add(console_waitq(), &input_waiter);
	feed(&console);
}

int console_open(struct file *file)
{
	if (!job_current()->has_console)
		return -ENXIO;
	give_ops(&console, file);
	return 0;
}

struct file *console_file_make(struct account *account)
{
	return file_make(account, &console_ops, O_RDWR, NULL);
}

void console_adopt(struct process *leader)
{
	tty_make_controlling(&console, leader);
}
