/* panic.c: says what broke and how we came there, then stops the machine. Names come from
 * .symbols, which the link makes of the kernel's own symbol table (scripts in
 * shim/CMakeLists.txt): a count, rows sorted by address, then the names. */
#include "shim/arch/x86_64/panic.h"

#include <stdarg.h>

#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/layout.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/arch/x86_64/smp.h"
#include "shim/lib/print.h"

#define PANIC_STATUS 126 /* of the machine; 125 is a refusal to start */
#define FRAMES_MAX   32

struct symbol_row {
	uint32_t address; /* from kernel_start */
	uint32_t name;    /* byte in the section */
};
extern const uint8_t symbols_start[], symbols_end[], kernel_start[], text_end[];

static void address_print(uint64_t address)
{
	uint64_t base = (uint64_t)kernel_start;
	const char *name = NULL;
	uint64_t from = 0;
	if (symbols_end - symbols_start > 4 && address >= base &&
	    address < (uint64_t)text_end) {
		const struct symbol_row *row = (const void *)(symbols_start + 8);
		uint32_t low = 0, high = *(const uint32_t *)(const void *)symbols_start;
		while (low < high) {
			uint32_t middle = (low + high) / 2;
			if (row[middle].address <= address - base)
				low = middle + 1;
			else
				high = middle;
		}
		if (low) {
			name = (const char *)symbols_start + row[low - 1].name;
			from = address - base - row[low - 1].address;
		}
	}
	if (name)
		kprint("  %016llx %s+0x%llx\n", (unsigned long long)address, name,
		       (unsigned long long)from);
	else
		kprint("  %016llx\n", (unsigned long long)address);
}

/* Frames lie on one stack, each above the one before; the first is ours, so it is mapped.
 */
static void back_trace(uint64_t rbp)
{
	uint64_t first = rbp;
	for (int i = 0; i < FRAMES_MAX; i++) {
		if (rbp < DIRECT_MAP_BASE || rbp & 7 || rbp < first ||
		    rbp >= (first | (KERNEL_STACK_SIZE - 1)) - 16)
			return;
		const uint64_t *frame = (const uint64_t *)rbp;
		if (!frame[1])
			return;
		address_print(frame[1] - 1); /* in the call, not after it */
		if (frame[0] <= rbp)
			return;
		rbp = frame[0];
	}
}

static void enter(void)
{
	static const struct percpu *panicking;
	const struct percpu *nobody = NULL, *self = percpu();
	__asm__ volatile("cli");
	if (__atomic_compare_exchange_n(&panicking, &nobody, self, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		smp_stop_others();
		return;
	}
	if (nobody == self) /* in the midst of its own panic */
		machine_power_off(PANIC_STATUS);
	for (;;)
		__asm__ volatile("hlt");
}

_Noreturn void panic(const char *format, ...)
{
	va_list args;
	enter();
	kprint("\nelfpack: kernel panic: ");
	va_start(args, format);
	kvprint(format, args);
	va_end(args);
	kprint("\n");
	back_trace((uint64_t)__builtin_frame_address(0));
	machine_power_off(PANIC_STATUS);
}

_Noreturn void panic_exception(const struct trapframe *f, uint64_t address)
{
	enter();
	kprint("\nelfpack: kernel panic: exception %llu in ring 0, error %llx, address "
	       "%llx, "
	       "cpu %u\n",
	       (unsigned long long)f->vector, (unsigned long long)f->error,
	       (unsigned long long)address, cpu_id());
	const struct {
		const char *name;
		uint64_t value;
	} row[] = {
		{"rax", f->rax},     {"rbx", f->rbx},    {"rcx", f->rcx}, {"rdx", f->rdx},
		{"rsi", f->rsi},     {"rdi", f->rdi},    {"rbp", f->rbp}, {"rsp", f->rsp},
		{"r8 ", f->r8},      {"r9 ", f->r9},     {"r10", f->r10}, {"r11", f->r11},
		{"r12", f->r12},     {"r13", f->r13},    {"r14", f->r14}, {"r15", f->r15},
		{"cr3", read_cr3()}, {"flg", f->rflags},
	};
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		kprint("%s %016llx%s", row[i].name, (unsigned long long)row[i].value,
		       i % 4 == 3 ? "\n" : " ");
	kprint("\n");
	address_print(f->rip);
	back_trace(f->rbp);
	machine_power_off(PANIC_STATUS);
}
