/* main.c: front's start. In an image the kernel starts it without arguments and the
 * manifest lies at /manifest; on Linux the arguments say where things are:
 *
 *   front --manifest FILE [--root DIR] [--listen ADDRESS:PORT] [--digest HEX]
 *         [--cgroup DIR]
 *
 * The digest is the image's, for /_/info; in an image the kernel knows it. In DIR jobs
 * get their groups of cgroup v2.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front/server.h"
#include "front/text.h"

struct options {
	const char *manifest, *root, *listen, *digest, *cgroup;
};

static struct server server;

static void say(int fd, const char *first, const char *second, const char *third)
{
	char line[512];
	struct text text = text_over(line, sizeof(line) - 1);
	text_put(&text, "front: ");
	text_put(&text, first);
	text_put(&text, second);
	text_put(&text, third);
	line[text.used++] = '\n';
	ssize_t ignored = write(fd, line, text.used);
	(void)ignored; /* there is nobody else to tell */
}

static int fail(const char *what, const char *why)
{
	say(STDERR_FILENO, what, ": ", why);
	return 1;
}

static void on_stop(int signal_number)
{
	(void)signal_number;
	server_stop(&server);
}

static void set_signals(void)
{
	const struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

/* Descriptors 0 to 2 are never anything but standard streams: jobs' pipes lie above. */
static void fill_standard_streams(void)
{
	int fd = 0;
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int parse_options(struct options *options, int argc, char **argv)
{
	const struct {
		const char *name;
		const char **value;
	} rows[] = {
		{"--manifest", &options->manifest}, {"--root", &options->root},
		{"--listen", &options->listen},     {"--digest", &options->digest},
		{"--cgroup", &options->cgroup},
	};
	for (int i = 1; i < argc; i += 2) {
		const char **value = NULL;
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
			if (strcmp(argv[i], rows[k].name) == 0)
				value = rows[k].value;
		if (!value || i + 1 == argc)
			return -1;
		*value = argv[i + 1];
	}
	return 0;
}

/* ADDRESS:PORT, IPv4. */
static int parse_listen(const char *text, uint32_t *address, uint16_t *port)
{
	char host[INET_ADDRSTRLEN] = "";
	const char *colon = strrchr(text, ':');
	struct in_addr parsed;
	uint64_t number = 0;
	if (!colon || (size_t)(colon - text) >= sizeof(host) ||
	    !text_parse_u64(colon + 1, strlen(colon + 1), &number) || number > UINT16_MAX)
		return -1;
	memcpy(host, text, (size_t)(colon - text));
	if (inet_pton(AF_INET, host, &parsed) != 1)
		return -1;
	*address = ntohl(parsed.s_addr);
	*port = (uint16_t)number;
	return 0;
}

static char *read_manifest(const char *path, size_t *size)
{
	char *text = malloc(MANIFEST_BYTES_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	*size = 0;
	if (!text || fd < 0)
		goto failed;
	while ((n = read(fd, text + *size, MANIFEST_BYTES_MAX + 1 - *size)) > 0)
		*size += (size_t)n;
	if (n == 0 && *size <= MANIFEST_BYTES_MAX) {
		close(fd);
		return text;
	}
	errno = n < 0 ? errno : EFBIG;
failed:
	if (fd >= 0)
		close(fd);
	free(text);
	return NULL;
}

static int load_image(struct image *image, const char *path)
{
	char where[40];
	size_t size = 0;
	const char *why = NULL;
	unsigned line = 0;
	char *text = read_manifest(path, &size);
	if (!text)
		return fail(path, strerror(errno));
	int rc = image_load(image, text, size, &why, &line);
	free(text);
	if (!rc)
		return 0;
	struct text number = text_over(where, sizeof(where) - 1);
	text_put(&number, "manifest, line ");
	text_u64(&number, line);
	where[number.used] = '\0';
	return fail(where, why);
}

static void announce(void)
{
	char number[TEXT_U64_ROOM + 1];
	struct text text = text_over(number, TEXT_U64_ROOM);
	text_u64(&text, server_port(&server));
	number[text.used] = '\0';
	say(STDOUT_FILENO, "listening on port ", number, "");
}

static int serve(const struct image *image, const struct options *options)
{
	uint32_t address = INADDR_ANY;
	uint16_t port = image->manifest.port;
	if (options->listen && parse_listen(options->listen, &address, &port) < 0)
		return fail("--listen", "not ADDRESS:PORT");
	int rc = server_open(&server, image, address, port);
	if (rc < 0) {
		server_close(&server);
		return fail("listen", strerror(-rc));
	}
	/* After the listener: on Linux the sandbox takes front's network away. */
	const struct sandbox_ops *sandbox = sandbox_shim();
	if (!sandbox)
		sandbox = sandbox_linux(options->root, options->cgroup);
	rc = sandbox ? server_use_sandbox(&server, sandbox) : -errno;
	if (!rc) {
		set_signals();
		announce();
		rc = server_run(&server);
	}
	server_close(&server);
	return rc ? fail("serve", strerror(-rc)) : 0;
}

int main(int argc, char **argv)
{
	struct options options = {.manifest = "/manifest"};
	static struct image image;
	fill_standard_streams();
	if (parse_options(&options, argc, argv) < 0) {
		say(STDERR_FILENO, "usage: front --manifest FILE [--root DIR] ",
		    "[--listen ADDRESS:PORT] [--digest HEX] ", "[--cgroup DIR]");
		return 2;
	}
	int rc = load_image(&image, options.manifest);
	image.digest = options.digest;
	if (!rc)
		rc = serve(&image, &options);
	image_free(&image);
	return rc;
}
