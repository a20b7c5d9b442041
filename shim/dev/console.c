/* console.c: COM1, a 16550 (or none). */
#include "shim/dev/console.h"

#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/irq_isa.h"

enum {
	COM1 = 0x3f8,
	COM1_IRQ = 4,
	UART_DATA = COM1,
	UART_IER = COM1 + 1,
	UART_FCR = COM1 + 2,
	UART_IIR = COM1 + 2,
	UART_LCR = COM1 + 3,
	UART_MCR = COM1 + 4,
	UART_LSR = COM1 + 5,
	UART_SCRATCH = COM1 + 7,
	/* QEMU's isa-debugcon, when `elfpack run` is above us: see machine_power_off. */
	DEBUG_BYTE_PORT = 0x502,
	DEBUG_BYTE_READBACK = 0xe9,
};
enum {
	LCR_8N1 = 3,
	LCR_DIVISOR = 0x80,
	FCR_ENABLE_CLEAR = 7,
	IIR_FIFO = 0xc0,
	MCR_DTR_RTS_OUT2 = 0x0b, /* OUT2 gates the interrupt */
	IER_RECEIVE = 1,
	LSR_RECEIVED = 1,
	LSR_TRANSMIT_EMPTY = 0x20,
};
#define FIFO_SIZE          16u
/* At 115,200 baud a full FIFO drains in 1.4 ms; a read of a port takes about 1 us. */
#define TRANSMIT_READS_MAX 20000u
#define INPUT_SIZE         4096u /* a power of two */

static bool present;
static bool
	stuck; /* the device took nothing for too long: not waited for until it does */
static unsigned fifo_size = 1, fifo_room;
static char input[INPUT_SIZE];
static uint32_t input_head, input_tail; /* free-running */
static bool input_full; /* receive interrupts are off until there is room */
static struct waitq input_waitq = {LIST_INIT(input_waitq.waiters)};

void console_early_init(void)
{
	out8(UART_SCRATCH, 0x5a);
	if (in8(UART_SCRATCH) != 0x5a || in8(UART_LSR) == 0xff)
		return; /* nothing there, or nothing that keeps a byte */
	present = true;
	out8(UART_IER, 0);
	out8(UART_LCR, LCR_DIVISOR | LCR_8N1);
	out8(UART_DATA, 1); /* 115,200 baud */
	out8(UART_IER, 0);
	out8(UART_LCR, LCR_8N1);
	out8(UART_FCR, FCR_ENABLE_CLEAR);
	out8(UART_MCR, MCR_DTR_RTS_OUT2);
	if ((in8(UART_IIR) & IIR_FIFO) == IIR_FIFO)
		fifo_size = FIFO_SIZE;
}

static void put_byte(char byte)
{
	if (!fifo_room) {
		unsigned reads = stuck ? TRANSMIT_READS_MAX : 0;
		while (!(in8(UART_LSR) & LSR_TRANSMIT_EMPTY)) {
			if (reads++ >= TRANSMIT_READS_MAX) {
				stuck = true;
				return;
			}
			cpu_relax();
		}
		stuck = false;
		fifo_room = fifo_size;
	}
	out8(UART_DATA, (uint8_t)byte);
	fifo_room--;
}

void console_put(const char *bytes, size_t size)
{
	for (size_t i = 0; present && i < size; i++)
		put_byte(bytes[i]);
}

void console_write(const char *bytes, size_t size)
{
	if (!present)
		return;
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == '\n')
			put_byte('\r');
		put_byte(bytes[i]);
	}
}

/* Takes what the device holds while there is room. Without room the interrupt is off and
 * the bytes stay in its FIFO, for which whoever sends them waits. */
static bool input_fill(void)
{
	bool more = false;
	while (input_head - input_tail < INPUT_SIZE) {
		if (!(in8(UART_LSR) & LSR_RECEIVED))
			return more;
		input[input_head++ % INPUT_SIZE] = (char)in8(UART_DATA);
		more = true;
	}
	input_full = true;
	out8(UART_IER, 0);
	return more;
}

static void input_interrupt(void *context)
{
	(void)context;
	in8(UART_IIR);
	if (input_fill())
		waitq_wake(&input_waitq, 0);
}

void console_input_init(void)
{
	if (!present)
		return;
	int vector = irq_allocate(input_interrupt, NULL);
	if (vector < 0 || irq_route_isa(COM1_IRQ, vector) < 0)
		return;
	out8(UART_IER, IER_RECEIVE);
	input_interrupt(NULL); /* what came before raises no edge any more */
	if (in8(DEBUG_BYTE_PORT) == DEBUG_BYTE_READBACK)
		out8(DEBUG_BYTE_PORT, 0); /* what is typed from now on is not lost */
}

static void input_resume(void)
{
	input_full = false;
	out8(UART_IER, IER_RECEIVE); /* interrupts at once for what waits in the FIFO */
	(void)input_fill();
}

size_t console_read(char *out, size_t size)
{
	size_t n = 0;
	while (n < size && input_tail != input_head)
		out[n++] = input[input_tail++ % INPUT_SIZE];
	if (input_full && input_head - input_tail <= INPUT_SIZE / 2)
		input_resume();
	return n;
}

bool console_is_present(void)
{
	return present;
}

struct waitq *console_waitq(void)
{
	return &input_waitq;
}
