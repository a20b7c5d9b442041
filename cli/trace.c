/* trace.c: the files that a program uses, seen through ptrace(2). Tracees are stopped at
 * the entry and at the end of each system call: the entry tells the path, the end whether
 * there was such a file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <search.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/trace.h"

#define PATH_ROOM 4096u
#define PAGE      4096u
#define NO_FOLDER -1

/* The calls that ask for a file by name. */
static const struct call {
	uint64_t number;
	enum trace_use use;
	int folder, path; /* which arguments */
} calls[] = {
	{SYS_execve, TRACE_EXECUTED, NO_FOLDER, 0},
	{SYS_execveat, TRACE_EXECUTED, 0, 1},
	{SYS_open, TRACE_OPENED, NO_FOLDER, 0},
	{SYS_openat, TRACE_OPENED, 0, 1},
	{SYS_openat2, TRACE_OPENED, 0, 1},
	{SYS_stat, TRACE_LOOKED_FOR, NO_FOLDER, 0},
	{SYS_lstat, TRACE_LOOKED_FOR, NO_FOLDER, 0},
	{SYS_newfstatat, TRACE_LOOKED_FOR, 0, 1},
	{SYS_statx, TRACE_LOOKED_FOR, 0, 1},
	{SYS_access, TRACE_LOOKED_FOR, NO_FOLDER, 0},
	{SYS_faccessat, TRACE_LOOKED_FOR, 0, 1},
	{SYS_faccessat2, TRACE_LOOKED_FOR, 0, 1},
	{SYS_readlink, TRACE_LOOKED_FOR, NO_FOLDER, 0},
	{SYS_readlinkat, TRACE_LOOKED_FOR, 0, 1},
	{SYS_chdir, TRACE_LOOKED_FOR, NO_FOLDER, 0},
	{SYS_statfs, TRACE_LOOKED_FOR, NO_FOLDER, 0},
};

struct tracee {
	pid_t id; /* of the thread */
	enum trace_use use;
	char *path; /* that the call it is in asks for; NULL: none */
	struct tracee *next;
};

struct tracing {
	struct trace *trace;
	struct tracee *tracees;
	pid_t program;
	bool over; /* the program has ended, or memory has: what is left ends too */
	bool out_of_memory;
};

static int by_path(const void *a, const void *b)
{
	const struct traced_file *one = a, *other = b;
	return strcmp(one->path, other->path);
}

static void file_free(void *pointer)
{
	struct traced_file *file = pointer;
	free(file->path);
	free(file);
}

void trace_free(struct trace *trace)
{
	tdestroy(trace->files, file_free);
	trace->files = NULL;
}

static struct tracee *find_tracee(struct tracing *tracing, pid_t id)
{
	struct tracee *tracee = tracing->tracees;
	while (tracee && tracee->id != id)
		tracee = tracee->next;
	if (tracee || !(tracee = calloc(1, sizeof(*tracee))))
		return tracee;
	tracee->id = id;
	tracee->next = tracing->tracees;
	return tracing->tracees = tracee;
}

static void forget_tracee(struct tracing *tracing, pid_t id)
{
	struct tracee **link = &tracing->tracees;
	while (*link && (*link)->id != id)
		link = &(*link)->next;
	struct tracee *gone = *link;
	if (!gone)
		return;
	*link = gone->next;
	free(gone->path);
	free(gone);
}

/* A string of the tracee's, read by parts that do not cross a page. */
static bool read_string(pid_t id, uint64_t address, char out[PATH_ROOM])
{
	size_t done = 0;
	while (done < PATH_ROOM) {
		size_t part = PAGE - (address + done) % PAGE;
		part = part < PATH_ROOM - done ? part : PATH_ROOM - done;
		struct iovec to = {.iov_base = out + done, .iov_len = part};
		struct iovec from = {.iov_base = (void *)(uintptr_t)(address + done),
				     .iov_len = part};
		if (process_vm_readv(id, &to, 1, &from, 1, 0) != (ssize_t)part)
			return false;
		if (memchr(out + done, '\0', part))
			return true;
		done += part;
	}
	return false;
}

