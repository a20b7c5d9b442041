/* trace.c: a line "pid name(arguments) = result" for each system call, by the trace
 * strings of syscalls.def. What the program gives is read before the call, what it gets
 * after. */
#include "shim/sys/trace.h"

#include "shim/dev/cmdline.h"
#include "shim/lib/print.h"
#include "shim/lib/string.h"
#include "shim/mm/usercopy.h"
#include "shim/proc/process.h"
#include "shim/sys/dispatch.h"
#include "shim/sys/sys.h"

#define LINE_MAX     400u
#define BYTES_SHOWN  32u
#define STRING_SHOWN 96u
#define AT_FDCWD     (-100)

struct row {
	const char *name, *arguments;
};
#define SYSCALL(number, name, trace) [SYSCALL_SLOT(number)] = {#name, trace},
static const struct row rows[SYSCALL_SLOTS] = {
#include "shim/sys/syscalls.def"
};
#undef SYSCALL

struct line {
	char text[LINE_MAX];
	size_t used;
};

bool trace_wanted(void)
{
	static int wanted = -1; /* the command line does not change */
	if (wanted < 0)
		wanted = cmdline_has("strace");
	return wanted && !job_current()->front;
}

static void put(struct line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct line *line, const char *format, ...)
{
	va_list args;
	size_t room = sizeof(line->text) - line->used;
	va_start(args, format);
	int wanted = kvsnprintf(line->text + line->used, room, format, args);
	va_end(args);
	if (wanted > 0)
		line->used += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

static void put_quoted(struct line *line, const uint8_t *bytes, size_t size, bool more)
{
	put(line, "\"");
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == '\n')
			put(line, "\\n");
		else if (bytes[i] == '"' || bytes[i] == '\\')
			put(line, "\\%c", bytes[i]);
		else if (bytes[i] >= 0x20 && bytes[i] < 0x7f)
			put(line, "%c", bytes[i]);
		else
			put(line, "\\x%02x", bytes[i]);
	}
	put(line, more ? "\"..." : "\"");
}

static void put_memory(struct line *line, uint64_t from, uint64_t size)
{
	uint8_t bytes[BYTES_SHOWN];
	size_t shown = size < sizeof(bytes) ? (size_t)size : sizeof(bytes);
	if (copy_from_user(bytes, (uaddr){from}, shown) < 0)
		put(line, "0x%llx", (unsigned long long)from);
	else
		put_quoted(line, bytes, shown, shown < size);
}

static void put_string(struct line *line, uint64_t from)
{
	char string[STRING_SHOWN];
	long length = from ? copy_string_from_user(string, (uaddr){from}, sizeof(string))
			   : -EFAULT;
	if (!from)
		put(line, "NULL");
	else if (length == -ENAMETOOLONG)
		put_quoted(line, (const uint8_t *)string, sizeof(string) - 1, true);
	else if (length < 0)
		put(line, "0x%llx", (unsigned long long)from);
	else
		put_quoted(line, (const uint8_t *)string, (size_t)length, false);
}

static bool is(const char *word, size_t size, const char *wanted)
{
	return strlen(wanted) == size && memcmp(word, wanted, size) == 0;
}

/* Shows arguments from *at on; before the call (result NULL) it stops at the first that
 * the call writes. */
static void put_arguments(struct line *line, const char **at, int *n,
			  const struct sysargs *a, const long *result)
{
	while (**at && *n < 6) {
		const char *end = strchr(*at, ',');
		size_t size = end ? (size_t)(end - *at) : strlen(*at);
		uint64_t value = a->arg[*n];
		bool out = is(*at, size, "out");
		if (out && !result)
			return;
		if (*n > 0)
			put(line, ", ");
		if (out && *result >= 0)
			put_memory(line, value, (uint64_t)*result);
		else if (is(*at, size, "in"))
			put_memory(line, value, *n < 5 ? a->arg[*n + 1] : 0);
		else if (is(*at, size, "path") || is(*at, size, "str"))
			put_string(line, value);
		else if (is(*at, size, "fd") && (int)value == AT_FDCWD)
			put(line, "AT_FDCWD");
		else if (is(*at, size, "fd") || is(*at, size, "int") ||
			 is(*at, size, "pid") || is(*at, size, "sig"))
			put(line, "%d", (int)value);
		else if (is(*at, size, "uint") || is(*at, size, "len"))
			put(line, "%llu", (unsigned long long)value);
		else if (is(*at, size, "mode"))
			put(line, "0%u%u%u", (unsigned)(value >> 6 & 7),
			    (unsigned)(value >> 3 & 7), (unsigned)(value & 7));
		else if (value == 0 && (is(*at, size, "ptr") || out))
			put(line, "NULL");
		else
			put(line, "0x%llx", (unsigned long long)value);
		*at += size + (end != NULL);
		(*n)++;
	}
}

static void put_result(struct line *line, long result)
{
	if (result > -4096 && result < 0)
		put(line, ") = -1 errno %ld", -result);
	else if (result >= -1 && result < 0x10000)
		put(line, ") = %ld", result);
	else
		put(line, ") = 0x%lx", (unsigned long)result);
}

long trace_call(uint32_t number, long (*handler)(const struct sysargs *a),
		const struct sysargs *a)
{
	const struct row *row = &rows[SYSCALL_SLOT(number)];
	const char *at = row->arguments;
	struct line line = {.used = 0};
	int n = 0, tid = thread_current()->tid;
	put(&line, "%d %s(", tid, row->name);
	put_arguments(&line, &at, &n, a, NULL);
	/* Calls that do not come back, or only when much has happened, are shown at once.
	 */
	if (strcmp(row->name, "exit") == 0 || strcmp(row->name, "exit_group") == 0 ||
	    strcmp(row->name, "execve") == 0)
		kprint("%s ...\n", line.text);
	long result = handler(a);
	put_arguments(&line, &at, &n, a, &result);
	put_result(&line, result);
	kprint("%s\n", line.text);
	return result;
}
