/* vdso.c: the vDSO's two pages, shared by all programs, written by the kernel alone. */
#include "shim/mm/vdso.h"

#include "shim/arch/x86_64/clock.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/vm.h"
#include "shim/vdso/data.h"

extern const uint8_t vdso_image_start[], vdso_image_end[];

enum { DATA_PAGE, IMAGE_PAGE, VDSO_PAGES };

static struct shared_pages *pages;
static struct vdso_data *data;

void vdso_clock_changed(void)
{
	if (!data)
		return;
	const struct clock_scale *scale = clock_scale_get();
	uint32_t sequence = data->sequence;
	__atomic_store_n(&data->sequence, sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	data->base_tsc = scale->base_tsc;
	data->base_ns = scale->base_ns;
	data->mult = scale->mult;
	data->shift = scale->shift;
	data->realtime_offset_ns = clock_realtime_offset_ns();
	__atomic_store_n(&data->sequence, sequence + 2, __ATOMIC_RELEASE);
}

/* The pages stay for ever, by the reference that pages keeps. */
static void *page_make(uint64_t index)
{
	struct page *page = shared_pages_page(pages, index);
	if (!page)
		return NULL;
	page_put(page);
	return page_va(page);
}

static int vdso_make(void)
{
	size_t size = (size_t)(vdso_image_end - vdso_image_start);
	KASSERT(size <= PAGE_SIZE);
	if (!pages)
		pages = shared_pages_make(&kernel_account);
	void *image = pages ? page_make(IMAGE_PAGE) : NULL;
	void *first = pages ? page_make(DATA_PAGE) : NULL;
	if (!image || !first)
		return -ENOMEM;
	memcpy(image, vdso_image_start, size);
	data = first;
	vdso_clock_changed();
	return 0;
}

int vdso_map(struct vmspace *vm)
{
	struct vm_request request = {
		.size = VDSO_PAGES * PAGE_SIZE,
		.prot = PT_READ,
		.shared = true,
		.no_write = true,
	};
	uint64_t at;
	if (!data && vdso_make() < 0)
		return -ENOMEM;
	request.pages = pages;
	int rc = vm_map(vm, &request, &at);
	if (rc == 0)
		rc = vm_protect(vm, at + VDSO_DATA_SIZE, PAGE_SIZE, PT_READ | PT_EXEC);
	if (rc < 0)
		return rc;
	vm->vdso = at + VDSO_DATA_SIZE;
	(void)vm_populate(vm, vm->vdso, 1, false); /* libc reads its symbols at once */
	return 0;
}
