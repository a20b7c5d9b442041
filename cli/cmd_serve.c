/* cmd_serve.c: an image's HTTP interface on Linux, without a virtual machine: the front
 * of the image over its packed files, in a temporary folder. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <poll.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/cgroup.h"
#include "cli/endpoint.h"
#include "cli/extract.h"
#include "cli/image.h"
#include "cli/memory_file.h"
#include "cli/namespaces.h"
#include "cli/pack_options.h"
#include "imgfmt/digest_hex.h"

#define FOLDERS_OPEN 16 /* while the temporary folder is removed */
#define ANNOUNCEMENT "listening on port "

enum serve_option { PUBLISH = PACK_END, NO_SANDBOX };

static const struct option_row rows[] = {
	{"publish", 'p', PUBLISH, OPTION_NEEDED, "[ADDR:]PORT",
	 "where to listen (a free port of 127.0.0.1)"},
	{"no-sandbox", 0, NO_SANDBOX, OPTION_NONE, NULL,
	 "where namespaces are forbidden: this machine's files, no isolation"},
	ARGUMENTS_ROWS,
#include "cli/pack_option_rows.def"
	{NULL, 0, 0, OPTION_NONE, NULL, NULL}};

struct serve {
	struct pack_options options;
	struct endpoint at;
	bool no_sandbox, has_pack_options;
	struct pack pack; /* of a program that is no image */
	int bundle_fd;
	struct image image;
	char folder[4096]; /* "": not made */
	char root[4200], manifest[4200], digest[HEX_ROOM];
	struct cgroup_place groups;
	int front_fd;
};

static int take(void *context, int id, const char *value, enum argument_source source,
		struct diag *why)
{
	struct serve *serve = context;
	serve->options.source = source;
	switch (id) {
	case PUBLISH:
		return endpoint_parse(&serve->at, value, why);
	case NO_SANDBOX:
		serve->no_sandbox = true;
		return 0;
	default:
		serve->has_pack_options |= source == SOURCE_COMMAND_LINE &&
					   id != PACK_PROGRAM && id != PACK_PARTS;
		return pack_options_take(&serve->options, id, value, why);
	}
}

/* A program becomes the image that build --http would make of it. */
static int open_program(struct serve *serve, struct diag *why)
{
	char name[40];
	struct pack_request *request = &serve->options.request;
	if (request->mode == MODE_RUN) {
		request->mode = MODE_HTTP;
		request->port = 80;
	}
	if (pack_options_choose(&serve->options, why))
		return EXIT_USAGE;
	int status = pack_make(&serve->pack, request, why);
	if (status)
		return status;
	serve->bundle_fd = memory_file("bundle", &serve->pack.bundle.extents, why);
	if (serve->bundle_fd < 0)
		return EXIT_FAILED;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", serve->bundle_fd);
	return image_open(&serve->image, name, why);
}

static int open_image(struct serve *serve, struct diag *why)
{
	const char *word = serve->options.request.program;
	int status = EXIT_USAGE;
	if (!word)
		diag_set(why, "no image given");
	else if (image_is_program(word))
		status = open_program(serve, why);
	else if (serve->has_pack_options)
		diag_set(why, "%s: an image: what it holds was fixed by elfpack build",
			 word);
	else
		status = image_open(&serve->image, word, why);
	if (status)
		return status;
	const struct bundle_part *part = serve->image.bundle.part;
	if (serve->image.manifest.mode != MODE_HTTP) {
		diag_set(why, "%s: was not built with --http", word);
		diag_hint(why, "elfpack run %s boots it", word);
		return EXIT_UNSUITABLE;
	}
	if (!bundle_part_intact(&part[BUNDLE_FRONT]) ||
	    !bundle_part_intact(&part[BUNDLE_ROOTFS])) {
		diag_set(why, "%s: damaged: the SHA-256 is wrong", word);
		return EXIT_UNSUITABLE;
	}
	return EXIT_DONE;
}

static int write_manifest(const struct serve *serve, struct diag *why)
{
	const struct bundle_part *part = &serve->image.bundle.part[BUNDLE_MANIFEST];
	FILE *file = fopen(serve->manifest, "we");
	bool written = file && fwrite(part->bytes, 1, part->size, file) == part->size;
	if (file && fclose(file))
		written = false;
	return written ? 0 : diag_errno(why, "%s", serve->manifest);
}

