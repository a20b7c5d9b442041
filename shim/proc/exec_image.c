/* exec_image.c: from a file to the segments of a program in an address space. Packed
 * files are mapped from the image's own memory; what elf_plan found out about them is
 * kept for the rest of the boot, as the same few programs are run again and again. */
#include "shim/lib/errno.h"
#include "shim/lib/random.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/vm.h"
#include "shim/proc/exec.h"
#include "shim/vfs/abi.h"

#define SCRIPT_LINE_MAX  256u /* Linux' BINPRM_BUF_SIZE */
#define SCRIPT_DEPTH_MAX 5
#define PIE_BASE         0x555555554000ull /* two thirds of the lower half, as Linux */
#define PIE_RANDOM_PAGES (1ull << 28)
#define VARIABLES_FEW    (64u << 10) /* bytes */

/* Plans of packed files, from the slot of their identity on; they are never thrown out,
 * so whoever holds one may keep it. Kernel lock. */
#define CACHE_SLOTS 64u
struct cached_plan {
	uint64_t id;
	const void *bytes; /* the image's: with the id, beyond doubt the same file */
	struct elf_plan plan;
};
static struct cached_plan *cache[CACHE_SLOTS];

static int refusal_errno(enum elf_refusal refusal)
{
	return refusal == ELF_FINE ? 0 : -ENOEXEC;
}

static bool read_vnode(const void *context, uint64_t offset, void *to, size_t size)
{
	struct vnode *vnode = (struct vnode *)(uintptr_t)context;
	return vnode_read_kernel(vnode, offset, to, size) == (long)size;
}

/* The plan's slot, or an empty one for it; NULL: none is left. */
static struct cached_plan **cache_slot(uint64_t id, const void *bytes)
{
	for (uint64_t i = 0; i < CACHE_SLOTS; i++) {
		struct cached_plan **slot = &cache[(id + i) % CACHE_SLOTS];
		if (!*slot || ((*slot)->id == id && (*slot)->bytes == bytes))
			return slot;
	}
	return NULL;
}

static int plan_packed(struct exec_image *image, struct cached_plan **slot, uint64_t id,
		       const void *bytes, size_t size)
{
	const char *why;
	if (!*slot) {
		struct cached_plan *made = kmalloc(&kernel_account, sizeof(*made));
		if (!made)
			return -ENOMEM;
		int rc = refusal_errno(elf_plan_make(&made->plan, bytes, size, &why));
		if (rc < 0) {
			kfree(made);
			return rc;
		}
		made->id = id;
		made->bytes = bytes;
		*slot = made;
	}
	image->plan = &(*slot)->plan;
	return 0;
}

static int plan_make(struct exec_image *image)
{
	size_t size;
	const char *why;
	uint64_t id = vnode_packed_id(image->vnode);
	const void *bytes = id ? vnode_image_bytes(image->vnode, &size) : NULL;
	struct cached_plan **slot = bytes ? cache_slot(id, bytes) : NULL;
	if (slot)
		return plan_packed(image, slot, id, bytes, size);
	struct elf_source source = {.read = read_vnode,
				    .context = image->vnode,
				    .size = vnode_size(image->vnode)};
	image->own = kmalloc(&job_current()->account, sizeof(*image->own));
	if (!image->own)
		return -ENOMEM;
	image->plan = image->own;
	return refusal_errno(elf_plan_read(image->own, &source, &why));
}

static int may_execute(struct vnode *vnode)
{
	uint32_t mode = vnode_mode(vnode);
	if ((mode & S_IFMT) != S_IFREG || !(mode & 0111))
		return -EACCES;
	return 0;
}

/* A #! line: its interpreter, and the rest of the line as one argument (or NULL), both
 * cut out of line. 0, or -ENOEXEC. */
