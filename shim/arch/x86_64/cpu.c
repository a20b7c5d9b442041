/* cpu.c: a CPU's own set-up: features, descriptor tables, control registers, syscall
 * MSRs. Boot CPU and others run the same cpu_setup. */
#include "shim/arch/x86_64/cpu.h"

#include "shim/arch/x86_64/apic.h"
#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/features.h"
#include "shim/arch/x86_64/fpu.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/percpu.h"
#include "shim/arch/x86_64/smp.h"
#include "shim/lib/string.h"

struct cpu_features cpu_features;
struct percpu boot_percpu;

void syscall_entry(void);
extern const uint8_t gate_stubs[256][16];
extern const uint8_t smap_sites_start[], smap_sites_end[];

enum {
	CR0_MP = 1 << 1,
	CR0_EM = 1 << 2,
	CR0_TS = 1 << 3,
	CR0_NE = 1 << 5,
	CR0_WP = 1 << 16,
	CR0_AM = 1 << 18,
	CR0_NW = 1 << 29,
	CR0_CD = 1 << 30,
	CR4_PGE = 1 << 7,
	CR4_OSFXSR = 1 << 9,
	CR4_OSXMMEXCPT = 1 << 10,
	CR4_UMIP = 1 << 11,
	CR4_FSGSBASE = 1 << 16,
	CR4_OSXSAVE = 1 << 18,
	CR4_SMEP = 1 << 20,
	CR4_SMAP = 1 << 21,
	EFER_SCE = 1 << 0,
	EFER_NXE = 1 << 11,
	/* What syscall clears: CF PF AF ZF SF TF IF DF OF IOPL NT RF AC ID. */
	FMASK = 0x00257fd5,
};

/* PAT: as at reset, but entry 1 (PWT alone) is write-combining. */
#define PAT_VALUE 0x0007040600070106ull

struct idt_gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct idt_gate) == 16, "SDM 3, 6.14.1");
static struct idt_gate idt[256];

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static bool bit(uint32_t word, unsigned n)
{
	return word >> n & 1;
}

void cpu_features_read(void)
{
	struct cpu_features *f = &cpu_features;
	struct cpuid basic = cpuid(1, 0), extended = {0}, leaf7 = {0}, xsave = {0},
		     power = {0};
	f->highest = cpuid(0, 0).eax;
	uint32_t highest_extended = cpuid(0x80000000, 0).eax;
	if (f->highest >= 7)
		leaf7 = cpuid(7, 0);
	if (f->highest >= 0xd)
		xsave = cpuid(0xd, 1);
	if (highest_extended >= 0x80000001)
		extended = cpuid(0x80000001, 0);
	if (highest_extended >= 0x80000007)
		power = cpuid(0x80000007, 0);
	f->hwcap = basic.edx;
	f->x2apic = bit(basic.ecx, 21);
	f->tsc_deadline = bit(basic.ecx, 24);
	f->xsave = bit(basic.ecx, 26) && f->highest >= 0xd;
	f->xsaveopt = f->xsave && bit(xsave.eax, 0);
	f->hypervisor = bit(basic.ecx, 31);
	f->fsgsbase = bit(leaf7.ebx, 0);
	f->smep = bit(leaf7.ebx, 7);
	f->smap = bit(leaf7.ebx, 20);
	f->umip = bit(leaf7.ecx, 2);
	f->nx = bit(extended.edx, 20);
	f->gib_pages = bit(extended.edx, 26);
	f->rdtscp = bit(extended.edx, 27);
	f->invariant_tsc = bit(power.edx, 8);
	f->hwcap2 = f->fsgsbase ? 2 : 0; /* Linux' HWCAP2_FSGSBASE */
	if (f->hypervisor) {
		struct cpuid name = cpuid(0x40000000, 0);
		f->highest_hypervisor = name.eax;
		f->drops_fences =
			memcmp((const char *)&name + 4, "TCGTCGTCGTCG", 12) == 0;
	}
}