static int make_folder(struct serve *serve, struct diag *why)
{
	const char *within = getenv("TMPDIR");
	const struct bundle_part *rootfs = &serve->image.bundle.part[BUNDLE_ROOTFS];
	const struct bundle_part *front = &serve->image.bundle.part[BUNDLE_FRONT];
	struct erofs fs;
	if (!within || !*within)
		within = "/var/tmp"; /* a disk where /tmp may be memory */
	int size = snprintf(serve->folder, sizeof(serve->folder), "%s/elfpack-XXXXXX",
			    within);
	if (size < 0 || (size_t)size >= sizeof(serve->folder) ||
	    !mkdtemp(serve->folder)) {
		serve->folder[0] = '\0';
		return diag_errno(why, "%s", within);
	}
	snprintf(serve->root, sizeof(serve->root), "%s/root", serve->folder);
	snprintf(serve->manifest, sizeof(serve->manifest), "%s/manifest", serve->folder);
	digest_hex(serve->image.bundle.digest, serve->digest);
	if (erofs_open(&fs, rootfs->bytes, rootfs->size))
		return diag_set(why, "%s: the packed file system is damaged",
				serve->image.path);
	serve->front_fd = memory_file_of("front", front->bytes, front->size, why);
	return serve->front_fd < 0 || write_manifest(serve, why) ||
			       extract_tree(&fs, "/", serve->root, why)
		       ? -1
		       : 0;
}