/* Absolute, by the tracee's working directory or an open folder of its. */
static char *absolute_path(pid_t id, int folder, const char *path)
{
	char link[64], base[PATH_ROOM], *made = NULL;
	if (path[0] == '/')
		return strdup(path);
	if (folder == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", id);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", id, folder);
	ssize_t size = readlink(link, base, sizeof(base) - 1);
	if (size < 0 || base[0] != '/')
		return NULL;
	base[size] = '\0';
	return asprintf(&made, "%s/%s", base, path) < 0 ? NULL : made;
}

static void enter_call(struct tracee *tracee, const struct __ptrace_syscall_info *info)
{
	char path[PATH_ROOM];
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const struct call *call = &calls[i];
		if (call->number != info->entry.nr)
			continue;
		int folder = call->folder == NO_FOLDER
				     ? AT_FDCWD
				     : (int)info->entry.args[call->folder];
		if (!read_string(tracee->id, info->entry.args[call->path], path) ||
		    !*path)
			return;
		tracee->path = absolute_path(tracee->id, folder, path);
		tracee->use = call->use;
		return;
	}
}

static void name_process(pid_t id, char name[16])
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/comm", id);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, name, 15);
	if (fd >= 0)
		close(fd);
	name[size < 0 ? 0 : size] = '\0';
	name[strcspn(name, "\n")] = '\0';
}

/* Notes the call's file, and takes the path over. */
static void note(struct tracing *tracing, struct tracee *tracee)
{
	struct traced_file *file = calloc(1, sizeof(*file));
	if (file) {
		*file = (struct traced_file){.path = tracee->path, .use = tracee->use};
		name_process(tracee->id, file->by);
	}
	struct traced_file **found =
		file ? tsearch(file, &tracing->trace->files, by_path) : NULL;
	tracing->out_of_memory |= !found;
	tracing->trace->file_count += found && *found == file;
	if (found && (*found)->use < tracee->use)
		(*found)->use = tracee->use;
	if (!found || *found != file) {
		free(file);
		free(tracee->path);
	}
	tracee->path = NULL;
}

static void on_call(struct tracing *tracing, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->id, sizeof(info), &info) <= 0 ||
	    info.arch != AUDIT_ARCH_X86_64)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		free(tracee->path);
		tracee->path = NULL;
		enter_call(tracee, &info);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->path) {
		if (!info.exit.is_error) {
			note(tracing, tracee);
		} else {
			free(tracee->path);
			tracee->path = NULL;
		}
	}
}

/* The thread that called execve has its process's id from now on. */
static void on_exec(struct tracing *tracing, pid_t id)
{
	unsigned long former = (unsigned long)id;
	ptrace(PTRACE_GETEVENTMSG, id, 0, &former);
	struct tracee *tracee = find_tracee(tracing, (pid_t)former);
	if (tracee && tracee->path)
		note(tracing, tracee);
	if ((pid_t)former != id)
		forget_tracee(tracing, (pid_t)former);
}

static void on_stop(struct tracing *tracing, pid_t id, int status)
{
	int event = status >> 16, signal_number = WSTOPSIG(status), deliver = 0;
	struct tracee *tracee = find_tracee(tracing, id);
	if (!tracee)
		tracing->out_of_memory = tracing->over = true;
	if (event == PTRACE_EVENT_EXEC) {
		on_exec(tracing, id);
	} else if (event == PTRACE_EVENT_STOP && signal_number != SIGTRAP) {
		ptrace(PTRACE_LISTEN, id, 0, 0); /* stopped by a signal: stays so */
		return;
	} else if (signal_number == (SIGTRAP | 0x80)) {
		if (tracee)
			on_call(tracing, tracee);
	} else if (!event) {
		deliver = signal_number;
	}
	ptrace(PTRACE_SYSCALL, id, 0, (void *)(uintptr_t)deliver);
}

static void end_all(const struct tracing *tracing)
{
	for (const struct tracee *t = tracing->tracees; t; t = t->next)
		kill(t->id, SIGKILL);
}