void cpu_write_protect(bool on)
{
	uint64_t cr0 = read_cr0() & ~(uint64_t)CR0_WP;
	write_cr0(on ? cr0 | CR0_WP : cr0);
}

const char *cpu_lacks(void)
{
	return !cpu_features.fsgsbase ? "FSGSBASE (Ivy Bridge, Zen or later)"
	       : !cpu_features.nx     ? "NX (execute disable)"
				      : NULL;
}

/* SDM 4, 2.1: IA32_ARCH_CAPABILITIES has RDCL_NO. A hypervisor may hide it. */
bool cpu_reads_through(void)
{
	const struct cpuid name = cpuid(0, 0);
	uint64_t capabilities = 0;
	if (memcmp(&name.ebx, "Genu", 4) != 0)
		return false;
	if (name.eax >= 7 && bit(cpuid(7, 0).edx, 29))
		(void)rdmsr_safe(MSR_ARCH_CAPABILITIES, &capabilities);
	return !(capabilities & 1);
}

/* Puts STAC and CLAC where entry.S and copy_user.S left room; while text can be written.
 */
static void smap_patch(void)
{
	struct site {
		int32_t offset;
		uint32_t opcode;
	};
	const struct site *end = (const void *)smap_sites_end;
	for (const struct site *s = (const void *)smap_sites_start; s < end; s++)
		memcpy((void *)((uint64_t)&s->offset + (uint64_t)(int64_t)s->offset),
		       &s->opcode, 3);
}

static void idt_make(void)
{
	for (unsigned v = 0; v < 256; v++) {
		uint64_t at = (uint64_t)gate_stubs[v];
		uint8_t ist = v == VECTOR_NMI             ? IST_NMI
			      : v == VECTOR_DOUBLE_FAULT  ? IST_DOUBLE_FAULT
			      : v == VECTOR_MACHINE_CHECK ? IST_MACHINE_CHECK
			      : v == VECTOR_DEBUG         ? IST_DEBUG
							  : 0;
		/* Interrupt gates: IF is cleared. INT3 alone may be raised by ring 3. */
		uint8_t type = v == VECTOR_BREAKPOINT ? 0xee : 0x8e;
		idt[v] = (struct idt_gate){
			(uint16_t)at,         SEL_KERNEL_CODE,      ist, type,
			(uint16_t)(at >> 16), (uint32_t)(at >> 32), 0};
	}
}

static void gdt_load(struct percpu *self)
{
	uint64_t tss = (uint64_t)&self->tss, *gdt = self->gdt;
	gdt[SEL_KERNEL_CODE / 8] = 0x00af9b000000ffff;
	gdt[SEL_KERNEL_DATA / 8] = 0x00cf93000000ffff;
	/* SEL_USER_BASE would be 32-bit code: left out, ring 3 has 64-bit mode alone. */
	gdt[SEL_USER_DATA / 8] = 0x00cff3000000ffff;
	gdt[SEL_USER_CODE / 8] = 0x00affb000000ffff;
	gdt[SEL_TSS / 8] = (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 |
			   0x89ull << 40 | (tss >> 24 & 0xff) << 56;
	gdt[SEL_TSS / 8 + 1] = tss >> 32;
	gdt[SEL_CPU_NUMBER / 8] =
		0x0040f50000000000 | (self->id & 0xffff); /* DPL 3 data */
	self->tss.io_map_base = sizeof(struct tss);
	for (int i = 0; i < IST_COUNT; i++) {
		self->ist[i].owner = self;
		self->tss.ist[i] = (uint64_t)&self->ist[i].owner;
	}
	struct table_pointer gdtr = {sizeof(self->gdt) - 1, (uint64_t)gdt};
	struct table_pointer idtr = {sizeof(idt) - 1, (uint64_t)idt};
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "mov %2, %%ss\n\t"
			 "mov %3, %%ds\n\t"
			 "mov %3, %%es\n\t"
			 "mov %3, %%fs\n\t"
			 "mov %3, %%gs\n\t"
			 "ltr %4\n\t"
			 "lidt %5"
			 :
			 : "m"(gdtr), "i"(SEL_KERNEL_CODE),
			   "r"((uint16_t)SEL_KERNEL_DATA), "r"((uint16_t)0),
			   "r"((uint16_t)SEL_TSS), "m"(idtr)
			 : "rax", "memory");
}

