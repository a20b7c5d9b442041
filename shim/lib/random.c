/* random.c: a ChaCha20 generator with fast key erasure: each refill makes the next key
 * first, and bytes are wiped as they are given out, so what leaks later tells nothing of
 * before. */
#include "shim/lib/random.h"

#include "shim/arch/x86_64/insn.h"
#include "shim/lib/chacha20.h"
#include "shim/lib/string.h"

#define POOL_BLOCKS 8u
#define KEY_BYTES   32u

static uint32_t key[KEY_BYTES / 4];
static uint8_t pool[POOL_BLOCKS * CHACHA20_BLOCK];
static size_t pool_at = sizeof(pool); /* the first byte not given out yet */

static void refill(void)
{
	static const uint32_t nonce[3];
	for (uint32_t i = 0; i < POOL_BLOCKS; i++)
		chacha20_block(pool + i * CHACHA20_BLOCK, key, i, nonce);
	memcpy(key, pool, KEY_BYTES);
	memset(pool, 0, KEY_BYTES);
	pool_at = KEY_BYTES;
}

/* Ten tries, as the SDM asks for (1, 7.3.17). */
static bool rdrand(uint64_t *value)
{
	bool ok = false;
	for (int i = 0; i < 10 && !ok; i++)
		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}

static bool rdseed(uint64_t *value)
{
	bool ok = false;
	for (int i = 0; i < 100 && !ok; i++) {
		__asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(ok));
		if (!ok)
			cpu_relax();
	}
	return ok;
}

void random_mix(const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	while (size) {
		uint8_t in[KEY_BYTES] = {0};
		uint32_t words[KEY_BYTES / 4];
		size_t n = size < sizeof(in) ? size : sizeof(in);
		memcpy(in, from, n);
		memcpy(words, in, sizeof(words));
		for (size_t i = 0; i < KEY_BYTES / 4; i++)
			key[i] ^= words[i];
		refill(); /* a one-way step, so that no later input can undo this one */
		from += n;
		size -= n;
	}
}

struct sources {
	bool rdrand, rdseed;
};

static struct sources sources_find(void)
{
	return (struct sources){cpuid(1, 0).ecx & 1u << 30,
				cpuid(0, 0).eax >= 7 && cpuid(7, 0).ebx & 1u << 18};
}

static uint64_t sources_read(const struct sources *has)
{
	uint64_t value = 0;
	if (!(has->rdseed && rdseed(&value)) && has->rdrand)
		(void)rdrand(&value); /* nothing from either: the time alone */
	return value ^ rdtsc();
}

uint64_t random_early(void)
{
	const struct sources has = sources_find();
	uint64_t mixed =
		sources_read(&has) * 0x9e3779b97f4a7c15; /* each bit reaches the top */
	return mixed ^ mixed >> 32;
}

void random_init(void)
{
	const struct sources has = sources_find();
	uint64_t seed[16];
	for (size_t i = 0; i < sizeof(seed) / sizeof(seed[0]); i++)
		seed[i] = sources_read(&has);
	random_mix(seed, sizeof(seed));
	memset(seed, 0, sizeof(seed));
}

void random_bytes(void *out, size_t size)
{
	uint8_t *to = out;
	while (size) {
		if (pool_at == sizeof(pool))
			refill();
		size_t n = sizeof(pool) - pool_at;
		if (n > size)
			n = size;
		memcpy(to, pool + pool_at, n);
		memset(pool + pool_at, 0, n);
		pool_at += n;
		to += n;
		size -= n;
	}
}

uint64_t random_u64(void)
{
	uint64_t value;
	random_bytes(&value, sizeof(value));
	return value;
}
