/* unix_control.c: what travels with messages of AF_UNIX sockets: descriptors (SCM_RIGHTS)
 * and credentials (SCM_CREDENTIALS), unix(7) and cmsg(3); and finding the sockets that
 * are kept alive only by messages which nobody can receive. */
#include "shim/vfs/unix_socket.h"

#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/proc/process.h"
#include "shim/vfs/file.h"

enum { SCM_RIGHTS = 1, SCM_CREDENTIALS = 2 };

/* struct cmsghdr. */
struct control_head {
	uint64_t size; /* with this head */
	int32_t level, type;
};
_Static_assert(sizeof(struct control_head) == 16, "Linux ABI");

#define CONTROL_ALIGN(size) (((size) + 7) & ~(uint64_t)7)
#define NOBODY_ID           65534u /* the overflow uid: nobody said who sent it */

static uint32_t unix_in_flight; /* sockets, of every job */

void unix_ancillary_put(struct unix_ancillary *with)
{
	struct file **files = with->files;
	uint32_t count = with->file_count;
	with->files = NULL;
	with->file_count = 0;
	for (uint32_t i = 0; i < count; i++)
		file_put(files[i]);
	kfree(files);
}

int unix_ancillary_copy(struct unix_ancillary *to, const struct unix_ancillary *from)
{
	*to = *from;
	if (!from->file_count)
		return 0;
	to->files =
		kmalloc(&job_current()->account, from->file_count * sizeof(*to->files));
	if (!to->files) {
		to->file_count = 0;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < from->file_count; i++) {
		to->files[i] = from->files[i];
		file_get(to->files[i]);
	}
	return 0;
}

/* Sending. */

static int rights_in(uaddr from, uint64_t size, struct unix_ancillary *out)
{
	int32_t fds[UNIX_RIGHTS_MAX];
	uint64_t count = size / sizeof(fds[0]);
	if (count > UNIX_RIGHTS_MAX - out->file_count)
		return -EINVAL;
	if (count == 0)
		return 0;
	if (copy_from_user(fds, from, count * sizeof(fds[0])) < 0)
		return -EFAULT;
	struct file **files = krealloc(&job_current()->account, out->files,
				       (out->file_count + count) * sizeof(*files));
	if (!files)
		return -ENOMEM;
	out->files = files;
	for (uint64_t i = 0; i < count; i++) {
		files[out->file_count] = fdtable_lookup(process_current()->fds, fds[i]);
		if (!files[out->file_count])
			return -EBADF;
		out->file_count++;
	}
	return 0;
}

/* A process may name nobody but itself: it has no capabilities. */
static int credentials_in(uaddr from, uint64_t size, struct unix_ancillary *out)
{
	struct unix_credentials own = unix_credentials_current();
	if (size != sizeof(out->credentials))
		return -EINVAL;
	if (copy_from_user(&out->credentials, from, sizeof(out->credentials)) < 0)
		return -EFAULT;
	if (memcmp(&out->credentials, &own, sizeof(own)) != 0)
		return -EPERM;
	out->has_credentials = true;
	return 0;
}

/* control_size is bounded by the caller, so that nothing here wraps or takes long. */
int unix_ancillary_in(const struct socket_message *message, struct unix_ancillary *out)
{
	uint64_t at = 0, room = message->control_size;
	struct control_head head;
	int rc = 0;
	*out = (struct unix_ancillary){.credentials = unix_credentials_current()};
	while (rc == 0 && at < room && room - at >= sizeof(head)) {
		uaddr from = uaddr_add(message->control, at);
		if (copy_from_user(&head, from, sizeof(head)) < 0) {
			rc = -EFAULT;
			break;
		}
		uaddr data = uaddr_add(from, sizeof(head));
		if (head.size < sizeof(head) || head.size > room - at)
			rc = -EINVAL;
		else if (head.level != SOL_SOCKET)
			rc = 0;
		else if (head.type == SCM_RIGHTS)
			rc = rights_in(data, head.size - sizeof(head), out);
		else if (head.type == SCM_CREDENTIALS)
			rc = credentials_in(data, head.size - sizeof(head), out);
		else
			rc = -EINVAL;
		at += CONTROL_ALIGN(head.size);
	}
	if (rc < 0)
		unix_ancillary_put(out);
	return rc;
}

/* Receiving. */

struct control_sink {
	struct socket_message *message;
	uint64_t used;
};

/* The room for data of the next element. */
static uint64_t data_room(const struct control_sink *sink)
{
	uint64_t room = sink->message->control_size - sink->used;
	return room < sizeof(struct control_head) ? 0
						  : room - sizeof(struct control_head);
}

