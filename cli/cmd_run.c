/* cmd_run.c: runs an image, or a program as a temporary one, in QEMU. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/endpoint.h"
#include "cli/image.h"
#include "cli/kvm.h"
#include "cli/memory_file.h"
#include "cli/pack_options.h"
#include "cli/session.h"

#define FORWARDS_MAX        32u
#define MEMORY_BESIDE_IMAGE (512ull << 20) /* what a guest gets unless told otherwise */
#define MEMORY_LEAST        (8ull << 20)
#define GDB_PORT            1234

enum run_option {
	FORWARD = PACK_END,
	FIRMWARE,
	MACHINE,
	CPUS,
	MEMORY,
	NET,
	ACCEL,
	STRACE,
	GDB,
	VERBOSE,
};

static const struct option_row rows[] = {
	{"publish", 'p', FORWARD, OPTION_NEEDED, "[ADDR:]HOST:GUEST",
	 "forward a port (127.0.0.1; HOST 0: a free one)"},
	{"firmware", 0, FIRMWARE, OPTION_NEEDED, "NAME", "bios, uefi or pvh"},
	{"machine", 0, MACHINE, OPTION_NEEDED, "NAME", "q35, pc or microvm (q35)"},
	{"cpus", 0, CPUS, OPTION_NEEDED, "N", "processors (1)"},
	{"memory", 'm', MEMORY, OPTION_NEEDED, "SIZE",
	 "of the machine (512M and the image's size)"},
	{"net", 0, NET, OPTION_NEEDED, "tap=IFNAME",
	 "a TAP interface instead of forwarding"},
	{"accel", 0, ACCEL, OPTION_NEEDED, "NAME", "kvm or tcg (kvm where it works)"},
	{"strace", 0, STRACE, OPTION_NONE, NULL, "trace system calls to the console"},
	{"gdb", 0, GDB, OPTION_BY_EQUALS, "PORT", "wait for a debugger (port 1234)"},
	{"verbose", 'v', VERBOSE, OPTION_NONE, NULL, "show QEMU's command line"},
	ARGUMENTS_ROWS,
#include "cli/pack_option_rows.def"
	{NULL, 0, 0, OPTION_NONE, NULL, NULL}};

struct run {
	const char *word;      /* image or program */
	bool has_pack_options; /* on the command line */
	struct pack_options options;
	struct forward forward[FORWARDS_MAX + 1]; /* one more: the default */
	unsigned forward_count;
	const char *firmware, *accel;
	bool strace;
	uint64_t cpus;
	struct qemu_plan plan;
	/* what was opened or built: */
	struct image image;
	struct pack *pack;
	enum manifest_mode mode;
	uint16_t port;
	uint64_t image_bytes;
};

static int take_port(const char *text, uint64_t least, uint16_t *port)
{
	uint64_t number = 0;
	if (option_number(text, &number) || number < least || number > 65535)
		return -1;
	*port = (uint16_t)number;
	return 0;
}

/* [ADDR:]HOST:GUEST */
static int take_forward(struct run *run, const char *value, struct diag *why)
{
	struct forward *forward = &run->forward[run->forward_count];
	const char *guest = strrchr(value, ':');
	char host[64];
	struct endpoint endpoint;
	if (run->forward_count == FORWARDS_MAX)
		return diag_set(why, "more than %u forwards", FORWARDS_MAX);
	if (!guest || (size_t)(guest - value) >= sizeof(host))
		return diag_set(why, "not [ADDR:]HOST:GUEST");
	snprintf(host, sizeof(host), "%.*s", (int)(guest - value), value);
	if (endpoint_parse(&endpoint, host, why))
		return -1;
	if (take_port(guest + 1, 1, &forward->guest))
		return diag_set(why, "a port is a number to 65535");
	memcpy(forward->address, endpoint.address, sizeof(forward->address));
	forward->host = endpoint.port;
	run->forward_count++;
	return 0;
}

