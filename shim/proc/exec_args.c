/* exec_args.c: argv and envp, from the old program's memory to the new one's stack. */
#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/vm.h"
#include "shim/proc/exec.h"

/* As Linux (fs/exec.c): a string at most 32 pages; all of them and their pointers a
 * quarter of the stack, at least 32 pages. Stacks here are VM_STACK_SIZE whatever the
 * limit says. */
#define STRING_MAX (32 * PAGE_SIZE)
#define TOTAL_MAX  (VM_STACK_SIZE / 4)
#define TOTAL_MIN  (32 * PAGE_SIZE)
#define FIRST_ROOM 1024u

void exec_args_init(struct exec_args *args, struct account *account, uint64_t stack_limit)
{
	uint64_t limit = stack_limit / 4;
	if (limit > TOTAL_MAX)
		limit = TOTAL_MAX;
	if (limit < TOTAL_MIN)
		limit = TOTAL_MIN;
	*args = (struct exec_args){.account = account, .limit = limit};
}

static int reserve(struct exec_args *args, size_t more)
{
	uint64_t pointers = ((uint64_t)args->argc + args->envc + 1) * sizeof(uint64_t);
	if (more > STRING_MAX || args->used + more + pointers > args->limit)
		return -E2BIG;
	if (args->used + more <= args->room)
		return 0;
	size_t room = args->room ? args->room : FIRST_ROOM;
	while (room < args->used + more)
		room *= 2;
	char *grown = krealloc(args->account, args->bytes, room);
	if (!grown)
		return -ENOMEM;
	args->bytes = grown;
	args->room = room;
	return 0;
}

static void added(struct exec_args *args, size_t size, bool environment)
{
	args->used += size;
	if (environment)
		args->envc++;
	else
		args->argc++;
}

int exec_args_add(struct exec_args *args, const char *string, bool environment)
{
	size_t size = strlen(string) + 1;
	int rc = reserve(args, size);
	if (rc < 0)
		return rc;
	memcpy(args->bytes + args->used, string, size);
	added(args, size, environment);
	return 0;
}

/* Straight into the buffer, which grows until the string has its room. */
static int add_user(struct exec_args *args, uaddr from, bool environment)
{
	for (size_t want = 128;; want = args->room - args->used + 1) {
		int rc = reserve(args, want);
		size_t room = args->room - args->used;
		if (room > STRING_MAX)
			room = STRING_MAX;
		if (rc == -E2BIG && room == 0)
			return rc;
		if (rc < 0 && rc != -E2BIG)
			return rc;
		bool last = rc == -E2BIG || room >= STRING_MAX;
		long length = copy_string_from_user(args->bytes + args->used, from, room);
		if (length >= 0) {
			uint64_t pointers = ((uint64_t)args->argc + args->envc + 1) *
					    sizeof(uint64_t);
			if (args->used + (size_t)length + 1 + pointers > args->limit)
				return -E2BIG;
			added(args, (size_t)length + 1, environment);
			return 0;
		}
		if (length != -ENAMETOOLONG)
			return (int)length;
		if (last)
			return -E2BIG;
	}
}

int exec_args_add_user(struct exec_args *args, uaddr vector, bool environment)
{
	uint64_t pointer[16];
	if (uaddr_is_null(vector))
		return 0; /* as Linux: an empty list */
	for (;;) {
		/* Pointers are fetched as far as they are readable: the NULL may be the
		 * last word before a hole. */
		size_t got = copy_from_user_partial(pointer, vector, sizeof(pointer));
		if (got < sizeof(pointer[0]))
			return -EFAULT;
		for (size_t i = 0; i < got / sizeof(pointer[0]); i++) {
			if (!pointer[i])
				return 0;
			int rc = add_user(args, (uaddr){pointer[i]}, environment);
			if (rc < 0)
				return rc;
			vector = uaddr_add(vector, sizeof(pointer[0]));
		}
	}
}

int exec_args_replace_first(struct exec_args *args, const char *const *strings)
{
	size_t first = args->argc ? strlen(args->bytes) + 1 : 0, more = 0;
	uint32_t count = 0;
	for (; strings[count]; count++)
		more += strlen(strings[count]) + 1;
	int rc = reserve(args, more);
	if (rc < 0)
		return rc;
	memmove(args->bytes + more, args->bytes + first, args->used - first);
	char *at = args->bytes;
	for (uint32_t i = 0; i < count; i++) {
		size_t size = strlen(strings[i]) + 1;
		memcpy(at, strings[i], size);
		at += size;
	}
	args->used = args->used - first + more;
	args->argc = args->argc + count - (first ? 1 : 0);
	return 0;
}

void exec_args_free(struct exec_args *args)
{
	kfree(args->bytes);
	args->bytes = NULL;
}