static int open_up(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return kind == FTW_D || kind == FTW_DNR ? chmod(path, 0700) : 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void remove_folder(const struct serve *serve)
{
	if (!serve->folder[0])
		return;
	nftw(serve->folder, open_up, FOLDERS_OPEN, FTW_PHYS);
	if (nftw(serve->folder, remove_one, FOLDERS_OPEN, FTW_PHYS | FTW_DEPTH))
		fprintf(stderr, "elfpack: serve: %s: could not be removed\n",
			serve->folder);
}

/* Namespaces, or the user's word that none are wanted. */
static int choose_sandbox(const struct serve *serve, struct diag *why)
{
	char scratch[4200];
	if (serve->no_sandbox) {
		fprintf(stderr, "elfpack: serve: no sandbox: programs see this machine's "
				"files and can change them\n");
		return 0;
	}
	snprintf(scratch, sizeof(scratch), "%s/trial", serve->folder);
	if (!mkdir(scratch, 0700) && namespaces_work(serve->root, scratch))
		return 0;
	diag_set(why, "namespaces are forbidden here, and with them the sandbox");
	diag_hint(why, "elfpack run needs none; --no-sandbox does without isolation");
	return -1;
}

/* Without a cgroup there are rlimits, of which root has none for processes. */
static void choose_limits(struct serve *serve)
{
	const char *why = cgroup_place_make(&serve->groups);
	if (why)
		fprintf(stderr,
			"elfpack: serve: no cgroup v2 for jobs, as %s: memory is limited "
			"for each process, not a job%s\n",
			why, geteuid() ? "" : ", and processes are not");
}

static _Noreturn void become_front(const struct serve *serve, const char *listen, int out,
				   pid_t parent)
{
	const char *argv[] = {"front",       "--manifest", serve->manifest,
			      "--listen",    listen,       "--digest",
			      serve->digest, NULL,         NULL,
			      NULL,          NULL,         NULL};
	const char **next = argv + 7;
	char *const none[] = {NULL};
	if (!serve->no_sandbox) {
		*next++ = "--root";
		*next++ = serve->root;
	}
	if (serve->groups.folder[0]) {
		*next++ = "--cgroup";
		*next++ = serve->groups.folder;
	}
	sigset_t set;
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	setpgid(0, 0); /* what the terminal sends, we pass on */
	if (!prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() == parent &&
	    dup2(out, STDOUT_FILENO) >= 0)
		fexecve(serve->front_fd, (char *const *)(uintptr_t)argv, none);
	_exit(127);
}

/* What front says on its standard output: its port, then a line a request where the image
 * wants those. False: nothing is there. */
static bool read_front(const struct serve *serve, int from, bool *announced)
{
	char text[4096];
	ssize_t size = read(from, text, sizeof(text) - 1);
	text[size < 0 ? 0 : size] = '\0';
	const char *rest = text, *port = *announced ? NULL : strstr(text, ANNOUNCEMENT);
	if (port) {
		printf("ready http://%s:%d/\n", serve->at.address,
		       atoi(port + strlen(ANNOUNCEMENT)));
		fflush(stdout);
		*announced = true;
		rest = port + strcspn(port, "\n");
		rest += *rest == '\n';
	}
	fputs(rest, stderr);
	return size > 0;
}

/* Until front has ended: a first signal lets it drain, a second one does not. */
static int stand_by(const struct serve *serve, pid_t front, int from, int signals,
		    struct diag *why)
{
	struct signalfd_siginfo info;
	bool draining = false, announced = false;
	int status = 0;
	for (;;) {
		struct pollfd wait[] = {{.fd = signals, .events = POLLIN},
					{.fd = from, .events = POLLIN}};
		if (poll(wait, 2, -1) < 0 && errno != EINTR)
			break;
		if (wait[1].revents && !read_front(serve, from, &announced)) {
			close(from); /* the end: poll must not say so again and again */
			from = -1;
		}
		if (!wait[0].revents ||
		    read(signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo == SIGCHLD &&
		    waitpid(front, &status, WNOHANG) == front)
			break;
		if (info.ssi_signo == SIGCHLD)
			continue;
		kill(front, draining ? SIGKILL : SIGTERM);
		draining = true;
	}
	while (from >= 0 && read_front(serve, from, &announced))
		;
	if (from >= 0)
		close(from);
	if (draining || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return EXIT_DONE;
	if (WIFSIGNALED(status))
		diag_set(why, "front was killed by signal %d", WTERMSIG(status));
	else
		diag_set(why, "front ended with status %d", WEXITSTATUS(status));
	return EXIT_FAILED;
}

static int run_front(const struct serve *serve, struct diag *why)
{
	char listen[32];
	int out[2], status = EXIT_FAILED;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	snprintf(listen, sizeof(listen), "%s:%u", serve->at.address, serve->at.port);
	int signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0 || pipe2(out, O_CLOEXEC)) {
		diag_errno(why, "signalfd");
		goto no_pipe;
	}
	fcntl(out[0], F_SETFL, O_NONBLOCK); /* a job may outlive front by a moment */
	pid_t parent = getpid(), front = fork();
	if (!front)
		become_front(serve, listen, out[1], parent);
	close(out[1]);
	if (front > 0)
		status = stand_by(serve, front, out[0], signals, why);
	else
		diag_errno(why, "fork");
no_pipe:
	if (signals >= 0)
		close(signals);
	return status;
}

static int serve_main(const struct command *command, int argc, char **argv,
		      struct diag *why)
{
	struct serve serve = {.at = {.address = "127.0.0.1"},
			      .bundle_fd = -1,
			      .image = {.fd = -1},
			      .front_fd = -1};
	struct arguments arguments = {
		.command = command, .take = take, .context = &serve};
	int status = EXIT_USAGE;
	pack_options_init(&serve.options);
	if (!arguments_read(&arguments, argc, argv, why))
		status = arguments.help ? EXIT_DONE : open_image(&serve, why);
	if (!status && !arguments.help &&
	    (make_folder(&serve, why) || choose_sandbox(&serve, why)))
		status = EXIT_FAILED;
	if (!status && !arguments.help) {
		choose_limits(&serve);
		status = run_front(&serve, why);
		cgroup_place_remove(&serve.groups);
	}
	remove_folder(&serve);
	if (serve.front_fd >= 0)
		close(serve.front_fd);
	image_close(&serve.image);
	if (serve.bundle_fd >= 0)
		close(serve.bundle_fd);
	pack_free(&serve.pack);
	pack_options_free(&serve.options);
	arguments_free(&arguments);
	return status;
}

const struct command cmd_serve = {
	"serve", "IMAGE|PROGRAM [-p [ADDR:]PORT] [-- ARG...]",
	"serve an image's HTTP interface on Linux, without a virtual machine", rows,
	serve_main};
