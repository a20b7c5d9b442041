/* qemu.c: starting QEMU. Files are handed over as descriptors, named /proc/self/fd/N:
 * QEMU's option syntax cannot spoil their names then, and a file in memory needs none. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/qemu.h"

#define QEMU_PROGRAM "qemu-system-x86_64"
#define OVMF_CODE    "/usr/share/OVMF/OVMF_CODE.fd"
#define MEBIBYTE     (1024ull * 1024)

/* shim's machine_power_off writes the status to EXIT_STATUS_PORT, then ends QEMU through
 * EXIT_PORT; QEMU's own exit status has room for seven of its bits only. */
#define EXIT_PORT        "0x501"
#define EXIT_STATUS_PORT "0x502"

#define ARGUMENTS_MAX 64u
#define TEXT_MAX      8192u

struct words_out {
	char *list[ARGUMENTS_MAX];
	char text[TEXT_MAX];
	unsigned count;
	size_t used;
	bool full;
};

static void add(struct words_out *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct words_out *out, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	char *at = out->text + out->used;
	int size = vsnprintf(at, TEXT_MAX - out->used, format, list);
	va_end(list);
	if (size < 0 || (size_t)size >= TEXT_MAX - out->used ||
	    out->count + 1 == ARGUMENTS_MAX) {
		out->full = true;
		return;
	}
	out->list[out->count++] = at;
	out->used += (size_t)size + 1;
}

static void add_machine(struct words_out *out, const struct qemu_plan *plan)
{
	add(out, QEMU_PROGRAM);
	add(out, "-accel");
	add(out, plan->kvm ? "kvm" : "tcg");
	add(out, "-cpu");
	add(out, plan->kvm ? "host" : "max");
	add(out, "-machine");
	add(out, "%s", plan->machine);
	add(out, "-m");
	add(out, "%lluM",
	    (unsigned long long)((plan->memory_bytes + MEBIBYTE - 1) / MEBIBYTE));
	add(out, "-smp");
	add(out, "%u", plan->cpus);
	add(out, "-nodefaults");
	add(out, "-no-user-config");
	add(out, "-display");
	add(out, "none");
	add(out, "-no-reboot");
	add(out, "-chardev");
	add(out, "stdio,id=console,signal=off");
	add(out, "-serial");
	add(out, "chardev:console");
	/* One port wide: its default of two would hide the next one. */
	add(out, "-device");
	add(out, "isa-debug-exit,iobase=" EXIT_PORT ",iosize=1");
	add(out, "-chardev");
	add(out, "file,id=status,path=/proc/self/fd/%d", plan->status_fd);
	add(out, "-device");
	add(out, "isa-debugcon,iobase=" EXIT_STATUS_PORT ",chardev=status");
}

static void add_boot(struct words_out *out, const struct qemu_plan *plan)
{
	if (plan->firmware == FIRMWARE_PVH) {
		add(out, "-kernel");
		add(out, "/proc/self/fd/%d", plan->kernel_fd);
		add(out, "-initrd");
		add(out, "/proc/self/fd/%d", plan->bundle_fd);
		if (plan->cmdline) {
			add(out, "-append");
			add(out, "%s", plan->cmdline);
		}
		return;
	}
	if (plan->firmware == FIRMWARE_UEFI) {
		add(out, "-drive");
		add(out, "if=pflash,format=raw,readonly=on,file=" OVMF_CODE);
	}
	add(out, "-drive");
	add(out, "if=none,id=disk,format=raw,readonly=on,file=/proc/self/fd/%d",
	    plan->disk_fd);
	add(out, "-device");
	add(out, "virtio-blk-pci,drive=disk,bootindex=0");
	if (plan->cmdline) {
		add(out, "-fw_cfg");
		add(out, "name=opt/elfpack/cmdline,string=%s", plan->cmdline);
	}
}

static void add_network(struct words_out *out, const struct qemu_plan *plan)
{
	char forwards[2048] = "";
	size_t used = 0;
	if (!plan->network)
		return;
	for (unsigned i = 0; i < plan->forward_count && used < sizeof(forwards); i++) {
		const struct forward *f = &plan->forward[i];
		used += (size_t)snprintf(forwards + used, sizeof(forwards) - used,
					 ",hostfwd=tcp:%s:%u-:%u", f->address, f->host,
					 f->guest);
	}
	out->full |= used >= sizeof(forwards);
	add(out, "-netdev");
	if (plan->tap)
		add(out, "tap,id=net,ifname=%s,script=no,downscript=no", plan->tap);
	else
		add(out, "user,id=net%s", forwards);
	add(out, "-device");
	/* No boot ROM: the network is never booted from. */
	add(out, strcmp(plan->machine, "microvm") == 0
			 ? "virtio-net-device,netdev=net"
			 : "virtio-net-pci,netdev=net,romfile=");
}

char **qemu_arguments(const struct qemu_plan *plan)
{
	struct words_out *out = calloc(1, sizeof(*out));
	if (!out)
		return NULL;
	add_machine(out, plan);
	add_boot(out, plan);
	add_network(out, plan);
	if (plan->gdb_port) {
		add(out, "-gdb");
		add(out, "tcp:127.0.0.1:%u", plan->gdb_port);
		add(out, "-S");
	}
	if (!out->full)
		return out->list;
	free(out);
	return NULL;
}

static _Noreturn void become_qemu(char **argv, int console_in, int console_out,
				  pid_t parent, int error_fd)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A group of its own: what the terminal sends, we pass on. */
	setpgid(0, 0);
	if (!prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() == parent &&
	    dup2(console_in, STDIN_FILENO) >= 0 && dup2(console_out, STDOUT_FILENO) >= 0)
		execvp(argv[0], argv);
	int error = errno;
	if (write(error_fd, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

pid_t qemu_start(char **argv, int console_in, int console_out, struct diag *why)
{
	int failed[2], error = 0;
	pid_t parent = getpid();
	if (pipe2(failed, O_CLOEXEC))
		return diag_errno(why, "pipe");
	pid_t child = fork();
	if (!child)
		become_qemu(argv, console_in, console_out, parent, failed[1]);
	close(failed[1]);
	if (child < 0) {
		diag_errno(why, "fork");
	} else if (read(failed[0], &error, sizeof(error)) == sizeof(error)) {
		errno = error;
		diag_errno(why, "%s", argv[0]);
		if (error == ENOENT)
			diag_hint(why, "install QEMU: apt-get install qemu-system-x86");
		child = -1; /* reaped by our own end */
	}
	close(failed[0]);
	return child;
}
