/* deflate_read.c: RFC 1951, section numbers are its. */
#include "imgfmt/deflate_read.h"

#include <stdbool.h>

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

enum {
	END_OF_BLOCK = 256,
	LITERALS_MAX = 288,
	DISTANCES_MAX = 32,
	LENGTHS = 29, /* length symbols, from END_OF_BLOCK + 1 on */
	DISTANCES = 30,
};

struct reader {
	const uint8_t *at, *end;
	uint64_t bits; /* the next one is bit 0 */
	int count;     /* that are valid; below 0: more were taken than there are */
};

/* At least 56 bits, or all that are left: what one symbol pair takes is 48. */
static inline void refill(struct reader *in)
{
	if (in->end - in->at >= 8 && in->count >= 0) {
		uint64_t next = 0;
		memcpy(&next, in->at, sizeof(next));
		in->bits |= next << in->count;
		in->at += (63 - in->count) >> 3;
		in->count |= 56;
		return;
	}
	while (in->at < in->end && in->count >= 0 && in->count <= 56) {
		in->bits |= (uint64_t)*in->at++ << in->count;
		in->count += 8;
	}
}

static inline uint32_t take(struct reader *in, unsigned count)
{
	uint32_t value = (uint32_t)(in->bits & ((1ull << count) - 1));
	in->bits >>= count;
	in->count -= (int)count;
	return value;
}

static uint32_t reversed(uint32_t code, unsigned size)
{
	uint32_t out = 0;
	for (unsigned i = 0; i < size; i++)
		out |= (code >> i & 1) << (size - 1 - i);
	return out;
}

/* From the lengths of the codes of symbols 0 to count - 1 (3.2.2). -1: too many codes of
 * a length. Codes that are left over are no error until one is met. */
static int code_make(struct deflate_code *code, const uint8_t *length, unsigned count)
{
	uint16_t next[DEFLATE_BITS_MAX + 1];
	uint32_t first = 0, index = 0;
	memset(code->fast, 0, sizeof(code->fast));
	memset(code->count, 0, sizeof(code->count));
	for (unsigned i = 0; i < count; i++)
		code->count[length[i]]++;
	code->count[0] = 0;
	for (unsigned size = 1; size <= DEFLATE_BITS_MAX; size++) {
		first = (first + code->count[size - 1]) << 1;
		if (first + code->count[size] > 1u << size)
			return -1;
		code->first[size] = next[size] = (uint16_t)first;
		code->index[size] = (uint16_t)index;
		index += code->count[size];
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned size = length[i];
		if (!size)
			continue;
		uint32_t at = next[size]++;
		code->symbol[code->index[size] + at - code->first[size]] = (uint16_t)i;
		if (size > DEFLATE_FAST_BITS)
			continue;
		for (uint32_t bits = reversed(at, size); bits < 1u << DEFLATE_FAST_BITS;
		     bits += 1u << size)
			code->fast[bits] = (uint16_t)(i << 4 | size);
	}
	return 0;
}

static int long_symbol(struct reader *in, const struct deflate_code *code)
{
	uint32_t at = 0;
	for (unsigned size = 1; size <= DEFLATE_BITS_MAX; size++) {
		at = at << 1 | (in->bits >> (size - 1) & 1);
		if (at - code->first[size] < code->count[size]) {
			take(in, size);
			return code->symbol[code->index[size] + at - code->first[size]];
		}
	}
	return -1;
}

/* -1: no symbol has these bits. */
static inline int next_symbol(struct reader *in, const struct deflate_code *code)
{
	uint32_t entry = code->fast[in->bits & ((1u << DEFLATE_FAST_BITS) - 1)];
	if (!entry)
		return long_symbol(in, code);
	take(in, entry & 15);
	return (int)(entry >> 4);
}

