/* procfs_memory.c: what /proc/PID says of a process' memory, and out of it. */
#include "shim/lib/string.h"
#include "shim/mm/vm.h"
#include "shim/proc/thread.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/procfs_rows.h"

static void put_area_name(struct text *out, const struct vmspace *vm,
			  const struct vm_area *area)
{
	char path[512];
	if (area->vnode) {
		if (vnode_path(job_current()->rootfs, area->vnode, path, sizeof(path)) ==
		    0)
			text_put(out, path, strlen(path));
		else
			text_printf(out, "/memfd: (deleted)");
	} else if (area->stack) {
		text_printf(out, "[stack]");
	} else if (area->heap) {
		text_printf(out, "[heap]");
	} else if (vm->vdso && area->start == vm->vdso) {
		text_printf(out, "[vdso]");
	}
}

#define NAME_COLUMN 73u

void proc_put_area(struct text *out, const struct vmspace *vm, const struct vm_area *area)
{
	struct stat_values values = {0};
	if (area->vnode)
		(void)vnode_stat(area->vnode, &values);
	size_t before = out->size;
	text_printf(out, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
		    (unsigned long long)area->start, (unsigned long long)area->end,
		    area->prot & PT_READ ? 'r' : '-', area->prot & PT_WRITE ? 'w' : '-',
		    area->prot & PT_EXEC ? 'x' : '-', area->shared ? 's' : 'p',
		    (unsigned long long)(area->vnode ? area->offset : 0),
		    (unsigned)values.device >> 8, (unsigned)values.device & 255,
		    (unsigned long long)values.inode);
	bool named = area->vnode || area->stack || area->heap ||
		     (vm->vdso && area->start == vm->vdso);
	while (named && out->size - before < NAME_COLUMN && !out->failed)
		text_put(out, " ", 1);
	put_area_name(out, vm, area);
	text_printf(out, "\n");
}

/* Between so many areas other threads have their turn. */
#define AREAS_A_TURN 128u

void proc_each_area(struct text *out, struct vmspace *vm, proc_area_visit *visit,
		    void *context)
{
	uint64_t at = 0;
	vm_get(vm);
	for (uint32_t n = 1; !out->failed && !thread_must_die(thread_current()); n++) {
		const struct vm_area *area = vm_find(vm, at, NULL);
		if (!area)
			break;
		at = area->end;
		visit(out, vm, area, context);
		if (n % AREAS_A_TURN == 0)
			thread_yield();
	}
	vm_put(vm);
}

static void put_line(struct text *out, struct vmspace *vm, const struct vm_area *area,
		     void *context)
{
	(void)context;
	proc_put_area(out, vm, area);
}

void proc_maps(struct text *out, struct process *process)
{
	if (process->vm)
		proc_each_area(out, process->vm, put_line, NULL);
}

enum proc_page_kind proc_page_kind(const struct vm_area *area, uint64_t va,
				   const struct page *page)
{
	uint64_t index = (area->offset + (va - area->start)) >> PAGE_SHIFT;
	if (page == page_zeros())
		return PROC_PAGE_ZEROS;
	if (page->flags & PAGE_IMAGE)
		return PROC_PAGE_FILE;
	if (area->pages || (area->vnode && vnode_has_page(area->vnode, index, page)))
		return PROC_PAGE_SHARED; /* files that were written are memory too */
	return PROC_PAGE_ANONYMOUS;
}

/* What is mapped, in pages, by what is behind it. */
struct memory_usage {
	uint64_t present[PROC_PAGE_KINDS];
	uint64_t data, stack, text; /* whether present or not */
};

struct usage_walk {
	struct memory_usage *usage;
	const struct vm_area *area;
};

static void count_page(void *context, uint64_t va, paddr_t pa, unsigned flags)
{
	const struct usage_walk *walk = context;
	(void)flags;
	walk->usage->present[proc_page_kind(walk->area, va, page_of_pa(pa))]++;
}

/* Kinds as Linux has them: a stack is what grows down, data what only the process writes.
 */
static void count_area(struct memory_usage *usage, struct vmspace *vm,
		       const struct vm_area *area)
{
	struct usage_walk walk = {usage, area};
	uint64_t pages = (area->end - area->start) >> PAGE_SHIFT;
	if (area->stack || area->grows_down)
		usage->stack += pages;
	else if (area->prot & PT_WRITE)
		usage->data += area->shared ? 0 : pages;
	else if (area->prot & PT_EXEC)
		usage->text += pages;
	pt_walk(&vm->pt, area->start, area->end, count_page, &walk);
}

static struct memory_usage proc_memory_usage(struct vmspace *vm)
{
	struct memory_usage usage = {0};
	for (uint32_t i = 0; i < vm->area_count; i++)
		count_area(&usage, vm, vm->area[i]);
	return usage;
}

void proc_status_memory(struct text *out, struct process *process)
{
	struct vmspace *vm = process->vm;
	if (!vm)
		return;
	struct memory_usage usage = proc_memory_usage(vm);
	const struct {
		const char *name;
		uint64_t pages;
	} rows[] = {
		{"VmPeak:", vm_mapped_bytes_peak(vm) >> PAGE_SHIFT},
		{"VmSize:", vm->mapped_bytes >> PAGE_SHIFT},
		{"VmLck:", 0},
		{"VmPin:", 0},
		{"VmHWM:", vm_resident_peak(vm)},
		{"VmRSS:", vm_resident(vm)},
		{"RssAnon:", usage.present[PROC_PAGE_ANONYMOUS]},
		{"RssFile:", usage.present[PROC_PAGE_FILE]},
		{"RssShmem:", usage.present[PROC_PAGE_SHARED]},
		{"VmData:", usage.data},
		{"VmStk:", usage.stack},
		{"VmSwap:", 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		text_printf(out, "%s\t%8llu kB\n", rows[i].name,
			    (unsigned long long)rows[i].pages * (PAGE_SIZE / 1024));
}

void proc_statm(struct text *out, struct process *process)
{
	struct vmspace *vm = process->vm;
	if (!vm) {
		text_printf(out, "0 0 0 0 0 0 0\n");
		return;
	}
	struct memory_usage usage = proc_memory_usage(vm);
	text_printf(out, "%llu %llu %llu %llu 0 %llu 0\n",
		    (unsigned long long)(vm->mapped_bytes >> PAGE_SHIFT),
		    (unsigned long long)vm_resident(vm),
		    (unsigned long long)(usage.present[PROC_PAGE_FILE] +
					 usage.present[PROC_PAGE_SHARED]),
		    (unsigned long long)usage.text,
		    (unsigned long long)(usage.data + usage.stack));
}

/* Bytes [start, end) of the process' memory, page by page as far as they are there. */
static void put_memory(struct text *out, struct process *process, uint64_t start,
		       uint64_t end)
{
	while (process->vm && start < end) {
		uint64_t n = PAGE_SIZE - (start & PAGE_MASK);
		if (n > end - start)
			n = end - start;
		paddr_t at = vm_frame(process->vm, start);
		if (!at)
			return;
		text_put(out, phys_to_virt(at), n);
		start += n;
	}
}

void proc_cmdline(struct text *out, struct process *process)
{
	put_memory(out, process, process->arg_start, process->arg_end);
}

void proc_environ(struct text *out, struct process *process)
{
	put_memory(out, process, process->env_start, process->env_end);
}
