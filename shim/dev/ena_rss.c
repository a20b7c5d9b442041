/* ena_rss.c: which receive queue frames go to. A device with several picks one by a hash
 * of addresses and ports and a table that may name queues which we have not made: so
 * every entry is set to ours. Hash and key are left as they are. */
#include "shim/dev/ena_device.h"
#include "shim/lib/errno.h"
#include "shim/lib/print.h"

_Static_assert(sizeof(struct ena_rss_entry) << ENA_RSS_MOST <= PAGE_SIZE, "a page");

int ena_rss_take(struct ena *ena, struct ena_queue *rx, const struct ena_response *r)
{
	(void)rx;
	ena->rss = ena_rss_choose(&r->rss, &ena->rss_size);
	if (!ena->rss)
		kprint("net: %s: its RSS table of 2^%u to 2^%u entries is left as it "
		       "is\n",
		       ena->name, r->rss.least, r->rss.most);
	return 0;
}

bool ena_rss_wanted(const struct ena *ena)
{
	return ena->rss;
}

/* The device may read the table at any time: the page stays. */
int ena_rss_fill(struct ena *ena, struct ena_queue *rx, struct ena_command *c)
{
	uint32_t entries = 1u << ena->rss_size;
	if (!ena->rss_table) {
		struct page *page = page_alloc(&kernel_account, 0, true);
		if (!page)
			return -ENOMEM;
		ena->rss_table = page_va(page);
	}
	/* Its field is called one of completion queues; Linux' driver puts the index of
	 * the receive ring there. */
	for (uint32_t i = 0; i < entries; i++)
		ena->rss_table[i] = (struct ena_rss_entry){.queue = rx->sq_index};
	c->flags = ENA_INDIRECT;
	c->feature.control_size = entries * (uint32_t)sizeof(struct ena_rss_entry);
	c->feature.control = ena_address(ena->rss_table);
	c->feature.set.rss = (struct ena_rss_table){.size = ena->rss_size,
						    .inline_index = ENA_RSS_WHOLE};
	return 0;
}
