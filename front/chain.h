/* chain.h: a queue of bytes in blocks: bodies, program output, answers.
 *
 * Bytes go in at the tail and out at the head, and are never moved. An empty chain (all
 * zero) owns nothing. */
#ifndef ELFPACK_FRONT_CHAIN_H
#define ELFPACK_FRONT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct chain_block;

struct chain {
	struct chain_block *first, *last;
	size_t bytes;
};

/* Room for at least one byte at the tail, or NULL without memory. Say what was used with
 * chain_added. */
char *chain_space(struct chain *chain, size_t *room);
void chain_added(struct chain *chain, size_t size);

/* Appends a copy. Returns 0 or -ENOMEM, with part of it appended. */
int chain_append(struct chain *chain, const void *bytes, size_t size);
int chain_append_text(struct chain *chain, const char *text);
int chain_append_u64(struct chain *chain, uint64_t value);

/* Appends a JSON string, quotes included; what is not UTF-8 becomes U+FFFD. */
int chain_append_json(struct chain *chain, const void *bytes, size_t size);

/* The inside of a JSON string: bytes are a piece of valid UTF-8, cut anywhere. */
int chain_append_json_text(struct chain *chain, const char *bytes, size_t size);

/* The first bytes, for writev. Returns the number of elements. */
size_t chain_iov(const struct chain *chain, struct iovec *iov, size_t count);

/* Calls visit for each piece, in order, until it returns non-zero; returns that. */
int chain_each(const struct chain *chain, int (*visit)(void *, const char *, size_t),
	       void *context);

void chain_drop(struct chain *chain, size_t size);

/* Appends all of from, which is empty afterwards. */
void chain_move(struct chain *to, struct chain *from);

void chain_free(struct chain *chain);

#endif
