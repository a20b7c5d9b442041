/* qemu.h: QEMU's command line for an image, and QEMU as a child that cannot outlive us.
 */
#ifndef ELFPACK_CLI_QEMU_H
#define ELFPACK_CLI_QEMU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "imgfmt/diag.h"

enum firmware { FIRMWARE_BIOS, FIRMWARE_UEFI, FIRMWARE_PVH };

/* A port of this machine that leads to one of the guest's. */
struct forward {
	char address[16]; /* IPv4, dotted */
	uint16_t host, guest;
};

struct qemu_plan {
	bool kvm;
	enum firmware firmware;
	const char *machine; /* q35, pc, microvm */
	unsigned cpus;
	uint64_t memory_bytes;
	int disk_fd;              /* bios and uefi; inherited by QEMU, as all of these */
	int kernel_fd, bundle_fd; /* pvh */
	int status_fd;            /* takes the guest's exit status, one byte */
	bool network;
	const char *tap; /* interface; NULL: QEMU's own user network with the forwards */
	const struct forward *forward;
	unsigned forward_count;
	const char *cmdline; /* words for the kernel, NULL: none */
	uint16_t gdb_port;   /* 0: none */
};

/* A NULL-terminated argv, malloc'd in one piece; NULL when memory ran out. */
char **qemu_arguments(const struct qemu_plan *plan);

/* Starts it with the guest's console on the two descriptors. Returns its process, or -1.
 */
pid_t qemu_start(char **argv, int console_in, int console_out, struct diag *why);

#endif
