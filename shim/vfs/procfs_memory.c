/* procfs_memory.c: what /proc/PID says of a process' memory, and out of it. */
#include "shim/lib/string.h"
#include "shim/mm/vm.h"
#include "shim/vfs/inode.h"
#include "shim/vfs/procfs_rows.h"

static const struct vm_area *area_at(const struct vmspace *vm, uint32_t i)
{
	return i < vm->area_count ? vm->area[i] : NULL;
}

static void put_area_name(struct text *out, struct process *process,
			  const struct vm_area *area)
{
	char path[512];
	if (area->vnode) {
		if (vnode_path(process->job->rootfs, area->vnode, path, sizeof(path)) ==
		    0)
			text_put(out, path, strlen(path));
		else
			text_printf(out, "/memfd: (deleted)");
	} else if (area->stack) {
		text_printf(out, "[stack]");
	} else if (area->heap) {
		text_printf(out, "[heap]");
	} else if (process->vm->vdso && area->start == process->vm->vdso) {
		text_printf(out, "[vdso]");
	}
}

void proc_maps(struct text *out, struct process *process)
{
	const struct vmspace *vm = process->vm;
	for (uint32_t i = 0; vm && area_at(vm, i); i++) {
		const struct vm_area *area = area_at(vm, i);
		struct stat_values values = {0};
		if (area->vnode)
			(void)vnode_stat(area->vnode, &values);
		size_t before = out->size;
		text_printf(out, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
			    (unsigned long long)area->start,
			    (unsigned long long)area->end,
			    area->prot & PT_READ ? 'r' : '-',
			    area->prot & PT_WRITE ? 'w' : '-',
			    area->prot & PT_EXEC ? 'x' : '-', area->shared ? 's' : 'p',
			    (unsigned long long)(area->vnode ? area->offset : 0),
			    (unsigned)values.device >> 8, (unsigned)values.device & 255,
			    (unsigned long long)values.inode);
		bool named = area->vnode || area->stack || area->heap ||
			     (vm->vdso && area->start == vm->vdso);
		while (named && out->size - before < 73 && !out->failed)
			text_put(out, " ", 1);
		put_area_name(out, process, area);
		text_printf(out, "\n");
	}
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
