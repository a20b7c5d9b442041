/* account.c: who pays for memory. */
#include "shim/mm/account.h"

struct account kernel_account;

void account_init(struct account *account, const char *name, uint64_t limit_pages)
{
	*account = (struct account){.name = name, .limit_pages = limit_pages};
	for (unsigned i = 0; i < KMEM_CLASSES; i++)
		list_init(&account->slabs[i]);
}