static int script_parse(char *line, size_t size, char **interpreter, char **argument)
{
	char *end = memchr(line, '\n', size);
	bool cut = !end;
	if (!end)
		end = line + size;
	char *at = line + 2;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	char *name = at;
	while (at < end && *at != ' ' && *at != '\t' && *at)
		at++;
	/* As Linux: a name that the first SCRIPT_LINE_MAX bytes cut short is no name. */
	if (at == name || (cut && at == end && size == SCRIPT_LINE_MAX))
		return -ENOEXEC;
	char *rest = at;
	while (rest < end && (*rest == ' ' || *rest == '\t'))
		rest++;
	while (end > rest && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	*at = '\0';
	*interpreter = name;
	*argument = rest < end && *rest ? rest : NULL;
	return 0;
}

/* Is it a script? Then args are changed, *next is its interpreter (counted) and
 * *next_name, in line, what that is called. 1, 0 or -errno. */
static int script_step(struct vnode *file, const char *name, char *line,
		       const struct path_context *paths, struct exec_args *args,
		       struct vnode **next, const char **next_name)
{
	char *interpreter, *argument;
	long size = vnode_read_kernel(file, 0, line, SCRIPT_LINE_MAX);
	if (size < 0)
		return (int)size;
	if (size < 2 || line[0] != '#' || line[1] != '!')
		return 0;
	line[size] = '\0';
	int rc = script_parse(line, (size_t)size, &interpreter, &argument);
	if (rc < 0)
		return rc;
	const char *strings[] = {interpreter, argument ? argument : name,
				 argument ? name : NULL, NULL};
	rc = exec_args_replace_first(args, strings);
	if (rc == 0)
		rc = path_lookup(paths, interpreter, PATH_FOLLOW, next);
	*next_name = interpreter;
	return rc < 0 ? rc : 1;
}

int exec_image_find(struct exec_image *out, const struct path_context *paths,
		    struct vnode *file, const char *name, struct exec_args *args)
{
	/* Two lines in turn: name lies in the one before. */
	char line[2][SCRIPT_LINE_MAX + 1];
	*out = (struct exec_image){0};
	vnode_get(file);
	for (int depth = 0;; depth++) {
		struct vnode *next = NULL;
		const char *next_name = NULL;
		int rc = may_execute(file);
		if (rc == 0)
			rc = script_step(file, name, line[depth & 1], paths, args, &next,
					 &next_name);
		if (rc == 1 && depth == SCRIPT_DEPTH_MAX) {
			vnode_put(next);
			rc = -ELOOP;
		}
		if (rc != 1) {
			out->vnode = file;
			return rc < 0 ? rc : plan_make(out);
		}
		vnode_put(file);
		file = next;
		name = next_name;
	}
}

int exec_image_interpreter(struct exec_image *out, const struct path_context *paths,
			   const struct exec_image *program)
{
	const struct elf_plan *plan = program->plan;
	*out = (struct exec_image){0};
	if (!plan->interp_size)
		return 0;
	char *path = kmalloc(&job_current()->account, plan->interp_size);
	if (!path)
		return -ENOMEM;
	int rc = -EIO;
	if (vnode_read_kernel(program->vnode, plan->interp_at, path, plan->interp_size) ==
	    (long)plan->interp_size)
		rc = path[plan->interp_size - 1] ? -ENOEXEC : 0;
	if (rc == 0) /* it may have changed since it was planned: another CPU maps it */
		rc = path_lookup(paths, path, PATH_FOLLOW, &out->vnode);
	kfree(path);
	if (rc == 0)
		rc = may_execute(out->vnode);
	if (rc < 0)
		return rc;
	rc = plan_make(out);
	return rc == -ENOEXEC ? -ELIBBAD : rc;
}

static uint8_t segment_rights(const struct elf_segment *segment)
{
	return (uint8_t)((segment->read ? PT_READ : 0) | (segment->write ? PT_WRITE : 0) |
			 (segment->execute ? PT_EXEC : 0));
}

static int map_segment(const struct exec_image *image, const struct elf_segment *segment,
		       struct vmspace *vm)
{
	static uint8_t zeros[PAGE_SIZE];
	uint64_t start = image->bias + segment->address, at;
	uint64_t file_end = start + segment->file_size,
		 end = start + segment->memory_size;
	uint64_t pages_end =
		segment->file_size ? PAGE_ROUND_UP(file_end) : PAGE_ROUND_DOWN(start);
	struct vm_request request = {.address = PAGE_ROUND_DOWN(start),
				     .prot = segment_rights(segment),
				     .fixed = true};
	int rc = 0;
	if (segment->file_size) {
		request.vnode = image->vnode;
		request.offset = PAGE_ROUND_DOWN(segment->offset);
		request.size = pages_end - request.address;
		rc = vm_map(vm, &request, &at);
		/* The file goes on behind the segment; its .bss begins there. Linux too
		 * leaves a segment without write access alone. */
		if (rc == 0 && end > file_end && pages_end > file_end && segment->write)
			rc = vm_write(vm, file_end, zeros, pages_end - file_end);
	}
	if (rc == 0 && PAGE_ROUND_UP(end) > pages_end) {
		struct vm_request bss = {.address = pages_end,
					 .size = PAGE_ROUND_UP(end) - pages_end,
					 .prot = request.prot,
					 .fixed = true};
		rc = vm_map(vm, &bss, &at);
	}
	return rc == -EFAULT ? -ENOMEM : rc;
}

/* What a program touches for certain it gets without a fault: the first pages of a
 * segment (those around them come along: vm_fault.c), and the whole of its variables if
 * they are few. What does not fit now faults in later. */
static void touch_segment(const struct exec_image *image,
			  const struct elf_segment *segment, struct vmspace *vm)
{
	uint64_t start = image->bias + segment->address, size = segment->memory_size;
	if (!segment->write)
		(void)vm_populate(vm, start, size ? 1 : 0, false);
	else if (size <= VARIABLES_FEW)
		(void)vm_populate(vm, start, size, true);
}

int exec_image_map(struct exec_image *image, struct vmspace *vm)
{
	for (uint32_t i = 0; i < image->plan->segment_count; i++) {
		int rc = map_segment(image, &image->plan->segment[i], vm);
		if (rc < 0)
			return rc;
		touch_segment(image, &image->plan->segment[i], vm);
	}
	return 0;
}

void exec_image_put(struct exec_image *image)
{
	if (image->vnode)
		vnode_put(image->vnode);
	kfree(image->own);
	*image = (struct exec_image){0};
}

/* How much room it takes from an aligned address on; 0: more than there is. */
static uint64_t span_of(const struct elf_plan *plan)
{
	uint64_t low = plan->low & ~(plan->align - 1);
	if (plan->align > USER_ADDRESS_END / 4 || plan->high - low > USER_ADDRESS_END / 2)
		return 0;
	return plan->high - low;
}

int exec_place(struct exec_image *program, struct exec_image *interpreter,
	       struct vmspace *vm, bool randomize)
{
	const struct elf_plan *plan = program->plan;
	if (plan->position_independent) {
		uint64_t base = PIE_BASE, span = span_of(plan);
		if (randomize)
			base += random_u64() % PIE_RANDOM_PAGES * PAGE_SIZE;
		base = (base + plan->align - 1) & ~(plan->align - 1);
		if (!span || base > USER_ADDRESS_END - span)
			return -ENOMEM;
		program->bias = base - (plan->low & ~(plan->align - 1));
	}
	if (!interpreter->vnode || !interpreter->plan->position_independent)
		return 0;
	/* Right below the top of mmap, where nothing is yet unless the program is there.
	 */
	plan = interpreter->plan;
	uint64_t span = span_of(plan);
	if (!span || span > vm->mmap_top)
		return -ENOMEM;
	uint64_t base = (vm->mmap_top - span) & ~(plan->align - 1);
	struct vm_area *above = vm_find(vm, base, NULL);
	if (above && above->start < base + span)
		return -ENOMEM;
	interpreter->bias = base - (plan->low & ~(plan->align - 1));
	return 0;
}
