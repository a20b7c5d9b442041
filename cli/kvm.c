/* kvm.c: trying KVM out. A device that opens proves little: inside a virtual machine or a
 * container it may be there and fail, or hang, at the first instruction. So a trial runs
 * one, in a child that an alarm ends. Linux Documentation/virt/kvm/api.rst. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/kvm.h"

#define TRIAL_SECONDS 2
#define TRIAL_PAGE    4096
#define OPCODE_HLT    0xf4

static bool cpu_virtualises(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[8192];
	bool found = false;
	while (file && !found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "flags", 5) != 0)
			continue;
		char *rest = NULL;
		for (char *word = strtok_r(line, " \t\n", &rest); word && !found;
		     word = strtok_r(NULL, " \t\n", &rest))
			found = strcmp(word, "vmx") == 0 || strcmp(word, "svm") == 0;
	}
	if (file)
		fclose(file);
	return found;
}

/* Runs HLT in real mode at 0 and expects the exit it makes. */
static bool trial_runs(int kvm)
{
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	int machine = ioctl(kvm, KVM_CREATE_VM, 0);
	uint8_t *page = mmap(NULL, TRIAL_PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION || machine < 0 ||
	    size < (int)sizeof(struct kvm_run) || page == MAP_FAILED)
		return false;
	page[0] = OPCODE_HLT;
	struct kvm_userspace_memory_region region = {.memory_size = TRIAL_PAGE,
						     .userspace_addr = (uintptr_t)page};
	if (ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region))
		return false;
	int cpu = ioctl(machine, KVM_CREATE_VCPU, 0);
	struct kvm_run *run =
		mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	struct kvm_sregs segments;
	struct kvm_regs registers = {.rip = 0, .rflags = 2};
	if (cpu < 0 || run == MAP_FAILED || ioctl(cpu, KVM_GET_SREGS, &segments))
		return false;
	segments.cs.base = 0;
	segments.cs.selector = 0;
	return !ioctl(cpu, KVM_SET_SREGS, &segments) &&
	       !ioctl(cpu, KVM_SET_REGS, &registers) && !ioctl(cpu, KVM_RUN, 0) &&
	       run->exit_reason == KVM_EXIT_HLT;
}

bool kvm_works(const char **why)
{
	if (!cpu_virtualises()) {
		*why = "the CPU has neither vmx nor svm";
		return false;
	}
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0) {
		*why = "/dev/kvm does not open";
		return false;
	}
	int status = -1;
	pid_t child = fork();
	if (!child) {
		signal(SIGALRM, SIG_DFL);
		alarm(TRIAL_SECONDS);
		_exit(trial_runs(kvm) ? 0 : 1);
	}
	close(kvm);
	if (child < 0 || waitpid(child, &status, 0) != child)
		status = -1;
	*why = status ? "a trial machine did not run" : "";
	return status == 0;
}