static int take(void *context, int id, const char *value, enum argument_source source,
		struct diag *why)
{
	struct run *run = context;
	struct qemu_plan *plan = &run->plan;
	run->options.source = source;
	switch (id) {
	case FORWARD:
		return take_forward(run, value, why);
	case FIRMWARE:
		run->firmware = value;
		return 0;
	case MACHINE:
		plan->machine = value;
		return 0;
	case CPUS:
		return option_number(value, &run->cpus) || !run->cpus || run->cpus > 255
			       ? diag_set(why, "not a number from 1 to 255")
			       : 0;
	case MEMORY:
		return option_number(value, &plan->memory_bytes) ||
				       plan->memory_bytes < MEMORY_LEAST
			       ? diag_set(why, "not a size of at least 8M")
			       : 0;
	case NET:
		plan->tap = strncmp(value, "tap=", 4) == 0 ? value + 4 : "";
		return !*plan->tap || strchr(plan->tap, ',')
			       ? diag_set(why, "not tap=IFNAME")
			       : 0;
	case ACCEL:
		run->accel = value;
		return 0;
	case STRACE:
		run->strace = true;
		return 0;
	case GDB:
		plan->gdb_port = GDB_PORT;
		return value && take_port(value, 1, &plan->gdb_port)
			       ? diag_set(why, "not a port")
			       : 0;
	case VERBOSE:
		run->options.request.verbose = true;
		return 0;
	default:
		run->has_pack_options |= source == SOURCE_COMMAND_LINE &&
					 id != PACK_PROGRAM && id != PACK_PARTS;
		return pack_options_take(&run->options, id, value, why);
	}
}

static int choose_firmware(struct run *run, bool has_disk, bool can_uefi,
			   struct diag *why)
{
	static const char *const names[] = {[FIRMWARE_BIOS] = "bios",
					    [FIRMWARE_UEFI] = "uefi",
					    [FIRMWARE_PVH] = "pvh"};
	struct qemu_plan *plan = &run->plan;
	bool microvm = strcmp(plan->machine, "microvm") == 0;
	if (!microvm && strcmp(plan->machine, "q35") != 0 &&
	    strcmp(plan->machine, "pc") != 0)
		return diag_set(why, "--machine %s: there are q35, pc and microvm",
				plan->machine);
	plan->firmware = has_disk && !microvm ? FIRMWARE_BIOS : FIRMWARE_PVH;
	if (!run->firmware)
		return 0;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(run->firmware, names[i]) != 0)
			continue;
		plan->firmware = (enum firmware)i;
		if (i != FIRMWARE_PVH && microvm)
			return diag_set(why, "--firmware %s: microvm boots by pvh only",
					names[i]);
		if (i != FIRMWARE_PVH && !has_disk && !run->pack)
			return diag_set(why, "--firmware %s: needs a disk image",
					names[i]);
		if (i == FIRMWARE_UEFI && !can_uefi)
			return diag_set(why,
					"--firmware uefi: %s has no EFI system partition",
					run->word);
		return 0;
	}
	return diag_set(why, "--firmware %s: there are bios, uefi and pvh",
			run->firmware);
}

static int build_disk(const struct image_parts *parts, struct diag *why)
{
	struct layout *layout = malloc(sizeof(*layout));
	int fd = -1;
	if (!layout)
		return diag_set(why, "out of memory");
	if (!layout_plan(layout, parts, why)) {
		fd = memory_file("disk", &layout->extents, why);
		layout_free(layout);
	}
	free(layout);
	return fd;
}

/* A file that is a disk's bytes is lent as it is; any other is read into memory. */
static int open_disk(const struct image *image, struct diag *why)
{
	struct layout_parts of;
	if (image->view.bytes == image->file && image->view.size == image->file_size)
		return dup(image->fd); /* not closed on exec */
	int fd = image_parts_of(&of, image, why) ? -1 : build_disk(&of.parts, why);
	layout_parts_free(&of);
	return fd;
}

