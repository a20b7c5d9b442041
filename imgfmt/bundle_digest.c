/* bundle_digest.c: the digest of a section: its chunks, eight at once where the CPU can
 * (sha256_avx2.c), and the SHA-256 of what they gave. */
#include <stdbool.h>

#include "imgfmt/bundle_digest.h"
#include "imgfmt/sha256_avx2.h"

#ifdef ELFPACK_KERNEL
#include "shim/lib/string.h"
#else
#include <string.h>
#endif

#define BATCH (SHA256_LANES * BUNDLE_CHUNK)

static void cpuid(uint32_t leaf, uint32_t reg[4])
{
	__asm__("cpuid"
		: "=a"(reg[0]), "=b"(reg[1]), "=c"(reg[2]), "=d"(reg[3])
		: "a"(leaf), "c"(0));
}

/* SDM 1, 14.3: the instructions are there, and the system has enabled the registers. */
static bool cpu_has_avx2(void)
{
	const uint32_t osxsave_and_avx = 1u << 27 | 1u << 28, xmm_and_ymm = 6,
		       avx2 = 1u << 5;
	uint32_t reg[4], enabled, high;
	cpuid(0, reg);
	if (reg[0] < 7)
		return false;
	cpuid(1, reg);
	if ((reg[2] & osxsave_and_avx) != osxsave_and_avx)
		return false;
	__asm__("xgetbv" : "=a"(enabled), "=d"(high) : "c"(0));
	cpuid(7, reg);
	return (enabled & xmm_and_ymm) == xmm_and_ymm && reg[1] & avx2;
}

/* The message of one lane, of which so many bytes (whole blocks) have been added. */
static void lane_take(struct sha256 *hash, const struct sha256_lanes *lanes,
		      unsigned lane, size_t bytes)
{
	for (unsigned i = 0; i < 8; i++)
		hash->state[i] = lanes->word[i][lane];
	hash->bytes = bytes;
}

/* Two chunks to as many as there are lanes; only the last may be short. Idle lanes do the
 * first chunk's work again. */
static void hash_batch(const uint8_t *bytes, size_t size, uint8_t (*leaf)[SHA256_BYTES])
{
	const uint8_t *chunk[SHA256_LANES];
	const size_t count = (size + BUNDLE_CHUNK - 1) / BUNDLE_CHUNK;
	const size_t last = size - (count - 1) * BUNDLE_CHUNK, together = last / 64 * 64;
	struct sha256 hash[SHA256_LANES];
	struct sha256_lanes lanes;
	for (unsigned i = 0; i < SHA256_LANES; i++) {
		sha256_init(&hash[i]);
		for (unsigned k = 0; k < 8; k++)
			lanes.word[k][i] = hash[i].state[k];
		chunk[i] = bytes + (i < count ? i : 0) * BUNDLE_CHUNK;
	}
	sha256_avx2_add(&lanes, chunk, together / 64);
	lane_take(&hash[count - 1], &lanes, (unsigned)count - 1, together);
	sha256_add(&hash[count - 1], chunk[count - 1] + together, last - together);
	if (together < BUNDLE_CHUNK) {
		chunk[count - 1] = chunk[0];
		for (unsigned i = 0; i < SHA256_LANES; i++)
			chunk[i] += together;
		sha256_avx2_add(&lanes, chunk, (BUNDLE_CHUNK - together) / 64);
	}
	for (unsigned i = 0; i < count; i++) {
		if (i < count - 1)
			lane_take(&hash[i], &lanes, i, BUNDLE_CHUNK);
		sha256_end(&hash[i], leaf[i]);
	}
}

void bundle_digest_chunks(const void *bytes, size_t size, uint8_t (*leaf)[SHA256_BYTES])
{
	const uint8_t *from = bytes;
	const size_t most = cpu_has_avx2() ? BATCH : BUNDLE_CHUNK;
	for (size_t part; size; from += part, size -= part) {
		part = size < most ? size : most;
		if (part > BUNDLE_CHUNK)
			hash_batch(from, part, leaf);
		else
			sha256_of(from, part, *leaf);
		leaf += bundle_digest_leaves(part);
	}
}

void bundle_digest_add(struct sha256 *digest, const void *bytes, size_t size)
{
	uint8_t leaf[2 * SHA256_LANES][SHA256_BYTES];
	const uint8_t *from = bytes;
	for (size_t part; size; from += part, size -= part) {
		part = size < 2 * BATCH ? size : 2 * BATCH;
		bundle_digest_chunks(from, part, leaf);
		sha256_add(digest, leaf, bundle_digest_leaves(part) * SHA256_BYTES);
	}
}

void bundle_digest_of(const void *bytes, size_t size, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;
	sha256_init(&hash);
	bundle_digest_add(&hash, bytes, size);
	sha256_end(&hash, digest);
}
