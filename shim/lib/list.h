/* list.h: circular doubly linked lists, the links inside the listed objects. */
#ifndef SHIM_LIB_LIST_H
#define SHIM_LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)                                                                  \
	{                                                                                \
		&(name), &(name)                                                         \
	}
#define container_of(ptr, type, member)                                                  \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define list_entry(ptr, type, member) container_of(ptr, type, member)
/* The body may remove `it` when the _safe form is used. */
#define list_for_each(it, head, type, member)                                            \
	for (type *it = list_entry((head)->next, type, member); &it->member != (head);   \
	     it = list_entry(it->member.next, type, member))
#define list_for_each_safe(it, head, type, member)                                       \
	for (type *it = list_entry((head)->next, type, member),                          \
		  *it##_next = list_entry(it->member.next, type, member);                \
	     &it->member != (head); it = it##_next,                                      \
		  it##_next = list_entry(it##_next->member.next, type, member))

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Inserts item before pos; with pos the head: at the end. */
static inline void list_add_before(struct list *pos, struct list *item)
{
	item->next = pos;
	item->prev = pos->prev;
	pos->prev->next = item;
	pos->prev = item;
}

static inline void list_append(struct list *head, struct list *item)
{
	list_add_before(head, item);
}

static inline void list_prepend(struct list *head, struct list *item)
{
	list_add_before(head->next, item);
}

/* Removes item; it is an empty list of its own afterwards, so removing twice is harmless.
 */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#endif
