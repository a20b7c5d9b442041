/* sys/mem.c: the calls that map, protect and advise: Linux' checks, in Linux' order. What
 * they do is mm/vm*.c's. */
#include "shim/lib/string.h"
#include "shim/mm/vm.h"
#include "shim/proc/process.h"
#include "shim/proc/thread.h"
#include "shim/sys/populate.h"
#include "shim/sys/sys.h"
#include "shim/vfs/abi.h"
#include "shim/vfs/file.h"
#include "shim/vfs/memfd.h"
#include "shim/vfs/vnode.h"

enum { PROT_SEM = 8, PROT_GROWSDOWN = 0x01000000, PROT_GROWSUP = 0x02000000 };
#define PROT_ALL (PT_READ | PT_WRITE | PT_EXEC) /* pt_flags have Linux' values */

enum {
	MAP_SHARED = 1,
	MAP_PRIVATE = 2,
	MAP_SHARED_VALIDATE = 3,
	MAP_TYPE = 15,
	MAP_FIXED = 0x10,
	MAP_ANONYMOUS = 0x20,
	MAP_32BIT = 0x40,
	MAP_GROWSDOWN = 0x100,
	MAP_DENYWRITE = 0x800,
	MAP_EXECUTABLE = 0x1000,
	MAP_LOCKED = 0x2000,
	MAP_NORESERVE = 0x4000,
	MAP_POPULATE = 0x8000,
	MAP_NONBLOCK = 0x10000,
	MAP_STACK = 0x20000,
	MAP_HUGETLB = 0x40000,
	MAP_FIXED_NOREPLACE = 0x100000,
};
/* What MAP_SHARED_VALIDATE lets pass (LEGACY_MAP_MASK of <linux/mman.h>). */
#define MAP_VALID                                                                        \
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT |              \
	 MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE |   \
	 MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB)

#define BELOW_32BIT 0x80000000ull /* MAP_32BIT: the first 2 GiB */
#define RLIMIT_DATA 2
#define RLIMIT_AS   9
#define DEVICE_ZERO 0x105u /* /dev/zero: 1, 5 */

#define TURN_PAGES 4096u /* between which others get their turn in a long call */

static bool is_data(const struct vm_area *area)
{
	return !area->shared && !area->stack && (area->prot & PT_WRITE);
}

/* Private writable memory counts against RLIMIT_DATA, as in Linux since 4.7. */
static bool data_may_grow(uint64_t bytes)
{
	const struct process *process = process_current();
	uint64_t limit = process->rlimits[RLIMIT_DATA].soft, used = 0;
	if (limit == UINT64_MAX)
		return true;
	for (uint32_t i = 0; i < process->vm->area_count; i++)
		if (is_data(process->vm->area[i]))
			used += process->vm->area[i]->end - process->vm->area[i]->start;
	return bytes <= limit && used <= limit - bytes;
}

/* May the space grow by so much? Linux' heuristic overcommit refuses only what could
 * never be had; with a limit on addresses, that counts too. */
static bool may_grow(uint64_t bytes, bool reserved)
{
	const struct process *process = process_current();
	uint64_t limit = process->rlimits[RLIMIT_AS].soft,
		 mapped = process->vm->mapped_bytes;
	if (reserved && bytes / PAGE_SIZE > page_count_total())
		return false;
	return bytes <= limit && mapped <= limit - bytes;
}

enum vm_fault_result mem_populate(uint64_t start, uint64_t size, bool write)
{
	struct vmspace *vm = process_current()->vm;
	uint64_t piece = TURN_PAGES * PAGE_SIZE;
	enum vm_fault_result result = VM_OK;
	while (size && result == VM_OK && !thread_must_die(thread_current())) {
		uint64_t n = size < piece ? size : piece;
		result = vm_populate(vm, start, n, write);
		start += n;
		size -= n;
		thread_yield();
	}
	return result;
}

/* front's memory is either written or run; a payload may map what Linux lets it. */
static bool rights_refused(uint64_t prot)
{
	return job_current()->front && (prot & PT_WRITE) && (prot & PT_EXEC);
}

