/* test_list.c: the links of lists. */
#include "host_machine.h"

#include "shim/lib/list.h"

struct item {
	int number;
	struct list link;
};

static void expect(struct list *head, const int *numbers, int count)
{
	int n = 0;
	list_for_each(it, head, struct item, link) {
		assert_true(n < count);
		assert_int_equal(it->number, numbers[n++]);
		assert_ptr_equal(it->link.next->prev, &it->link);
	}
	assert_int_equal(n, count);
}

static void items_come_in_the_order_they_were_put(void **state)
{
	struct list head = LIST_INIT(head);
	struct item a = {1, {0}}, b = {2, {0}}, c = {3, {0}}, d = {4, {0}};
	(void)state;
	assert_true(list_empty(&head));
	list_append(&head, &b.link);
	list_append(&head, &d.link);
	list_prepend(&head, &a.link);
	list_add_before(&d.link, &c.link);
	expect(&head, (const int[]){1, 2, 3, 4}, 4);
	list_remove(&b.link);
	list_remove(&b.link); /* harmless */
	expect(&head, (const int[]){1, 3, 4}, 3);
}

static void the_safe_walk_lets_its_body_remove(void **state)
{
	struct list head = LIST_INIT(head);
	struct item items[9];
	(void)state;
	for (int i = 0; i < 9; i++) {
		items[i].number = i;
		list_append(&head, &items[i].link);
	}
	list_for_each_safe(it, &head, struct item, link) {
		if (it->number % 2)
			list_remove(&it->link);
	}
	expect(&head, (const int[]){0, 2, 4, 6, 8}, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_in_the_order_they_were_put),
		cmocka_unit_test(the_safe_walk_lets_its_body_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