static void put(struct control_sink *sink, int type, const void *data, uint64_t size)
{
	struct socket_message *message = sink->message;
	uaddr to = uaddr_add(message->control, sink->used);
	uint64_t room = message->control_size - sink->used;
	if (room < sizeof(struct control_head)) {
		message->flags_out |= MSG_CTRUNC;
		return;
	}
	if (size > data_room(sink)) {
		message->flags_out |= MSG_CTRUNC;
		size = data_room(sink);
	}
	struct control_head head = {sizeof(head) + size, SOL_SOCKET, type};
	if (copy_to_user(to, &head, sizeof(head)) < 0 ||
	    copy_to_user(uaddr_add(to, sizeof(head)), data, size) < 0)
		return;
	uint64_t space = CONTROL_ALIGN(head.size);
	sink->used += space < room ? space : room;
}

/* Gives the process the files, as many as there is room to name. */
static void rights_out(struct control_sink *sink, struct unix_ancillary *with)
{
	int32_t fds[UNIX_RIGHTS_MAX];
	uint32_t count = 0;
	uint64_t room = data_room(sink) / sizeof(fds[0]);
	bool cloexec = (sink->message->flags & MSG_CMSG_CLOEXEC) != 0;
	while (count < with->file_count && count < room) {
		struct file *file = with->files[count];
		fds[count] = fdtable_install(process_current()->fds, file, 0, cloexec);
		if (fds[count] < 0)
			break;
		file_get(file); /* the message's own is put by the caller */
		count++;
	}
	if (count < with->file_count)
		sink->message->flags_out |= MSG_CTRUNC;
	if (count)
		put(sink, SCM_RIGHTS, fds, count * sizeof(fds[0]));
}

void unix_ancillary_out(struct unix_socket *u, struct socket_message *message,
			struct unix_ancillary *with)
{
	struct control_sink sink = {.message = message};
	struct unix_credentials unknown = {0, NOBODY_ID, NOBODY_ID};
	if (u->pass_credentials)
		put(&sink, SCM_CREDENTIALS,
		    with->has_credentials ? &with->credentials : &unknown,
		    sizeof(unknown));
	if (with->file_count)
		rights_out(&sink, with);
	message->control_size = sink.used;
}

/* In flight. */

static struct unix_socket *unix_of_file(const struct file *file)
{
	struct socket *socket = socket_of_file(file);
	return socket && socket->family == AF_UNIX ? unix_of(socket) : NULL;
}

void unix_flight_begin(const struct unix_ancillary *with)
{
	for (uint32_t i = 0; i < with->file_count; i++) {
		struct unix_socket *u = unix_of_file(with->files[i]);
		if (!u)
			continue;
		u->file = with->files[i];
		unix_in_flight += u->in_flight++ == 0;
	}
}

void unix_flight_end(const struct unix_ancillary *with)
{
	for (uint32_t i = 0; i < with->file_count; i++) {
		struct unix_socket *u = unix_of_file(with->files[i]);
		if (u)
			unix_in_flight -= --u->in_flight == 0;
	}
}

/* Garbage: sockets all of whose references lie in messages that only such sockets hold.
 * Those that anything else refers to are reached, and what lies in the queues of a
 * reached one is reached as well. */

static void reach(struct list *found, struct unix_socket *u)
{
	if (u->reached)
		return;
	u->reached = true;
	list_remove(&u->all);
	list_append(found, &u->all);
}

static void reach_through(struct list *found, const struct unix_socket *u)
{
	list_for_each(message, &u->queue, struct unix_message, link)
		for (uint32_t i = 0; i < message->with.file_count; i++) {
			struct unix_socket *sent = unix_of_file(message->with.files[i]);
			if (sent)
				reach(found, sent);
		}
	list_for_each(made, &u->pending, struct unix_socket, pending_link)
		reach(found, made);
}

static bool is_root(const struct unix_socket *u)
{
	bool waits_for_accept = !list_empty(&u->pending_link);
	return !waits_for_accept && (!u->in_flight || u->in_flight < u->file->refs);
}

void unix_garbage_collect(void)
{
	static uint32_t released, sockets_seen;
	struct list found = LIST_INIT(found), garbage = LIST_INIT(garbage);
	if (!unix_in_flight || ++released <= sockets_seen)
		return; /* a search costs as much as there are sockets: not at each
			   release */
	released = sockets_seen = 0;
	list_for_each(u, &unix_sockets, struct unix_socket, all) {
		u->reached = false;
		sockets_seen++;
	}
	list_for_each_safe(u, &unix_sockets, struct unix_socket, all)
		if (is_root(u))
			reach(&found, u);
	list_for_each(u, &found, struct unix_socket, all)
		reach_through(&found, u); /* found grows while it is walked */
	list_for_each(u, &unix_sockets, struct unix_socket, all)
		unix_queue_take(u, &garbage);
	list_for_each_safe(u, &found, struct unix_socket, all) {
		list_remove(&u->all);
		list_append(&unix_sockets, &u->all);
	}
	unix_discard(&garbage);
}