static int open_image(struct run *run, struct diag *why)
{
	struct image *image = &run->image;
	if (run->has_pack_options) {
		diag_set(why,
			 "%s: an image: its arguments and mode were fixed by elfpack "
			 "build",
			 run->word);
		return EXIT_USAGE;
	}
	int status = image_open(image, run->word, why);
	if (status)
		return status;
	run->mode = image->manifest.mode;
	run->port = image->manifest.port;
	run->image_bytes = image->bundle.size;
	if (choose_firmware(run, !image->view.is_bundle, image->has_system_partition,
			    why))
		return EXIT_USAGE;
	if (run->plan.firmware != FIRMWARE_PVH) {
		run->plan.disk_fd = open_disk(image, why);
		return run->plan.disk_fd < 0 ? EXIT_FAILED : EXIT_DONE;
	}
	const struct bundle_part *shim = &image->bundle.part[BUNDLE_SHIM];
	run->plan.kernel_fd = memory_file_of("shim.elf", shim->bytes, shim->size, why);
	run->plan.bundle_fd = memory_file_of(
		"bundle", image->view.bytes + image->bundle_at, image->stored.size, why);
	return run->plan.kernel_fd < 0 || run->plan.bundle_fd < 0 ? EXIT_FAILED
								  : EXIT_DONE;
}

static int build_image(struct run *run, struct diag *why)
{
	const struct pack_request *request = &run->options.request;
	struct pack *pack = run->pack = calloc(1, sizeof(*run->pack));
	if (!pack) {
		diag_set(why, "out of memory");
		return EXIT_FAILED;
	}
	if (choose_firmware(run, false, true, why) ||
	    pack_options_choose(&run->options, why))
		return EXIT_USAGE;
	int status = pack_make(pack, request, why);
	if (status)
		return status;
	run->mode = request->mode;
	run->port = request->port;
	run->image_bytes = pack->bundle.extents.size;
	if (run->plan.firmware != FIRMWARE_PVH) {
		struct image_parts parts;
		pack_image_parts(pack, &parts);
		run->plan.disk_fd = build_disk(&parts, why);
		return run->plan.disk_fd < 0 ? EXIT_FAILED : EXIT_DONE;
	}
	run->plan.kernel_fd =
		memory_file_of("shim.elf", pack->shim.bytes, pack->shim.size, why);
	run->plan.bundle_fd = memory_file("bundle", &pack->bundle.extents, why);
	return run->plan.kernel_fd < 0 || run->plan.bundle_fd < 0 ? EXIT_FAILED
								  : EXIT_DONE;
}

/* A port that is free now; QEMU binds it a moment later. */
static int free_port(struct forward *forward, struct diag *why)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof(at);
	inet_pton(AF_INET, forward->address, &at.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 || bind(fd, (struct sockaddr *)&at, size) ||
		 getsockname(fd, (struct sockaddr *)&at, &size);
	if (rc)
		diag_errno(why, "-p %s", forward->address);
	if (fd >= 0)
		close(fd);
	forward->host = ntohs(at.sin_port);
	return rc ? -1 : 0;
}

/* The forward that leads to the image's own port is *own. */
static int plan_network(struct run *run, const struct forward **own, struct diag *why)
{
	struct qemu_plan *plan = &run->plan;
	plan->network = run->mode != MODE_RUN;
	if (!plan->network && (run->forward_count || plan->tap))
		return diag_set(why, "%s runs once, without a network", run->word);
	if (plan->network && !plan->tap && !run->forward_count)
		run->forward[run->forward_count++] =
			(struct forward){.address = "127.0.0.1", .guest = run->port};
	for (unsigned i = 0; i < run->forward_count; i++) {
		struct forward *forward = &run->forward[i];
		if (!forward->host && free_port(forward, why))
			return -1;
		if (run->mode == MODE_HTTP && forward->guest == run->port && !*own)
			*own = forward;
		else
			fprintf(stderr, "elfpack: run: %s:%u leads to port %u\n",
				forward->address, forward->host, forward->guest);
	}
	plan->forward = run->forward;
	plan->forward_count = run->forward_count;
	return 0;
}

