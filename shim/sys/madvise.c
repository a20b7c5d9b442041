/* sys/madvise.c: what a program says of its memory. Programs probe: what is unknown here
 * is unknown to Linux too (EINVAL). */
#include "shim/mm/vm.h"
#include "shim/proc/process.h"
#include "shim/sys/populate.h"
#include "shim/sys/sys.h"

enum {
	MADV_NORMAL,
	MADV_RANDOM,
	MADV_SEQUENTIAL,
	MADV_WILLNEED,
	MADV_DONTNEED,
	MADV_FREE = 8,
	MADV_REMOVE,
	MADV_DONTFORK,
	MADV_DOFORK,
	MADV_MERGEABLE,
	MADV_UNMERGEABLE,
	MADV_HUGEPAGE,
	MADV_NOHUGEPAGE,
	MADV_DONTDUMP,
	MADV_DODUMP,
	MADV_WIPEONFORK,
	MADV_KEEPONFORK,
	MADV_COLD,
	MADV_PAGEOUT,
	MADV_POPULATE_READ,
	MADV_POPULATE_WRITE,
	MADV_DONTNEED_LOCKED,
};

/* Only private anonymous memory may be freed. */
static bool is_private_anonymous(struct vmspace *vm, uint64_t start, uint64_t end)
{
	uint32_t i;
	for (vm_find(vm, start, &i); i < vm->area_count && vm->area[i]->start < end; i++)
		if (vm->area[i]->vnode || vm->area[i]->shared)
			return false;
	return true;
}

static long populate(struct vmspace *vm, uint64_t start, uint64_t size, bool write)
{
	uint8_t needed = write ? PT_WRITE : PT_READ;
	uint32_t i;
	if (!vm_range_mapped(vm, start, size))
		return -ENOMEM;
	for (vm_find(vm, start, &i);
	     i < vm->area_count && vm->area[i]->start < start + size; i++)
		if (!(vm->area[i]->prot & needed))
			return -EINVAL;
	switch (mem_populate(start, size, write)) {
	case VM_OK:
		return 0;
	case VM_NO_MEMORY:
		return -ENOMEM;
	default:
		return -EFAULT;
	}
}

static long advise(struct vmspace *vm, uint64_t start, uint64_t size, int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
		return vm_discard(vm, start, size);
	case MADV_FREE:
		return is_private_anonymous(vm, start, start + size)
			       ? vm_discard(vm, start, size)
			       : -EINVAL;
	case MADV_DONTFORK:
		return vm_set_fork(vm, start, size, VM_FORK_OMIT);
	case MADV_DOFORK:
		return vm_set_fork(vm, start, size, VM_FORK_COPY);
	case MADV_WIPEONFORK:
		return vm_set_fork(vm, start, size, VM_FORK_WIPE);
	case MADV_KEEPONFORK:
		return vm_set_fork(vm, start, size, VM_FORK_KEEP);
	case MADV_POPULATE_READ:
		return populate(vm, start, size, false);
	case MADV_POPULATE_WRITE:
		return populate(vm, start, size, true);
	default:
		return vm_range_mapped(vm, start, size) ? 0 : -ENOMEM;
	}
}

long sys_madvise(const struct sysargs *a)
{
	uint64_t start = a->arg[0], size = PAGE_ROUND_UP(a->arg[1]);
	int advice = (int)a->arg[2];
	bool known = advice >= MADV_NORMAL && advice <= MADV_DONTNEED_LOCKED &&
		     !(advice > MADV_DONTNEED && advice < MADV_FREE) &&
		     advice != MADV_REMOVE;
	if (!known || (start & PAGE_MASK) || (a->arg[1] && !size) || start + size < start)
		return -EINVAL;
	if (size == 0)
		return 0;
	if (!vm_range_legal(start, size))
		return -ENOMEM;
	return advise(process_current()->vm, start, size, advice);
}
