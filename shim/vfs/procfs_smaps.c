/* procfs_smaps.c: /proc/PID/smaps and smaps_rollup: what of each area of memory is there,
 * and with how many others it is shared. */
#include "shim/mm/vm.h"
#include "shim/vfs/procfs_rows.h"

/* Bytes, with FRACTION_BITS of their fractions. */
enum row {
	NONE, /* what does not exist here: 0 */
	RSS,
	PSS, /* a page that n share counts an nth */
	PSS_DIRTY,
	PSS_ANON,
	PSS_FILE,
	PSS_SHMEM,
	SHARED_CLEAN,
	SHARED_DIRTY,
	PRIVATE_CLEAN,
	PRIVATE_DIRTY,
	ANONYMOUS,
	ROW_COUNT
};
#define FRACTION_BITS 12

struct residence {
	uint64_t row[ROW_COUNT];
	const struct vmspace *vm;
	const struct vm_area *area;
};

static const struct {
	const char *name;
	enum row row;
	bool rollup_alone;
} rows[] = {
	{"Rss:", RSS, false},
	{"Pss:", PSS, false},
	{"Pss_Dirty:", PSS_DIRTY, false},
	{"Pss_Anon:", PSS_ANON, true},
	{"Pss_File:", PSS_FILE, true},
	{"Pss_Shmem:", PSS_SHMEM, true},
	{"Shared_Clean:", SHARED_CLEAN, false},
	{"Shared_Dirty:", SHARED_DIRTY, false},
	{"Private_Clean:", PRIVATE_CLEAN, false},
	{"Private_Dirty:", PRIVATE_DIRTY, false},
	{"Referenced:", RSS, false},
	{"Anonymous:", ANONYMOUS, false},
	{"LazyFree:", NONE, false},
	{"AnonHugePages:", NONE, false},
	{"ShmemPmdMapped:", NONE, false},
	{"FilePmdMapped:", NONE, false},
	{"Shared_Hugetlb:", NONE, false},
	{"Private_Hugetlb:", NONE, false},
	{"Swap:", NONE, false},
	{"SwapPss:", NONE, false},
	{"Locked:", NONE, false},
};

/* Pages of the image are counted for nobody: as if this process alone had them. What has
 * no file behind it but memory was written. */
static void count_page(void *context, uint64_t va, paddr_t pa, unsigned flags)
{
	struct residence *r = context;
	const struct page *page = page_of_pa(pa);
	enum proc_page_kind kind = proc_page_kind(r->area, va, page);
	uint64_t whole = PAGE_SIZE << FRACTION_BITS, holders = 1;
	(void)flags;
	if (kind == PROC_PAGE_ZEROS)
		return;
	if (kind == PROC_PAGE_ANONYMOUS)
		holders = page->refs + pt_sharers(&r->vm->pt, va) - 1;
	else if (kind == PROC_PAGE_SHARED)
		holders = page->refs - 1; /* the file's own */
	uint64_t part = whole / holders;
	bool dirty = kind != PROC_PAGE_FILE;
	r->row[RSS] += whole;
	r->row[PSS] += part;
	r->row[PSS_DIRTY] += dirty ? part : 0;
	r->row[kind == PROC_PAGE_ANONYMOUS ? PSS_ANON
	       : kind == PROC_PAGE_FILE    ? PSS_FILE
					   : PSS_SHMEM] += part;
	if (holders > 1)
		r->row[dirty ? SHARED_DIRTY : SHARED_CLEAN] += whole;
	else
		r->row[dirty ? PRIVATE_DIRTY : PRIVATE_CLEAN] += whole;
	r->row[ANONYMOUS] += kind == PROC_PAGE_ANONYMOUS ? whole : 0;
}

static void put_kib(struct text *out, const char *name, uint64_t bytes)
{
	text_printf(out, "%-16s%8llu kB\n", name, (unsigned long long)(bytes / 1024));
}

static void put_rows(struct text *out, const struct residence *r, bool rollup)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rollup || !rows[i].rollup_alone)
			put_kib(out, rows[i].name, r->row[rows[i].row] >> FRACTION_BITS);
}

/* In the order of Linux' bits. */
static void put_flags(struct text *out, const struct vm_area *area)
{
	const struct {
		const char *name;
		bool on;
	} flags[] = {
		{"rd", area->prot & PT_READ},
		{"wr", area->prot & PT_WRITE},
		{"ex", area->prot & PT_EXEC},
		{"sh", area->shared},
		{"mr", true},
		{"mw", !area->no_write},
		{"me", true},
		{"ms", area->shared},
		{"gd", area->stack || area->grows_down},
		{"dc", area->dont_fork},
		{"ac", !area->shared && (area->prot & PT_WRITE)},
		{"wf", area->wipe_on_fork},
	};
	text_printf(out, "VmFlags: ");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].on)
			text_printf(out, "%s ", flags[i].name);
	text_printf(out, "\n");
}

static void put_one(struct text *out, struct vmspace *vm, const struct vm_area *area,
		    void *context)
{
	struct residence r = {.vm = vm, .area = area};
	(void)context;
	pt_walk(&vm->pt, area->start, area->end, count_page, &r);
	proc_put_area(out, vm, area);
	put_kib(out, "Size:", area->end - area->start);
	put_kib(out, "KernelPageSize:", PAGE_SIZE);
	put_kib(out, "MMUPageSize:", PAGE_SIZE);
	put_rows(out, &r, false);
	text_printf(out, "THPeligible:    0\n");
	put_flags(out, area);
}

static void add_one(struct text *out, struct vmspace *vm, const struct vm_area *area,
		    void *context)
{
	struct residence *sum = context;
	(void)out;
	sum->vm = vm;
	sum->area = area;
	pt_walk(&vm->pt, area->start, area->end, count_page, sum);
}

void proc_smaps(struct text *out, struct process *process)
{
	if (process->vm)
		proc_each_area(out, process->vm, put_one, NULL);
}

void proc_smaps_rollup(struct text *out, struct process *process)
{
	const struct vmspace *vm = process->vm;
	struct residence sum = {.area = NULL};
	if (!vm || !vm->area_count)
		return;
	text_printf(out, "%08llx-%08llx ---p 00000000 00:00 0 %33s[rollup]\n",
		    (unsigned long long)vm->area[0]->start,
		    (unsigned long long)vm->area[vm->area_count - 1]->end, "");
	proc_each_area(out, process->vm, add_one, &sum);
	put_rows(out, &sum, true);
}