/* Fills in what the request takes from the file. */
static int map_file(struct vm_request *r, const struct file *file, uint64_t flags)
{
	uint32_t access = file->flags & O_ACCMODE;
	struct stat_values values;
	if (file->flags & O_PATH)
		return -EBADF;
	if (flags & MAP_HUGETLB)
		return -EINVAL;
	if (r->shared && (r->prot & PT_WRITE) && access == O_RDONLY)
		return -EACCES;
	if (access == O_WRONLY)
		return -EACCES;
	if (!file->vnode)
		return -ENODEV;
	uint32_t type = vnode_mode(file->vnode) & S_IFMT;
	if (type == S_IFCHR && vnode_stat(file->vnode, &values) == 0 &&
	    values.device_number == DEVICE_ZERO) {
		r->offset = 0;
		return 0; /* as anonymous memory */
	}
	if (type != S_IFREG)
		return -ENODEV;
	if (vnode_root(file->vnode) != job_current()->rootfs)
		return -EACCES;
	r->vnode = file->vnode;
	r->no_write = r->shared && access == O_RDONLY;
	return 0;
}

static int map_type(struct vm_request *r, uint64_t flags)
{
	uint64_t type = flags & MAP_TYPE;
	if (type == MAP_SHARED_VALIDATE && !(flags & MAP_ANONYMOUS)) {
		if (flags & ~(uint64_t)(MAP_VALID | MAP_FIXED_NOREPLACE))
			return -EOPNOTSUPP;
	} else if (type != MAP_SHARED && type != MAP_PRIVATE) {
		return -EINVAL;
	}
	r->shared = type != MAP_PRIVATE;
	r->no_replace = (flags & MAP_FIXED_NOREPLACE) != 0;
	r->fixed = r->no_replace || (flags & MAP_FIXED);
	r->below = (flags & MAP_32BIT) && !r->fixed ? BELOW_32BIT : 0;
	r->grows_down = (flags & MAP_GROWSDOWN) != 0;
	return r->shared && r->grows_down ? -EINVAL : 0;
}