static int choose_accelerator(struct run *run, struct diag *why)
{
	const char *reason = "asked for";
	if (!run->accel)
		run->plan.kvm = kvm_works(&reason);
	else if (strcmp(run->accel, "kvm") == 0)
		run->plan.kvm = true;
	else if (strcmp(run->accel, "tcg") != 0)
		return diag_set(why, "--accel %s: there are kvm and tcg", run->accel);
	if (run->options.request.verbose && !run->plan.kvm)
		fprintf(stderr, "elfpack: run: no KVM: %s\n", reason);
	return 0;
}

static int run_guest(struct run *run, struct diag *why)
{
	struct session_plan session = {.interactive = run->mode == MODE_RUN};
	struct qemu_plan *plan = &run->plan;
	if (plan_network(run, &session.http, why) || choose_accelerator(run, why))
		return EXIT_USAGE;
	plan->cpus = (unsigned)run->cpus;
	/* For a debugger the kernel stays where its symbols are. */
	const char *const words[2][2] = {{NULL, "nokaslr"}, {"strace", "strace nokaslr"}};
	plan->cmdline = words[run->strace][plan->gdb_port != 0];
	if (!plan->memory_bytes)
		plan->memory_bytes = MEMORY_BESIDE_IMAGE + run->image_bytes;
	if (pipe2(session.status, O_CLOEXEC)) {
		diag_errno(why, "pipe");
		return EXIT_FAILED;
	}
	plan->status_fd = session.status[1];
	session.qemu = qemu_arguments(plan);
	if (!session.qemu) {
		diag_set(why, "QEMU's command line: out of room");
		return EXIT_FAILED;
	}
	for (unsigned i = 0; run->options.request.verbose && session.qemu[i]; i++)
		fprintf(stderr, "%s%c", session.qemu[i],
			session.qemu[i + 1] ? ' ' : '\n');
	if (plan->gdb_port)
		fprintf(stderr, "elfpack: run: waiting for gdb: target remote :%u\n",
			plan->gdb_port);
	int status = session_run(&session, why);
	close(session.status[0]);
	free(session.qemu);
	return status;
}

static int start(struct run *run, struct diag *why)
{
	run->word = run->options.request.program;
	if (!run->word || (run->plan.tap && run->forward_count)) {
		diag_set(why, run->word ? "-p and --net tap= exclude each other"
					: "no image given");
		return EXIT_USAGE;
	}
	int status = image_is_program(run->word) ? build_image(run, why)
						 : open_image(run, why);
	return status ? status : run_guest(run, why);
}

static int run_main(const struct command *command, int argc, char **argv,
		    struct diag *why)
{
	struct run run = {.cpus = 1,
			  .image = {.fd = -1},
			  .plan = {.machine = "q35",
				   .disk_fd = -1,
				   .kernel_fd = -1,
				   .bundle_fd = -1}};
	struct arguments arguments = {.command = command, .take = take, .context = &run};
	int status = EXIT_USAGE;
	pack_options_init(&run.options);
	if (!arguments_read(&arguments, argc, argv, why))
		status = arguments.help ? EXIT_DONE : start(&run, why);
	if (run.pack)
		pack_free(run.pack);
	free(run.pack);
	image_close(&run.image);
	pack_options_free(&run.options);
	arguments_free(&arguments);
	return status;
}

const struct command cmd_run = {
	"run", "IMAGE|PROGRAM [-p [ADDR:]HOST:GUEST]... [-- ARG...]",
	"run an image, or a program as a temporary one, in QEMU", rows, run_main};
