/* nic.c: rings by memory, and frame buffers known by number. */
#include "shim/dev/nic.h"

#include "shim/lib/errno.h"
#include "shim/mm/page.h"

static const struct {
	uint64_t below_bytes;
	struct nic_rings rings;
} plans[] = {
	{16ull << 20, {32, 16}},
	{64ull << 20, {128, 64}},
	{UINT64_MAX, {256, 256}},
};
_Static_assert(NIC_BUFFERS_MAX >= 256, "the largest ring has a buffer an entry");

struct nic_rings nic_rings(void)
{
	unsigned i = 0;
	while (page_count_total() * PAGE_SIZE >= plans[i].below_bytes)
		i++;
	return plans[i].rings;
}

uint16_t nic_mtu(uint32_t mtu, uint32_t most)
{
	if (mtu < MTU_LEAST)
		mtu = MTU_DEFAULT;
	return (uint16_t)(mtu < most ? mtu : most);
}

int nic_pool_make(struct nic_pool *pool, uint16_t count, uint32_t size)
{
	uint16_t a_page = (uint16_t)(PAGE_SIZE / size);
	pool->size_log2 = (uint8_t)__builtin_ctz(size);
	while (pool->count < count) {
		if (pool->count % a_page == 0) {
			struct page *page = page_alloc(&kernel_account, 0, false);
			if (!page)
				return -ENOMEM;
			pool->page[pool->count / a_page] = page_va(page);
		}
		pool->free[pool->free_count++] = pool->count++;
	}
	return 0;
}

void nic_pool_free(struct nic_pool *pool)
{
	for (size_t i = 0; i < NIC_BUFFERS_MAX && pool->page[i]; i++)
		page_put(page_of_va(pool->page[i]));
	*pool = (struct nic_pool){0};
}

uint8_t *nic_pool_buffer(const struct nic_pool *pool, uint16_t id)
{
	uint32_t at = (uint32_t)id << pool->size_log2;
	return pool->page[at >> PAGE_SHIFT] + (at & PAGE_MASK);
}

uint16_t nic_pool_take(struct nic_pool *pool)
{
	if (!pool->free_count)
		return NIC_NONE;
	uint16_t id = pool->free[--pool->free_count];
	pool->given[id] = true;
	return id;
}

bool nic_pool_return(struct nic_pool *pool, uint16_t id)
{
	if (id >= pool->count || !pool->given[id])
		return false;
	pool->given[id] = false;
	pool->free[pool->free_count++] = id;
	return true;
}

void nic_pool_return_all(struct nic_pool *pool)
{
	for (uint16_t id = 0; id < pool->count; id++)
		nic_pool_return(pool, id);
}

void nic_receive(struct netdev *dev, const void *frame, uint32_t size, bool checksum_good)
{
	dev->rx_packets++;
	dev->rx_bytes += size;
	netdev_receive(dev, frame, size, checksum_good);
}
