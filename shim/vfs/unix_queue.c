/* unix_queue.c: messages of AF_UNIX sockets and the queues they wait in: each in its
 * receiver's, in memory of the job; a sender may fill that queue up to its own send
 * buffer, and strangers to it only with a few datagrams. */
#include "shim/vfs/unix_socket.h"

#include "shim/lib/errno.h"
#include "shim/lib/string.h"
#include "shim/mm/kmem.h"
#include "shim/mm/page.h"
#include "shim/proc/process.h"

/* Bytes that still fit the largest slab with their message. */
#define INLINE_MAX (2048u - (uint32_t)sizeof(struct unix_message))

/* Messages. */

void unix_message_free(struct unix_message *message)
{
	for (uint32_t i = 0; i < message->piece_count; i++)
		kfree(message->piece[i]);
	unix_name_put(message->from);
	kfree(message);
}

struct unix_message *unix_message_make(uint32_t size)
{
	struct account *account = &job_current()->account;
	uint32_t pieces =
		size <= INLINE_MAX ? 0 : (uint32_t)((size + PAGE_MASK) / PAGE_SIZE);
	size_t rest = pieces ? pieces * sizeof(uint8_t *) : size;
	struct unix_message *message = kmalloc(account, sizeof(*message) + rest);
	if (!message)
		return NULL;
	memset(message, 0, sizeof(*message));
	list_init(&message->link);
	message->size = size;
	for (; message->piece_count < pieces; message->piece_count++) {
		uint8_t *piece = kmalloc(account, PAGE_SIZE);
		if (!piece) {
			unix_message_free(message);
			return NULL;
		}
		message->piece[message->piece_count] = piece;
	}
	return message;
}

/* The bytes at an offset, and how many follow in one run. */
static uint8_t *message_bytes(struct unix_message *message, uint32_t offset,
			      uint32_t *run)
{
	*run = message->size - offset;
	if (message->piece_count == 0)
		return (uint8_t *)(message + 1) + offset;
	uint32_t in_page = offset & PAGE_MASK, left = (uint32_t)PAGE_SIZE - in_page;
	if (*run > left)
		*run = left;
	return message->piece[offset / PAGE_SIZE] + in_page;
}

int unix_message_fill(struct unix_message *message, struct uio *uio)
{
	uint32_t done = 0, run;
	while (done < message->size) {
		uint8_t *bytes = message_bytes(message, done, &run);
		long moved = uio_read_in(uio, bytes, run);
		if (moved > 0)
			done += (uint32_t)moved;
		if (moved < (long)run) {
			message->size = done;
			return done ? 0 : -EFAULT;
		}
	}
	return 0;
}

uint32_t unix_message_read(struct unix_message *message, uint32_t offset, struct uio *uio)
{
	uint32_t done = 0, run;
	while (offset + done < message->size && uio->left) {
		const uint8_t *bytes = message_bytes(message, offset + done, &run);
		uint64_t wanted = run < uio->left ? run : uio->left;
		long moved = uio_write_out(uio, bytes, wanted);
		if (moved > 0)
			done += (uint32_t)moved;
		if (moved < (long)wanted)
			break;
	}
	return done;
}

/* Letting go of a message can release a socket whose own messages go then, and so on:
 * those are put in line, so that the stack does not grow with the chain. */
void unix_discard(struct list *messages)
{
	static struct list doomed = LIST_INIT(doomed);
	static bool running;
	list_for_each_safe(message, messages, struct unix_message, link) {
		list_remove(&message->link);
		list_append(&doomed, &message->link);
	}
	if (running)
		return;
	running = true;
	while (!list_empty(&doomed)) {
		struct unix_message *message =
			list_entry(doomed.next, struct unix_message, link);
		list_remove(&message->link);
		unix_ancillary_put(&message->with);
		unix_message_free(message);
	}
	running = false;
}

/* Queues. */

static uint64_t charge(const struct unix_message *message)
{
	return message->size + sizeof(*message);
}

bool unix_may_send(const struct unix_socket *u, const struct unix_socket *to)
{
	return !to->peer || to->peer == u || !unix_is_datagram(to);
}

bool unix_is_full(const struct unix_socket *u, const struct unix_socket *to)
{
	bool stranger = unix_is_datagram(to) && to->peer != u;
	return to->queue_bytes >= u->send_buffer ||
	       (stranger && to->queue_count > UNIX_DATAGRAMS_MAX);
}

void unix_queue_put(struct unix_socket *to, struct unix_message *message)
{
	list_append(&to->queue, &message->link);
	to->queue_count++;
	to->queue_bytes += charge(message);
	unix_flight_begin(&message->with);
	waitq_wake(&to->readable, POLLIN | POLLRDNORM);
}

/* Room was made in u's queue. Streams hear of it when most of it is free, as poll says.
 */
static void room_made(struct unix_socket *u, uint64_t bytes_before)
{
	struct unix_socket *peer = u->peer;
	if (!unix_is_datagram(u)) {
		if (peer && bytes_before * 4 > peer->send_buffer &&
		    u->queue_bytes * 4 <= peer->send_buffer)
			waitq_wake(&peer->writable, UNIX_EVENTS_WRITE);
		return;
	}
	list_for_each(client, &u->clients, struct unix_socket, client_link)
		waitq_wake(&client->writable, UNIX_EVENTS_WRITE);
	waitq_wake(&u->senders, UNIX_EVENTS_WRITE);
}

static void unqueue(struct unix_socket *u, struct unix_message *message)
{
	list_remove(&message->link);
	u->queue_count--;
	u->queue_bytes -= charge(message);
}

void unix_queue_consume(struct unix_socket *u, struct unix_message *message)
{
	uint64_t before = u->queue_bytes;
	unqueue(u, message);
	unix_message_free(message);
	room_made(u, before);
}

void unix_queue_take(struct unix_socket *u, struct list *messages)
{
	list_for_each_safe(message, &u->queue, struct unix_message, link) {
		unqueue(u, message);
		unix_flight_end(&message->with);
		list_append(messages, &message->link);
	}
}

void unix_queue_discard(struct unix_socket *u)
{
	struct list messages = LIST_INIT(messages);
	unix_queue_take(u, &messages);
	unix_discard(&messages);
}
