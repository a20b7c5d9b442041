/* chain.c: a queue of bytes in blocks. JSON strings are written here too, because they
 * are made of program output, which lives in chains. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "front/block.h"
#include "front/chain.h"
#include "front/text.h"
#include "front/utf8.h"

struct chain_block {
	struct chain_block *next;
	size_t room; /* of the whole block, for block_put */
	size_t start, end;
	char data[];
};

/* Small chains take small blocks; long ones few large ones. */
static size_t next_block_size(const struct chain *chain)
{
	if (!chain->first)
		return BLOCK_SMALL;
	return chain->bytes < BLOCK_MIDDLE ? BLOCK_MIDDLE : BLOCK_LARGE;
}

static size_t block_capacity(const struct chain_block *block)
{
	return block->room - offsetof(struct chain_block, data);
}

char *chain_space(struct chain *chain, size_t *room)
{
	struct chain_block *last = chain->last;
	if (!last || last->end == block_capacity(last)) {
		size_t size = 0;
		struct chain_block *block = block_get(next_block_size(chain), &size);
		if (!block)
			return NULL;
		block->next = NULL;
		block->room = size;
		block->start = block->end = 0;
		if (last)
			last->next = block;
		else
			chain->first = block;
		chain->last = last = block;
	}
	*room = block_capacity(last) - last->end;
	return last->data + last->end;
}

void chain_added(struct chain *chain, size_t size)
{
	chain->last->end += size;
	chain->bytes += size;
}

int chain_append(struct chain *chain, const void *bytes, size_t size)
{
	const char *from = bytes;
	while (size > 0) {
		size_t room = 0;
		char *to = chain_space(chain, &room);
		if (!to)
			return -ENOMEM;
		size_t part = size < room ? size : room;
		memcpy(to, from, part);
		chain_added(chain, part);
		from += part;
		size -= part;
	}
	return 0;
}

int chain_append_text(struct chain *chain, const char *text)
{
	return chain_append(chain, text, strlen(text));
}

int chain_append_u64(struct chain *chain, uint64_t value)
{
	char digits[TEXT_U64_ROOM];
	struct text text = text_over(digits, sizeof(digits));
	text_u64(&text, value);
	return chain_append(chain, digits, text.used);
}

/* RFC 8259, 7: what must be escaped. */
static int append_escape(struct chain *chain, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";
	const char named = byte == '\n'                  ? 'n'
			   : byte == '\t'                ? 't'
			   : byte == '\r'                ? 'r'
			   : byte >= 0x20 && byte < 0x7f ? (char)byte
							 : '\0';
	if (named)
		return chain_append(chain, (const char[]){'\\', named}, 2);
	const char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
	return chain_append(chain, escape, sizeof(escape));
}

static bool must_escape(unsigned char byte)
{
	return byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f;
}

int chain_append_json_text(struct chain *chain, const char *bytes, size_t size)
{
	size_t plain = 0;
	int rc = 0;
	for (size_t at = 0; at < size && !rc; at++) {
		if (!must_escape((unsigned char)bytes[at]))
			continue;
		rc = chain_append(chain, bytes + plain, at - plain);
		rc = rc ? rc : append_escape(chain, (unsigned char)bytes[at]);
		plain = at + 1;
	}
	return rc ? rc : chain_append(chain, bytes + plain, size - plain);
}

int chain_append_json(struct chain *chain, const void *bytes, size_t size)
{
	const char *from = bytes;
	int rc = chain_append(chain, "\"", 1);
	size_t at = 0, valid = 0;
	while (at < size && !rc) {
		size_t step = utf8_sequence((const unsigned char *)from + at, size - at);
		if (step) {
			at += step;
			continue;
		}
		rc = chain_append_json_text(chain, from + valid, at - valid);
		rc = rc ? rc : chain_append(chain, "\xef\xbf\xbd", 3);
		valid = ++at;
	}
	rc = rc ? rc : chain_append_json_text(chain, from + valid, size - valid);
	return rc ? rc : chain_append(chain, "\"", 1);
}

size_t chain_iov(const struct chain *chain, struct iovec *iov, size_t count)
{
	size_t used = 0;
	for (struct chain_block *b = chain->first; b && used < count; b = b->next) {
		if (b->start == b->end)
			continue;
		iov[used].iov_base = b->data + b->start;
		iov[used++].iov_len = b->end - b->start;
	}
	return used;
}

int chain_each(const struct chain *chain, int (*visit)(void *, const char *, size_t),
	       void *context)
{
	int rc = 0;
	for (struct chain_block *b = chain->first; b && !rc; b = b->next)
		if (b->start != b->end)
			rc = visit(context, b->data + b->start, b->end - b->start);
	return rc;
}

void chain_drop(struct chain *chain, size_t size)
{
	chain->bytes -= size;
	while (chain->first) {
		struct chain_block *block = chain->first;
		size_t held = block->end - block->start;
		if (size < held) {
			block->start += size;
			return;
		}
		size -= held;
		chain->first = block->next;
		if (!chain->first)
			chain->last = NULL;
		block_put(block, block->room);
	}
}

void chain_move(struct chain *to, struct chain *from)
{
	if (!from->first)
		return;
	if (to->last)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	to->bytes += from->bytes;
	*from = (struct chain){0};
}

void chain_free(struct chain *chain)
{
	chain_drop(chain, chain->bytes);
}
