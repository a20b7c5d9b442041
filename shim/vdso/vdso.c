/* vdso.c: time without a trap: ring 3 code, linked to a shared object of one page that
 * the kernel maps behind its data page. It may use neither a stack protector nor a
 * relocation. */
#include "shim/vdso/data.h"

#include "shim/arch/x86_64/layout.h"

/* At the image's start minus VDSO_DATA_SIZE: vdso.ld. */
extern const volatile struct vdso_data vdso_data __attribute__((visibility("hidden")));

#define EXPORTED      __attribute__((visibility("default")))
#define NS_PER_SECOND 1000000000ull

enum { CALL_GETTIMEOFDAY = 96, CALL_CLOCK_GETTIME = 228, CALL_CLOCK_GETRES = 229 };

/* As a bit each: REALTIME, MONOTONIC, MONOTONIC_RAW, both COARSE, BOOTTIME, TAI. */
#define CLOCKS_REAL      (1u << 0 | 1u << 5 | 1u << 11)
#define CLOCKS_MONOTONIC (1u << 1 | 1u << 4 | 1u << 6 | 1u << 7)

struct timespec {
	int64_t seconds, nanoseconds;
};
struct timeval {
	int64_t seconds, microseconds;
};

int __vdso_clock_gettime(int clock, struct timespec *out);
int __vdso_clock_getres(int clock, struct timespec *out);
int __vdso_gettimeofday(struct timeval *out, void *zone);
int64_t __vdso_time(int64_t *out);
int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

static long call(long number, long first, void *second)
{
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second)
			 : "rcx", "r11", "memory");
	return result;
}

/* The TSC after all loads before it, or two CPUs' readings could come in the wrong order.
 */
static inline uint64_t read_tsc(void)
{
	uint32_t low, high;
	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* 0: the kernel must be asked. real: CLOCK_REALTIME, else CLOCK_MONOTONIC. */
static uint64_t now_ns(int real)
{
	uint32_t before, mult;
	uint64_t ns;
	do {
		before = __atomic_load_n(&vdso_data.sequence, __ATOMIC_ACQUIRE);
		mult = vdso_data.mult;
		uint64_t passed = read_tsc() - vdso_data.base_tsc;
		if ((int64_t)passed < 0)
			passed = 0; /* another CPU's counter may lag by a few */
		ns = (uint64_t)((unsigned __int128)passed * mult >> vdso_data.shift) +
		     vdso_data.base_ns + (real ? vdso_data.realtime_offset_ns : 0);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while ((before & 1) || vdso_data.sequence != before);
	return mult ? ns : 0;
}

static int is_one_of(int clock, uint32_t clocks)
{
	return clock >= 0 && clock < 32 && (clocks >> clock & 1);
}

EXPORTED int __vdso_clock_gettime(int clock, struct timespec *out)
{
	int real = is_one_of(clock, CLOCKS_REAL);
	uint64_t ns = real || is_one_of(clock, CLOCKS_MONOTONIC) ? now_ns(real) : 0;
	if (!ns)
		return (int)call(CALL_CLOCK_GETTIME, clock, out);
	out->seconds = (int64_t)(ns / NS_PER_SECOND);
	out->nanoseconds = (int64_t)(ns % NS_PER_SECOND);
	return 0;
}

EXPORTED int __vdso_clock_getres(int clock, struct timespec *out)
{
	if (!is_one_of(clock, CLOCKS_REAL | CLOCKS_MONOTONIC))
		return (int)call(CALL_CLOCK_GETRES, clock, out);
	if (out)
		*out = (struct timespec){0, 1};
	return 0;
}

EXPORTED int __vdso_gettimeofday(struct timeval *out, void *zone)
{
	uint64_t ns = zone ? 0 : now_ns(1);
	if (!ns)
		return (int)call(CALL_GETTIMEOFDAY, (long)out, zone);
	if (out)
		*out = (struct timeval){(int64_t)(ns / NS_PER_SECOND),
					(int64_t)(ns % NS_PER_SECOND / 1000)};
	return 0;
}

EXPORTED int64_t __vdso_time(int64_t *out)
{
	struct timespec now = {0, 0};
	__vdso_clock_gettime(0, &now);
	if (out)
		*out = now.seconds;
	return now.seconds;
}

/* The limit of one segment is the CPU's number: LSL reads it in ring 3 (cpu.c sets it).
 */
EXPORTED int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	unsigned limit = 0;
	(void)unused;
	__asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(SEL_CPU_NUMBER) : "cc");
	if (cpu)
		*cpu = limit & 0xfff;
	if (node)
		*node = limit >> 12;
	return 0;
}

#define WEAK_ALIAS(name)                                                                 \
	EXPORTED __attribute__((weak,                                                    \
				alias("__vdso_" #name))) __typeof__(__vdso_##name) name
extern WEAK_ALIAS(clock_gettime);
extern WEAK_ALIAS(clock_getres);
extern WEAK_ALIAS(gettimeofday);
extern WEAK_ALIAS(time);
extern WEAK_ALIAS(getcpu);
