/* server.c: the event loop, the listening socket and what all connections share. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "front/block.h"
#include "front/conn.h"
#include "front/job.h"
#include "front/server.h"
#include "front/text.h"

#define PAGE_BYTES          4096u
#define BUFFER_LINUX_MAX    (1ull << 30) /* where the sandbox does not tell what is free */
#define FRONT_RESERVE_BYTES (1ull << 20)
#define JOB_MEMORY_MIN      (1ull << 20)
#define EVENTS_A_TURN       64
#define ACCEPTS_A_TURN      64
#define DRAIN_GRACE_NS      (5ull * SECOND_NS)
#define BACKLOG             1024
#define TRIM_AFTER_NS       (SECOND_NS / 4) /* of nothing happening */

uint64_t server_clock_ns(void)
{
	struct timespec now = {0};
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

int server_watch(struct server *server, int fd, uint32_t events,
		 struct event_source *source)
{
	struct epoll_event event = {.events = events, .data.ptr = source};
	return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* SplitMix64: a bijection of a counter, so that no two ids of a boot are equal. */
void server_make_id(struct server *server, char id[17])
{
	uint64_t z = server->id_state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	struct text text = text_over(id, 16);
	text_hex64(&text, z ^ z >> 31);
	id[16] = '\0';
}

const char *server_date(struct server *server)
{
	struct timespec now = {0};
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t second = now.tv_sec > 0 ? (uint64_t)now.tv_sec : 0;
	if (!server->date[0] || second != server->date_second) {
		struct text text = text_over(server->date, sizeof(server->date) - 1);
		text_http_date(&text, second);
		server->date[text.used] = '\0';
		server->date_second = second;
	}
	return server->date;
}

bool server_is_full(const struct server *server)
{
	return block_bytes_used() >= server->buffer_max;
}

/* Takes what waits at the listener. At the limit of connections the one that has idled
 * longest makes room; when none idles, the rest waits in the kernel's queue. */
static void accept_clients(struct server *server, const struct listener *listener)
{
	for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_in peer = {0};
		socklen_t size = sizeof(peer);
		if (server->conns.count >= server->image->manifest.limits.connections &&
		    !conn_evict(server))
			break;
		int fd = accept4(listener->fd, (struct sockaddr *)&peer, &size,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
			conn_evict(server);
			break;
		}
		if (fd < 0)
			return;
		server->metrics.accepted++;
		if (conn_open(server, fd, ntohl(peer.sin_addr.s_addr), listener->admin) <
		    0)
			close(fd);
	}
	server->accept_paused = true;
}

static void accept_more(struct server *server)
{
	server->accept_paused = false;
	accept_clients(server, &server->main);
	if (server->admin.fd >= 0)
		accept_clients(server, &server->admin);
}

static void listener_ready(struct event_source *source, uint32_t events)
{
	const struct listener *listener =
		(struct listener *)source; /* its first member */
	(void)events;
	accept_clients(listener->server, listener);
}

static void wake_ready(struct event_source *source, uint32_t events)
{
	struct server *server =
		(struct server *)((char *)source - offsetof(struct server, wake));
	const struct limits *limits = &server->image->manifest.limits;
	(void)events;
	if (server->draining)
		return;
	server->draining = true;
	server->drain_deadline_ns = server->now_ns + DRAIN_GRACE_NS +
				    (limits->wall_ms + limits->queue_age_ms) * MS_NS;
	conn_close_idle(server);
}

void server_stop(const struct server *server)
{
	static const uint64_t one = 1;
	int saved = errno;
	ssize_t ignored = write(server->wake_fd, &one, sizeof(one));
	(void)ignored; /* full: it has been woken already */
	errno = saved;
}

static int open_listener(struct listener *listener, uint32_t address, uint16_t port)
{
	static const int on = 1;
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_port = htons(port),
				   .sin_addr.s_addr = htonl(address)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Accepted sockets inherit TCP_NODELAY: every answer is one write. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	listener->fd = fd;
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return -errno;
	return server_watch(listener->server, fd, EPOLLIN | EPOLLET, &listener->source);
}

uint16_t server_port(const struct server *server)
{
	struct sockaddr_in name = {0};
	socklen_t size = sizeof(name);
	getsockname(server->main.fd, (struct sockaddr *)&name, &size);
	return ntohs(name.sin_port);
}

int server_open(struct server *server, const struct image *image, uint32_t address,
		uint16_t port)
{
	*server = (struct server){
		.image = image,
		.epoll_fd = -1,
		.wake_fd = -1,
		.main = {{listener_ready}, server, -1, false},
		.admin = {{listener_ready}, server, -1, true},
		.wake.ready = wake_ready,
	};
	server->started_ns = server->now_ns = server_clock_ns();
	if (getrandom(&server->id_state, sizeof(server->id_state), 0) < 0)
		server->id_state = server->started_ns;
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->epoll_fd < 0 || server->wake_fd < 0)
		return -errno;
	int rc = server_watch(server, server->wake_fd, EPOLLIN | EPOLLET, &server->wake);
	rc = rc ? rc : open_listener(&server->main, address, port);
	if (!rc && image->admin_port)
		rc = open_listener(&server->admin, address, image->admin_port);
	return rc ? rc : request_log_open(&server->log, image);
}

