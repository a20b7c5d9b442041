/* exec_stack.c: the first stack of a program, as Linux makes it (psABI 3.4.1):
 *
 *   stack_top     8 zero bytes
 *                 the name it was executed by
 *                 envp's strings
 *                 argv's strings
 *                 up to 8 KiB of nothing, at random
 *                 "x86_64", 16 random bytes
 *                 auxv, NULL-terminated
 *                 envp, NULL-terminated
 *                 argv, NULL-terminated
 *   rsp           argc */
#include "shim/arch/x86_64/cpu.h"
#include "shim/lib/errno.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/vm.h"
#include "shim/proc/exec.h"
#include "shim/proc/signal_state.h"

enum auxv_type {
	AT_NULL,
	AT_PHDR = 3,
	AT_PHENT,
	AT_PHNUM,
	AT_PAGESZ,
	AT_BASE,
	AT_FLAGS,
	AT_ENTRY,
	AT_UID = 11,
	AT_EUID,
	AT_GID,
	AT_EGID,
	AT_PLATFORM,
	AT_HWCAP,
	AT_CLKTCK,
	AT_SECURE = 23,
	AT_RANDOM = 25,
	AT_HWCAP2,
	AT_EXECFN = 31,
	AT_SYSINFO_EHDR = 33,
	AT_MINSIGSTKSZ = 51,
};

#define STACK_RANDOM_BYTES 8192u
static const char platform[] = "x86_64";

static void add(struct exec_stack *stack, enum auxv_type type, uint64_t value)
{
	stack->auxv[stack->auxv_bytes / 8] = type;
	stack->auxv[stack->auxv_bytes / 8 + 1] = value;
	stack->auxv_bytes += 16;
}

static void auxv_make(struct exec_stack *stack, const struct vmspace *vm,
		      uint64_t name_at, uint64_t platform_at, uint64_t random_at)
{
	const struct exec_image *program = stack->program,
				*interpreter = stack->interpreter;
	const struct elf_plan *plan = program->plan;
	stack->auxv_bytes = 0;
	if (vm->vdso)
		add(stack, AT_SYSINFO_EHDR, vm->vdso);
	add(stack, AT_MINSIGSTKSZ, signal_frame_size_max());
	add(stack, AT_HWCAP, cpu_hwcap());
	add(stack, AT_PAGESZ, PAGE_SIZE);
	add(stack, AT_CLKTCK, 100);
	add(stack, AT_PHDR,
	    plan->headers_address ? program->bias + plan->headers_address : 0);
	add(stack, AT_PHENT, plan->header_size);
	add(stack, AT_PHNUM, plan->header_count);
	add(stack, AT_BASE, interpreter->vnode ? interpreter->bias : 0);
	add(stack, AT_FLAGS, 0);
	add(stack, AT_ENTRY, program->bias + plan->entry);
	add(stack, AT_UID, 0);
	add(stack, AT_EUID, 0);
	add(stack, AT_GID, 0);
	add(stack, AT_EGID, 0);
	add(stack, AT_SECURE, 0);
	add(stack, AT_RANDOM, random_at);
	add(stack, AT_HWCAP2, cpu_hwcap2());
	add(stack, AT_EXECFN, name_at);
	add(stack, AT_PLATFORM, platform_at);
	add(stack, AT_NULL, 0);
}

/* Addresses of the strings that lie at `at` one behind the other. */
static uint64_t *put_addresses(uint64_t *word, const char **bytes, uint64_t *at,
			       uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		size_t size = strlen(*bytes) + 1;
		*word++ = *at;
		*at += size;
		*bytes += size;
	}
	*word++ = 0;
	return word;
}

/* argc, argv, envp and auxv, at stack->sp. */
static int put_vectors(struct exec_stack *stack, struct vmspace *vm, size_t words)
{
	const struct exec_args *args = stack->args;
	const char *bytes = args->bytes;
	uint64_t at = stack->arg_start;
	uint64_t *vector = kmalloc(args->account, words * sizeof(*vector));
	if (!vector)
		return -ENOMEM;
	uint64_t *word = vector;
	*word++ = args->argc;
	word = put_addresses(word, &bytes, &at, args->argc);
	stack->arg_end = stack->env_start = at;
	word = put_addresses(word, &bytes, &at, args->envc);
	stack->env_end = at;
	memcpy(word, stack->auxv, stack->auxv_bytes);
	int rc = vm_write(vm, stack->sp, vector, words * sizeof(*vector));
	kfree(vector);
	return rc;
}

int exec_stack_build(struct exec_stack *stack, struct vmspace *vm)
{
	const struct exec_args *args = stack->args;
	uint64_t at;
	struct vm_request request = {
		.address = vm->stack_top - VM_STACK_SIZE,
		.size = VM_STACK_SIZE,
		.prot = PT_READ | PT_WRITE |
			(stack->program->plan->executable_stack ? PT_EXEC : 0),
		.fixed = true,
		.no_replace = true,
		.stack = true,
	};
	int rc = vm_map(vm, &request, &at);
	if (rc < 0)
		return -ENOMEM;
	size_t name_size = strlen(stack->name) + 1;
	uint64_t name_at = vm->stack_top - 8 - name_size;
	stack->arg_start = name_at - args->used;
	uint64_t sp = stack->arg_start;
	if (stack->randomize)
		sp -= random_u64() % STACK_RANDOM_BYTES;
	uint8_t random[16];
	random_bytes(random, sizeof(random));
	uint64_t platform_at = (sp & ~15ull) - 16,
		 random_at = platform_at - sizeof(random);
	auxv_make(stack, vm, name_at, platform_at, random_at);
	size_t words = 1 + args->argc + 1 + args->envc + 1 + stack->auxv_bytes / 8;
	stack->sp = (random_at - words * 8) & ~15ull;
	rc = vm_write(vm, name_at, stack->name, name_size);
	if (rc == 0)
		rc = vm_write(vm, stack->arg_start, args->bytes, args->used);
	if (rc == 0)
		rc = vm_write(vm, platform_at, platform, sizeof(platform));
	if (rc == 0)
		rc = vm_write(vm, random_at, random, sizeof(random));
	if (rc == 0)
		rc = put_vectors(stack, vm, words);
	/* The first calls go deeper than that, in all programs that were looked at. */
	if (rc == 0)
		(void)vm_populate(vm, stack->sp - PAGE_SIZE, PAGE_SIZE, true);
	return rc < 0 ? -ENOMEM : 0;
}
