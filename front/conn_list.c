/* conn_list.c: the connections that there are: opened, closed, and chosen when room is
 * wanted or the server ends. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "front/conn_parts.h"
#include "front/job.h"

int conn_open(struct server *server, int fd, uint32_t peer, bool admin)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	if (!conn)
		return -ENOMEM;
	conn->source.ready = conn_ready;
	conn->server = server;
	conn->fd = fd;
	conn->peer = peer;
	conn->admin = admin;
	conn->writable = true;
	int rc = timer_add(&server->timers, &conn->timer);
	if (rc) {
		free(conn);
		return rc;
	}
	rc = server_watch(server, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
			  &conn->source);
	if (rc) {
		timer_remove(&server->timers, &conn->timer);
		free(conn);
		return rc;
	}
	conn->prev = server->conns.last;
	if (conn->prev)
		conn->prev->next = conn;
	else
		server->conns.first = conn;
	server->conns.last = conn;
	server->conns.count++;
	conn_enter(conn, CONN_HEAD, conn_limits(conn)->idle_ms * MS_NS);
	return 0;
}

void conn_close(struct conn *conn)
{
	struct server *server = conn->server;
	if (conn->state == CONN_DEAD)
		return;
	if (conn->state == CONN_QUEUED || conn->state == CONN_RUNNING)
		job_cancel(conn);
	conn_end_log(conn);
	conn->state = CONN_DEAD;
	close(conn->fd);
	timer_remove(&server->timers, &conn->timer);
	request_free(conn->request);
	conn_release_input(conn);
	chain_free(&conn->body);
	chain_free(&conn->out);
	*(conn->prev ? &conn->prev->next : &server->conns.first) = conn->next;
	*(conn->next ? &conn->next->prev : &server->conns.last) = conn->prev;
	server->conns.count--;
	conn->next = server->dead;
	server->dead = conn;
}

void conn_bury(struct server *server)
{
	while (server->dead) {
		struct conn *conn = server->dead;
		server->dead = conn->next;
		free(conn);
	}
}

bool conn_evict(struct server *server)
{
	struct conn *oldest = NULL;
	for (struct conn *c = server->conns.first; c; c = c->next)
		if ((c->state == CONN_HEAD || c->state == CONN_LINGER) &&
		    (!oldest || c->since_ns < oldest->since_ns))
			oldest = c;
	if (oldest)
		conn_close(oldest);
	return oldest != NULL;
}

void conn_close_idle(struct server *server)
{
	struct conn *next = NULL;
	for (struct conn *c = server->conns.first; c; c = next) {
		next = c->next;
		if (c->state == CONN_HEAD && !c->in_request)
			conn_close(c);
	}
}

bool conn_any_busy(const struct server *server)
{
	for (const struct conn *c = server->conns.first; c; c = c->next)
		if (c->state != CONN_HEAD || c->in_request)
			return true;
	return false;
}
