/* frames.c [NAME]: what ring 3 can do to the CPU's state and to the frames that the
 * kernel restores: forged sigreturn contexts, forbidden instructions, odd stacks and
 * flags. */
#include "attack.h"

#include <elf.h>
#include <ucontext.h>

static void blind(int signo)
{
	_exit(signo);
}

/* Code put at an address of our choice and jumped to. */
static void run_at(uint64_t at, const void *code, size_t size)
{
	uint64_t page = at & ~4095ull;
	void *got = mmap((void *)page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (got != (void *)page)
		_exit(3);
	memcpy((void *)at, code, size);
	((void (*)(void))at)();
}

static void each_code(const char *const *codes, const uint8_t *sizes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		pid_t child = fork();
		if (child == 0) {
			alarm(1);
			run_at(0x10000, codes[i], sizes[i]);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
}

#define CODE(bytes) bytes
static void forbidden(void)
{
	static const char *const codes[] = {
		CODE("\xf4"),
		CODE("\xfa"),
		CODE("\xfb"),
		CODE("\x0f\x01\xca"),
		CODE("\x0f\x01\xcb"),
		CODE("\x0f\x32"),
		CODE("\x0f\x30"),
		CODE("\x0f\x33"),
		CODE("\x0f\x31\xc3"),
		CODE("\x0f\x01\xf8"),
		CODE("\x0f\x22\xd8"),
		CODE("\x0f\x20\xd8"),
		CODE("\x0f\x20\xe0"),
		CODE("\x0f\x23\xf8"),
		CODE("\x0f\x06"),
		CODE("\x0f\x08"),
		CODE("\x0f\x09"),
		CODE("\xe4\x60"),
		CODE("\xec"),
		CODE("\xee"),
		CODE("\x6c"),
		CODE("\x0f\x07"),
		CODE("\x48\x0f\x07"),
		CODE("\x0f\x34"),
		CODE("\x0f\x35"),
		CODE("\xcd\x80"),
		CODE("\xcd\x02"),
		CODE("\xcd\x08"),
		CODE("\xcd\x0e"),
		CODE("\xcd\x20"),
		CODE("\xcd\xff"),
		CODE("\xcc"),
		CODE("\xcd\x03"),
		CODE("\xf1"),
		CODE("\x0f\x0b"),
		CODE("\x0f\x01\xd1"),
		CODE("\x0f\x01\x10"),
		CODE("\x0f\x01\x18"),
		CODE("\x0f\x00\xd8"),
		CODE("\x0f\x01\xf0"),
		CODE("\x0f\x01\xc1"),
		CODE("\x0f\x01\xd9"),
		CODE("\x0f\x01\x38"),
		CODE("\xcf"),
		CODE("\x48\xcf"),
		CODE("\xcb"),
		CODE("\x66\x8e\xd0"),
		CODE("\x31\xc0\x8e\xd8\x8e\xe8\xc3"),
		CODE("\xb8\x2b\x00\x00\x00\x8e\xd0\x0f\x05\xc3"),
		CODE("\xb8\x2b\x00\x00\x00\x8e\xd0\xcc"),
		CODE("\x48\x31\xe4\x0f\x05\x0f\x0b"),
		CODE("\xf3\x0f\xae\xd8\xc3"),
		CODE("\xdb\xe3\xd9\xe8\xc3"),
	};
	uint8_t sizes[sizeof(codes) / sizeof(*codes)];
	for (size_t i = 0; i < sizeof(sizes); i++)
		sizes[i] = 16; /* the literal's end and what the linker put behind it: as
				  good */
	each_code(codes, sizes, sizeof(sizes));
}

/* GS and FS bases into the kernel, then system calls, faults and single steps. */
static void kernel_bases(void)
{
	for (uint64_t base = KERNEL_BASE; base; base <<= 4) {
		pid_t child = fork();
		if (child == 0) {
			__asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0xae, 0xd8"
					 :
					 : "a"(base));
			syscall(SYS_getpid);
			syscall(SYS_sched_yield);
			__asm__ volatile("pushf; orq $0x100, (%%rsp); popf; nop; nop"
					 :
					 :
					 : "memory");
			*(volatile int *)8 = 0;
		}
		waitpid(child, NULL, 0);
	}
	syscall(SYS_arch_prctl, 0x1001, KERNEL_BASE);
	syscall(SYS_arch_prctl, 0x1002, KERNEL_BASE);
	syscall(SYS_arch_prctl, 0x1001, 0x800000000000ull);
}

static void call_at_the_edge(void)
{
	/* mov $39, %eax; syscall: the address after it is not canonical */
	static const char code[] = "\xb8\x27\x00\x00\x00\x0f\x05";
	run_at(LAST_PAGE + 4096 - 7, code, 7);
}

static void flags_in_calls(void)
{
	static const uint64_t flags[] = {0x40000, 0x400,  0x100,    0x40500, 0x4000,
					 0x10000, 0x3000, 0x200000, 0x7f0dd5};
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		pid_t child = fork();
		if (child == 0) {
			char bytes[64];
			signal(SIGTRAP, SIG_IGN);
			for (int call = 0; call < 200; call++)
				__asm__ volatile(
					"pushf; orq %[f], (%%rsp); popf; syscall; cld;"
					"pushf; andq $~0x40500, (%%rsp); popf"
					:
					: [f] "r"(flags[i]), "a"(call % 3 ? 39 : 1),
					  "D"(1), "S"(bytes), "d"(0)
					: "rcx", "r11", "memory", "cc");
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
}

static uint64_t seed = 88172645463325252ull;
static uint64_t next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static int round_number;

static void forge(int signo, siginfo_t *info, void *at)
{
	ucontext_t *context = at;
	uint8_t *fpu = (void *)context->uc_mcontext.fpregs;
	greg_t *g = context->uc_mcontext.gregs;
	static const uint64_t bad[] = {
		KERNEL_BASE, 0x800000000000ull,     0x7ffffffff000ull, 0,
		UINT64_MAX,  0xffffffff80000000ull, LAST_PAGE + 4095};
	(void)signo, (void)info;
	switch (round_number % 12) {
	case 0:
		g[REG_RIP] = (greg_t)bad[next() % 7];
		break;
	case 1:
		g[REG_CSGSFS] = (greg_t)next();
		break;
	case 2:
		g[REG_CSGSFS] = 0x10 | (greg_t)0x18 << 48;
		break;
	case 3:
		g[REG_EFL] = (greg_t)next();
		break;
	case 4:
		g[REG_RSP] = (greg_t)bad[next() % 7];
		break;
	case 5: /* XSTATE_BV, XCOMP_BV and the reserved bytes */
		fpu[512 + next() % 64] = (uint8_t)next();
		break;
	case 6:
		*(uint64_t *)(fpu + 520) = 1ull << 63 | next() % 8;
		break;
	case 7:
		*(uint32_t *)(fpu + 24) = (uint32_t)next();
		break; /* MXCSR */
	case 8:
		*(uint32_t *)(fpu + 480) = (uint32_t)next();
		break; /* size */
	case 9:
		context->uc_mcontext.fpregs = (void *)bad[next() % 7];
		break;
	case 10:
		for (int i = 0; i < 600; i++)
			fpu[next() % 832] = (uint8_t)next();
		break;
	case 11:
		memset(context, (int)next(), sizeof(*context));
		break;
	}
}

static void forged_returns(void)
{
	for (round_number = 0; round_number < 300; round_number++) {
		pid_t child;
		next();
		child = fork();
		if (child == 0) {
			struct sigaction action = {.sa_sigaction = forge,
						   .sa_flags = SA_SIGINFO};
			sigaction(SIGUSR1, &action, NULL);
			alarm(1);
			raise(SIGUSR1);
			sched_yield(); /* the state is saved and loaded again */
			getpid();
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
}

static void lost_stacks(void)
{
	static const uint64_t stacks[] = {0,
					  8,
					  KERNEL_BASE,
					  0x800000000000ull,
					  UINT64_MAX - 7,
					  LAST_PAGE,
					  0x7ffffffff000ull,
					  0x10008};
	for (size_t i = 0; i < sizeof(stacks) / sizeof(*stacks); i++)
		for (int fault = 0; fault < 3; fault++) {
			pid_t child = fork();
			if (child == 0) {
				signal(SIGSEGV, blind), signal(SIGALRM, blind);
				ualarm(2000, 0);
				if (fault == 0)
					__asm__ volatile("mov %0, %%rsp; 1: jmp 1b"
							 :
							 : "r"(stacks[i]));
				if (fault == 1)
					__asm__ volatile("mov %0, %%rsp; push %%rax"
							 :
							 : "r"(stacks[i]));
				__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall"
						 :
						 : "r"(stacks[i])
						 : "rcx", "r11");
			}
			waitpid(child, NULL, 0);
		}
}

/* Copies of ourselves with headers that lie. */
static void mutated_programs(void)
{
	static uint8_t image[1 << 21];
	int own = open("/proc/self/exe", O_RDONLY);
	ssize_t size = read(own, image, sizeof(image));
	for (int round = 0; round < 250 && size > 4096; round++) {
		static uint8_t saved[1024];
		static const uint64_t bad[] = {
			0,          1,          0xfff,      4096,        1ull << 32,
			1ull << 47, UINT64_MAX, 1ull << 63, KERNEL_BASE, LAST_PAGE};
		memcpy(saved, image, sizeof(saved));
		for (uint64_t n = 1 + next() % 3; n--;) {
			size_t at =
				next() % 64 < 16 ? 16 + next() % 48 : 64 + next() % 512;
			if (next() % 2)
				image[at] = (uint8_t)next();
			else
				memcpy(image + (at & ~7ul), &bad[next() % 10], 8);
		}
		int out = open("/tmp/mutated", O_WRONLY | O_CREAT | O_TRUNC, 0700);
		(void)!write(out, image, next() % 8 ? (size_t)size : next() % 4096);
		close(out);
		memcpy(image, saved, sizeof(saved));
		pid_t child = fork();
		if (child == 0) {
			char *argv[] = {"/tmp/mutated", "none", NULL};
			alarm(1);
			execve(argv[0], argv, argv + 2);
			_exit(1);
		}
		waitpid(child, NULL, 0);
	}
}

static void kernel_probes(void)
{
	static const uint64_t at[] = {KERNEL_BASE,           0xffffffff80000000ull,
				      0xffffffffff600000ull, 0xffffffffff5ff000ull,
				      0xfffffe0000000000ull, 0x800000000000ull};
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		for (int how = 0; how < 3; how++) {
			pid_t child = fork();
			if (child == 0) {
				if (how == 0)
					_exit(*(volatile char *)at[i]);
				if (how == 1)
					*(volatile char *)at[i] = 1;
				((void (*)(void))at[i])();
			}
			waitpid(child, NULL, 0);
		}
}

int main(int argc, char **argv)
{
	static const struct attack attacks[] = {
		{"none", NULL},
		{"forbidden", forbidden},
		{"kernel_bases", kernel_bases},
		{"call_at_the_edge", call_at_the_edge},
		{"flags_in_calls", flags_in_calls},
		{"forged_returns", forged_returns},
		{"lost_stacks", lost_stacks},
		{"mutated_programs", mutated_programs},
		{"kernel_probes", kernel_probes},
	};
	if (argc > 1 && !strcmp(argv[1], "none"))
		return 0;
	return attack_main(attacks + 1, sizeof(attacks) / sizeof(*attacks) - 1, 10, argc,
			   argv);
}