static void fixed_codes(struct deflate_room *room) /* 3.2.6 */
{
	uint8_t length[LITERALS_MAX];
	for (unsigned i = 0; i < LITERALS_MAX; i++)
		length[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	code_make(&room->literals, length, LITERALS_MAX);
	memset(length, 5, DISTANCES_MAX);
	code_make(&room->distances, length, DISTANCES_MAX);
}

static int read_lengths(struct reader *in, const struct deflate_code *code,
			uint8_t *length, unsigned count)
{
	for (unsigned i = 0; i < count;) {
		refill(in);
		int symbol = next_symbol(in, code);
		uint8_t value = 0;
		unsigned repeat = 1;
		if (symbol < 0 || (symbol == 16 && !i))
			return -1;
		if (symbol < 16) {
			value = (uint8_t)symbol;
		} else {
			value = symbol == 16 ? length[i - 1] : 0;
			repeat = symbol == 16   ? 3 + take(in, 2)
				 : symbol == 17 ? 3 + take(in, 3)
						: 11 + take(in, 7);
		}
		if (in->count < 0 || repeat > count - i)
			return -1;
		memset(length + i, value, repeat);
		i += repeat;
	}
	return 0;
}

static int dynamic_codes(struct reader *in, struct deflate_room *room) /* 3.2.7 */
{
	static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
					  11, 4,  12, 3, 13, 2, 14, 1, 15};
	uint8_t length[LITERALS_MAX + DISTANCES_MAX] = {0};
	unsigned literals = 257 + take(in, 5), distances = 1 + take(in, 5);
	unsigned codes = 4 + take(in, 4);
	for (unsigned i = 0; i < codes; i++) {
		refill(in);
		length[order[i]] = (uint8_t)take(in, 3);
	}
	if (literals > LITERALS_MAX || code_make(&room->literals, length, 19) ||
	    read_lengths(in, &room->literals, length, literals + distances))
		return -1;
	return code_make(&room->distances, length + literals, distances) ||
			       code_make(&room->literals, length, literals)
		       ? -1
		       : 0;
}

/* Bytes that were written before, which may reach into those that are written now. */
static inline void copy_match(uint8_t *out, uint32_t distance, uint32_t length)
{
	const uint8_t *from = out - distance;
	while (distance >= 8 && length >= 8) {
		memcpy(out, from, 8);
		out += 8;
		from += 8;
		length -= 8;
	}
	while (length--)
		*out++ = *from++;
}

/* Returns how many bytes are written then; -1: damaged, or more than there is room for.
 */
static long read_symbols(struct reader *in, const struct deflate_room *room, uint8_t *out,
			 size_t done, size_t out_size)
{
	/* 3.2.5: what a symbol begins with, and how many bits follow. */
	static const uint16_t length_base[LENGTHS] = {
		3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
		31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
	static const uint8_t length_bits[LENGTHS] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1,
						     1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
						     4, 4, 4, 4, 5, 5, 5, 5, 0};
	static const uint16_t distance_base[DISTANCES] = {
		1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
		33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
		1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
	for (;;) {
		refill(in);
		int symbol = next_symbol(in, &room->literals);
		if (symbol < 0 || in->count < 0)
			return -1;
		if (symbol < END_OF_BLOCK) {
			if (done == out_size)
				return -1;
			out[done++] = (uint8_t)symbol;
			continue;
		}
		if (symbol == END_OF_BLOCK)
			return (long)done;
		unsigned row = (unsigned)symbol - END_OF_BLOCK - 1;
		if (row >= LENGTHS)
			return -1;
		uint32_t length = length_base[row] + take(in, length_bits[row]);
		int column = next_symbol(in, &room->distances);
		if (column < 0 || column >= DISTANCES)
			return -1;
		unsigned bits = column < 4 ? 0 : (unsigned)column / 2 - 1;
		uint32_t distance = distance_base[column] + take(in, bits);
		if (in->count < 0 || distance > done || length > out_size - done)
			return -1;
		copy_match(out + done, distance, length);
		done += length;
	}
}

static long read_stored(struct reader *in, uint8_t *out, size_t done, size_t out_size)
{
	take(in, (unsigned)in->count & 7); /* 3.2.4: to the next byte */
	refill(in);
	uint32_t length = take(in, 16), inverse = take(in, 16);
	if (in->count < 0 || length != (~inverse & 0xffff) || length > out_size - done)
		return -1;
	for (; length && in->count >= 8; length--)
		out[done++] = (uint8_t)take(in, 8);
	if (length > (size_t)(in->end - in->at))
		return -1;
	if (length) { /* the bits are used up: those above count are none */
		in->bits = 0;
		memcpy(out + done, in->at, length);
		in->at += length;
	}
	return (long)(done + length);
}

int deflate_read(struct deflate_room *room, const uint8_t *bytes, size_t size,
		 uint8_t *out, size_t out_size)
{
	struct reader in = {.at = bytes, .end = bytes + size};
	long done = 0;
	bool last = false;
	while (!last && done >= 0) {
		refill(&in);
		last = take(&in, 1);
		uint32_t kind = take(&in, 2);
		if (in.count < 0 || kind == 3)
			return -1;
		if (kind == 0) {
			done = read_stored(&in, out, (size_t)done, out_size);
			continue;
		}
		if (kind == 1)
			fixed_codes(room);
		else if (dynamic_codes(&in, room))
			return -1;
		done = read_symbols(&in, room, out, (size_t)done, out_size);
	}
	return done >= 0 && (size_t)done == out_size ? 0 : -1;
}