static void follow(struct tracing *tracing)
{
	int status = 0;
	pid_t id = 0;
	while ((id = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		bool stopped = id > 0 && WIFSTOPPED(status);
		if (stopped && tracing->over)
			kill(id, SIGKILL); /* its first stop: end_all did not know it */
		else if (stopped)
			on_stop(tracing, id, status);
		if (id <= 0 || stopped)
			continue;
		forget_tracee(tracing, id);
		if (id != tracing->program && !tracing->out_of_memory)
			continue;
		if (id == tracing->program)
			tracing->trace->status = status;
		tracing->over = true;
		end_all(tracing);
	}
}

static _Noreturn void become_program(const int go[2], const char *file, char *const *argv,
				     char *const *envp)
{
	char byte;
	close(go[1]);
	/* Nothing comes when our parent cannot trace us. */
	if (read(go[0], &byte, 1) == 1 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
		execve(file, argv, envp);
	_exit(127);
}

static int attach(pid_t child, struct diag *why)
{
	unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
				PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
				PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int status = 0;
	if (!ptrace(PTRACE_SEIZE, child, 0, options) &&
	    !ptrace(PTRACE_INTERRUPT, child, 0, 0) &&
	    waitpid(child, &status, __WALL) == child && WIFSTOPPED(status) &&
	    !ptrace(PTRACE_SYSCALL, child, 0, 0))
		return 0;
	diag_errno(why, "--trace: ptrace");
	diag_hint(why, "tracing is forbidden here; a container needs CAP_SYS_PTRACE");
	return -1;
}

int trace_run(struct trace *trace, const char *file, char *const *argv, char *const *envp,
	      struct diag *why)
{
	struct tracing tracing = {.trace = trace};
	int go[2], rc = -1;
	memset(trace, 0, sizeof(*trace));
	if (pipe2(go, O_CLOEXEC))
		return diag_errno(why, "pipe");
	tracing.program = fork();
	if (!tracing.program)
		become_program(go, file, argv, envp);
	close(go[0]);
	if (tracing.program < 0) {
		diag_errno(why, "fork");
	} else if (!(rc = attach(tracing.program, why)) && write(go[1], "", 1) != 1) {
		rc = diag_errno(why, "pipe");
	}
	close(go[1]);
	if (tracing.program > 0)
		follow(&tracing);
	while (tracing.tracees)
		forget_tracee(&tracing, tracing.tracees->id);
	return tracing.out_of_memory ? diag_set(why, "out of memory") : rc;
}

/* One word, decoded to out, which is never longer. Returns what is behind it, NULL when a
 * quote is not closed. */
static const char *take_word(const char *in, char *out)
{
	while (*in && !strchr(" \t\n", *in)) {
		char quote = *in;
		if (quote != '\'' && quote != '"') {
			in += *in == '\\' && in[1];
			*out++ = *in++;
			continue;
		}
		for (in++; *in && *in != quote; in++) {
			in += quote == '"' && *in == '\\' && in[1] &&
			      strchr("\"\\$`", in[1]);
			*out++ = *in;
		}
		if (!*in++)
			return NULL;
	}
	*out = '\0';
	return in;
}

char **trace_words(const char *first, const char *line, struct diag *why)
{
	size_t most = strlen(line) / 2 + 3;
	char **words = malloc(most * sizeof(*words) + strlen(line) + 1);
	char *text = words ? (char *)(words + most) : NULL;
	size_t count = 0;
	const char *rest = line;
	if (!words) {
		diag_set(why, "out of memory");
		return NULL;
	}
	words[count++] = (char *)(uintptr_t)first;
	while (*(rest += strspn(rest, " \t\n"))) {
		words[count++] = text;
		rest = take_word(rest, text);
		if (!rest) {
			free(words);
			diag_set(why, "--trace %s: a quote is not closed", line);
			return NULL;
		}
		text += strlen(text) + 1;
	}
	words[count] = NULL;
	return words;
}
