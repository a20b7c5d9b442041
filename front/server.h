/* server.h: the one server: its event loop and what all its parts share.
 *
 * Single-threaded. Every descriptor is registered once, edge-triggered, for as long as it
 * lives; what is ready is remembered by its owner until read or write say EAGAIN. */
#ifndef ELFPACK_FRONT_SERVER_H
#define ELFPACK_FRONT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "front/image.h"
#include "front/metrics.h"
#include "front/request_log.h"
#include "front/sandbox.h"
#include "front/timer.h"

struct conn;
struct job;

#define SECOND_NS 1000000000u
#define MS_NS     1000000u

/* What epoll's data points to. */
struct event_source {
	void (*ready)(struct event_source *source, uint32_t events);
};

struct conn_list {
	struct conn *first, *last;
	size_t count;
};

struct listener {
	struct event_source source;
	struct server *server;
	int fd;     /* -1: none */
	bool admin; /* the image's admin port */
};

struct server {
	const struct image *image;
	const struct sandbox_ops *sandbox;
	int epoll_fd, wake_fd;
	struct listener main, admin;
	struct event_source wake;
	bool draining;
	bool accept_paused; /* out of connections or descriptors */
	uint64_t drain_deadline_ns;
	uint64_t now_ns; /* CLOCK_MONOTONIC, read once a turn of the loop */
	uint64_t started_ns;
	struct timer_heap timers;
	struct conn_list conns; /* all open ones */
	struct conn_list queue; /* waiting for a job, oldest first */
	struct conn *dead;      /* closed in this turn; events may still name them */
	struct job *jobs;       /* slots */
	size_t job_count, jobs_running;
	size_t buffer_max;         /* bytes of bodies and output held in memory */
	uint64_t job_memory_bytes; /* limit.memory_bytes, or what this machine has for it
				    */
	struct metrics metrics;
	struct request_log log;
	uint64_t id_state;
	char date[30]; /* of date_second */
	uint64_t date_second;
};

/* Binds and listens, on the image's admin port too. port 0 takes a free one, address is
 * in host order. Returns 0 or -errno; server_close is due in both cases. */
int server_open(struct server *server, const struct image *image, uint32_t address,
		uint16_t port);

/* Where its jobs will run; once, before server_run. Returns 0 or -errno. */
int server_use_sandbox(struct server *server, const struct sandbox_ops *sandbox);

/* The port that it listens on. */
uint16_t server_port(const struct server *server);

/* Serves until server_stop was called and what was accepted is answered. */
int server_run(struct server *server);
void server_close(struct server *server);

/* Asks the loop to drain. For signal handlers. */
void server_stop(const struct server *server);

/* The clock, now; server->now_ns is the cheaper, older one. */
uint64_t server_clock_ns(void);

int server_watch(struct server *server, int fd, uint32_t events,
		 struct event_source *source);

/* A fresh X-Request-Id. */
void server_make_id(struct server *server, char id[17]);

/* The Date field's value. */
const char *server_date(struct server *server);

/* No new jobs are taken when this much is held already. */
bool server_is_full(const struct server *server);

#endif