void cpu_setup(struct percpu *self, unsigned id)
{
	const struct cpu_features *f = &cpu_features;
	self->self = self;
	self->id = id;
	if (id == 0) {
		idt_make();
		if (f->smap)
			smap_patch();
	}
	gdt_load(self);

	uint64_t cr0 = read_cr0();
	cr0 &= ~(uint64_t)(CR0_EM | CR0_TS | CR0_AM | CR0_NW | CR0_CD);
	write_cr0(cr0 | CR0_MP | CR0_NE | CR0_WP);
	uint64_t cr4 = read_cr4() | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE;
	cr4 |= f->smep ? CR4_SMEP : 0;
	cr4 |= f->smap ? CR4_SMAP : 0;
	cr4 |= f->umip ? CR4_UMIP : 0;
	cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	write_cr4(cr4);
	wrgsbase((uint64_t)self);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	wrmsr(MSR_PAT, PAT_VALUE);

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
	wrmsr(MSR_STAR, (uint64_t)SEL_USER_BASE << 48 | (uint64_t)SEL_KERNEL_CODE << 32);
	wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
	wrmsr_safe(MSR_CSTAR,
		   (uint64_t)syscall_entry); /* no 32-bit code runs; never junk */
	wrmsr(MSR_FMASK, FMASK);
	wrmsr_safe(MSR_SYSENTER_CS, 0); /* SYSENTER is #GP */
	if (f->rdtscp)
		wrmsr(MSR_TSC_AUX, id);
	fpu_setup(id == 0);
}

void cpu_set_current_thread(struct thread *thread, struct arch_thread *arch)
{
	struct percpu *self = percpu();
	self->thread = thread;
	self->arch = arch;
}

unsigned cpu_id(void)
{
	return percpu()->id;
}

uint32_t cpu_hwcap(void)
{
	return cpu_features.hwcap;
}

uint32_t cpu_hwcap2(void)
{
	return cpu_features.hwcap2;
}

/* After interrupts were let in with the lock left: a handler may have taken it again. */
static void lock_again(void)
{
	struct percpu *self = percpu();
	if (!self->handler_locked)
		kernel_lock();
	self->handler_locked = false;
}

void cpu_take_interrupts(void)
{
	kernel_unlock();
	__asm__ volatile("sti; nop; cli" : : : "memory"); /* STI takes effect after NOP */
	lock_again();
}

/* As who waits for the lock: nobody interrupts this CPU to drop translations. */
static void idle_begin(void)
{
	smp_lock_wait();
	kernel_unlock();
}

static void idle_end(void)
{
	lock_again();
	smp_lock_taken();
}

void cpu_idle(void)
{
	idle_begin();
	/* STI takes effect after HLT: an interrupt in between cannot be lost. */
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	idle_end();
}

void cpu_idle_until(bool (*done)(const void *context), const void *context,
		    uint64_t end_ns)
{
	const struct percpu *self = percpu();
	idle_begin();
	__asm__ volatile("sti" : : : "memory");
	while (!__atomic_load_n(&self->handler_locked, __ATOMIC_RELAXED) &&
	       !done(context) && clock_now_ns() < end_ns)
		if (!cpu_features.drops_fences) /* PAUSE takes its devices' lock */
			cpu_relax();
	__asm__ volatile("cli" : : : "memory");
	idle_end();
}