/* What jobs and buffers may take. A machine's free memory is shared out: a quarter for
 * bodies and output, the rest for the jobs that may run at a time. */
static void share_memory(struct server *server, const struct shim_info *info)
{
	const struct limits *limits = &server->image->manifest.limits;
	server->buffer_max = BUFFER_LINUX_MAX;
	server->job_memory_bytes = limits->memory_bytes;
	if (!info)
		return;
	uint64_t free_bytes = info->pages_free * PAGE_BYTES;
	uint64_t buffers = free_bytes / 4;
	/* The kernel's connections may take an eighth of the machine (shim/net/glue.c).
	 */
	uint64_t kept =
		buffers + info->pages_total * PAGE_BYTES / 8 + FRONT_RESERVE_BYTES;
	uint64_t jobs = free_bytes > kept ? free_bytes - kept : 0;
	jobs /= server->job_count;
	/* An answer in base64 is made while the bytes that it says are still held: 7/3.
	 */
	server->buffer_max = (size_t)(buffers * 2 / 5);
	block_limit_set((size_t)buffers);
	if (jobs < server->job_memory_bytes)
		server->job_memory_bytes = jobs > JOB_MEMORY_MIN ? jobs : JOB_MEMORY_MIN;
}

int server_use_sandbox(struct server *server, const struct sandbox_ops *sandbox)
{
	struct shim_info info;
	bool known = sandbox->info(&info) == 0;
	long cpus = known ? (long)info.cpus : sysconf(_SC_NPROCESSORS_ONLN);
	server->sandbox = sandbox;
	server->job_count = (size_t)server->image->manifest.limits.concurrency;
	if (!server->job_count)
		server->job_count = cpus > 0 ? (size_t)cpus : 1;
	share_memory(server, known ? &info : NULL);
	return jobs_open(server);
}

/* In milliseconds for epoll_wait, rounded up: waking early would spin. */
static int wait_ms(const struct server *server)
{
	uint64_t next = timer_next(&server->timers);
	if (server->draining && server->drain_deadline_ns < next)
		next = server->drain_deadline_ns;
	if (server->accept_paused &&
	    server->conns.count < server->image->manifest.limits.connections)
		return 0;
	uint64_t now = server_clock_ns();
	if (block_any_free() && next > now + TRIM_AFTER_NS)
		next = now + TRIM_AFTER_NS;
	if (next == TIMER_NEVER)
		return -1;
	uint64_t wait = next > now ? (next - now + MS_NS - 1) / MS_NS : 0;
	return wait < 60000 ? (int)wait : 60000;
}

static void expire_timers(struct server *server)
{
	struct timer *timer = NULL;
	while ((timer = timer_expired(&server->timers, server->now_ns)))
		conn_expired(
			(struct conn *)((char *)timer - offsetof(struct conn, timer)));
}

int server_run(struct server *server)
{
	struct epoll_event events[EVENTS_A_TURN];
	while (!server->draining ||
	       (conn_any_busy(server) && server->now_ns < server->drain_deadline_ns)) {
		int count = epoll_wait(server->epoll_fd, events, EVENTS_A_TURN,
				       wait_ms(server));
		if (count < 0 && errno != EINTR)
			return -errno;
		uint64_t waited_since = server->now_ns;
		server->now_ns = server_clock_ns();
		if (count == 0 && server->now_ns - waited_since >= TRIM_AFTER_NS)
			block_trim();
		for (int i = 0; i < count; i++) {
			struct event_source *source = events[i].data.ptr;
			source->ready(source, events[i].events);
		}
		jobs_finish(server, count < EVENTS_A_TURN);
		expire_timers(server);
		job_queue_run(server);
		if (server->accept_paused)
			accept_more(server);
		conn_bury(server);
	}
	return 0;
}

void server_close(struct server *server)
{
	while (server->conns.first)
		conn_close(server->conns.first);
	conn_bury(server);
	if (server->jobs)
		jobs_close(server);
	timer_heap_free(&server->timers);
	request_log_close(&server->log);
	const int fds[] = {server->main.fd, server->admin.fd, server->epoll_fd,
			   server->wake_fd};
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