/* Seals of a memfd that no longer may be written. */
static int check_seals(struct vm_request *r, struct file *file)
{
	long seals = r->shared && r->vnode ? memfd_seals_get(file) : 0;
	if (seals <= 0 || !(seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return 0;
	if (r->prot & PT_WRITE)
		return -EPERM;
	r->no_write = true;
	return 0;
}

static long map(struct vm_request *r, uint64_t flags, struct file *file)
{
	struct vmspace *vm = process_current()->vm;
	if (r->size == 0)
		return -EINVAL;
	int rc = map_type(r, flags);
	if (rc == 0 && file)
		rc = map_file(r, file, flags);
	if (rc == 0 && file)
		rc = check_seals(r, file);
	if (rc < 0)
		return rc;
	if (rights_refused(r->prot))
		return -EACCES;
	if (!file && (flags & MAP_HUGETLB))
		return -ENOMEM; /* as with an empty pool of huge pages */
	bool reserved = !r->shared && (r->prot & PT_WRITE) && !(flags & MAP_NORESERVE);
	if (r->size > USER_ADDRESS_END || !may_grow(PAGE_ROUND_UP(r->size), reserved))
		return -ENOMEM;
	if (!r->shared && (r->prot & PT_WRITE) && !data_may_grow(PAGE_ROUND_UP(r->size)))
		return -ENOMEM;
	uint64_t at;
	rc = vm_map(vm, r, &at);
	if (rc < 0)
		return rc;
	if ((flags & MAP_LOCKED) ||
	    (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
		(void)mem_populate(at, r->size, true); /* as far as it goes */
	return (long)at;
}

long sys_mmap(const struct sysargs *a)
{
	uint64_t flags = a->arg[3];
	struct vm_request r = {.address = a->arg[0],
			       .size = a->arg[1],
			       .prot = (uint8_t)(a->arg[2] & PROT_ALL)};
	if (a->arg[5] & PAGE_MASK)
		return -EINVAL;
	if (flags & MAP_ANONYMOUS)
		return map(&r, flags, NULL);
	struct file *file = fdtable_lookup(process_current()->fds, (int)a->arg[4]);
	if (!file)
		return -EBADF;
	r.offset = a->arg[5];
	long at = map(&r, flags, file);
	file_put(file);
	return at;
}

long sys_mprotect(const struct sysargs *a)
{
	struct vmspace *vm = process_current()->vm;
	uint64_t start = a->arg[0], size = a->arg[1], prot = a->arg[2];
	uint64_t grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	prot &= ~grows;
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || (start & PAGE_MASK))
		return -EINVAL;
	if (size == 0)
		return 0;
	if (!vm_range_legal(start, size))
		return -ENOMEM;
	if (prot & ~(uint64_t)(PROT_ALL | PROT_SEM))
		return -EINVAL;
	if (rights_refused(prot))
		return -EACCES;
	if (grows) {
		const struct vm_area *area = vm_find(vm, start, NULL);
		if (!area)
			return -ENOMEM;
		if (grows == PROT_GROWSUP || !(area->grows_down || area->stack))
			return -EINVAL;
		size += start - area->start;
		start = area->start;
	}
	return vm_protect(vm, start, size, (uint8_t)(prot & PROT_ALL));
}

long sys_munmap(const struct sysargs *a)
{
	return vm_unmap(process_current()->vm, a->arg[0], a->arg[1]);
}

long sys_brk(const struct sysargs *a)
{
	struct vmspace *vm = process_current()->vm;
	uint64_t wanted = a->arg[0];
	if (wanted > vm->brk &&
	    (!may_grow(wanted - vm->brk, true) || !data_may_grow(wanted - vm->brk)))
		return (long)vm->brk;
	return (long)vm_brk(vm, wanted);
}

long sys_mremap(const struct sysargs *a)
{
	uint64_t old_size = PAGE_ROUND_UP(a->arg[1]), new_size = PAGE_ROUND_UP(a->arg[2]),
		 at;
	struct vmspace *vm = process_current()->vm;
	const struct vm_area *area = vm_find(vm, a->arg[0], NULL);
	if (new_size > old_size &&
	    (!may_grow(new_size - old_size, false) ||
	     (area && is_data(area) && !data_may_grow(new_size - old_size))))
		return -ENOMEM;
	int rc = vm_remap(vm, a->arg[0], a->arg[1], a->arg[2], (unsigned)a->arg[3],
			  a->arg[4], &at);
	return rc < 0 ? rc : (long)at;
}

enum { MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4 };

/* Shared pages are the file's own: there is nothing to bring up to date. */
long sys_msync(const struct sysargs *a)
{
	uint64_t start = a->arg[0], size = PAGE_ROUND_UP(a->arg[1]), flags = a->arg[2];
	if ((flags & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
	    (start & PAGE_MASK) || (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (!vm_range_legal(start, size))
		return -ENOMEM;
	return vm_range_mapped(process_current()->vm, start, size) ? 0 : -ENOMEM;
}

/* A page of a file is in memory whether or not it is mapped; anonymous ones when touched.
 */
static uint8_t is_resident(struct vmspace *vm, uint64_t va)
{
	const struct vm_area *area = vm_find(vm, va, NULL);
	return area && (area->vnode || pt_lookup(&vm->pt, va, NULL));
}

long sys_mincore(const struct sysargs *a)
{
	struct vmspace *vm = process_current()->vm;
	uint64_t start = a->arg[0], size = PAGE_ROUND_UP(a->arg[1]);
	uaddr out = arg_user(a, 2);
	uint8_t vector[256];
	if (start & PAGE_MASK)
		return -EINVAL;
	if (!vm_range_legal(start, size) || !vm_range_mapped(vm, start, size))
		return -ENOMEM;
	for (uint64_t pages = size / PAGE_SIZE; pages;) {
		size_t n = pages < sizeof(vector) ? (size_t)pages : sizeof(vector);
		for (size_t i = 0; i < n; i++, start += PAGE_SIZE)
			vector[i] = is_resident(vm, start);
		if (copy_to_user(out, vector, n) < 0)
			return -EFAULT;
		out = uaddr_add(out, n);
		pages -= n;
		if (pages % TURN_PAGES == 0) {
			thread_yield();
			if (thread_must_die(thread_current()))
				return -EINTR;
		}
	}
	return 0;
}

static long lock_range(uint64_t start, uint64_t size, bool populate)
{
	struct vmspace *vm = process_current()->vm;
	size = PAGE_ROUND_UP(size + (start & PAGE_MASK));
	start = PAGE_ROUND_DOWN(start);
	if (start + size < start)
		return -EINVAL;
	if (!vm_range_legal(start, size) || !vm_range_mapped(vm, start, size))
		return -ENOMEM;
	if (populate && mem_populate(start, size, true) != VM_OK)
		return -ENOMEM;
	return 0;
}

enum { MLOCK_ONFAULT = 1, MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4 };

/* Memory is never paged out: to lock it is to have it. */
long sys_mlock(const struct sysargs *a)
{
	return lock_range(a->arg[0], a->arg[1], true);
}

long sys_mlock2(const struct sysargs *a)
{
	if (a->arg[2] & ~(uint64_t)MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(a->arg[0], a->arg[1], !a->arg[2]);
}

long sys_munlock(const struct sysargs *a)
{
	return lock_range(a->arg[0], a->arg[1], false);
}

long sys_mlockall(const struct sysargs *a)
{
	uint64_t flags = a->arg[0];
	if (!flags || flags == MCL_ONFAULT || flags & ~7ull)
		return -EINVAL;
	return 0;
}

long sys_munlockall(const struct sysargs *a)
{
	(void)a;
	return 0;
}
